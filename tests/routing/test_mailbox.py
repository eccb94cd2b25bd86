"""Messages left in the mailbox: one ticket each, or a call-back, whatever is told twice or fails."""

import math
import struct
import wave
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import HotlineError
from core.events import EventBus
from core.notify.ports import DeliveryFailed
from core.outbox import OutboxMessage, OutboxWorker
from routing.intake import Intake
from routing.mailbox import KIND, Mailbox
from routing.submissions import Submissions
from telephony.events import CallAbandoned, CallEnded, VoicemailLeft
from telephony.models import CallSession
from telephony.recordings import Recordings
from telephony.waveforms import Waveforms
from tests.tickets.conftest import City
from tickets.attachments.service import AttachmentService
from tickets.models import table_of

NAME = "vm-1.1.wav"
_call = table_of(CallSession)


def sound(path: Path, seconds: float, loud: float = 0.5) -> None:
    """A telephone's WAV with a tone in it."""
    values = [int(32767 * loud * math.sin(place / 3)) for place in range(int(8000 * seconds))]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<{len(values)}h", *values))


class Post:
    """A mailbox with its folder, and the messages of the outbox that are its own."""

    def __init__(self, city: City, bus: EventBus, intake: Intake, folder: Path) -> None:
        self.city, self.folder = city, folder
        recordings = Recordings({}, {"pbx1": folder})
        submissions = Submissions(
            city.vault, city.settings, city.tickets, AttachmentService(city.db, city.settings)
        )
        waveforms = Waveforms(recordings, folder / "shapes")
        self.mailbox = Mailbox(city.db, submissions, intake, city.callbacks, recordings, waveforms, 3)
        self.mailbox.wire(bus, OutboxWorker(city.db, city.settings.outbox))

    async def left(
        self, *, seconds: float = 8, said: float | None = None, number: str = "13800000001", **over: Any
    ) -> int:
        """A call that ended in the mailbox, `said` seconds long as the PBX has it; returns its id."""
        if seconds:
            sound(self.folder / NAME, seconds, over.pop("loud", 0.5))
        at = over.pop("at", self.city.db.clock.now())
        session_id, _ = await self.city.call(number, at=at, key=over.pop("key", "k"))
        milliseconds = int(1000 * (seconds if said is None else said))
        values = {"voicemail": NAME, "voicemail_ms": milliseconds, "outcome": "timeout", **over}
        async with self.city.db.begin() as uow:
            await uow.session.execute(sa.update(_call).where(_call.c.id == session_id).values(**values))
        return int(session_id)

    async def tell(self, *events: Any) -> None:
        for event in events:
            async with self.city.db.begin() as uow:
                await uow.emit(event)

    async def messages(self) -> Sequence[OutboxMessage]:
        query = "SELECT id, dedup, kind, payload, attempts, created_at FROM outbox WHERE kind = :kind"
        async with self.city.db.read() as session:
            rows = await session.execute(sa.text(query), {"kind": KIND})
            return [OutboxMessage(*row) for row in rows]

    async def deliver(self) -> None:
        for message in await self.messages():
            await self.mailbox.take_in(message)

    async def count(self, table: str) -> int:
        return int(await self.city.scalar(f"SELECT count(*) FROM {table}"))


@pytest.fixture
def post(city: City, bus: EventBus, intake: Intake, tmp_path: Path) -> Post:
    return Post(city, bus, intake, tmp_path)


def ended(session_id: int, outcome: str = "timeout") -> CallEnded:
    return CallEnded(session_id, outcome, (), 2)


async def test_a_message_is_a_ticket_that_waits_to_be_accepted_and_its_caller_the_contact(post: Post) -> None:
    session_id = await post.left()
    await post.tell(ended(session_id), VoicemailLeft(session_id, 2))
    await post.deliver()
    async with post.city.db.read() as session:
        query = sa.text("SELECT channel, state, call_session_id, phone_ref, title, created_by FROM ticket")
        (ticket,) = (await session.execute(query)).all()
    caller = await post.city.scalar("SELECT caller_ref FROM call_session")
    assert tuple(ticket[:4]) == ("voicemail", "waiting_accept", session_id, caller)
    assert ticket.title.startswith("语音留言")
    assert ticket.created_by is None
    assert await post.count("callback_task") == 0


async def test_told_again_it_is_the_same_ticket(post: Post) -> None:
    session_id = await post.left()
    told = VoicemailLeft(session_id, 2)
    await post.tell(told, ended(session_id), told)
    assert len(await post.messages()) == 1
    await post.deliver()
    await post.deliver()
    assert await post.count("ticket") == 1


