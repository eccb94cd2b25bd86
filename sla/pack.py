"""A policy pack: the limits of one place from one day on, and which of them a matter has; pure.

Where packs come from, and what is refused: `sla/packs.py`.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.clock import to_city
from sla.calendar import Spans
from sla.clocks import Limit
from sla.ladder import Ladder
from sla.scores import ScoreRule
from tickets.states import Stage
from tickets.terms import TicketType, Urgency

ByUrgency = Mapping[Urgency, Limit]
ByType = Mapping[TicketType, ByUrgency]


@dataclass(frozen=True)
class Extension:
    """How far a total may be extended, in working days: the least of what is given."""

    longest: int | None = None
    in_all: int | None = None  # the original limit and the extension together
    at_most_original: bool = False

    def of(self, original: int) -> int:
        """The most working days that may be added to a total of `original`; 0: none."""
        bounds = [] if self.longest is None else [self.longest]
        if self.in_all is not None:
            bounds.append(max(0, self.in_all - original))
        if self.at_most_original:
            bounds.append(original)
        return min(bounds)


@dataclass(frozen=True)
class Override:
    """A statutory clock of a category and everything below it; what it does not name stays the pack's."""

    name: str
    basis: str
    total: ByType
    any_type: ByUrgency
    extension: int | None = None  # working days

    def total_of(self, kind: TicketType) -> ByUrgency:
        """What it says of this type; empty: nothing."""
        return self.total.get(kind, self.any_type)


@dataclass(frozen=True)
class Pack:
    """Everything a place decided about its limits."""

    name: str
    source: str
    effective: date
    office_hours: Spans
    stages: Mapping[Stage, ByUrgency]
    total: ByType
    redo: ByType
    co_opinion_percent: int
    extension: Extension
    ladder: Ladder
    categories: Mapping[str, Override]
    scores: tuple[ScoreRule, ...] = ()

    def limit(
        self, stage: Stage, kind: TicketType, urgency: Urgency, codes: Sequence[str] = ()
    ) -> Limit | None:
        """The limit of `stage`; `codes`: the matter's category and those above it, nearest first.

        None for stages without a limit of their own (handle: the total's).
        """
        if stage is Stage.TOTAL:
            return self._total(kind, urgency, codes)
        if stage is Stage.REDO:
            return self.redo[kind][urgency]
        if stage is Stage.CO_OPINION:
            total = self._total(kind, urgency, codes)
            return Limit(max(1, total.amount * self.co_opinion_percent // 100), total.unit)
        limits = self.stages.get(stage)
        return limits.get(urgency, limits[Urgency.NORMAL]) if limits else None

    def longest_extension(self, kind: TicketType, codes: Sequence[str] = ()) -> int:
        """The most working days a total of this type may be extended by."""
        for override in self._overrides(kind, codes):
            if override.extension is not None:
                return override.extension
        return self.extension.of(self._total(kind, Urgency.NORMAL, codes).amount)

    def _total(self, kind: TicketType, urgency: Urgency, codes: Sequence[str]) -> Limit:
        for override in self._overrides(kind, codes):
            if urgency in override.total_of(kind):
                return override.total_of(kind)[urgency]
        return self.total[kind][urgency]

    def _overrides(self, kind: TicketType, codes: Sequence[str]) -> Iterator[Override]:
        """Those that say something of this type, nearest first."""
        for code in codes:
            override = self.categories.get(code)
            if override is not None and override.total_of(kind):
                yield override


@dataclass(frozen=True)
class Book:
    """The packs by the day from which they count, earliest first."""

    days: tuple[date, ...]
    packs: tuple[Pack, ...]

    def on(self, instant: datetime) -> Pack:
        """The pack of the city's day of an instant; before the first, the first."""
        if len(self.packs) == 1:
            return self.packs[0]
        return self.packs[max(0, bisect_right(self.days, to_city(instant).date()) - 1)]

    @staticmethod
    def of(pack: Pack) -> "Book":
        """One pack for every day."""
        return Book((pack.effective,), (pack,))
