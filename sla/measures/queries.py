"""Figures as values, read from kept sums alone: a handful of index ranges, however many tickets there are."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.models import Unit
from sla.measures.definitions import COUNTERS, MIN_N, PEERS, RATES, STAGES, Rate, kept_codes, number
from sla.measures.periods import Period, ages, days_back, mondays, pieces, weeks_back
from sla.measures.steps import OPEN_PREFIX
from tickets.models import Category, table_of

_unit, _category = table_of(Unit), table_of(Category)
_SUMS = sa.text(
    """
    SELECT s.key, s.code, s.left_out, sum(s.n)::bigint AS n
    FROM unnest(CAST(:codes AS text[])) AS c (code)
    CROSS JOIN unnest(CAST(:grains AS text[]), CAST(:starts AS date[])) AS p (grain, start)
    JOIN measure_sum s ON s.scope = :scope AND s.code = c.code AND s.grain = p.grain AND s.start = p.start
    WHERE CAST(:key AS text) IS NULL OR s.key = :key
    GROUP BY s.key, s.code, s.left_out
    """
)
Sums = dict[str, dict[tuple[str, bool], int]]  # key → (code, shown apart) → n


@dataclass(frozen=True)
class Share:
    """A rate with everything that must stand beside it."""

    rate: Rate
    part: int
    of: int
    left_out: int  # of the denominator, shown apart (剔除)
    silent: int = 0  # asked, and no answer

    @property
    def percent(self) -> float | None:
        """None when there is nothing to divide by."""
        return 100 * self.part / self.of if self.of else None

    @property
    def ranked(self) -> bool:
        """Whether there is enough of it to be compared."""
        return self.of >= MIN_N


@dataclass(frozen=True)
class UnitRow:
    """The rates of one unit, by code."""

    id: int
    name: str
    kind: str
    shares: Mapping[str, Share]


@dataclass(frozen=True)
class Hot:
    """A category or an area: how many of a week, and of the week before."""

    id: int
    name: str
    n: int
    before: int

    @property
    def change(self) -> int:
        """Against the week before."""
        return self.n - self.before


@dataclass(frozen=True)
class Cell:
    """Open tickets of one stage and age."""

    period: Period
    n: int


@dataclass(frozen=True)
class WeekPoint:
    """The shares of a week that begins on `monday`."""

    monday: date
    shares: Mapping[str, Share]


async def sums(
    session: AsyncSession, scope: str, codes: Collection[str], period: Period, key: str | None = None
) -> Sums:
    """The kept sums of these codes in a period, by key of the scope."""
    found: Sums = defaultdict(dict)
    if period.empty:
        return found
    parts = pieces(period)
    values = {
        "scope": scope,
        "codes": sorted(codes),
        "grains": [grain for grain, _ in parts],
        "starts": [start for _, start in parts],
        "key": key,
    }
    for row in await session.execute(_SUMS, values):
        found[row.key][row.code, row.left_out] = row.n
    return found


async def open_sums(session: AsyncSession, scope: str, code: str, period: Period, key: str) -> Sums:
    """The same for what is open, which is kept by the day it began alone."""
    query = sa.text(
        "SELECT code, left_out, sum(n)::bigint AS n FROM measure_sum WHERE scope = :scope AND code = :code "
        "AND grain = 'd' AND start BETWEEN :first AND :last AND key = :key GROUP BY code, left_out"
    )
    values = {"scope": scope, "code": code, "first": period.first, "last": period.last, "key": key}
    rows = await session.execute(query, values)
    return {key: {(row.code, row.left_out): row.n for row in rows}}


async def shares(
    session: AsyncSession,
    today: date,
    codes: Sequence[str],
    period: Period,
    scope: str = "all",
) -> dict[str, dict[str, Share]]:
    """The rates of a period by key of the scope; of what is settled only days that are over count."""
    rates = [RATES[code] for code in codes]
    found: Sums = defaultdict(dict)
    for settled in (False, True):
        wanted = kept_codes({c for rate in rates for c in _counters(rate) if COUNTERS[c].settled is settled})
        if wanted:
            days = period.until(today - timedelta(days=1)) if settled else period
            for key, values in (await sums(session, scope, wanted, days)).items():
                found[key] |= values
    return {key: {rate.code: share(rate, values) for rate in rates} for key, values in found.items()}


def _counters(rate: Rate) -> tuple[str, ...]:
    return (rate.part, rate.of, rate.silent) if rate.silent else (rate.part, rate.of)


def share(rate: Rate, values: Mapping[tuple[str, bool], int]) -> Share:
    """A rate out of sums by (code, shown apart)."""
    counted = {code: n for (code, apart), n in values.items() if not apart}
    apart = {code: n for (code, apart), n in values.items() if apart}
    silent = counted.get(rate.silent, 0) if rate.silent else 0
    return Share(rate, number(rate.part, counted), number(rate.of, counted), number(rate.of, apart), silent)


async def by_unit(
    session: AsyncSession, today: date, codes: Sequence[str], period: Period
) -> dict[str, list[UnitRow]]:
    """The rates of every unit that had something to do, by group of peers; who has enough stands first."""
    found = await shares(session, today, codes, period, "unit")
    ids = [int(key) for key in found if key != "0"]
    query = sa.select(_unit.c.id, _unit.c.short_name, _unit.c.kind).where(
        _unit.c.id.in_(ids), _unit.c.kind.in_(PEERS)
    )
    groups: dict[str, list[UnitRow]] = {kind: [] for kind in PEERS}
    for row in await session.execute(query):
        groups[row.kind].append(UnitRow(row.id, row.short_name, row.kind, found[str(row.id)]))
    for rows in groups.values():
        rows.sort(key=lambda row: _rank(row.shares[codes[0]]))
    return groups


def _rank(share: Share) -> tuple[bool, float, int]:
    return not share.ranked, -(share.percent or 0), -share.of


async def by_week(session: AsyncSession, today: date, codes: Sequence[str], count: int) -> list[WeekPoint]:
    """The rates of the last `count` weeks, the present one as far as it is."""
    period, rates = weeks_back(today, count), [RATES[code] for code in codes]
    wanted = kept_codes({counter for rate in rates for counter in _counters(rate)})
    weeks = [
        WeekPoint(monday, (await shares(session, today, codes, Period(monday, today))).get("", {}))
        for monday in mondays(period)[-1:]
    ]
    found: dict[date, dict[tuple[str, bool], int]] = {monday: {} for monday in mondays(period)[:-1]}
    query = sa.text(
        "SELECT start, code, left_out, n FROM measure_sum WHERE scope = 'all' AND grain = 'w' "
        "AND code = ANY(CAST(:codes AS text[])) AND start BETWEEN :first AND :last"
    )
    values = {"codes": sorted(wanted), "first": period.first, "last": period.last - timedelta(days=7)}
    for row in await session.execute(query, values):
        if row.start in found:
            found[row.start][row.code, row.left_out] = row.n
    past = [
        WeekPoint(monday, {rate.code: share(rate, values) for rate in rates})
        for monday, values in sorted(found.items())
    ]
    blank = {rate.code: share(rate, {}) for rate in rates}
    return past + [WeekPoint(week.monday, week.shares or blank) for week in weeks]


async def stage_ages(session: AsyncSession, today: date) -> dict[str, list[Cell]]:
    """Open tickets: stage → how many have been there how long."""
    codes = [OPEN_PREFIX + stage for stage in STAGES]
    columns = [period for _word, period in ages(today)]
    counts: dict[tuple[str, int], int] = defaultdict(int)
    query = sa.text(
        "SELECT code, start, n FROM measure_sum WHERE scope = 'all' AND grain = 'd' "
        "AND code = ANY(CAST(:codes AS text[]))"
    )
    for row in await session.execute(query, {"codes": codes}):
        for place, period in enumerate(columns):
            if period.first <= row.start <= period.last:
                counts[row.code, place] += row.n
    return {
        stage: [Cell(period, counts[OPEN_PREFIX + stage, place]) for place, period in enumerate(columns)]
        for stage in STAGES
    }


async def hot(session: AsyncSession, scope: str, today: date, most: int) -> list[Hot]:
    """Where most was accepted in the last seven days, with the seven days before."""
    week = days_back(today, 7)
    earlier = days_back(week.first - timedelta(days=1), 7)
    now, then = [_accepted(await sums(session, scope, {"accepted"}, days)) for days in (week, earlier)]
    top = sorted(now, key=lambda key: (-now[key], int(key)))[:most]
    names = await names_of(session, scope, [int(key) for key in top])
    return [Hot(int(key), names.get(int(key), ""), now[key], then.get(key, 0)) for key in top]


async def names_of(session: AsyncSession, scope: str, ids: Collection[int]) -> Mapping[int, str]:
    """The names behind the keys of a scope: categories, else units and districts."""
    table, name = (_category, "name") if scope == "category" else (_unit, "short_name")
    query = sa.select(table.c.id, table.c[name].label("name")).where(table.c.id.in_(ids))
    return {row.id: row.name for row in await session.execute(query)}


def _accepted(found: Sums) -> dict[str, int]:
    return {key: sum(values.values()) for key, values in found.items()}


async def waiting_since(session: AsyncSession) -> datetime | None:
    """When the oldest step was put down that is not folded yet; None: everything is counted."""
    found = await session.execute(sa.text("SELECT at FROM measure_delta ORDER BY id LIMIT 1"))
    at: datetime | None = found.scalar_one_or_none()
    return at


async def uncounted(session: AsyncSession) -> bool:
    """Whether tickets of before are still being counted from their history."""
    query = "SELECT EXISTS (SELECT 1 FROM measure_count WHERE upto IS NOT NULL OR records_upto IS NOT NULL)"
    return bool((await session.execute(sa.text(query))).scalar_one())
