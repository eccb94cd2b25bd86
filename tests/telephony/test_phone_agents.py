"""Two days of a simulated PBX and of its two agents in the phone reports, against the raw events: equal.

Agents' states follow the PBX's events and the agents' own acts, on a clock that differs from the PBX's by a
minute and a half; what their time was is reckoned here from the raw events alone.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.catalog.models import CallQueue, CallQueueMember
from core.clock import ManualClock
from core.db import Database, UnitOfWork
from core.people.actor import Actor
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from core.tables import table_of
from telephony.agent_figures import by_agent, time_by
from telephony.figures import figures_by
from telephony.grains import Grain
from telephony.service import TelephonyService
from tests.telephony.agent_rows import agents
from tests.telephony.raw_figures import QUARTER, Span, by_quarter, calls_of, rings_at, talks_at, without
from tests.telephony.test_phone_week import SUNDAY, Week

STEP = 2.0  # seconds between two looks: states are told in their order
WRAP_UP = 30.0
NEAR = 0.1  # seconds in a quarter of an hour
BREAKS = ((13.0, 13.5, "meal"), (0.8, 1.4, "break"))  # hours after the beginning; the second is over midnight


class Shift(Week):
    """Two agents who are signed in all the time and go for breaks."""

    outgoing = False
    actors: tuple[Actor, ...] = ()
    acts: list[tuple[float, str, tuple[str, ...]]]
    done: list[tuple[float, str]]
    skew: float

    async def sign_in(self, people: PeopleService) -> None:
        db = self.service._db
        found = await agents(db, people, 2)
        queue, member = table_of(CallQueue), table_of(CallQueueMember)
        async with db.begin() as uow:
            ident = await uow.session.scalar(sa.select(queue.c.id).where(queue.c.name == "hotline"))
            rows = [{"queue_id": ident, "user_id": user, "penalty": 0} for user in found.values()]
            await uow.session.execute(sa.insert(member), rows)
            actors = [await people.actor_for_user(uow.session, user) for user in found.values()]
        self.actors = tuple(actor for actor in actors if actor is not None)
        for actor in self.actors:
            await self.act("sign_in", actor)
        for begin, end, reason in BREAKS:
            for day in range(2):
                for at, act, words in ((begin, "not_ready", (reason,)), (end, "ready", ())):
                    self.acts.append((at * 3600 + day * 86_400 + 7.5, act, words))

    async def act(self, name: str, actor: Actor, *words: str) -> None:
        async def work(uow: UnitOfWork) -> None:
            await getattr(self.service.agents, name)(uow, actor, *words)

        await self.service._db.retrying(work)

    async def look(self) -> None:
        """The node's clock stands where it stands when it hears of it."""
        clock = self.service._db.clock
        assert isinstance(clock, ManualClock)
        pbx = self.simulator.clock.now()
        clock.step((pbx + timedelta(seconds=self.skew) - clock.now()).total_seconds())
        self.service.agents.skews.of("pbx1").note(pbx.timestamp(), clock.now().timestamp())
        await super().look()
        due = [act for act in self.acts if (pbx - SUNDAY).total_seconds() >= act[0]]
        for act in due:
            self.acts.remove(act)
            self.done.append((pbx.timestamp(), act[1]))
            for actor in self.actors:
                await self.act(act[1], actor, *act[2])


@pytest.fixture(params=[-90, 90])
async def shift(
    request: pytest.FixtureRequest, database: Database, vault: Vault, people: PeopleService,
    settings: Settings, tmp_path: Path,
) -> Shift:  # fmt: skip
    service = TelephonyService(database, database.clock, vault, people, settings)
    service.wire(database.bus)
    service.agents.pbxs = ("pbx1",)
    service.agents.rules = replace(service.agents.rules, missed=0, wrap_up=timedelta(seconds=WRAP_UP))
    found = Shift(service, tmp_path, 7, days=2, rate=4)
    found.acts, found.done, found.skew = [], [], float(request.param)
    await found.look()
    await found.sign_in(people)
    await found.play(STEP)
    for actor in found.actors:
        await found.act("sign_out", actor)
    return found


