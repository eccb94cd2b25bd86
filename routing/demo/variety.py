"""What makes a desk worth looking at: returns, rulings, extensions, joint handling, repeats, seals.

Done by the people of the demo through the ordinary service, so that everything is as it would be.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Role
from core.people.service import PeopleService
from routing.demo.making import Making
from tickets.models import Ticket, table_of
from tickets.service import TicketService
from tickets.states import Action, State

_ticket = table_of(Ticket)
A = Action
Row = sa.Row[Any]
EVERY = 3  # so many tickets into each of the ways below
RETURN = {
    "reason_code": "other_unit",
    "note": "经现场核实，涉事路段由其他单位养护，建议改派。",
    "basis": "《桂林市城市道路养护权责清单》第三条",
}


class Variety:
    """Moves some of the open tickets on."""

    def __init__(self, making: Making, people: PeopleService, tickets: TicketService) -> None:
        self._making = making
        self._people = people
        self._tickets = tickets
        self._actors: dict[int, Actor] = {}

    async def make(self) -> None:
        """Do it."""
        self._dispatcher = await self._post(Role.DISPATCHER)
        self._supervision = await self._post(Role.SUPERVISION_OFFICER)
        self._agent = await self._post(Role.AGENT)
        handled = iter(await self._some(State.HANDLING, 120))
        ways = (
            *(self._returned, self._ruling, self._extended, self._suspended, self._joint),
            *(self._supervised, self._urgent, self._urgent, self._excluded),
        )
        for _ in range(EVERY):
            for way in ways:
                await self._one(way, handled)
        await self._repeats()

    async def _one(self, way: Any, rows: Iterator[Row]) -> None:
        """The next ticket that can go this way; what a guard refuses is passed over."""
        for row in rows:
            try:
                async with self._making.uow.session.begin_nested():
                    await way(row)
            except HotlineError:
                continue
            return

    async def _some(self, state: State, count: int) -> list[Row]:
        query = sa.select(_ticket.c.id, _ticket.c.lead_unit_id).where(_ticket.c.state == state.value)
        query = query.order_by(_ticket.c.dispatched_at.desc(), _ticket.c.id.desc()).limit(count)
        return list((await self._making.uow.session.execute(query)).all())

    async def _post(self, role: Role) -> Actor:
        return await self._actor(self._making.folk.posts[role][0].id)

    async def _actor(self, user_id: int) -> Actor:
        if user_id not in self._actors:
            found = await self._people.actor_for_user(self._making.uow.session, user_id)
            assert found is not None
            self._actors[user_id] = found
        return self._actors[user_id]

    async def _officer(self, row: Row) -> Actor:
        return await self._actor(self._making.folk.officers[row.lead_unit_id].id)

    def _other(self, row: Row) -> int:
        units = [unit for unit in self._making.folk.officers if unit != row.lead_unit_id]
        return self._making.draw.choice(units)

    async def _do(self, actor: Actor, ticket_id: int, action: Action, **data: Any) -> None:
        uow = self._making.uow
        query = sa.select(_ticket.c.version).where(_ticket.c.id == ticket_id)
        version = (await uow.session.execute(query)).scalar_one()
        await self._tickets.act(uow, actor, ticket_id, version, action, data)

    # ---- the ways

    async def _returned(self, row: Row) -> int:
        other = self._other(row)
        await self._do(await self._officer(row), row.id, A.RETURN, **RETURN, suggested_unit_id=other)
        return other

    async def _ruling(self, row: Row) -> None:
        other = await self._returned(row)
        await self._do(self._dispatcher, row.id, A.ACCEPT_RETURN, note="同意改派", unit_id=other)
        officer = await self._actor(self._making.folk.officers[other].id)
        await self._do(officer, row.id, A.RETURN, **RETURN, suggested_unit_id=row.lead_unit_id)

    async def _extended(self, row: Row) -> None:
        note = "施工单位已进场，预计五个工作日完成修复，已电话告知市民。"
        officer = await self._officer(row)
        await self._do(officer, row.id, A.APPLY_EXTENSION, reason_code="works", note=note, days=2)

    async def _suspended(self, row: Row) -> None:
        note = "已列入老旧小区改造计划，分三步实施，下月完成设计。"
        officer = await self._officer(row)
        await self._do(officer, row.id, A.APPLY_SUSPENSION, reason_code="planned", note=note, days=30)
        await self._do(self._supervision, row.id, A.APPROVE_SUSPENSION, note="按节点报送进展")

    async def _joint(self, row: Row) -> None:
        asked = "请核实管线权属并提出处理意见。"
        await self._do(self._dispatcher, row.id, A.ADD_CO, unit_ids=[self._other(row)], note=asked)

    async def _supervised(self, row: Row) -> None:
        await self._do(self._supervision, row.id, A.SUPERVISE, note="市民多次来电，请两日内拿出处理意见。")

    async def _urgent(self, row: Row) -> None:
        await self._do(self._dispatcher, row.id, A.EDIT, urgency="urgent", note="涉及人身安全，按紧急办理")
        reply = {"public_reply": "已现场处置完毕，隐患排除，感谢您的反映。", "result": "reached"}
        await self._do(await self._officer(row), row.id, A.CLOSE, **reply, note="现场处置")

    async def _excluded(self, row: Row) -> None:
        note = "诉求人要求的补偿标准超出条例规定，已书面释明。"
        officer = await self._officer(row)
        await self._do(officer, row.id, A.APPLY_EXCLUSION, reason_code="against_law", note=note)

    async def _repeats(self) -> None:
        """Five callers about one thing: four tickets merged into the first."""
        rows = await self._some(State.WAITING_SIGN, 5)
        for row in rows[1:]:
            await self._do(self._agent, row.id, A.MERGE, master_id=rows[0].id, note="同一事项多人反映")
