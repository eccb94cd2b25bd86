"""What two policy packs say differently, line by line, in the words people use; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sla.calendar import shown
from sla.clocks import Limit
from sla.explain import UNITS
from sla.pack import ByUrgency, Extension, Override, Pack
from tickets.states import STAGE_LABELS
from tickets.terms import TicketType, Urgency, label

NONE = "—"


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
    for code, override in pack.categories.items():
        yield from _override(f"法定时限 {code} {override.name}", override)


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
