"""A score sheet and what marks on it come to; pure.

Score = 100 × points given ÷ points of the items that apply. A fatal item that happened makes it 0. What an
item is worth is its weight; an item that does not apply to a call (None) counts on neither side.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations

from core.errors import HotlineError

MOST_ITEMS, MOST_POINTS = 40, 100
CODE = re.compile(r"[a-z][a-z0-9_]{0,19}")
Marks = Mapping[str, int | None]


@dataclass(frozen=True)
class Item:
    """A line of a sheet: worth `points`, or fatal and worth nothing."""

    code: str
    group: str
    name: str
    points: int
    hint: str = ""
    fatal: bool = False

    def as_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Sheet:
    """Its items in order."""

    items: tuple[Item, ...]

    @property
    def weighed(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if not item.fatal)

    @property
    def fatal(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.fatal)

    @property
    def points(self) -> int:
        return sum(item.points for item in self.weighed)


def sheet_of(raw: Iterable[Mapping[str, object]]) -> Sheet:
    """A sheet as it is kept."""
    return Sheet(tuple(Item(**one) for one in raw))  # type: ignore[arg-type]  # as `as_json` wrote it


def checked(items: Sequence[Item]) -> Sheet:
    """A sheet that can be scored by. Raises `quality_sheet` with `line`, from 1 (0: the sheet as a whole)."""
    for number, item in enumerate(items, 1):
        named = 1 <= len(item.name) <= 60 and len(item.group) <= 20 and len(item.hint) <= 200
        worth = item.points == 0 if item.fatal else 1 <= item.points <= MOST_POINTS
        if not named or not worth or not CODE.fullmatch(item.code):
            raise HotlineError("quality_sheet", line=number)
    codes = [item.code for item in items]
    weighed = [item for item in items if not item.fatal]
    if len(set(codes)) != len(codes) or not weighed or len(items) > MOST_ITEMS:
        raise HotlineError("quality_sheet", line=0)
    return Sheet(tuple(items))


def check_marks(sheet: Sheet, marks: Marks, fatal: Iterable[str]) -> None:
    """Every weighed item marked within its points or as not applying, and one at least applies.

    Raises `quality_marks` with the codes of `items` that are wrong.
    """
    wrong = [
        item.code
        for item in sheet.weighed
        if item.code not in marks or not _within(marks[item.code], item.points)
    ]
    unknown = (set(marks) - {item.code for item in sheet.weighed}) | (
        set(fatal) - {item.code for item in sheet.fatal}
    )
    if not wrong and all(marks[item.code] is None for item in sheet.weighed):
        wrong = [item.code for item in sheet.weighed]
    if wrong or unknown:
        raise HotlineError("quality_marks", items=[*wrong, *sorted(unknown)])


def _within(mark: int | None, points: int) -> bool:
    return mark is None or 0 <= mark <= points


def total(sheet: Sheet, marks: Marks, fatal: Iterable[str]) -> Decimal:
    """The score of checked marks, 0 to 100 with one digit."""
    if any(True for _ in fatal):
        return Decimal("0.0")
    applying = [(marks[item.code], item.points) for item in sheet.weighed]
    given = sum(mark for mark, _ in applying if mark is not None)
    whole = sum(points for mark, points in applying if mark is not None)
    share = Decimal(100 * given) / Decimal(whole)
    return share.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


# ---- between reviewers ----------------------------------------------------------------------


@dataclass(frozen=True)
class Spread:
    """What several reviewers gave for an item: who sees how far they lie apart sees where to talk."""

    code: str
    marks: tuple[int | None, ...]

    @property
    def low(self) -> int | None:
        return min((mark for mark in self.marks if mark is not None), default=None)

    @property
    def high(self) -> int | None:
        return max((mark for mark in self.marks if mark is not None), default=None)

    @property
    def spread(self) -> int | None:
        """Highest less lowest; None where nobody or only one marked it."""
        given = [mark for mark in self.marks if mark is not None]
        return max(given) - min(given) if len(given) > 1 else None

    @property
    def pairs(self) -> tuple[int, int]:
        """Of how many pairs of reviewers how many marked alike; not applying is a mark like another."""
        every = list(combinations(self.marks, 2))
        return sum(first == second for first, second in every), len(every)


def spreads(sheet: Sheet, scores: Sequence[tuple[Marks, Iterable[str]]]) -> list[Spread]:
    """Each item over all reviewers, in the sheet's order; a fatal item is 1 where it was found."""
    kept = [(marks, frozenset(fatal)) for marks, fatal in scores]
    return [
        Spread(
            item.code,
            tuple(int(item.code in fatal) if item.fatal else marks.get(item.code) for marks, fatal in kept),
        )
        for item in sheet.items
    ]


def agreement(found: Iterable[Spread]) -> float | None:
    """Pairs of marks that are the same ÷ all pairs, over all items; None with fewer than two reviewers."""
    alike, every = 0, 0
    for one in found:
        same, pairs = one.pairs
        alike, every = alike + same, every + pairs
    return alike / every if every else None
