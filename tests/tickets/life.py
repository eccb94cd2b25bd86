"""Whole stretches of a ticket's life in one call, for tests of what comes after."""

from typing import Any

import sqlalchemy as sa

from core.people.permissions import Role
from tests.tickets.conftest import PASSWORD, SYSTEM, City
from tickets.models import Ticket, TicketHistory, table_of
from tickets.replay import replay
from tickets.states import Action, State

_ticket = table_of(Ticket)
_history = table_of(TicketHistory)
A = Action
RETURN = {"reason_code": "not_our_duty", "note": "不属于本单位职责", "basis": "三定方案第二条"}


class Life:
    """One ticket, moved by people of the city."""

    def __init__(self, city: City, ticket_id: int, number: str) -> None:
        self.city, self.id, self.number = city, ticket_id, number

    async def row(self) -> Any:
        """The ticket's row."""
        async with self.city.db.read() as session:
            return (await session.execute(sa.select(_ticket).where(_ticket.c.id == self.id))).one()

    async def state(self) -> str:
        return str((await self.row()).state)

    async def do(self, who: str, action: Action, *, version: Any = None, **data: Any) -> int:
        """`who` does `action` in the present version, or in the one given."""
        seen = (await self.row()).version if version is None else version
        actor = self.city.actors[who] if who != "system" else SYSTEM
        async with self.city.db.begin() as uow:
            return await self.city.tickets.act(uow, actor, self.id, seen, action, data)

    async def history(self) -> list[Any]:
        async with self.city.db.read() as session:
            query = sa.select(_history).where(_history.c.ticket_id == self.id).order_by(_history.c.id)
            return list((await session.execute(query)).all())

    async def check_replay(self) -> None:
        """The history leads to where the ticket stands."""
        row = await self.row()
        for name, value in replay(await self.history()).items():
            present = getattr(row, name)
            assert value == (present.isoformat() if hasattr(present, "isoformat") else present), name

    async def to_handling(self, unit: str = "lights", officer: str = "") -> None:
        await self.do("dispatcher", A.DISPATCH, unit_id=self.city.unit(unit))
        await self.do(officer or unit, A.SIGN)

    async def to_check(self, unit: str = "lights") -> None:
        await self.to_handling(unit)
        await self.close(unit)

    async def close(self, unit: str = "lights", **over: Any) -> None:
        data = {"public_reply": "已安排抢修，路灯恢复照明。", "result": "reached", "note": "现场已查看"}
        await self.do(unit, A.CLOSE, **data | over)

    async def scalar(self, statement: str) -> Any:
        return await self.city.scalar(statement, id=self.id)


async def life(city: City, **over: Any) -> Life:
    """A ticket that waits for its dispatch."""
    made = await city.ticket(**over)
    return Life(city, made.id, made.number)


async def person(city: City, login: str, role: Role, unit: str) -> None:
    """Somebody else, under his login in `city.actors`."""
    async with city.db.begin() as uow:
        user = await city.people.create_user(
            uow,
            SYSTEM,
            login=login,
            name=login,
            password=PASSWORD,
            unit_id=city.unit(unit),
            roles=frozenset({role}),
        )
        actor = await city.people.actor_for_user(uow.session, user)
    assert actor is not None
    city.actors[login] = actor


__all__ = ["RETURN", "Life", "State", "life", "person"]
