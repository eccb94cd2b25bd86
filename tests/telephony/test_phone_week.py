"""A week of a simulated PBX in the phone reports, against its raw events and its queue_log: equal."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.clock import ManualClock
from core.db import Database, UnitOfWork
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from sla.measures.periods import Period
from sla.reports.phone import read
from sla.reports.phone_sheets import Asked, By, PhoneReport
from telephony.ami.frames import FrameReader
from telephony.ami.messages import AmiEvent, parse
from telephony.calls import Tracker, interest, read_session
from telephony.queue_log import Tail, Truth, reconcile
from telephony.service import TelephonyService
from telephony.simulator import Simulator, Transfer
from telephony.simulator.outbound import Order
from telephony.simulator.plan import CallPlan
from telephony.simulator.wire import encode
from tests.telephony.raw_figures import Key, Made, from_events, from_queue_log, made_calls

SUNDAY = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # 23:00 in the city: the week begins over midnight
DAYS = 7
MADE = "out-"  # how the ids of calls we made begin
STEP = 1200.0  # seconds between two looks of the product
COUNTS = (
    "offered", "answered", "answered_in_15", "abandoned", "short_abandoned", "timeout", "withdrawn", "empty",
    "others", "missed", "transferred",
)  # fmt: skip


class Week:
    """A PBX and what the product does with what it says, on clocks that differ by `skew` seconds."""

    def __init__(
        self, service: TelephonyService, folder: Path, seed: int, *, days: int = DAYS, rate: float = 9
    ) -> None:
        self.service = service
        self._days = days
        self.raw: list[bytes] = []
        self._new: list[bytes] = []
        self.simulator = Simulator(
            clock=ManualClock(SUNDAY),
            calls_per_hour=rate,
            agents=2,
            seed=seed,
            queue_log=folder / "queue_log",
        )
        self.simulator.tap(lambda _, headers: self._new.append(encode(headers)))
        self._log = folder / "queue_log"
        self._tail, self._truth = Tail(self._log), Truth()
        self._tracker, self._frames, self._wanted = Tracker(("trunk",)), FrameReader(), interest()
        self._draw = random.Random(seed)

    outgoing = True  # agents call citizens as well

    def _call_back(self, number: int) -> None:
        """One of everything a call of ours may come to."""
        plans = (
            {"talk": 95.5, "citizen_after": 6.0},
            {"talk": 1500.0, "ended_by": "citizen"},  # over a quarter of an hour
            {"citizen_busy": True},
            {"citizen_answers": False},
            {"agent_busy": True},  # never left the house
            {"line": "congested"},
        )
        plan = CallPlan(number=f"1390000{number:04d}", **plans[number % len(plans)])
        order = Order([], ("1001", "1002")[number % 2], plan.number, "hotline-outbound", 20.0)
        order.channel_id = f"{MADE}{number}"
        self.simulator.floor.originate(order, plan)

    @property
    def queue_log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    async def play(self, step: float = STEP) -> None:
        """The whole week, and an hour in which the last calls end."""
        self.simulator.begin_day()
        for at, order in self._orders():
            self.simulator.timeline.after(at, order)
        for number in range(int(self._days * 86_400 / step)):
            self.simulator.advance(step)
            if self._new or number % 600 == 0:
                await self.look()
        self.simulator.shape = replace(self.simulator.shape, calls_per_hour=0)
        for _ in range(int(7200 / step)):
            self.simulator.advance(step)
            if self._new:
                await self.look()
        assert self.simulator.calls == []

    def _orders(self) -> Iterator[tuple[float, Any]]:
        """Calls a quiet week would not bring: over midnight and quarters, short, timed out, withdrawn."""
        place = self.simulator.place_call
        for day in range(self._days):
            midnight = 3600 + day * 86_400
            yield midnight - 4, lambda: place(agent="1001", answer_after=9, talk=1000)
            yield midnight - 2, lambda: place(outcome="abandoned", patience=8.0)
            for hour in range(1, 23, 3):
                border = midnight + hour * 3600 + self._draw.choice([0, 900, 1800, 2700])
                lead = self._draw.uniform(0.2, 12)
                yield border - lead, lambda: place(answer_after=self._draw.uniform(3, 18), talk=400)
                yield border - 0.5, lambda: place(misses=1, talk=80, transfer=Transfer(20, "1002", 50))
                yield border + 60, lambda: place(outcome="abandoned", patience=self._draw.uniform(1, 8))
            for nth in range(12 if self.outgoing else 0):
                number = 12 * day + nth
                at = midnight + nth * 6900 + self._draw.choice([-0.5, 899.9, 1801.0])
                yield max(at, 60.0), partial(self._call_back, number)
            yield midnight + 7050, lambda: place(outcome="timeout")
            yield midnight + 9050, lambda: place(outcome="withdrawn")
            yield midnight + 9999, lambda: place(hold=(10, 30), talk=25)  # hung up while on hold

    async def look(self) -> None:
        """What a follower does with news."""
        data, self._new = b"".join(self._new), []
        self.raw.append(data)
        for frame in self._frames.feed(data):
            message = parse(frame) if self._wanted(frame) else None
            if isinstance(message, AmiEvent):
                self._tracker.apply(message)
        self._truth.add(self._tail.read()[0])
        calls = list(self._tracker.dirty.values())
        self._tracker.dirty.clear()
        found = [one for call in calls if (one := read_session(self._tracker, call)) is not None]
        sessions = [reconcile(one, self._truth, self._tracker.roster.members) for one in found]

        async def work(uow: UnitOfWork) -> None:
            await self.service.apply_changes(uow, "pbx1", sessions)

        if sessions:
            await self.service._db.retrying(work)
        for call in self._tracker.finished(self._tracker.now - 60):
            self._tracker.forget(call)


@pytest.fixture(params=[-90, 0, 90])
async def week(
    request: pytest.FixtureRequest, database: Database, vault: Vault, people: PeopleService,
    settings: Settings, tmp_path: Path,
) -> Week:  # fmt: skip
    clock = database.clock
    assert isinstance(clock, ManualClock)
    skew = timedelta(seconds=int(request.param))
    clock.step((SUNDAY + timedelta(days=DAYS, hours=3) + skew - clock.now()).total_seconds())
    service = TelephonyService(database, clock, vault, people, settings)
    found = Week(service, tmp_path, 90 + int(request.param))
    await found.play()
    return found


async def report(week: Week, by: By, queue: str | None = None) -> PhoneReport:
    """As the page reads it: all the days of the week."""
    period = Period(date(2026, 11, 22), date(2026, 11, 29))
    database = week.service._db
    if by is not By.QUARTER:
        async with database.read() as session:
            return await read(session, Asked(by, period, queue), database.clock.now(), {}, {})
    parts = []
    for first in (date(2026, 11, 22), date(2026, 11, 26)):  # a table of quarters has at most seven days
        half = Period(first, min(first + timedelta(days=3), period.last))
        async with database.read() as session:
            parts.append(await read(session, Asked(by, half, queue), database.clock.now(), {}, {}))
    sheets = [
        replace(one, lines=one.lines + other.lines)
        for one in parts[0].sheets
        for other in parts[1].sheets
        if one.title == other.title
    ]
    return replace(parts[0], sheets=tuple(sheets))


def shown(found: PhoneReport) -> dict[int, dict[str, Any]]:
    """The lines that have calls, by the second at which they begin."""
    sheet = found.sheets[0]
    rows = {
        int(line.since.timestamp()): dict(zip((one.code for one in sheet.measures), line.cells, strict=True))
        for line in sheet.lines
    }
    return {at: cells for at, cells in rows.items() if cells["offered"]}


def together(raw: dict[Key, Counter[str]], key: Any) -> dict[Any, Counter[str]]:
    found: dict[Any, Counter[str]] = {}
    for place, counts in raw.items():
        found.setdefault(key(place), Counter()).update(counts)
    return found


def expected(counts: Counter[str]) -> dict[str, Any]:
    """A line of the report by the definitions, reckoned from scratch."""
    names = ("answered", "abandoned", "timeout", "withdrawn", "empty")
    counted, answered = sum(counts[name] for name in names), counts["answered"]
    cells: dict[str, Any] = {name: counts[name] for name in COUNTS}
    for code, name in (("answer", "answered"), ("prompt", "answered_in_15"), ("abandon", "abandoned")):
        cells[f"{code}_rate"] = counts[name] / counted if counted else None
    for code, name in (("asa", "wait_ms"), ("talk", "talk_ms"), ("hold", "hold_ms")):
        cells[f"{code}_seconds"] = counts[name] / answered / 1000 if answered else None
    return cells


def check(cells: dict[str, Any], counts: Counter[str]) -> None:
    wanted = expected(counts)
    assert {name: cells[name] for name in COUNTS} == {name: wanted[name] for name in COUNTS}
    for name in set(wanted) - set(COUNTS):
        # Half a millisecond is rounded either way.
        assert cells[name] == (None if wanted[name] is None else pytest.approx(wanted[name], abs=1e-3)), name


async def test_the_week_in_the_reports_is_the_week_that_was(week: Week) -> None:
    raw = from_events(b"".join(week.raw), week.queue_log)
    total = sum(raw.values(), Counter())
    for name in ("answered", "abandoned", "short_abandoned", "timeout", "withdrawn", "missed", "transferred"):
        assert total[name] > 2, name  # a week in which everything happened
    quarters = together(raw, lambda place: place[0])
    found = shown(await report(week, By.QUARTER))
    assert found.keys() == quarters.keys()
    for at, counts in quarters.items():
        check(found[at], counts)
    for queue in ("hotline", "expert"):
        for at, cells in shown(await report(week, By.QUARTER, queue)).items():
            check(cells, raw[at, queue])
    days = together(raw, lambda place: (place[0] + 8 * 3600) // 86_400)
    for at, cells in shown(await report(week, By.DAY)).items():
        check(cells, days.pop((at + 8 * 3600) // 86_400))
    assert days == {}
    for by in (By.WEEK, By.MONTH, By.QUEUE):
        sheet = (await report(week, by)).sheets[0]
        check(dict(zip((one.code for one in sheet.measures), sheet.total.cells, strict=True)), total)
    await equal_to_queue_log(week, found)
    await equal_to_the_calls_we_made(week)


async def equal_to_the_calls_we_made(week: Week) -> None:
    raw = [one for one in made_calls(b"".join(week.raw), MADE).values() if one.left]
    assert sum(bool(one.talks) for one in raw) > 5
    assert sum(not one.talks for one in raw) > 5
    found = out_lines(await report(week, By.QUARTER))
    assert found == counted_by(raw, lambda one: int(one.began) // 900 * 900)
    for by in (By.DAY, By.WEEK, By.MONTH, By.AGENT):
        (sheet,) = [one for one in (await report(week, by)).sheets if one.title == "呼出"]
        (whole,) = counted_by(raw, lambda _: 0).values()
        assert sheet.total.cells == pytest.approx(whole)
    each = {line.extension: line.cells for line in sheet.lines}
    wanted = counted_by(raw, lambda one: one.extension)
    assert each.keys() == wanted.keys()
    for extension, cells in each.items():
        assert cells == pytest.approx(wanted[extension])
    assert not [one for one in (await report(week, By.DAY, "hotline")).sheets if one.title == "呼出"]


def counted_by(raw: list[Made], key: Callable[[Made], Any]) -> dict[Any, tuple[float, ...]]:
    """Calls, those that were reached, and seconds talked."""
    found: dict[Any, tuple[float, ...]] = {}
    for one in raw:
        before = found.get(key(one), (0, 0, 0.0))
        talk = round(sum(end - begin for begin, end in one.talks) * 1000) / 1000
        found[key(one)] = (before[0] + 1, before[1] + bool(one.talks), round(before[2] + talk, 3))
    return found


def out_lines(found: PhoneReport) -> dict[int, tuple[Any, ...]]:
    (sheet,) = [one for one in found.sheets if one.title == "呼出"]
    return {int(line.since.timestamp()): line.cells for line in sheet.lines if line.cells[0]}


async def equal_to_queue_log(week: Week, found: dict[int, dict[str, Any]]) -> None:
    """queue_log tells whole seconds: what it leaves open may be either."""
    logged = together(from_queue_log(week.queue_log), lambda place: place[0])
    assert logged.keys() == found.keys()
    for at, counts in logged.items():
        compare_with_log(found[at], counts)


def compare_with_log(cells: dict[str, Any], counts: Counter[str]) -> None:
    for name in ("offered", "answered", "timeout", "withdrawn", "empty", "missed"):
        assert cells[name] == counts[name], name
    assert cells["abandoned"] + cells["short_abandoned"] == counts["abandoned"]
    assert counts["short"] <= cells["short_abandoned"] <= counts["short"] + counts["maybe_short"]
    prompt = counts["answered_in_15"]
    assert prompt <= cells["answered_in_15"] <= prompt + counts["maybe_in_15"]
    if counts["answered"]:
        assert cells["asa_seconds"] == pytest.approx(counts["wait"] / counts["answered"], abs=1.0)
