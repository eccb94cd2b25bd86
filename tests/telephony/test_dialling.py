"""Click-to-call: ordered on any node, carried out once by the leader, never late."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.org import create_unit
from core.people.permissions import Role
from core.people.service import PeopleService
from core.privacy import Vault
from telephony import dialling
from telephony.ami.actions import build
from telephony.ami.messages import AmiEvent, parse
from telephony.dialling import Dialler
from telephony.events import DialFailed

SYSTEM = Actor.system("test")
NUMBER = "13812341234"


class Line:
    """What the leader asks of a PBX; every order is checked as the real line would."""

    def __init__(self, *, connected: bool = True, fails: str | None = None) -> None:
        self.connected = connected
        self.fails = fails
        self.orders: list[Mapping[str, str]] = []

    async def originate(self, fields: Mapping[str, str], variables: Mapping[str, str]) -> None:
        build("Originate", fields, variables)
        if self.fails:
            raise HotlineError(self.fails)
        self.orders.append(fields)


class Lease:
    """Leads, or does not."""

    def __init__(self, *, leads: bool = True) -> None:
        self.leads = leads

    async def fence(self, uow: UnitOfWork) -> None:
        if not self.leads:
            raise HotlineError("lease_lost")


@pytest.fixture
async def officer(database: Database, people: PeopleService) -> Actor:
    async with database.begin() as uow:
        city = await create_unit(uow, SYSTEM, kind="city", name="桂林市", code="4503")
        user = await people.create_user(
            uow, SYSTEM, login="callback", name="回访员", password="a-long-password",
            unit_id=city.id, roles=frozenset({Role.CALLBACK_OFFICER}), extension="1041",
        )  # fmt: skip
        actor = await people.actor_for_user(uow.session, user)
    assert actor is not None
    return actor


async def ordered(database: Database, vault: Vault, officer: Actor) -> int:
    async with database.begin() as uow:
        ref = await vault.put(uow, "phone", NUMBER)
        return await dialling.order(uow, officer, number_ref=ref.id, object_type="ticket", object_id=7)


async def state(database: Database) -> list[tuple[str, str | None]]:
    async with database.read() as session:
        rows = await session.execute(sa.text("SELECT state, why FROM dial_order ORDER BY id"))
        return [(row.state, row.why) for row in rows]


def dialler(database: Database, vault: Vault, line: Line, lease: Lease | None = None) -> Dialler:
    return Dialler(database, vault, cast(Any, {"pbx1": line}), cast(Any, lease or Lease()))


async def test_an_order_rings_the_officers_telephone_once(
    database: Database, vault: Vault, officer: Actor
) -> None:
    await ordered(database, vault, officer)
    line = Line()
    work = dialler(database, vault, line)
    assert await work.step()
    assert not await work.step()
    (fields,) = line.orders
    assert (fields["Channel"], fields["Exten"], fields["Context"]) == (
        "PJSIP/1041",
        NUMBER,
        "hotline-outbound",
    )
    assert await state(database) == [("ringing", None)]
    async with database.read() as session:
        audited = "SELECT detail::text FROM audit_log WHERE action = 'call.dial'"
        assert NUMBER not in (await session.execute(sa.text(audited))).scalar_one()


async def test_an_order_nobody_waits_for_any_more_is_never_dialled(
    database: Database, vault: Vault, officer: Actor, clock: ManualClock
) -> None:
    await ordered(database, vault, officer)
    clock.advance(21)
    line = Line()
    assert await dialler(database, vault, line).step()
    assert line.orders == []
    assert await state(database) == [("late", None)]


async def test_an_order_taken_by_a_node_that_died_is_not_dialled_again(
    database: Database, vault: Vault, officer: Actor
) -> None:
    await ordered(database, vault, officer)
    dying = Line()
    assert await dialler(database, vault, dying)._take() is not None  # and then kill -9
    line = Line()
    assert not await dialler(database, vault, line).step()
    assert line.orders == []


async def test_two_clicks_at_once_order_one_call(database: Database, vault: Vault, officer: Actor) -> None:
    first, second = await asyncio.gather(*(ordered(database, vault, officer) for _ in range(2)))
    assert first == second
    line = Line()
    work = dialler(database, vault, line)
    while await work.step():
        pass
    assert len(line.orders) == 1
    async with database.read() as session:
        audited = "SELECT count(*) FROM audit_log WHERE action = 'call.dial'"
        assert (await session.execute(sa.text(audited))).scalar_one() == 1


@pytest.mark.parametrize("stands", ["waiting", "taken", "ringing"])
async def test_an_order_is_given_once_while_the_first_is_open(
    database: Database, vault: Vault, officer: Actor, clock: ManualClock, stands: str
) -> None:
    first = await ordered(database, vault, officer)
    await _stands(database, first, stands)
    clock.advance(19)
    assert await ordered(database, vault, officer) == first


@pytest.mark.parametrize(
    ("stands", "after", "call"),
    [
        ("failed", 1, None),
        ("late", 21, None),
        ("waiting", 21, None),  # nobody will dial it any more
        ("taken", 21, None),  # whoever took it died
        ("ringing", 5, "ended"),  # hung up: this is another try
        ("ringing", 31, None),
        ("ringing", 3601, "talking"),
    ],
)
async def test_a_new_order_is_taken_once_the_first_is_over(
    database: Database,
    vault: Vault,
    officer: Actor,
    clock: ManualClock,
    stands: str,
    after: int,
    call: str | None,
) -> None:
    first = await ordered(database, vault, officer)
    await _stands(database, first, stands)
    clock.advance(after)
    if call is not None:
        await _call(database, first, call)
    assert await ordered(database, vault, officer) > first


async def test_who_is_still_talking_does_not_order_the_call_again(
    database: Database, vault: Vault, officer: Actor, clock: ManualClock
) -> None:
    first = await ordered(database, vault, officer)
    await _stands(database, first, "ringing")
    await _call(database, first, "talking")
    clock.advance(600)
    assert await ordered(database, vault, officer) == first


async def test_another_ticket_number_or_person_is_another_order(
    database: Database, vault: Vault, officer: Actor
) -> None:
    made = {await ordered(database, vault, officer)}
    async with database.begin() as uow:
        refs = [(await vault.put(uow, "phone", number)).id for number in (NUMBER, "13812341235")]
        for ref, object_id in ((refs[0], 8), (refs[1], 7)):
            made.add(
                await dialling.order(uow, officer, number_ref=ref, object_type="ticket", object_id=object_id)
            )
    assert len(made) == 3


async def _stands(database: Database, order: int, state: str) -> None:
    async with database.begin() as uow:
        statement = sa.text("UPDATE dial_order SET state = :state WHERE id = :id")
        await uow.session.execute(statement, {"state": state, "id": order})


async def _call(database: Database, order: int, state: str) -> None:
    async with database.begin() as uow:
        statement = """
            INSERT INTO call_session (pbx, session_key, direction, caller_kind, state, queues, transfers,
                linkedids, started_at, ended_at, version)
            SELECT 'pbx1', channel_id, 'outbound', 'mobile', :state, '[]', '[]', '[]', ordered_at,
                CASE WHEN :over THEN ordered_at END, 1
            FROM dial_order WHERE id = :id
        """
        values = {"state": state, "over": state == "ended", "id": order}
        await uow.session.execute(sa.text(statement), values)


async def test_who_does_not_lead_dials_nothing(database: Database, vault: Vault, officer: Actor) -> None:
    await ordered(database, vault, officer)
    line = Line()
    with pytest.raises(HotlineError, match="lease_lost"):
        await dialler(database, vault, line, Lease(leads=False)).step()
    assert line.orders == []
    assert await state(database) == [("waiting", None)]


@pytest.mark.parametrize(
    ("line", "why"),
    [(Line(connected=False), "ami_not_connected"), (Line(fails="ami_timeout"), "ami_timeout")],
)
async def test_an_order_the_pbx_does_not_take_says_why(
    database: Database, vault: Vault, officer: Actor, line: Line, why: str
) -> None:
    await ordered(database, vault, officer)
    await dialler(database, vault, line).step()
    assert await state(database) == [("failed", why)]


def _refusal(extension: str = "1041", **over: str) -> AmiEvent:
    headers = {
        "Event": "OriginateResponse", "Response": "Failure", "Channel": f"PJSIP/{extension}",
        "Context": "hotline-outbound", "Exten": NUMBER, "Reason": "0", **over,
    }  # fmt: skip
    lines = [f"{key}: {value}".encode() for key, value in headers.items()]
    message = parse(b"\r\n".join(lines))
    assert isinstance(message, AmiEvent)
    return message


async def test_a_telephone_that_is_not_signed_in_fails_the_order_once_no_call_has_come(
    database: Database, vault: Vault, officer: Actor, clock: ManualClock
) -> None:
    told: list[DialFailed] = []

    async def hear(_uow: UnitOfWork, event: DialFailed) -> None:
        told.append(event)

    database.bus.within(DialFailed, hear)
    order = await ordered(database, vault, officer)
    work = dialler(database, vault, Line())
    assert await work.step()
    work.heard(_refusal())
    work.heard(_refusal("1042"))  # another telephone
    work.heard(_refusal(Context="hotline-listen"))  # not one of ours
    await work.give_up()
    assert await state(database) == [("ringing", None)]
    clock.advance(2)
    await work.give_up()
    await work.give_up()
    assert await state(database) == [("failed", "agent_unreachable")]
    assert told == [DialFailed(order, "ticket", 7, officer.user_id or 0, "agent_unreachable")]


async def test_a_refusal_of_a_call_that_was_made_is_told_by_the_call(
    database: Database, vault: Vault, officer: Actor, clock: ManualClock
) -> None:
    order = await ordered(database, vault, officer)
    work = dialler(database, vault, Line())
    await work.step()
    await _call(database, order, "ended")
    work.heard(_refusal())
    clock.advance(5)
    await work.give_up()
    assert await state(database) == [("ringing", None)]


async def test_an_order_of_which_nothing_is_heard_fails_in_the_end(
    database: Database, vault: Vault, officer: Actor, clock: ManualClock
) -> None:
    await ordered(database, vault, officer)
    work = dialler(database, vault, Line())
    assert await work._take() is not None  # and then kill -9: the order stays taken
    clock.advance(179)
    await work.give_up()
    assert await state(database) == [("taken", None)]
    clock.advance(31)
    await work.give_up()
    assert await state(database) == [("failed", "nothing_heard")]


async def test_two_people_do_not_dial_one_number_at_once(
    database: Database, vault: Vault, officer: Actor
) -> None:
    await ordered(database, vault, officer)
    colleague = replace(officer, user_id=(officer.user_id or 0) + 1, extension="1042")
    with pytest.raises(HotlineError, match="number_dialled"):
        await ordered(database, vault, colleague)


async def test_somebody_without_a_telephone_cannot_order(
    database: Database, vault: Vault, officer: Actor
) -> None:
    with pytest.raises(HotlineError, match="no_extension"):
        await ordered(database, vault, replace(officer, extension=None))
