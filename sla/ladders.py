"""The `[ladder]` table of a policy pack: read as a whole or refused with the key that is wrong.

`sla/packs/guilin.toml` explains the keys.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from core.errors import HotlineError
from sla.ladder import DAY, HOURS, Kind, Ladder, Level, Moment, Post, Rung

LONGEST_DAYS = 250  # a year of working days
LONGEST_HOURS = 8_760
POSTS = 'a list of posts, such as ["officer", "head"]'
MOMENT = "when: 50%, -1wd, due, +24h or +1wd"
_MOMENT = re.compile(r"(?:([0-9]{1,3})%|([+-])([0-9]{1,5})wd|\+([0-9]{1,5})(h|m)|(due))")
_DAYS = re.compile(r"([1-9][0-9]{0,3})wd")
Word = TypeVar("Word")


class Table(Protocol):
    """What is needed of a table of the file (`sla.packs`)."""

    @property
    def file(self) -> str: ...
    @property
    def values(self) -> Mapping[str, Any]: ...
    def at(self, name: str) -> str: ...
    def get(self, name: str, kind: type, wanted: str) -> Any: ...
    def wrong(self, name: str, wanted: str) -> HotlineError: ...
    def allow(self, names: Collection[str]) -> None: ...
    def table(self, name: str) -> "Table": ...
    def word(self, name: str, known: Iterable[Any], what: str) -> Any: ...


def read_ladder(table: Table) -> Ladder:
    """Errors: pack_word_unknown, pack_key_missing, pack_key_kind, pack_key_unknown, ladder_order,
    ladder_too_early.
    """
    for name in table.values:
        table.word(name, Level, "level")
    rungs = tuple(_rung(table, level) for level in Level if level.value in table.values)
    if not rungs:
        raise HotlineError(
            "pack_key_missing", file=table.file, key=table.at(Level.BLUE), wanted="a level at least"
        )
    _check_order(table, rungs)
    return Ladder(rungs)


def _rung(table: Table, level: Level) -> Rung:
    inner = table.table(level.value)
    moments: dict[str | int, Moment] = {}
    for name in inner.values:
        if name == "posts":
            continue
        days = _DAYS.fullmatch(name)
        if name not in (HOURS, DAY) and (days is None or int(days[1]) < 2):
            inner.allow(("posts", HOURS, DAY, "2wd"))
        key: str | int = int(days[1]) if days else name
        moments[key] = _moment(inner, name, key)
    if not moments:
        raise HotlineError("pack_key_missing", file=inner.file, key=inner.at("2wd"), wanted=MOMENT)
    return Rung(level, _posts(inner), moments)


def _posts(table: Table) -> tuple[Post, ...]:
    found = table.get("posts", list, POSTS)
    known = {post.value: post for post in Post}
    if not found or any(name not in known for name in found) or len(set(found)) != len(found):
        raise table.wrong("posts", f"{POSTS}; known: {', '.join(known)}")
    return tuple(known[name] for name in found)


def _moment(table: Table, name: str, key: str | int) -> Moment:
    match = _MOMENT.fullmatch(str(table.get(name, str, MOMENT)).strip())
    if match is None:
        raise table.wrong(name, MOMENT)
    share, sign, days, length, unit, _ = match.groups()
    if share is not None:
        if not 1 <= int(share) <= 99:
            raise table.wrong(name, "from 1% to 99%")
        return Moment(Kind.SHARE, int(share))
    if sign is not None:
        return _days(table, name, key, sign, int(days))
    if length is not None:
        minutes = int(length) * (60 if unit == "h" else 1)
        if not 1 <= minutes <= LONGEST_HOURS * 60:
            raise table.wrong(name, f"from +1m to +{LONGEST_HOURS}h")
        return Moment(Kind.LATER, minutes)
    return Moment(Kind.DUE)


def _days(table: Table, name: str, key: str | int, sign: str, days: int) -> Moment:
    if not 1 <= days <= LONGEST_DAYS:
        raise table.wrong(name, f"from {sign}1wd to {sign}{LONGEST_DAYS}wd")
    if sign == "+":
        return Moment(Kind.AFTER, days)
    if not isinstance(key, int) or days >= key:
        raise HotlineError("ladder_too_early", file=table.file, key=table.at(name), days=days)
    return Moment(Kind.BEFORE, days)


_RANK = {Kind.SHARE: 0, Kind.BEFORE: 0, Kind.DUE: 1, Kind.LATER: 2, Kind.AFTER: 2}


def _check_order(table: Table, rungs: tuple[Rung, ...]) -> None:
    """A level never comes before the one it follows, as far as the file alone can say."""
    keys = {key for rung in rungs for key in rung.by_limit}
    for key in keys:
        before: Moment | None = None
        for rung in rungs:
            moment = _holding(rung, key)
            if moment is None:
                continue
            if before is not None and _earlier(moment, before):
                name = key if isinstance(key, str) else f"{key}wd"
                raise HotlineError("ladder_order", file=table.file, key=table.at(f"{rung.level}.{name}"))
            before = moment


def _holding(rung: Rung, key: str | int) -> Moment | None:
    if isinstance(key, str):
        return rung.by_limit.get(key)
    reached = [days for days in rung.by_limit if isinstance(days, int) and days <= key]
    return rung.by_limit[max(reached)] if reached else None


def _earlier(moment: Moment, than: Moment) -> bool:
    if moment.kind is not than.kind:
        return _RANK[moment.kind] < _RANK[than.kind]
    return moment.amount > than.amount if moment.kind is Kind.BEFORE else moment.amount < than.amount
