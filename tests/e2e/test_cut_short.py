"""A PBX or a node that dies while a citizen speaks or presses keys, on a real Asterisk: all kept, once."""

from __future__ import annotations

import contextlib
import wave
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from routing.mailbox import KIND
from tests.e2e.rig import scenarios
from tests.e2e.rig.asterisk import Asterisk
from tests.e2e.rig.phones import Citizen, Phones
from tests.e2e.rig.product import Product, running_product
from tests.e2e.rig.situations import number
from tests.e2e.test_after_hours import (
    AGENT,
    _ask,
    _enquiry,
    _followed,
    ended,
    handled,
    tickets,
)
from tests.helpers import eventually

pytestmark = pytest.mark.asterisk
SECOND = 16_000  # bytes of a message
LONG = 60.0  # seconds these citizens would speak


def restart(pbx: Asterisk) -> None:
    pbx.kill()
    pbx.start()


async def recorded(pbx: Asterisk, seconds: float) -> Path:
    """The one message that is being recorded, once so much of it is on the disk."""
    found: list[Path] = []

    async def there() -> bool:
        found[:] = [one for one in pbx.voicemails.glob("*.wav") if one.stat().st_size >= seconds * SECOND]
        return bool(found)

    await eventually(there, within=30, what="the message is on the disk")
    return found[0]


async def begun(pbx: Asterisk, caller: str) -> None:
    """queue_log has a message of this number."""

    async def there() -> bool:
        lines = pbx.queue_log.read_text().splitlines()
        return any("|VOICEMAIL|" in line and line.endswith(f"|{caller}") for line in lines)

    await eventually(there, within=20, what="the message has begun")


async def keyed(pbx: Asterisk, what: str, after: int) -> None:
    """queue_log has `what` behind its first `after` bytes: those before are of other tests."""

    async def there() -> bool:
        return what.encode() in pbx.queue_log.read_bytes()[after:]

    await eventually(there, within=30, what=f"{what} is in queue_log")


def clear(pbx: Asterisk) -> None:
    for one in pbx.voicemails.glob("*.wav"):
        one.unlink()


async def one_ticket_with_sound(product: Product, call: dict[str, Any], least: float) -> None:
    """Of this number; queue_log also has the calls of the test before."""
    (ticket,) = [one for one in await tickets(product) if one.phone_ref == call["caller_ref"]]
    assert (ticket.channel, ticket.call_session_id) == ("voicemail", call["id"])
    sound = product.node.recordings.open(call["pbx"], call["voicemail"])
    with sound.file, contextlib.closing(wave.open(sound.file)) as heard:
        assert heard.getnframes() >= least * 8000
    assert [task for task in await product.callbacks() if task["caller_ref"] == call["caller_ref"]] == []


async def quiet(product: Product) -> None:
    """The messages of the mailbox are all dealt with."""

    async def done() -> bool:
        query = sa.text("SELECT count(*) FROM outbox WHERE kind = :kind AND done_at IS NULL")
        async with product.node.db.read() as session:
            return not (await session.execute(query, {"kind": KIND})).scalar_one()

    await eventually(done, within=20, what="the mailbox is quiet")


async def test_a_pbx_killed_while_it_records_leaves_one_ticket_with_what_was_said(
    night: Asterisk, sip: Phones, database_url: str, tmp_path: Path
) -> None:
    caller = number(951)
    clear(night)
    async with running_product(night, database_url, tmp_path) as first:
        await eventually(first.connected, within=20, what="the node connects")
        sip.call([Citizen(caller)], scenarios.caller(LONG, voice=True))
        await recorded(night, 5)
        restart(night)
        call = await ended(first, caller)
        await handled(first, call)
        await one_ticket_with_sound(first, call, 5)
    # A node that reads the same lines of queue_log once more.
    async with running_product(night, database_url, tmp_path, again=True) as second:
        await eventually(second.connected, within=20, what="the node connects again")
        await quiet(second)
        await one_ticket_with_sound(second, call, 5)
        assert [row["id"] for row in await second.sessions()].count(call["id"]) == 1


async def test_killed_before_a_word_is_on_the_disk_the_number_is_called_back(
    night: Asterisk, sip: Phones, product: Product
) -> None:
    caller = number(952)
    clear(night)
    sip.call([Citizen(caller)], scenarios.caller(LONG, media=True))
    await begun(night, caller)
    restart(night)
    call = await ended(product, caller)
    await handled(product, call)
    assert await tickets(product) == []
    (task,) = await product.callbacks()
    assert (task["caller_ref"], task["calls"], task["closed_at"]) == (call["caller_ref"], 1, None)


async def test_killed_while_nobody_listens_queue_log_alone_tells_of_the_message(
    night: Asterisk, sip: Phones, database_url: str, tmp_path: Path
) -> None:
    caller = number(953)
    clear(night)
    async with running_product(night, database_url, tmp_path) as first:
        await eventually(first.connected, within=20, what="the node connects")
    sip.call([Citizen(caller)], scenarios.caller(LONG, voice=True))
    await recorded(night, 5)
    restart(night)
    async with running_product(night, database_url, tmp_path, again=True) as second:
        await eventually(second.connected, within=20, what="the node connects again")
        call = await ended(second, caller)
        await handled(second, call)
        await one_ticket_with_sound(second, call, 5)


