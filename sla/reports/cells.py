"""Cells of reports together with what they counted; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sla.measures.definitions import COUNTERS, MIN_N, RATES
from sla.measures.periods import ONE, Period
from sla.measures.queries import Share, UnitRow
from sla.reports.document import Behind, Cell, Column, Format, Table

COUNT, RATE, CHANGE = Format.COUNT, Format.RATE, Format.CHANGE
Pair = tuple[Cell, Behind | None]
FEW = f"＊ 首项指标的 n 不足 {MIN_N}，列在后面，不排名。"
RATE_COLUMNS = (
    Column("指标"),
    Column("率", RATE),
    Column("件数", COUNT),
    Column("总数（n）", COUNT),
    Column("剔除", COUNT),
    Column("较上期（百分点）", CHANGE),
)


@dataclass(frozen=True)
class Where:
    """What the cells of a row are about: days, and a key of a scope; settled days end before `today`."""

    period: Period
    today: date
    scope: str = "all"
    key: str = ""

    def of(self, counter: str, apart: str = "no") -> Behind:
        """The facts of a counter."""
        days = self.period.until(self.today - ONE) if COUNTERS[counter].settled else self.period
        return Behind(counter, days.first.isoformat(), days.last.isoformat(), self.scope, self.key, apart)


def plain(*cells: Cell) -> list[Pair]:
    """Cells with nothing behind them."""
    return [(cell, None) for cell in cells]


def count(n: int, where: Where, counter: str, apart: str = "all") -> Pair:
    """So many facts."""
    return n, where.of(counter, apart)


def table(title: str, columns: Sequence[Column], rows: Sequence[Sequence[Pair]], note: str = "") -> Table:
    """A table of such rows."""
    return Table(
        title,
        tuple(columns),
        tuple(tuple(cell for cell, _ in row) for row in rows),
        note,
        tuple(tuple(behind for _, behind in row) for row in rows),
    )


def rate(share: Share | None) -> float | None:
    """As a share from 0 to 1."""
    return None if share is None or not share.of else share.part / share.of


def rate_cell(share: Share | None, where: Where) -> Pair:
    """A rate; what it led to is behind it."""
    return rate(share), None if share is None else where.of(share.rate.part)


def size_cell(share: Share, where: Where) -> Pair:
    """Of how many."""
    return share.of, where.of(share.rate.of)


def rate_line(code: str, now: Share | None, then: Share | None, where: Where) -> list[Pair]:
    """A line of `RATE_COLUMNS`."""
    value, earlier = rate(now), rate(then)
    change = None if value is None or earlier is None else value - earlier
    name = RATES[code].name
    if now is None:
        return plain(name, None, 0, 0, 0, change)
    part = where.of(now.rate.part)
    apart = (now.left_out, where.of(now.rate.of, "yes"))
    return [(name, None), (value, part), (now.part, part), size_cell(now, where), apart, (change, None)]


def silent_cell(share: Share | None, where: Where) -> Pair:
    """Who was asked and gave no answer."""
    if share is None or share.rate.silent is None:
        return 0, None
    return share.silent, where.of(share.rate.silent)


def unit_columns(codes: Sequence[str]) -> list[Column]:
    """Rates of units, each with its n."""
    found = [Column("单位")]
    for code in codes:
        found += [Column(RATES[code].name, RATE), Column("n", COUNT)]
    return found


def unit_line(row: UnitRow, codes: Sequence[str], period: Period, today: date) -> list[Pair]:
    """The rates of a unit."""
    where = Where(period, today, "unit", str(row.id))
    enough = row.shares[codes[0]].ranked
    found = plain(row.name if enough else f"{row.name}＊")
    for code in codes:
        found += [rate_cell(row.shares[code], where), size_cell(row.shares[code], where)]
    return found


def share_of(found: Mapping[str, Mapping[str, Share]], key: str, code: str) -> Share | None:
    """A share, where there is one."""
    return found.get(key, {}).get(code)