def worked(shift: Shift) -> dict[str, dict[str, list[Span]]]:
    """By extension and state: when, by the PBX's clock, from raw events, acts and the thirty seconds."""
    raw = b"".join(shift.raw)
    talks, rings = talks_at(raw, shift.queue_log), rings_at(raw)
    begin, end = SUNDAY.timestamp(), shift.service._db.clock.now().timestamp() - shift.skew
    breaks = [
        (at, next((later for later, act in shift.done if later > at and act == "ready"), end))
        for at, act in shift.done
        if act == "not_ready"
    ]
    found = {}
    for extension in ("1001", "1002"):
        talk = [(a, b) for a, b, _ in talks[extension]]
        wrap = [span for spans in after_calls(shift, extension).values() for span in spans]
        busy = [*talk, *rings[extension], *wrap]
        off = without(breaks, busy)
        found[extension] = {
            "talk": talk,
            "ring": without(rings[extension], talk),
            "wrap": wrap,
            "not_ready": off,
            "ready": without([(begin, end)], [*busy, *off]),
        }
    return found


def after_calls(shift: Shift, extension: str) -> dict[str, list[Span]]:
    """By call: thirty seconds after its talk, or until the next talk or an act; not while it rings."""
    raw = b"".join(shift.raw)
    talks, rings = talks_at(raw, shift.queue_log)[extension], rings_at(raw)[extension]
    found: dict[str, list[Span]] = defaultdict(list)
    for _, end, uid in talks:
        stops = [begin for begin, _, _ in talks if begin >= end] + [at for at, _ in shift.done if at >= end]
        found[uid] += without([(end, min([end + WRAP_UP, *stops]))], rings)
    return found


def near(told: dict[int, float], wanted: dict[int, float]) -> None:
    for at in {*told, *wanted}:
        assert told.get(at, 0) == pytest.approx(wanted.get(at, 0), abs=NEAR), datetime.fromtimestamp(at, UTC)


async def test_agents_time_is_what_the_raw_events_say(shift: Shift) -> None:
    found = worked(shift)
    database, skew = shift.service._db, shift.skew
    end = database.clock.now()
    begin = SUNDAY + timedelta(seconds=skew)
    async with database.read() as session:
        quarters = await time_by(session, begin - timedelta(hours=1), end, Grain.QUARTER, end)
        each = await by_agent(session, begin - timedelta(hours=1), end + timedelta(hours=1), end)
    for name, code in (
        ("talk", "busy_talk_ms"), ("ring", "ringing_ms"), ("wrap", "busy_wrap_ms"),
        ("not_ready", "not_ready_ms"), ("ready", "ready_ms"),
    ):  # fmt: skip
        told = {int(at.timestamp()): getattr(one, code) / 1000 for at, one in quarters.items()}
        spans = [(a + skew, b + skew) for mine in found.values() for a, b in mine[name]]
        assert sum(told.values()) > 60, name
        near(told, by_quarter(spans))
    whole = (end - begin).total_seconds() * 1000
    for one in each:
        assert one.worked.signed_ms == pytest.approx(whole, abs=2000)  # from signing in to signing out
        mine = found[one.login.removeprefix("a")]
        busy = sum(b - a for name in ("talk", "wrap") for a, b in mine[name])
        free = sum(b - a for a, b in mine["not_ready"])
        assert one.worked.occupancy == pytest.approx(busy / (whole / 1000 - free), abs=1e-3)
        talks = talks_at(b"".join(shift.raw), shift.queue_log)[one.login.removeprefix("a")]
        assert one.taken == len({uid for _, _, uid in talks})
    await handling_time_belongs_to_the_calls(shift)


async def handling_time_belongs_to_the_calls(shift: Shift) -> None:
    """Work after calls stands where those entered the queue."""
    raw, database = b"".join(shift.raw), shift.service._db
    entered = {uid: call.entered for uid, call in calls_of(raw, shift.queue_log).items()}
    wanted: dict[int, float] = defaultdict(float)
    for extension in ("1001", "1002"):
        for uid, spans in after_calls(shift, extension).items():
            wanted[int(entered[uid] or 0) // QUARTER * QUARTER] += sum(b - a for a, b in spans)
    end = database.clock.now() + timedelta(hours=1)
    async with database.read() as session:
        found = await figures_by(session, SUNDAY - timedelta(hours=1), end, Grain.QUARTER, now=end)
    near({int(at.timestamp()): one.wrap_ms / 1000 for at, one in found.items()}, wanted)
    for one in found.values():
        if one.wraps:
            assert one.aht_seconds == pytest.approx((one.talk_ms + one.wrap_ms) / one.answered / 1000)
