"""Recordings past their time go, what is held stays, and the call stays in any case."""

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from core import retention
from core.catalog import holds
from core.clock import ManualClock
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.permissions import Permission
from core.settings import Retention
from routing.sound_retention import SoundRetention
from telephony.models import CallSession
from telephony.recordings import Recordings
from tests.tickets.conftest import City
from tickets.citizens import records
from tickets.models import table_of

_call = table_of(CallSession)
PBX = "pbx1"
DAYS = 730


class Lease:
    async def fence(self, uow: UnitOfWork) -> None:
        return None


class Lost:
    async def fence(self, uow: UnitOfWork) -> None:
        raise HotlineError("lease_lost")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def sweeper(city: City, folder: Path, days: int = DAYS, lease: Any = None) -> SoundRetention:
    return SoundRetention(city.db, cast(Any, lease or Lease()), Recordings({PBX: folder}), days)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def recorded(city: City, folder: Path, key: str, days: float, number: str = "13800000001") -> int:
    at = city.db.clock.now() - timedelta(days=days)
    session_id, _ = await city.call(number, key=key, at=at)
    (folder / f"rec-{key}.wav").write_bytes(b"sound")
    async with city.db.begin() as uow:
        known = sa.update(_call).where(_call.c.id == session_id).values(recording=f"rec-{key}.wav")
        await uow.session.execute(known)
    return int(session_id)


async def hold(city: City, subject: str, ident: int) -> None:
    leader = city.actors["leader"]
    assert leader.may(Permission.DELETION_REQUEST)
    async with city.db.begin() as uow:
        await holds.place(uow, leader, subject, ident, "诉讼")


async def gone(city: City) -> set[int]:
    async with city.db.read() as session:
        query = sa.select(_call.c.id).where(_call.c.recording_gone_at.is_not(None))
        return set((await session.execute(query)).scalars())


async def test_what_is_past_its_time_goes_and_the_call_stays(city: City, folder: Path) -> None:
    old = await recorded(city, folder, "old", DAYS + 0.1)
    await recorded(city, folder, "young", DAYS - 0.1)
    assert await sweeper(city, folder).sweep() == 1
    assert await gone(city) == {old}
    assert names_in(folder) == ["rec-young.wav"]
    assert await sweeper(city, folder).sweep() == 0
    assert await city.scalar("SELECT gone FROM retention_sweep WHERE step = 'recordings'") == 0


async def test_a_held_ticket_or_citizen_keeps_the_sound(city: City, folder: Path) -> None:
    await recorded(city, folder, "ticket", DAYS + 1)
    of_citizen = await recorded(city, folder, "citizen", DAYS + 1, "13800000002")
    free = await recorded(city, folder, "free", DAYS + 1, "13800000003")
    ticket = await city.ticket()
    async with city.db.begin() as uow:
        link = (
            "UPDATE ticket SET call_session_id = "
            "(SELECT id FROM call_session WHERE recording = 'rec-ticket.wav')"
        )
        await uow.session.execute(sa.text(link))
        caller = await uow.session.scalar(sa.select(_call.c.caller_ref).where(_call.c.id == of_citizen))
        assert caller is not None
        citizen = await records.ensure(uow, caller)
    await hold(city, "ticket", ticket.id)
    await hold(city, "citizen", citizen)
    await sweeper(city, folder).sweep()
    assert await gone(city) == {free}
    async with city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE legal_hold SET lifted_at = now()"))
    await sweeper(city, folder).sweep()
    assert len(await gone(city)) == 3


async def test_zero_days_keep_everything(city: City, folder: Path) -> None:
    await recorded(city, folder, "old", 9999)
    assert await sweeper(city, folder, 0).sweep() == 0
    assert await gone(city) == set()


async def test_a_file_that_cannot_be_removed_is_tried_again(
    city: City, folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await recorded(city, folder, "old", DAYS + 1)
    with monkeypatch.context() as patch:
        patch.setattr(Recordings, "drop", lambda *_: False)
        assert await sweeper(city, folder).sweep() == 0
    assert await gone(city) == set()
    (folder / "rec-old.wav").unlink()  # somebody else was faster
    assert await sweeper(city, folder).sweep() == 1
    assert await gone(city) == {old}


async def test_who_does_not_lead_removes_nothing(city: City, folder: Path) -> None:
    await recorded(city, folder, "old", DAYS + 1)
    with pytest.raises(HotlineError, match="lease_lost"):
        await sweeper(city, folder, lease=Lost()).sweep()
    assert (folder / "rec-old.wav").exists()


async def test_the_page_of_retention_counts_recordings_and_deletes_no_calls(city: City, folder: Path) -> None:
    await recorded(city, folder, "old", DAYS + 1)
    settings = Retention()
    await retention.sweep(city.db, settings)
    async with city.db.read() as session:
        kept = {one.name: one for one in await retention.survey(session, settings, city.db.clock.now())}
    assert (kept["recordings"].rows, kept["recordings"].past) == (1, 1)


@pytest.mark.parametrize("days", [1, 89])
def test_recordings_are_not_thrown_away_at_once(days: int) -> None:
    with pytest.raises(ValueError, match="90 days"):
        Retention(recording_days=days)


async def test_a_message_goes_with_its_time_as_a_recording_does(city: City, folder: Path) -> None:
    left = folder / "left"
    left.mkdir()
    at = city.db.clock.now() - timedelta(days=DAYS + 1)
    session_id, _ = await city.call(key="m", at=at)
    await recorded(city, folder, "both", DAYS + 1)
    for name in ("vm-m.wav", "vm-both.wav"):
        (left / name).write_bytes(b"sound")
    async with city.db.begin() as uow:
        for key in ("m", "both"):
            row = _call.c.session_key.startswith(f"{key}-")
            await uow.session.execute(sa.update(_call).where(row).values(voicemail=f"vm-{key}.wav"))
    recordings = Recordings({PBX: folder}, {PBX: left})
    assert await SoundRetention(city.db, cast(Any, Lease()), recordings, DAYS).sweep() == 2
    assert names_in(left) == []
    assert names_in(folder) == ["left"]
    gone = f"SELECT recording_gone_at IS NOT NULL FROM call_session WHERE id = {session_id}"
    assert await city.scalar(gone)
