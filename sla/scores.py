"""Scores of departments: points less a slope for each percentage point below a target; pure.

The shape fits the published bulletins (domain.md §7): `points − slope × gap`, not below a floor, nothing
from too few cases. The rules are data of the policy pack; who is compared with whom is not decided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A rate as a share from 0 to 1, and of how many."""

    rate: float | None
    n: int


@dataclass(frozen=True)
class ScoreRule:
    """What one measure gives: `points` at the target, `slope` less per percentage point short of it."""

    code: str
    points: float
    target: float  # a share from 0 to 1
    slope: float
    floor: float = 0.0
    least: int = 30  # cases
    lower_is_better: bool = False

    def score(self, figure: Figure) -> float | None:
        """The points of a figure; None when it is of fewer cases than `least`."""
        if figure.rate is None or figure.n < self.least:
            return None
        short = figure.rate - self.target if self.lower_is_better else self.target - figure.rate
        return max(self.floor, self.points - self.slope * max(0.0, short) * 100)


@dataclass(frozen=True)
class Scored:
    """The points of one unit. What had too few cases is left out of the points it could have, too."""

    parts: Mapping[str, float | None]
    points: float
    possible: float

    @property
    def total(self) -> float | None:
        """Out of a hundred; None when nothing could be scored."""
        return 100 * self.points / self.possible if self.possible else None


def scored(rules: Sequence[ScoreRule], figures: Mapping[str, Figure]) -> Scored:
    """The points of a unit by its figures, by code of the measure; what is missing has no cases."""
    none = Figure(None, 0)
    parts = {rule.code: rule.score(figures.get(rule.code, none)) for rule in rules}
    possible = sum(rule.points for rule in rules if parts[rule.code] is not None)
    return Scored(parts, sum(part for part in parts.values() if part is not None), possible)


def ranks(totals: Sequence[float | None]) -> list[int | None]:
    """The place of each, 1 for the highest; equals share one and the next is skipped, no total has none."""
    kept = [total for total in totals if total is not None]
    return [None if total is None else 1 + sum(other > total for other in kept) for total in totals]
