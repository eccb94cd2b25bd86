"""The drafts of calls that nobody at a browser took: written and ended some seconds after the call."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.people.actor import Actor
from core.people.permissions import Role
from core.privacy import PersonalValue
from routing.demo import desk
from routing.demo.colleagues.floor import Floor
from routing.demo.colleagues.presence import Present
from routing.demo.colleagues.words import Ending, Seen, ending_of
from routing.demo.rows import KEY
from telephony.models import CallSession
from telephony.simulator.callers import PEOPLE, citizen
from tickets import queries
from tickets.models import TicketDraft, table_of

_draft = table_of(TicketDraft)
_call = table_of(CallSession)
_value = table_of(PersonalValue)
WRAP_UP = (12.0, 55.0)  # seconds from the end of the call to the end of the draft
SEEDED_REST = timedelta(minutes=25)  # what lay on the desks from the start is there to be looked at first
LOOK, BATCH = 200, 8


class Writing:
    """Ends drafts as tickets, urges or numbered records."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._left_alone: set[int] = set()  # half-written ones without an end of their own
        vault = floor.services.vault
        self._citizens = {vault.blind("phone", citizen(one).number): one for one in range(PEOPLE)}

    async def work(self, present: Present) -> int:
        """Write what is due, some at a time; returns how many drafts were ended."""
        now = self._floor.services.db.clock.now()
        async with self._floor.services.db.read() as session:
            rows = (await session.execute(_waiting(present, now))).all()
        due = [row for row in rows if row.id not in self._left_alone and self._due(row) <= now]
        return sum([await self._write(row, present) for row in due[:BATCH]])

    def _due(self, row: Any) -> datetime:
        wrap_up = self._floor.chance("wrap-up", row.id).uniform(*WRAP_UP)
        rest = SEEDED_REST if row.session_key.startswith(KEY) else self._floor.after(wrap_up)
        ended: datetime = row.call_ended_at
        return ended + rest

    async def _write(self, row: Any, present: Present) -> bool:
        writer = row.owner_id or self._anybody(row.id, present)
        if writer is None:
            return False

        async def work(uow: UnitOfWork, actor: Actor) -> bool:
            ending = await self._ending(uow.session, actor, row)
            if ending is None:
                self._left_alone.add(row.id)
                return False
            await self._end(uow, actor, row, ending)
            return True

        return await self._floor.act(writer, work, did="draft.end", to=("draft", row.id))

    def _anybody(self, draft_id: int, present: Present) -> int | None:
        """Some agent for a draft that nobody owns."""
        free = [one.id for one in self._floor.city.posted(Role.AGENT) if one.id not in present.users]
        return self._floor.chance("owner", draft_id).choice(free) if free else None

    async def _ending(self, session: AsyncSession, actor: Actor, row: Any) -> Ending | None:
        """How the draft ends; None for a text that a person began."""
        if row.written:
            page = await queries.draft_form(session, actor, self._floor.services.vault, row.id)
            return self._rest_of(page.form)
        draw = self._floor.chance("draft", row.id)
        query = sa.select(_value.c.blind).where(_value.c.id == row.caller_ref)
        blind = (await session.execute(query)).scalar_one_or_none()
        known = self._citizens.get(bytes(blind)) if blind is not None else None
        talked = self._floor.simulated(row.call_ended_at - (row.answered_at or row.call_ended_at))
        call = Seen(talked, row.caller_ref, known)
        return ending_of(draw, self._floor.drawer(draw), self._floor.city, call)

    def _rest_of(self, form: dict[str, Any]) -> Ending | None:
        """The end of a draft that was half written when the demo began."""
        found = next((one for one in desk.OPEN if one.form == form and one.category), None)
        if found is None:
            return None
        form = form | {"category_id": self._floor.city.categories[found.category]}
        return Ending(form, record="direct_answer" if found.answer else None, note=found.answer)

    async def _end(self, uow: UnitOfWork, actor: Actor, row: Any, ending: Ending) -> None:
        drafts, version = self._floor.services.drafts, row.version
        if ending.form:
            version = await drafts.save(uow, actor, row.id, version, ending.form)
        if ending.record is not None:
            await drafts.end_as_record(uow, actor, row.id, version, ending.record, ending.note)
            return
        if ending.urge and row.caller_ref is not None:
            known = await queries.open_tickets_of(uow.session, actor, row.caller_ref, 1)
            if known:
                await drafts.end_as_urge(uow, actor, row.id, version, known[0].id, ending.urge)
                return
        await self._floor.services.tickets.create_from_draft(uow, actor, row.id, ending.form, version)


def _waiting(present: Present, now: datetime) -> sa.Select[Any]:
    """Open drafts of finished calls in which no person wrote, the oldest call first."""
    seeded = sa.and_(_call.c.session_key.startswith(KEY), _draft.c.version == desk.SEEDED_VERSION)
    absent = sa.or_(_draft.c.owner_id.is_(None), _draft.c.owner_id.not_in(present.users))
    return (
        sa.select(
            *(_draft.c[name] for name in ("id", "version", "owner_id", "caller_ref")),
            _draft.c.form_sealed.is_not(None).label("written"),
            _call.c.session_key,
            _call.c.answered_at,
            _call.c.ended_at.label("call_ended_at"),
        )
        .join(_call, _call.c.id == _draft.c.call_session_id)
        .where(_draft.c.ended_at.is_(None), _call.c.ended_at <= now, absent)
        .where(sa.or_(_draft.c.form_sealed.is_(None), seeded))
        .order_by(_call.c.ended_at, _draft.c.id)
        .limit(LOOK)
    )
