"""Call control on a real Asterisk: ordered through the product, looked at from outside."""

from __future__ import annotations

import asyncio
import secrets
import wave
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.audit import AuditRow
from core.errors import HotlineError
from core.people.actor import Actor
from telephony.controls import lists, marks, orders
from telephony.controls.models import CallMark, CallOrder
from telephony.controls.terms import Act, target_of
from tests.e2e.rig import scenarios
from tests.e2e.rig.asterisk import Asterisk
from tests.e2e.rig.manager import Manager
from tests.e2e.rig.phones import Citizen, Phones
from tests.e2e.rig.product import Product
from tests.e2e.rig.situations import Stage, number
from tests.e2e.rig.truth import talk_seconds
from tests.helpers import eventually
from tickets.models import table_of

pytestmark = [pytest.mark.asterisk, pytest.mark.slow]
PIECE = 0.02  # seconds
order_table, mark_table, audit_table = table_of(CallOrder), table_of(CallMark), table_of(AuditRow)


async def blocking(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return await asyncio.to_thread(work, *arguments, **named)


class Talk:
    """One citizen talking with agent 1001, and the orders about it."""

    def __init__(self, product: Product, stage: Stage, caller: str) -> None:
        self.product, self.stage, self.caller = product, stage, caller
        self.session_id = 0
        self.citizen = self.agent = ""
        self.unique = ""

    async def begin(self, seconds: float = 40, *, voice: bool = False) -> Talk:
        self.stage.sip.call([Citizen(self.caller)], scenarios.caller(seconds, voice=voice))
        connected = await blocking(self.stage.talking, self.caller)
        self.citizen, self.agent = connected["Channel"], connected["DestChannel"]
        self.unique = connected["Uniqueid"]
        row = await eventually(self._talking, what="the product knows of the talk")
        self.session_id = row["id"]
        return self

    async def _talking(self) -> dict[str, Any] | None:
        row = await self.product.session_of(self.caller)
        return row if row is not None and row["state"] == "talking" else None

    async def actor(self, login: str, extension: str | None = None) -> Actor:
        async with self.product.node.db.read() as session:
            found = await self.product.node.people.actor_for_user(session, self.product.users[login])
        assert found is not None
        return found

    async def order(
        self, act: str, kind: str = "", value: str = "", *, by: str = "1001", token: str = ""
    ) -> int:
        node = self.product.node
        wanted = Act(act)
        target = target_of(wanted, kind, value) if kind else None
        actor = await self.actor(by)
        async with node.db.begin() as uow:
            return await orders.place(
                uow, node.vault, actor, wanted, self.session_id, token or secrets.token_hex(8), target
            )

    async def outcome(self, ident: int) -> tuple[str, str | None]:
        """The order's end."""

        async def over() -> tuple[str, str | None] | None:
            async with self.product.node.db.read() as session:
                query = sa.select(order_table.c.state, order_table.c.why).where(order_table.c.id == ident)
                state, why = (await session.execute(query)).one()
            return (state, why) if state in ("done", "failed", "late") else None

        found: tuple[str, str | None] = await eventually(over, within=45, what="the order comes to an end")
        return found

    async def done(self, act: str, kind: str = "", value: str = "", *, by: str = "1001") -> int:
        ident = await self.order(act, kind, value, by=by)
        assert await self.outcome(ident) == ("done", None)
        return ident

    async def marked(self) -> list[str]:
        async with self.product.node.db.read() as session:
            query = sa.select(mark_table.c.kind).where(mark_table.c.session_id == self.session_id)
            return list((await session.execute(query.order_by(mark_table.c.id))).scalars())

    async def has_mark(self, kind: str) -> None:
        async def there() -> bool:
            return kind in await self.marked()

        await eventually(there, within=15, what=f"the mark {kind}")

    async def ended(self) -> dict[str, Any]:
        await eventually(self.product.all_ended, within=40, what="the session is closed")
        row = await self.product.session_of(self.caller)
        assert row is not None
        return row

    def in_room(self, channel: str) -> None:
        self.stage.ami.wait_for("ConfbridgeJoin", Channel=channel)


@pytest.fixture
async def talk(product: Product, stage: Stage, sip: Phones, request: pytest.FixtureRequest) -> Talk:
    """1001 answers; the citizen's number is the test's own."""
    index = 800 + sum(map(ord, request.node.name)) % 150
    await blocking(sip.agents, [1001], scenarios.answering())
    return Talk(product, stage, number(index))


async def colleague(sip: Phones, ami: Manager, extension: int = 1003) -> None:
    """A colleague who answers, but takes no calls of the queue."""
    await blocking(ami.action, "QueuePause", Interface=f"PJSIP/{extension}", Paused="true")
    await blocking(sip.agents, [extension], scenarios.answering())


async def passes(ami: Manager, seconds: float) -> None:
    """Wait until the PBX's own clock has moved so far."""
    begun = await blocking(ami.clock)

    async def over() -> bool:
        return bool(await blocking(ami.clock) - begun >= seconds)

    await eventually(over, within=seconds + 10, what="time passes at the PBX")


def legs_of(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["extension"]: row for row in rows}


async def test_hold_and_back_is_one_talk_with_its_hold_in_it(talk: Talk, ami: Manager) -> None:
    await talk.begin(10)
    await talk.done("hold")
    await blocking(ami.wait_for, "UserEvent", UserEvent="CallHeld", Channel=talk.citizen)
    await blocking(ami.wait_for, "MusicOnHoldStart", Channel=talk.citizen)
    await passes(ami, 2)
    await talk.done("resume")
    await blocking(talk.in_room, talk.citizen)
    row = await talk.ended()
    assert row["outcome"] == "answered"
    assert row["transfers"] == []
    (leg,) = await talk.product.legs(row["id"])
    whole = (row["ended_at"] - leg["answered_at"]).total_seconds()
    assert leg["talk_seconds"] == pytest.approx(whole, abs=0.3)
    assert 1.8 < leg["hold_seconds"] < leg["talk_seconds"]
    assert await talk.marked() == ["hold", "resume"]
    await blocking(ami.wait_for, "Hangup", Channel=talk.agent)  # nobody is left in an empty room


async def test_a_citizen_who_hangs_up_on_hold_frees_the_agent(talk: Talk, ami: Manager) -> None:
    await talk.begin(4)
    await talk.done("hold")
    await blocking(ami.wait_for, "Hangup", Channel=talk.agent, deadline=15)
    row = await talk.ended()
    assert row["outcome"] == "answered"


async def test_an_agent_who_hangs_up_on_hold_sends_the_citizen_back_to_the_queue(
    talk: Talk, ami: Manager
) -> None:
    await talk.begin(12)
    await talk.done("hold")
    await blocking(ami.action, "Hangup", Channel=talk.agent)
    await talk.has_mark("returned")
    row = await talk.ended()
    assert row["queues"] == ["hotline", "hotline"]


@pytest.mark.parametrize("held", [False, True])
async def test_a_blind_transfer_reaches_the_colleague(
    talk: Talk, sip: Phones, ami: Manager, held: bool
) -> None:
    await colleague(sip, ami)
    await talk.begin(12)
    if held:
        await talk.done("hold")
    await talk.done("transfer", "colleague", "1003")
    row = await talk.ended()
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1003", Paused="false")
    assert [(one["kind"], one["from"], one["to"]) for one in row["transfers"]] == [("blind", "1001", "1003")]
    legs = legs_of(await talk.product.legs(row["id"]))
    assert legs["1003"]["talk_seconds"] > 5
    assert legs["1001"]["ended_by"] == "transfer"
    truth = await blocking(talk_seconds, ami, talk.unique)
    assert legs["1003"]["talk_seconds"] == pytest.approx(truth["1003"], abs=0.3)


async def test_a_transfer_to_a_queue_by_its_name(talk: Talk, sip: Phones, ami: Manager) -> None:
    await talk.begin(12)
    # Only now: experts take calls of the first line too, and it would be theirs in turn.
    await blocking(sip.agents, [1031], scenarios.answering())
    await talk.done("transfer", "queue", "expert")
    row = await talk.ended()
    assert row["queues"] == ["hotline", "expert"]


async def test_a_transfer_nobody_takes_comes_back_to_who_sent_it_and_says_so(talk: Talk) -> None:
    await talk.begin(14)
    ident = await talk.order("transfer", "colleague", "1010")  # no telephone is there

    async def returned() -> bool:
        return await talk.outcome(ident) == ("failed", "transfer_returned")

    await eventually(returned, within=10, what="the page hears that the citizen is back")
    row = await talk.ended()
    assert row["outcome"] == "answered"
    legs = await talk.product.legs(row["id"])
    assert {leg["extension"] for leg in legs if leg["talk_seconds"] > 0} == {"1001"}
    assert sum(leg["talk_seconds"] for leg in legs) > 8


@pytest.mark.parametrize("ends", ["complete", "hang_up"])
async def test_a_consultation_hands_the_citizen_over(
    talk: Talk, sip: Phones, ami: Manager, ends: str
) -> None:
    await colleague(sip, ami)
    await talk.begin(16)
    await talk.done("consult", "colleague", "1003")
    await passes(ami, 1)
    if ends == "complete":
        await talk.done("complete")
    else:
        await blocking(ami.action, "Hangup", Channel=talk.agent)
    await talk.has_mark("transfer")
    row = await talk.ended()
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1003", Paused="false")
    assert [(one["kind"], one["to"]) for one in row["transfers"]] == [("attended", "1003")]
    legs = legs_of(await talk.product.legs(row["id"]))
    assert legs["1003"]["talk_seconds"] > 5
    assert legs["1001"]["hold_seconds"] > 0.8
    assert len(await talk.product.sessions()) == 1


async def test_a_consultation_is_taken_back(talk: Talk, sip: Phones, ami: Manager) -> None:
    await colleague(sip, ami)
    await talk.begin(12)
    await talk.done("consult", "colleague", "1003")
    await talk.done("back")
    await blocking(talk.in_room, talk.citizen)
    row = await talk.ended()
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1003", Paused="false")
    assert row["transfers"] == []
    legs = legs_of(await talk.product.legs(row["id"]))
    assert legs["1001"]["talk_seconds"] > 8
    assert "1003" not in legs or legs["1003"]["talk_seconds"] == 0


async def test_a_consultation_becomes_three_way(talk: Talk, sip: Phones, ami: Manager) -> None:
    await colleague(sip, ami)
    await talk.begin(12)
    await talk.done("consult", "colleague", "1003")
    await talk.done("conference")
    await blocking(talk.in_room, talk.citizen)
    row = await talk.ended()
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1003", Paused="false")
    assert [(one["kind"], one["to"]) for one in row["transfers"]] == [("conference", "1003")]
    legs = legs_of(await talk.product.legs(row["id"]))
    assert legs["1003"]["talk_seconds"] > 5


async def test_110_is_called_into_the_call_and_the_agent_may_leave(
    talk: Talk, sip: Phones, ami: Manager
) -> None:
    await blocking(sip.called_citizens, scenarios.citizen_phone())
    await talk.begin(14)
    await talk.done("emergency", "emergency", "110")
    await talk.has_mark("joined")
    await talk.done("complete")
    await blocking(ami.wait_for, "Hangup", Channel=talk.agent)
    row = await talk.ended()
    assert [one["to"] for one in row["transfers"]] == ["110"]
    assert "emergency" in await talk.marked()


async def test_a_consultation_nobody_answers_leaves_the_citizen_on_hold(
    talk: Talk, sip: Phones, ami: Manager
) -> None:
    await talk.begin(14)
    assert await talk.outcome(await talk.order("consult", "colleague", "1010")) == (
        "failed",
        "party_unreachable",
    )
    async with talk.product.node.db.read() as session:
        standing = await marks.standing(session, talk.session_id)
    assert standing.held
    assert standing.parties == ()
    await talk.done("resume")
    await talk.ended()


@pytest.mark.parametrize("act", ["listen", "whisper", "barge"])
async def test_a_leader_listens_in_and_only_the_audit_knows(
    talk: Talk, sip: Phones, ami: Manager, act: str
) -> None:
    await _leader_phone(talk)
    await blocking(sip.agents, [1040], scenarios.answering())
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1040", Paused="true")
    await talk.begin(8)
    ident = await talk.done(act, by="leader")
    started = await blocking(ami.wait_for, "ChanSpyStart")
    assert started["SpyeeChannel"] == talk.agent
    row = await talk.ended()
    await blocking(ami.wait_for, "Hangup", Channel=started["SpyerChannel"])  # it ends with this call
    assert len(await talk.product.sessions()) == 1
    assert {leg["extension"] for leg in await talk.product.legs(row["id"])} == {"1001"}
    assert await talk.marked() == []
    told = [event for event in await talk.product.told("control") if event["data"].get("order") == ident]
    assert all(event["audience"]["users"] == [talk.product.users["leader"]] for event in told)

    async def audited() -> list[str] | None:
        async with talk.product.node.db.read() as session:
            query = sa.select(audit_table.c.action).where(audit_table.c.object_type == "call")
            found = list((await session.execute(query.order_by(audit_table.c.id))).scalars())
        return found if "call.spy_stopped" in found else None

    assert await eventually(audited, what="the audit log is complete") == [
        f"call.{act}", "call.spy_started", "call.spy_stopped",
    ]  # fmt: skip


async def _leader_phone(talk: Talk) -> None:
    """The shift leader gets a telephone of his own: that of agent 1040."""
    async with talk.product.node.db.begin() as uow:
        statement = "UPDATE user_account SET extension = :extension WHERE login = :login"
        for extension, login in ((None, "1040"), ("1040", "leader")):
            await uow.session.execute(sa.text(statement), {"extension": extension, "login": login})


@pytest.mark.parametrize("held", [False, True])
async def test_a_leader_takes_the_call_over(talk: Talk, sip: Phones, ami: Manager, held: bool) -> None:
    await _leader_phone(talk)
    await blocking(sip.agents, [1040], scenarios.answering())
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1040", Paused="true")
    await talk.begin(12)
    if held:
        await talk.done("hold")
    await talk.done("take-over", by="leader")
    await blocking(ami.wait_for, "Hangup", Channel=talk.agent)
    row = await talk.ended()
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1040", Paused="false")
    legs = legs_of(await talk.product.legs(row["id"]))
    assert legs["1040"]["talk_seconds"] > 4
    assert [one["to"] for one in row["transfers"]] == ["1040"]


async def test_a_leader_ends_the_call(talk: Talk, ami: Manager) -> None:
    await talk.begin(40)
    await talk.done("end", by="leader")
    await blocking(ami.wait_for, "Hangup", Channel=talk.citizen)
    row = await talk.ended()
    assert row["outcome"] == "answered"


async def test_a_recording_is_silent_where_privacy_was_asked_for(
    talk: Talk, pbx: Asterisk, ami: Manager
) -> None:
    await talk.begin(9, voice=True)
    await passes(ami, 1)
    await talk.done("mute")
    await passes(ami, 2)
    await talk.done("unmute")
    row = await talk.ended()
    assert await talk.marked() == ["mute", "unmute"]
    heard = loudness(pbx.recordings / row["recording"])
    silent = max(len(run) for run in "".join("x" if one else "." for one in heard).split("x"))
    assert 1.7 < silent * PIECE < 4
    assert len(heard) * PIECE > 6
    assert sum(heard) > 100  # the rest is there to be heard


def loudness(path: Path) -> list[bool]:
    """Of each piece of a recording, whether there is anything to be heard."""
    with wave.open(str(path)) as file:
        rate, sound = file.getframerate(), array("h", file.readframes(file.getnframes()))
    size = int(rate * PIECE)
    return [max(map(abs, sound[at : at + size])) > 8 for at in range(0, len(sound) - size, size)]


async def test_a_double_click_is_one_order(talk: Talk) -> None:
    await talk.begin(8)
    first = await talk.order("hold", token="same-click")
    assert await talk.order("hold", token="same-click") == first
    assert await talk.outcome(first) == ("done", None)
    await talk.ended()
    assert await talk.marked() == ["hold"]


async def test_an_order_about_a_call_that_just_ended_says_so(talk: Talk, ami: Manager) -> None:
    await talk.begin(40)
    await blocking(ami.action, "Hangup", Channel=talk.citizen)
    # Ordered before the product's database has heard of the end, or refused because it has.
    try:
        state, why = await talk.outcome(await talk.order("transfer", "colleague", "1003"))
    except HotlineError as error:  # the database has heard of it already
        state, why = "failed", error.code
    assert state == "failed"
    assert why in ("call_over", "call_moved", "not_in_call", "not_your_call", "call_elsewhere")


async def test_a_listed_number_of_harassment_is_sent_away_and_nobody_calls_it_back(
    talk: Talk, sip: Phones, ami: Manager
) -> None:
    await talk.begin(3)
    async with talk.product.node.db.begin() as uow:
        agent, leader = await talk.actor("1001"), await talk.actor("leader")
        ident = await lists.propose(uow, agent, talk.session_id, "harassment", "多次辱骂")
        await lists.decide(uow, leader, ident, 1, approve=True, days=7)
    await talk.ended()
    sip.call([Citizen(talk.caller)], scenarios.caller(20))
    await blocking(ami.wait_for, "UserEvent", UserEvent="CallRefused")
    await eventually(talk.product.all_ended, within=15, what="he is sent away")
    row = await talk.product.session_of(talk.caller)
    assert row is not None
    assert (row["id"] != talk.session_id, row["outcome"]) == (True, "withdrawn")
    assert await talk.product.callbacks() == []
