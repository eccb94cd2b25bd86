"""What each panel of the supervisor's dashboard shows, as the templates need it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE, to_city
from core.people.actor import Actor
from core.people.permissions import Permission
from sla.measures import queries
from sla.measures.definitions import COUNTERS, MIN_N, PEERS, RATES, STAGES, THREE_RATES
from sla.measures.periods import Period, ages, days_back, weeks_back
from sla.measures.queries import Share, UnitRow
from telephony.measures import FORMULAS
from tickets.certificates.queries import FORMULA, saved_since
from tickets.limits import Limits
from tickets.queries.risk import nearest
from tickets.states import STAGE_LABELS, Stage
from web.reads.floor import floor
from web.reads.left import total_span

WEEKS_OF_UNITS = 4
WEEKS_OF_RATES = 8
MOST_HOT = 5
MOST_AT_RISK = 15
MOST_BARS = 12
LATE_SECONDS = 15  # steps that wait longer to be folded are said to be late
UNIT_RATES = ("on_time_rate", "return_rate")
MAY_URGE = (Permission.TICKET_CREATE, Permission.TICKET_DISPATCH, Permission.TICKET_SUPERVISE)


@dataclass(frozen=True)
class Asked:
    """Who looks, when, and at which group of peers."""

    actor: Actor
    now: datetime
    limits: Limits
    peers: str = "bureau"

    @property
    def today(self) -> date:
        """The day in the city."""
        return to_city(self.now).date()


def list_link(counter: str, period: Period, **narrow: object) -> str:
    """Where the tickets behind a counter are."""
    asked = {"first": period.first.isoformat(), "last": period.last.isoformat(), **narrow}
    return f"/measures/{counter}/tickets?{urlencode(asked)}"


def share_links(one: Share, period: Period, today: date, **narrow: object) -> dict[str, str]:
    """Where the part, the whole and what is shown apart can be looked at."""

    def of(counter: str, **more: object) -> str:
        settled = COUNTERS[counter].settled
        days = period.until(today - timedelta(days=1)) if settled else period
        return list_link(counter, days, **narrow, **more)

    found = {"part": of(one.rate.part), "of": of(one.rate.of), "apart": of(one.rate.of, apart="yes")}
    return found | ({"silent": of(one.rate.silent)} if one.rate.silent else {})


async def calls(session: AsyncSession, asked: Asked) -> dict[str, Any]:
    """The floor now."""
    return {"floor": await floor(session, asked.now), "formulas": FORMULAS}


async def stages(session: AsyncSession, asked: Asked) -> dict[str, Any]:
    """Open tickets by stage and age; how far the counting is."""
    found = await queries.stage_ages(session, asked.today)
    heat = {
        stage: [
            (cell.n, _heat(cell.n), list_link(f"open_{stage}", cell.period, apart="all")) for cell in cells
        ]
        for stage, cells in found.items()
    }
    since = await queries.waiting_since(session)
    whole = Period(ages(asked.today)[-1][1].first, ages(asked.today)[0][1].last)
    return {
        "heat": [
            (
                STAGE_LABELS[Stage(stage)],
                heat[stage],
                sum(cell.n for cell in found[stage]),
                list_link(f"open_{stage}", whole, apart="all"),
            )
            for stage in STAGES
        ],
        "columns": [word for word, _period in ages(asked.today)],
        "late": since is not None and (asked.now - since).total_seconds() > LATE_SECONDS,
        "counting": await queries.uncounted(session),
        "as_of": since or asked.now,
    }


def _heat(n: int) -> int:
    """How dark a cell is: a step for each power of about three."""
    return sum(n >= bound for bound in (1, 4, 12, 40, 120))


async def risk(session: AsyncSession, asked: Asked) -> dict[str, Any]:
    """What is due first, and whether this person may urge."""
    items = await nearest(session, asked.actor, MOST_AT_RISK, now=asked.now)
    return {
        "risks": [(item, *left) for item in items if (left := total_span(item, asked.now, asked.limits))],
        "may_urge": any(asked.actor.may(permission) for permission in MAY_URGE),
    }


async def units(session: AsyncSession, asked: Asked) -> dict[str, Any]:
    """On time and returned by unit, among peers: who has enough to be compared stands first."""
    period = weeks_back(asked.today, WEEKS_OF_UNITS)
    groups = await queries.by_unit(session, asked.today, UNIT_RATES, period)
    rows = _by_concern(groups[asked.peers])
    return {
        "peers": asked.peers,
        "groups": [(kind, word, len(groups[kind])) for kind, word in PEERS.items()],
        "unit_rows": [
            (
                row,
                {
                    code: share_links(one, period, asked.today, unit=row.id)
                    for code, one in row.shares.items()
                },
            )
            for row in rows
        ],
        "unit_rates": [RATES[code] for code in UNIT_RATES],
        "weeks": WEEKS_OF_UNITS,
        "most_bars": MOST_BARS,
        "min_n": MIN_N,
    }


def _by_concern(rows: list[UnitRow]) -> list[UnitRow]:
    """The lowest on-time rate first; units with too few stand behind, unranked."""

    def key(row: UnitRow) -> tuple[bool, float, int]:
        one = row.shares[UNIT_RATES[0]]
        return not one.ranked, one.percent if one.percent is not None else 101.0, -one.of

    return sorted(rows, key=key)


async def rates(session: AsyncSession, asked: Asked) -> dict[str, Any]:
    """The three rates over weeks."""
    weeks = await queries.by_week(session, asked.today, THREE_RATES, WEEKS_OF_RATES)
    lines = []
    for week in reversed(weeks):
        days = Period(week.monday, min(week.monday + timedelta(days=6), asked.today))
        links = {code: share_links(one, days, asked.today) for code, one in week.shares.items()}
        lines.append((week, links))
    return {"rate_lines": lines, "three": [RATES[code] for code in THREE_RATES]}


async def hot(session: AsyncSession, asked: Asked) -> dict[str, Any]:
    """Where most was accepted in seven days, against the seven before; papers nobody had to bring."""
    week = days_back(asked.today, 7)
    found = {}
    for scope in ("category", "district"):
        rows = await queries.hot(session, scope, asked.today, MOST_HOT)
        found[scope] = [(row, list_link("accepted", week, apart="all", **{scope: row.id})) for row in rows]
    month = datetime.combine(asked.today.replace(day=1), time(), CITY_ZONE)
    saved = await saved_since(session, month)
    return {"hot": found, "papers_saved": saved, "papers_formula": FORMULA}


Panel = Callable[[AsyncSession, Asked], Awaitable[dict[str, Any]]]
PANELS: Mapping[str, Panel] = {
    "calls": calls,
    "stages": stages,
    "risk": risk,
    "units": units,
    "rates": rates,
    "hot": hot,
}
