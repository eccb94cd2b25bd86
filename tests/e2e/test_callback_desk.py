"""Calling back on a real Asterisk: the click that fails at each leg, and the one that is answered."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from telephony import dialling
from telephony.models import CallSession
from tests.e2e.rig import scenarios
from tests.e2e.rig.phones import Phones
from tests.e2e.rig.product import Product
from tests.e2e.rig.situations import number
from tests.helpers import eventually
from tickets.models import CallbackAttempt, table_of

pytestmark = pytest.mark.asterisk
AGENT = 1031
_call = table_of(CallSession)
_attempt = table_of(CallbackAttempt)


class Missed:
    """Numbers that were missed, called back by one agent."""

    def __init__(self, product: Product) -> None:
        self.product, self.node = product, product.node

    async def task(self, citizen: str) -> int:
        """A task for a number that gave up waiting."""
        async with self.node.db.begin() as uow:
            ref = (await self.node.vault.put(uow, "phone", citizen)).id
            values = {
                "pbx": "before", "session_key": citizen, "direction": "inbound", "caller_ref": ref,
                "caller_kind": "mobile", "state": "ended", "outcome": "abandoned", "queues": ["hotline"],
                "transfers": [], "linkedids": [], "started_at": uow.now, "ended_at": uow.now, "version": 1,
            }  # fmt: skip
            made = await uow.session.execute(sa.insert(_call).values(**values).returning(_call.c.id))
            task = await self.node.callbacks.open_for_abandoned(uow, made.scalar_one(), ref, uow.now)
        assert task is not None
        return task

    async def dial(self, task: int) -> None:
        """The click."""
        async with self.node.db.read() as session:
            actor = await self.node.people.actor_for_user(session, self.product.users[str(AGENT)])
        assert actor is not None
        async with self.node.db.begin() as uow:
            await self.node.callback_desk.dial(uow, actor, task)

    async def results(self, task: int) -> list[str]:
        """What was noted, in order."""
        async with self.node.db.read() as session:
            query = sa.select(_attempt.c.result).where(_attempt.c.task_id == task).order_by(_attempt.c.id)
            return list((await session.execute(query)).scalars())

    async def noted(self, task: int) -> str:
        """The one result, as soon as it is there."""

        async def there() -> bool:
            return bool(await self.results(task))

        await eventually(there, within=30, what="the result of the call is noted")
        (result,) = await self.results(task)
        return result


@pytest.fixture
def missed(product: Product, monkeypatch: pytest.MonkeyPatch) -> Missed:
    monkeypatch.setattr(dialling, "RING_MILLISECONDS", "3000")
    return Missed(product)


async def test_a_telephone_that_is_not_registered_is_told_and_costs_no_try(missed: Missed) -> None:
    task = await missed.task(number(811))
    await missed.dial(task)
    assert await missed.noted(task) == "agent_unreachable"
    (row,) = [row for row in await missed.product.callbacks() if row["id"] == task]
    assert (row["attempts"], row["claimed_by"], row["closed_as"]) == (0, None, None)


@pytest.mark.parametrize(
    ("phone", "result"),
    [(scenarios.not_answering(), "agent_no_answer"), (scenarios.busy(), "agent_busy")],
    ids=["no answer", "busy"],
)
async def test_the_agents_leg_fails(missed: Missed, sip: Phones, phone: str, result: str) -> None:
    sip.agents([AGENT], phone)
    task = await missed.task(number(812))
    await missed.dial(task)
    assert await missed.noted(task) == result


@pytest.mark.parametrize(
    ("line", "result", "end"),
    [
        ("486 Busy Here", "busy", None),
        ("480 Temporarily Unavailable", "no_answer", None),
        ("603 Decline", "rejected", None),
        ("404 Not Found", "invalid_number", "unreachable"),
        ("484 Address Incomplete", "invalid_number", "unreachable"),
        ("503 Service Unavailable", "trunk_down", None),
        ("502 Bad Gateway", "trunk_down", None),
    ],
)
async def test_the_citizens_leg_fails(
    missed: Missed, sip: Phones, line: str, result: str, end: str | None
) -> None:
    sip.agents([AGENT], scenarios.answering())
    sip.called_citizens(scenarios.refusing(line))
    task = await missed.task(number(813))
    await missed.dial(task)
    assert await missed.noted(task) == result
    (row,) = [row for row in await missed.product.callbacks() if row["id"] == task]
    assert row["closed_as"] == end


@pytest.mark.parametrize("media", [True, False], ids=["sound", "no media"])
async def test_an_answered_call_back_closes_the_task_opens_a_draft_and_is_recorded(
    missed: Missed, sip: Phones, media: bool
) -> None:
    sip.agents([AGENT], scenarios.answering_then_leaving(2))
    sip.called_citizens(scenarios.citizen_phone(media=media))
    task = await missed.task(number(814))
    await missed.dial(task)
    assert await missed.noted(task) == "reached"
    (row,) = [row for row in await missed.product.callbacks() if row["id"] == task]
    assert row["closed_as"] == "called_back"
    (draft,) = await missed.product.drafts()
    assert draft["owner_id"] == missed.product.users[str(AGENT)]
    assert draft["call_session_id"] == row["closing_session_id"]
    await eventually(missed.product.all_ended, within=30, what="the call ends")

    async def call() -> Any:
        (found,) = [one for one in await missed.product.sessions() if one["id"] == row["closing_session_id"]]
        return found

    async def marked() -> bool:
        return bool((await call())["recording"]) and bool((await call())["marks"])

    await eventually(marked, within=10, what="the recording and its marks are known")
    found = await call()
    (mark,) = [one for one in found["marks"] if one["kind"] == "agent"]
    assert (mark["who"], mark["at"]) == (str(AGENT), 0.0)
    shape = await missed.node.waveforms.of(found["pbx"], found["recording"])
    if not media:  # a header and nothing else: told, not played
        assert shape.state == "empty"
        return
    assert shape.state == "sound"
    assert shape.seconds == pytest.approx(mark["until"], abs=0.5)
