"""Sessions written twice, out of date, or with odd numbers; and what screens read of them."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from core.db import Database, UnitOfWork
from core.events import EventBus
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from telephony import queries
from telephony.calls import Leg, Session, Transfer
from telephony.events import CallRingStopped
from telephony.models import CallSession
from telephony.service import TelephonyService
from tests.telephony.pbx_rig import Told
from tests.telephony.test_queue_log import session

RINGING = Leg("1001", "ringing", 1.0, 0.0, 0.0, None, 1795414397.0, None, None)
TALKING = Leg("1001", "talking", 1.5, 2.0, 0.0, None, 1795414397.0, 1795414398.5, None)
TALKED = Leg("1001", "ended", 1.5, 9.0, 0.0, "citizen", 1795414397.0, 1795414398.5, 1795414407.5)
OPEN: dict[str, Any] = {"state": "waiting", "outcome": "in_progress", "ended": None}


@pytest.fixture
def service(database: Database, vault: Vault, people: PeopleService, settings: Settings) -> TelephonyService:
    return TelephonyService(database, database.clock, vault, people, settings)


@pytest.fixture
def told(bus: EventBus) -> Told:
    return Told(bus)


async def write(service: TelephonyService, *sessions: Session, pbx: str = "pbx1") -> int:
    async def work(uow: UnitOfWork) -> int:
        written = await service.apply_changes(uow, pbx, sessions)
        return written.ids[sessions[-1].key]

    return await service._db.retrying(work)


def stages() -> list[Session]:
    """One call as it goes on."""
    waiting = session(**OPEN)
    talking: dict[str, Any] = {**OPEN, "state": "talking", "answered": 1795414398.5}
    return [
        waiting,
        replace(waiting, state="ringing", legs=(RINGING,)),
        session(**talking, legs=(TALKING,)),
        session("answered", answered=1795414398.5, ended=1795414407.5, legs=(TALKED,)),
    ]


async def test_each_stage_is_told_once_however_often_it_is_written(
    service: TelephonyService, told: Told
) -> None:
    for stage in stages():
        for _ in range(3):
            await write(service, stage)
    assert told.counts() == {
        "CallQueued": 1,
        "CallRinging": 1,
        "CallRingStopped": 1,
        "CallAnswered": 1,
        "CallEnded": 1,
    }


async def test_an_older_view_of_a_call_takes_nothing_back(service: TelephonyService, told: Told) -> None:
    *earlier, last = stages()
    session_id = await write(service, last)
    before = told.counts()
    for stage in reversed(earlier):
        await write(service, stage)
    async with service._db.read() as reader:
        card = await queries.session_card(reader, session_id)
        legs = await queries.legs_of(reader, session_id)
    assert card is not None
    assert (card.state, card.outcome) == ("ended", "answered")
    assert (legs[0].state, legs[0].talk_seconds) == ("ended", 9.0)
    assert told.counts() == before


async def test_a_whole_call_written_at_once_tells_its_answer_and_its_end(
    service: TelephonyService, told: Told
) -> None:
    await write(service, stages()[-1])
    assert told.counts() == {"CallQueued": 1, "CallAnswered": 1, "CallEnded": 1}


async def test_two_telephones_that_ring_are_told_apart(service: TelephonyService, told: Told) -> None:
    other = replace(RINGING, agent="1002")
    await write(service, session(**{**OPEN, "state": "ringing"}, legs=(RINGING, other)))
    await write(service, stages()[2])
    assert told.counts()["CallRinging"] == 2
    assert [event.extension for event in told.of(CallRingStopped)] == ["1001"]


async def test_a_session_that_became_part_of_another_does_not_stay_open(
    service: TelephonyService, told: Told
) -> None:
    consult = replace(
        session(**OPEN, direction="outbound"), key="5.5", linkedids=("5.5",), queued=None, queues=()
    )
    consult_id = await write(service, consult)
    await write(service, replace(stages()[2], linkedids=("1795414396.6", "5.5")))
    async with service._db.read() as reader:
        card = await queries.session_card(reader, consult_id)
    assert card is not None
    assert card.ended_at is not None


@pytest.mark.parametrize(
    ("raw", "kind", "masked"),
    [
        ("anonymous", "anonymous", None),
        ("", "anonymous", None),
        ("+8613800000003", "mobile", "138****0003"),
        ("0773-2823456", "landline", "0773****56"),
        ("2823456", "landline", "0773****56"),
        ("1001", "internal", None),
        ("x" * 10_000, "invalid", None),
    ],
)
async def test_odd_callers_have_a_kind_and_only_real_numbers_a_reference(
    service: TelephonyService, raw: str, kind: str, masked: str | None
) -> None:
    session_id = await write(service, session(caller=raw))
    async with service._db.read() as reader:
        card = await queries.session_card(reader, session_id)
    assert card is not None
    assert (card.caller_kind, card.caller_masked) == (kind, masked)


async def test_what_waits_and_what_a_citizen_called_before_can_be_read(service: TelephonyService) -> None:
    ended = await write(service, replace(stages()[-1], key="4.4", linkedids=("4.4",), citizen="4.4"))
    waiting = await write(service, stages()[0])
    async with service._db.read() as reader:
        assert [card.id for card in await queries.open_sessions(reader)] == [waiting]
        assert {queue: count for queue, (count, _) in (await queries.queue_now(reader)).items()} == {
            "q12345": 1
        }
        card = await queries.session_card(reader, ended)
        assert card is not None
        assert card.caller_ref is not None
        calls = await queries.recent_calls_of(reader, card.caller_ref)
        assert {call.id for call in calls} == {ended, waiting}
        assert await queries.session_card(reader, 999_999) is None
        assert await queries.pbx_states(reader) == []


async def test_numbers_outside_the_house_are_masked_in_transfers(service: TelephonyService) -> None:
    moves = (
        Transfer("blind", "1001", "13900000077"),
        Transfer("conference", "1001", "110"),
        Transfer("redirect", "1001", "q12345"),
        Transfer("blind", "1001", "913900000077"),
    )
    session_id = await write(service, session("answered", answered=1795414397.0, transfers=moves))
    async with service._db.read() as reader:
        query = select(CallSession.__table__).where(CallSession.__table__.c.id == session_id)  # type: ignore[attr-defined]  # set by SQLModel
        row = (await reader.execute(query)).one()
    assert [move["to"] for move in row.transfers] == ["139****0077", "110", "q12345", "913****0077"]


async def test_an_outcome_learned_late_is_told(service: TelephonyService, told: Told) -> None:
    await write(service, session("ended_unknown"))
    assert told.counts()["CallAbandoned"] == 0
    for _ in range(2):
        await write(service, session("abandoned"))
    assert (told.counts()["CallAbandoned"], told.counts()["CallEnded"]) == (1, 1)


async def test_who_called_whom_is_known_from_the_beginning_of_a_call(
    service: TelephonyService, told: Told
) -> None:
    talking: dict[str, Any] = {**OPEN, "state": "talking", "answered": 1795414398.5, "legs": (TALKING,)}
    await write(service, session(**talking, direction="outbound"))
    session_id = await write(service, session(**talking, direction="inbound", partial=True))
    async with service._db.read() as reader:
        card = await queries.session_card(reader, session_id)
    assert card is not None
    assert card.direction == "outbound"


async def test_a_gap_of_many_calls_is_asked_about_in_pieces(service: TelephonyService) -> None:
    await write(service, session())
    async with service._db.begin() as uow:
        keys = [f"1.{number}" for number in range(40_000)]
        known = await service.store("pbx1").known_keys(uow, [*keys, session().key])
    assert known == {session().key}