@pytest.mark.parametrize("stays", [True, False])
async def test_a_node_that_goes_during_the_message_and_comes_back_makes_one_ticket(
    night: Asterisk, sip: Phones, database_url: str, tmp_path: Path, stays: bool
) -> None:
    """He still speaks when the node is back, or has hung up meanwhile."""
    caller = number(954 + stays)
    clear(night)
    async with running_product(night, database_url, tmp_path) as first:
        await eventually(first.connected, within=20, what="the node connects")
        sip.call([Citizen(caller)], scenarios.caller(16 if stays else 9, voice=True))
        await recorded(night, 2)
        known = await first.session_of(caller)
        assert known is not None
        assert known["ended_at"] is None
    if not stays:
        await eventually(lambda: _silent(night), within=30, what="he has hung up")
    async with running_product(night, database_url, tmp_path, again=True) as second:
        await eventually(second.connected, within=20, what="the node connects again")
        call = await ended(second, caller)
        await handled(second, call)
        assert call["id"] == known["id"]
        assert call["voicemail_ms"] > 5000
        await one_ticket_with_sound(second, call, 5)


async def _silent(pbx: Asterisk) -> bool:
    return pbx.channels() == 0


async def test_what_was_said_by_keys_outlives_the_pbx(pbx: Asterisk, sip: Phones, product: Product) -> None:
    caller, written = number(956), pbx.queue_log.stat().st_size
    phone = sip.agents([AGENT], scenarios.answering_then_leaving(1.0))
    sip.call([Citizen(caller)], scenarios.caller(LONG, keys="5", keys_after=5, media=True))
    await keyed(pbx, "SURVEY|satisfied|5", written)
    restart(pbx)
    call = await ended(product, caller)
    sip.agents_leave(phone)
    assert (call["outcome"], call["survey"], call["survey_solved"]) == ("answered", "5", None)
    assert [one["call_session_id"] for one in await product.drafts()] == [call["id"]]
    assert len(await product.sessions()) == 1
    assert await counted(product) == (1, 1, 1)


async def test_keys_pressed_while_the_node_was_away_are_joined_to_the_call(
    pbx: Asterisk, sip: Phones, database_url: str, tmp_path: Path
) -> None:
    caller, written = number(957), pbx.queue_log.stat().st_size
    phone = sip.agents([AGENT], scenarios.answering_then_leaving(3.0))
    async with running_product(pbx, database_url, tmp_path) as first:
        await eventually(first.connected, within=20, what="the node connects")
        sip.call([Citizen(caller)], scenarios.caller(LONG, keys="4", keys_after=8, media=True))

        async def talking() -> bool:
            row = await first.session_of(caller)
            return row is not None and row["answered_at"] is not None

        await eventually(talking, within=20, what="somebody answers")
    await keyed(pbx, "SURVEY|satisfied|4", written)
    restart(pbx)
    async with running_product(pbx, database_url, tmp_path, again=True) as second:
        await eventually(second.connected, within=20, what="the node connects again")
        call = await ended(second, caller)
        sip.agents_leave(phone)
        assert call["outcome"] == "answered"

        async def joined() -> bool:  # the end is known from the PBX's list, the key from its queue_log
            row = await second.session_of(caller)
            return row is not None and (row["survey"], row["survey_solved"]) == ("4", None)

        await eventually(joined, within=20, what="the key is joined to its call")
        assert [one["call_session_id"] for one in await second.drafts()] == [call["id"]]
        assert await counted(second) == (1, 1, 1)


async def counted(product: Product) -> tuple[int, ...]:
    query = sa.text("SELECT sum(answered), sum(surveyed), sum(scored) FROM call_interval")
    async with product.node.db.read() as session:
        return tuple((await session.execute(query)).one())


async def test_a_question_about_a_ticket_cut_by_the_pbx_stays_one_question_of_one_call(
    pbx: Asterisk, sip: Phones, product: Product
) -> None:
    ticket, code, ticket_id = await _followed(product)
    caller = number(958)
    keys = f"2pp{_ask(ticket, code)}"
    sip.call([Citizen(caller)], scenarios.caller(LONG, keys=keys, keys_after=0.6, media=True))

    async def asked() -> bool:
        return bool(await enquiries(product))

    await eventually(asked, within=60, what="the question is taken down")
    restart(pbx)
    call = await ended(product, caller)
    (row,) = await enquiries(product)
    assert (row.ticket_id, row.session_key, row.answer) == (ticket_id, call["session_key"], "accepting")
    assert len(await product.sessions()) == 1
    assert await product.callbacks() == []
    assert len(await tickets(product)) == 1


async def enquiries(product: Product) -> list[Any]:
    async with product.node.db.read() as session:
        return list((await session.execute(sa.select(_enquiry))).all())