async def test_a_message_whose_length_nobody_told_is_as_long_as_its_file(post: Post) -> None:
    session_id = await post.left(said=0)
    path = post.folder / NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(4) + whole[8:40] + bytes(4) + whole[44:])  # its recorder died
    told = VoicemailLeft(session_id, 2)
    await post.tell(ended(session_id, "ended_unknown"), told, told)
    await post.deliver()
    await post.deliver()
    assert (await post.count("ticket"), await post.count("callback_task")) == (1, 0)
    assert "8秒" in await post.city.scalar("SELECT title FROM ticket")
    opened = Recordings({}, {"pbx1": post.folder}).open("pbx1", NAME)
    with opened.file:
        assert opened.file.read() == whole  # whoever hears it gets a whole file
        opened.file.seek(30)
        assert opened.file.read(100) == whole[30:130]


@pytest.mark.parametrize(
    "left",
    [
        {"seconds": 1},  # too short
        {"seconds": 1, "said": 0},  # cut off after a word
        {"seconds": 0, "said": 0},  # nothing at all
        {"seconds": 8, "loud": 0.0},  # a line without a voice
    ],
)
async def test_nothing_to_listen_to_is_called_back_instead(post: Post, left: dict[str, Any]) -> None:
    session_id = await post.left(**left)
    await post.tell(ended(session_id), VoicemailLeft(session_id, 2))
    assert await post.count("callback_task") == 0
    await post.deliver()
    await post.deliver()
    assert (await post.count("ticket"), await post.count("callback_task")) == (0, 1)


async def test_at_night_the_call_back_is_due_by_ten(post: Post) -> None:
    night = datetime.fromisoformat("2026-11-30T23:30:00+08:00")
    session_id = await post.left(seconds=1, at=night, outcome="ivr_ended")
    await post.tell(ended(session_id, "ivr_ended"), VoicemailLeft(session_id, 2))
    await post.deliver()
    due = await post.city.scalar("SELECT due_at FROM callback_task")
    assert due == datetime.fromisoformat("2026-12-01T10:00:00+08:00")


async def test_a_file_that_cannot_be_seen_yet_is_a_ticket_all_the_same(post: Post) -> None:
    session_id = await post.left(seconds=0, said=20)
    await post.tell(VoicemailLeft(session_id, 2))
    await post.deliver()
    assert await post.count("ticket") == 1


async def test_a_folder_that_is_away_is_waited_for_when_only_it_knows_the_length(post: Post) -> None:
    """The share of a PBX that died is mounted again later: what was said must not be called back unheard."""
    session_id = await post.left(said=0)
    await post.tell(VoicemailLeft(session_id, 2))
    away = post.folder.rename(post.folder.with_name("away"))
    with pytest.raises(DeliveryFailed, match="recordings_away"):
        await post.deliver()
    assert (await post.count("ticket"), await post.count("callback_task")) == (0, 0)
    away.rename(post.folder)
    await post.deliver()
    assert (await post.count("ticket"), await post.count("callback_task")) == (1, 0)


async def test_without_a_number_the_ticket_is_anonymous_and_nobody_is_called_back(post: Post) -> None:
    session_id = await post.left(caller_ref=None)
    silent = await post.left(caller_ref=None, key="s", voicemail="vm-2.2.wav", voicemail_ms=0)
    await post.tell(VoicemailLeft(session_id, 2), VoicemailLeft(silent, 2))
    await post.deliver()
    assert await post.city.scalar("SELECT confidentiality FROM ticket") == "anonymous"
    assert await post.count("callback_task") == 0


async def test_a_message_known_only_later_ends_the_call_back_of_that_call_alone(post: Post) -> None:
    first = await post.left(voicemail=None, key="a")
    caller = await post.city.scalar("SELECT caller_ref FROM call_session")
    await post.tell(ended(first))
    assert await post.count("callback_task") == 1
    async with post.city.db.begin() as uow:
        await uow.session.execute(sa.update(_call).values(voicemail=NAME))
    await post.tell(VoicemailLeft(first, 3))
    await post.deliver()
    assert await post.city.scalar("SELECT closed_as FROM callback_task") == "left_message"
    # Somebody who gave up another time waits for his call still.
    other, _ = await post.city.call(key="b", at=post.city.db.clock.now())
    second = await post.left(voicemail=None, key="c")
    now = post.city.db.clock.now().isoformat()
    await post.tell(CallAbandoned(other, caller, now), ended(second))
    async with post.city.db.begin() as uow:
        await uow.session.execute(sa.update(_call).where(_call.c.id == second).values(voicemail=NAME))
    await post.tell(VoicemailLeft(second, 3))
    await post.deliver()
    assert await post.count("callback_task WHERE closed_at IS NULL") == 1


async def test_if_no_ticket_can_be_made_for_good_the_caller_is_called_back(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise HotlineError("category_unknown", category_id=None)

    session_id = await post.left()
    await post.tell(VoicemailLeft(session_id, 2))
    monkeypatch.setattr(Submissions, "submit", broken)
    (message,) = await post.messages()
    with pytest.raises(HotlineError):
        await post.mailbox.take_in(message)
    await post.mailbox.call_back(message)
    assert await post.count("callback_task") == 1
