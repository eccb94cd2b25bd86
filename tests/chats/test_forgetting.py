"""What was written does not outlive its citizen's wish or its time; what is held stays."""

from __future__ import annotations

from typing import Any, cast

import pytest
import sqlalchemy as sa

from chats import queries
from core.catalog import holds
from core.errors import HotlineError
from core.people.actor import Actor
from core.privacy import DESTROYED
from routing import chat_retention
from tests.chats.conftest import Lease, Room
from tests.tickets.conftest import Refused
from tickets.citizens import records
from tickets.citizens import service as citizens

SYSTEM = Actor.system("test")
PHONE = "13800000001"
DAY = 86400.0
WORDS = "我听不见，家里停水了"


async def _written(room: Room, phone: str | None = PHONE) -> tuple[int, str]:
    """A conversation that was taken, answered and registered as a ticket; the ticket is closed."""
    chat_id, token = await room.opened(phone)
    await room.says(token, WORDS)
    draft = await room.take(chat_id)
    await room.answers(chat_id, "您好，请问在哪个小区？")
    async with room.city.db.begin() as uow:
        made = await room.city.tickets.create_from_draft(
            uow, room.actor(), draft, room.city.form(phone=PHONE), 1
        )
    async with room.city.db.begin() as uow:
        closed = "UPDATE ticket SET state = 'closed', stage = NULL, stage_due_at = NULL, closed_at = now() "
        await uow.session.execute(sa.text(closed + "WHERE id = :i"), {"i": made.id})
    return chat_id, token


async def _ref(room: Room, uow: Any) -> int:
    return int((await room.city.vault.put(uow, "phone", PHONE)).id)


async def _citizen(room: Room) -> int:
    async with room.city.db.begin() as uow:
        return await records.ensure(uow, await _ref(room, uow))


async def _forget(room: Room) -> Any:
    ident = await _citizen(room)
    async with room.city.db.begin() as uow:
        return await citizens.forget(uow, SYSTEM, ident, "本人申请")


async def _sweep(room: Room, days: int = 90) -> int:
    return await chat_retention.sweep(room.city.db, cast(Any, Lease()), room.chats, days)


@pytest.mark.parametrize("phone", [PHONE, None])
async def test_who_is_forgotten_is_forgotten_here_too(room: Room, phone: str | None) -> None:
    chat_id, token = await _written(room, phone)
    went = await _forget(room)
    assert went.chats == 1
    row = await room.row(chat_id)
    assert (row.words_gone_at is not None, row.state, row.messages) == (True, "ended", 3)  # its course stays
    assert {text for _, text in await room.said(chat_id)} == {DESTROYED}
    async with room.city.db.read() as session:
        with pytest.raises(HotlineError, match="chat_unknown"):
            await queries.of_token(session, token, room.clock.now())


async def test_what_others_wrote_stays(room: Room) -> None:
    other, token = await room.opened("13900000009")
    await room.says(token, "别家的事")
    async with room.city.db.begin() as uow:
        await room.chats.leave(uow, token)
    await _written(room)
    await _forget(room)
    assert await room.said(other) == [("citizen", "别家的事")]


async def test_nobody_is_forgotten_while_he_writes(room: Room, refused: Refused) -> None:
    await _written(room)
    _, token = await room.opened(PHONE)
    told = await refused("citizen_in_use", _forget(room))
    assert told["open_chats"] == 1
    async with room.city.db.begin() as uow:
        await room.chats.leave(uow, token)
    assert (await _forget(room)).chats == 2


async def test_words_go_after_their_time_and_not_before(room: Room) -> None:
    chat_id, _ = await _written(room)
    open_one, _ = await room.opened("13900000009")
    room.clock.advance(89 * DAY)
    assert await _sweep(room) == 0
    room.clock.advance(2 * DAY)
    assert await _sweep(room, days=0) == 0  # 0: for ever
    assert await _sweep(room) == 1
    assert await _sweep(room) == 0
    assert {text for _, text in await room.said(chat_id)} == {DESTROYED}
    assert (await room.row(open_one)).words_gone_at is None
    swept = "SELECT gone FROM retention_sweep WHERE step = 'conversations'"
    assert await room.city.scalar(swept) == 0  # the last sweep's


@pytest.mark.parametrize("subject", ["ticket", "citizen"])
async def test_a_hold_keeps_the_words(room: Room, subject: str) -> None:
    chat_id, _ = await _written(room)
    ticket = int(
        await room.city.scalar("SELECT ticket_id FROM ticket_draft WHERE chat_session_id = :c", c=chat_id)
    )
    ident = ticket if subject == "ticket" else await _citizen(room)
    async with room.city.db.begin() as uow:
        await holds.place(uow, room.actor("leader"), subject, ident, "诉讼")
    room.clock.advance(365 * DAY)
    assert await _sweep(room) == 0
    assert (await room.said(chat_id))[0] == ("citizen", WORDS)
    with pytest.raises(HotlineError, match="citizen_held"):  # also where the ticket is somebody else's
        async with room.city.db.begin() as uow:
            other = (await room.city.vault.put(uow, "phone", "13900000007")).id
            moved = "UPDATE ticket SET phone_ref = :other WHERE id = :ticket"
            await uow.session.execute(sa.text(moved), {"other": other, "ticket": ticket})
            await citizens.forget(uow, SYSTEM, await records.ensure(uow, await _ref(room, uow)), "本人申请")
    async with room.city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE legal_hold SET lifted_at = now()"))
    assert await _sweep(room) == 1
