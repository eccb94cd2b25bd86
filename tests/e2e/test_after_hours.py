"""The telephone after hours on a real Asterisk: each story ends in the ticket it belongs to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from routing.submissions import Submission
from telephony.models import CallSession, PhoneEnquiry
from tests.e2e.rig import scenarios
from tests.e2e.rig.asterisk import Asterisk
from tests.e2e.rig.manager import Manager
from tests.e2e.rig.phones import Citizen, Phones
from tests.e2e.rig.product import Product, running_product
from tests.e2e.rig.situations import Stage, number
from tests.helpers import eventually
from tickets.models import CallbackTask, Category, Ticket, table_of
from tickets.terms import Channel
from web.reads.recordings import calls_of_ticket

pytestmark = pytest.mark.asterisk
AGENT = 1001
_ticket, _call, _category = table_of(Ticket), table_of(CallSession), table_of(Category)
_enquiry, _task = table_of(PhoneEnquiry), table_of(CallbackTask)


async def tickets(product: Product) -> list[Any]:
    async with product.node.db.read() as session:
        return list((await session.execute(sa.select(_ticket).order_by(_ticket.c.id))).all())


async def ended(product: Product, caller: str) -> dict[str, Any]:
    """The session of this number, once it is over."""
    found: dict[str, Any] = {}

    async def over() -> bool:
        row = await product.session_of(caller)
        found.update(row or {})
        return row is not None and row["ended_at"] is not None

    await eventually(over, within=40, what="the call is over")
    return found


async def handled(product: Product, call: dict[str, Any]) -> None:
    """What the mailbox left has been looked into."""

    async def done() -> bool:
        query = sa.text("SELECT done_at IS NOT NULL FROM outbox WHERE dedup = :dedup")
        async with product.node.db.read() as session:
            found = await session.execute(query, {"dedup": f"voicemail:{call['id']}"})
            return bool(found.scalar_one_or_none())

    await eventually(done, within=20, what="the message is taken in")


async def test_a_message_at_night_is_one_ticket_with_its_sound_and_no_call_back(
    night: Asterisk, sip: Phones, product: Product
) -> None:
    caller = number(921)
    sip.call([Citizen(caller)], scenarios.caller(9, voice=True))
    call = await ended(product, caller)
    await handled(product, call)
    (ticket,) = await tickets(product)
    assert (ticket.channel, ticket.state) == ("voicemail", "waiting_accept")
    assert ticket.call_session_id == call["id"]
    assert ticket.phone_ref == call["caller_ref"]
    sound = product.node.recordings.open(call["pbx"], call["voicemail"])
    sound.file.close()
    assert sound.size > 3 * 16_000
    assert await product.callbacks() == []


async def test_a_message_is_told_again_after_an_outage_and_stays_the_same_ticket(
    night: Asterisk, sip: Phones, stage: Stage, database_url: str, tmp_path: Path
) -> None:
    caller, unseen = number(922), number(923)
    async with running_product(night, database_url, tmp_path) as first:
        await eventually(first.connected, within=20, what="the node connects")
        sip.call([Citizen(caller)], scenarios.caller(9, voice=True))
        call = await ended(first, caller)
        await handled(first, call)
    # Nobody hears of the next one: queue_log alone has it.
    sip.call([Citizen(unseen)], scenarios.caller(9, voice=True))
    stage.ended(unseen)
    async with running_product(night, database_url, tmp_path, again=True) as second:
        await eventually(second.connected, within=20, what="the node connects again")
        missed = await ended(second, unseen)
        await handled(second, missed)
        # The first one once more, as an outbox that died before it could say so.
        async with second.node.db.begin() as uow:
            again = sa.text("UPDATE outbox SET done_at = NULL, next_at = :now WHERE dedup = :dedup")
            await uow.session.execute(again, {"now": uow.now, "dedup": f"voicemail:{call['id']}"})
        await handled(second, call)
        found = [(one.channel, one.call_session_id) for one in await tickets(second)]
    assert found == [("voicemail", call["id"]), ("voicemail", missed["id"])]


async def test_who_says_nothing_is_called_back_before_ten(
    night: Asterisk, sip: Phones, product: Product
) -> None:
    silent, quick = number(924), number(925)
    sip.call([Citizen(silent)], scenarios.caller(9, media=True))
    sip.call([Citizen(quick)], scenarios.caller(2.2))
    for caller in (silent, quick):
        await handled(product, await ended(product, caller))
    assert await tickets(product) == []
    tasks = await product.callbacks()
    assert len(tasks) == 2
    assert all(task["closed_at"] is None for task in tasks)


async def test_nobody_there_leads_to_the_mailbox_by_day_too(
    pbx: Asterisk, sip: Phones, product: Product
) -> None:
    pbx.set_global("NOBODY_SECONDS", "2")
    caller = number(926)
    try:
        sip.call([Citizen(caller)], scenarios.caller(13, voice=True))
        call = await ended(product, caller)
    finally:
        pbx.set_global("NOBODY_SECONDS", str(pbx.site["nobody_seconds"]))
    await handled(product, call)
    assert call["outcome"] == "timeout"
    assert [one.call_session_id for one in await tickets(product)] == [call["id"]]
    assert await product.callbacks() == []


async def test_a_city_without_a_mailbox_calls_back(pbx: Asterisk, sip: Phones, product: Product) -> None:
    pbx.set_global("NOBODY_SECONDS", "2")
    pbx.set_global("VOICEMAIL_ON", "no")
    caller = number(927)
    try:
        sip.call([Citizen(caller)], scenarios.caller(13, voice=True))
        call = await ended(product, caller)
    finally:
        pbx.set_global("NOBODY_SECONDS", str(pbx.site["nobody_seconds"]))
        pbx.set_global("VOICEMAIL_ON", "yes")
    assert call["voicemail"] is None
    assert len(await product.callbacks()) == 1
    assert await tickets(product) == []


@pytest.mark.parametrize(
    ("keys", "score", "solved"),
    [
        ("5pp1", "5", True),
        ("9pp2pp2", "2", False),  # a wrong key is asked for again
        ("4", "4", None),  # no second key
        ("99", None, None),
    ],
)
async def test_answers_by_keys_are_joined_to_the_call_and_the_ticket_it_made(
    sip: Phones, product: Product, stage: Stage, keys: str, score: str | None, solved: bool | None
) -> None:
    caller = number(930 + len(keys))
    phone = sip.agents([AGENT], scenarios.answering_then_leaving(1.0))
    sip.call([Citizen(caller)], scenarios.caller(40, keys=keys, keys_after=5, media=True))
    call = await ended(product, caller)
    sip.agents_leave(phone)
    assert call["survey_asked_at"] is not None
    assert (call["survey"], call["survey_solved"]) == (score, solved)
    async with product.node.db.read() as session:
        counts = (
            await session.execute(
                sa.text(
                    "SELECT sum(surveyed), sum(scored), sum(satisfied), sum(solved_told), sum(solved) "
                    "FROM call_interval"
                )
            )
        ).one()
    good = score is not None and int(score) >= 3
    told = solved is not None
    assert tuple(counts) == (1, int(score is not None), int(good), int(told), int(solved is True))


async def test_the_ticket_a_call_made_shows_what_was_said_by_keys(sip: Phones, product: Product) -> None:
    caller = number(939)
    phone = sip.agents([AGENT], scenarios.answering_then_leaving(1.0))
    sip.call([Citizen(caller)], scenarios.caller(40, keys="3pp1", keys_after=5, media=True))
    call = await ended(product, caller)
    sip.agents_leave(phone)
    (draft,) = await product.drafts()
    node = product.node
    async with node.db.read() as session:
        agent = await node.people.actor_for_user(session, product.users[str(AGENT)])
        category = (await session.execute(sa.select(sa.func.max(_category.c.id)))).scalar_one()
    assert agent is not None
    form = {"type": "help", "category_id": category, "title": "路灯不亮", "narrative": "路灯不亮。"}
    async with node.db.begin() as uow:
        made = await node.tickets.create_from_draft(uow, agent, draft["id"], form, draft["version"])
    async with node.db.read() as session:
        (shown,) = await calls_of_ticket(session, agent, node.recordings, made.id, node.clock.now())
    assert (shown.row.id, shown.said) == (call["id"], "基本满意，已解决或受理")


async def _followed(product: Product) -> tuple[str, str, int]:
    """A ticket to ask about: number, code, id."""
    node = product.node

    async def work(uow: Any) -> Any:
        given = Submission(
            channel=Channel.WEB, key="after-hours-1", narrative="路灯不亮，请派人维修。", phone="13900001111"
        )
        return await node.submissions.submit(uow, given)

    made = await node.db.retrying(work)
    return made.number, made.query_code, made.ticket_id


async def answer_heard(ami: Manager, caller: str, attempt: int = 1) -> dict[str, str]:
    """What the citizen was told, waited for beside the node that shares this process."""
    wanted = {"UserEvent": "StatusSaid", "CallerIDNum": caller, "Attempt": str(attempt)}
    return await asyncio.to_thread(ami.wait_for, "UserEvent", 150, **wanted)


def _ask(ticket: str, code: str) -> str:
    return f"{ticket}pp{code}"


async def test_the_state_of_a_ticket_is_said_to_who_knows_its_number_and_code(
    sip: Phones, product: Product, ami: Manager
) -> None:
    ticket, code, ticket_id = await _followed(product)
    caller = number(941)
    keys = f"2pp{_ask(ticket, code)}"
    sip.call([Citizen(caller)], scenarios.caller(40, keys=keys, keys_after=0.6, media=True))
    said = await answer_heard(ami, caller)
    assert (said["Answer"], said["Played"]) == ("accepting", "SUCCESS")
    call = await ended(product, caller)
    assert call["queues"] == []
    async with product.node.db.read() as session:
        (row,) = (await session.execute(sa.select(_enquiry))).all()
    assert (row.ticket_id, row.session_key, row.answer) == (ticket_id, call["session_key"], "accepting")


async def test_five_wrong_codes_lock_and_an_unknown_number_sounds_the_same(
    sip: Phones, product: Product, ami: Manager
) -> None:
    ticket, code, _ = await _followed(product)
    wrong = "000000" if code != "000000" else "111111"
    heard: dict[str, list[str]] = {}
    for caller, asked in ((number(942), ticket), (number(943), "9" * 18)):
        keys = "2pp" + "pp".join([_ask(asked, wrong)] * 5) + "pp" + _ask(asked, code)
        sip.call([Citizen(caller)], scenarios.caller(150, keys=keys, keys_after=0.6, media=True))
    for caller in (number(942), number(943)):
        await answer_heard(ami, caller, attempt=6)
        said = ami.events("UserEvent", UserEvent="StatusSaid", CallerIDNum=caller)
        heard[caller] = [one["Answer"] for one in said]
    assert heard[number(942)] == ["wrong"] * 5 + ["locked"]
    assert heard[number(943)] == heard[number(942)]


async def test_a_node_that_is_away_in_the_middle_costs_a_sentence_and_leads_to_the_queue(
    pbx: Asterisk, sip: Phones, ami: Manager, stage: Stage, database_url: str, tmp_path: Path
) -> None:
    caller = number(944)
    async with running_product(pbx, database_url, tmp_path) as product:
        await eventually(product.connected, within=20, what="the node connects")
        ticket, code, _ = await _followed(product)
        keys = f"2pp{_ask(ticket, code)}"
        sip.call([Citizen(caller)], scenarios.caller(60, keys=keys, keys_after=0.6, media=True))
        stage.citizen(caller)
    said = await answer_heard(ami, caller)
    assert (said["Answer"], said["Played"]) == ("away", "SUCCESS")
    ami.wait_for("QueueCallerJoin", deadline=10, CallerIDNum=caller)
