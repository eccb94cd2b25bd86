"""What two policy packs say differently, line by line, in the words people use; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sla.calendar import shown
from sla.clocks import Limit
from sla.explain import UNITS
from sla.ladder import DAY, HOURS, LEVEL_LABELS, Kind, Ladder, Moment, Post
from sla.measures.definitions import RATES
from sla.pack import ByUrgency, Extension, Override, Pack
from sla.scores import ScoreRule
from tickets.states import STAGE_LABELS
from tickets.terms import TicketType, Urgency, label

NONE = "—"
POST_LABELS: dict[Post, str] = {
    Post.OFFICER: "承办人",
    Post.HEAD: "单位负责人",
    Post.ABOVE: "上级单位负责人",
    Post.SUPERVISION: "督办人员",
}


@dataclass(frozen=True)
class Difference:
    """One figure that is another: what it is, before and after."""

    label: str
    before: str
    after: str


def in_words(limit: Limit | None) -> str:
    """`10 个工作日`; a dash for none."""
    return NONE if limit is None else f"{limit.amount} {UNITS[limit.unit][0]}"


def extension_in_words(told: Extension) -> str:
    """How far a total may be extended, as a sentence."""
    parts = []
    if told.longest is not None:
        parts.append(f"最多 {told.longest} 个工作日")
    if told.in_all is not None:
        parts.append(f"连同原时限不超过 {told.in_all} 个工作日")
    if told.at_most_original:
        parts.append("不超过原时限")
    return "，".join(parts) or NONE


def moment_in_words(moment: Moment) -> str:
    """When a card comes, as people say it."""
    if moment.kind is Kind.SHARE:
        return f"用时达 {moment.amount}%"
    if moment.kind is Kind.BEFORE:
        return f"到期日前 {moment.amount} 个工作日" if moment.amount else "到期当日"
    if moment.kind is Kind.DUE:
        return "到期时"
    if moment.kind is Kind.AFTER:
        return f"超期第 {moment.amount} 个工作日"
    hours, minutes = divmod(moment.amount, 60)
    return "超期 " + f"{f'{hours} 小时' if hours else ''}{f'{minutes} 分钟' if minutes else ''}"


def score_in_words(rule: ScoreRule) -> str:
    """How a rate is scored, as a sentence."""
    beyond = "每超过" if rule.lower_is_better else "每低于"
    parts = (
        f"{rule.points:g} 分",
        f"目标 {rule.target * 100:g}%",
        f"{beyond}目标 1 个百分点扣 {rule.slope:g} 分",
        f"最低 {rule.floor:g} 分",
        f"不足 {rule.least} 件不计",
    )
    return "，".join(parts)


def differences(before: Pack, after: Pack) -> list[Difference]:
    """Every figure that is another in `after`."""
    old, new = dict(_lines(before)), dict(_lines(after))
    keys = [*old, *(key for key in new if key not in old)]
    found = (Difference(key, old.get(key, NONE), new.get(key, NONE)) for key in keys)
    return [one for one in found if one.before != one.after]


def _lines(pack: Pack) -> Iterator[tuple[str, str]]:
    yield "依据", pack.source
    yield "适用办公时间", shown(pack.office_hours)
    for stage, limits in pack.stages.items():
        yield from _urgencies(f"环节时限 {STAGE_LABELS[stage]}", limits)
    for title, table in (("总时限", pack.total), ("重办时限", pack.redo)):
        yield from _types(title, table)
    yield "协办意见占总时限", f"{pack.co_opinion_percent}%"
    yield "延期", extension_in_words(pack.extension)
    yield from _ladder(pack.ladder)
    for rule in pack.scores:
        yield f"计分 {RATES[rule.code].name}", score_in_words(rule)
    for code, override in pack.categories.items():
        yield from _override(f"法定时限 {code} {override.name}", override)


def _ladder(ladder: Ladder) -> Iterator[tuple[str, str]]:
    for rung in ladder.rungs:
        title = f"亮牌督办 {LEVEL_LABELS[rung.level]}"
        yield f"{title} 签收岗位", "、".join(POST_LABELS[post] for post in rung.posts)
        for key, moment in rung.by_limit.items():
            yield f"{title} {_limits(key)}", moment_in_words(moment)


def _limits(key: str | int) -> str:
    if key == HOURS:
        return "以小时计的时限"
    return "1 个工作日的时限" if key == DAY else f"{key} 个工作日及以上的时限"


def _types(title: str, table: Mapping[TicketType, ByUrgency]) -> Iterator[tuple[str, str]]:
    for kind, limits in table.items():
        yield from _urgencies(f"{title} {label(TicketType, kind)}", limits)


def _urgencies(title: str, limits: ByUrgency) -> Iterator[tuple[str, str]]:
    for urgency, limit in limits.items():
        yield f"{title} {label(Urgency, urgency)}", in_words(limit)


def _override(title: str, told: Override) -> Iterator[tuple[str, str]]:
    yield f"{title} 依据", told.basis
    yield from _urgencies(f"{title} 各类", told.any_type)
    yield from _types(title, told.total)
    if told.extension is not None:
        yield f"{title} 延期", f"最多 {told.extension} 个工作日"
