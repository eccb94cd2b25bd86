"""Drafts: one per answered call, written by one agent, ended exactly once, never deleted."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from core import audit
from core.clock import Clock
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User, UserRole
from core.people.permissions import ROLE_PERMISSIONS, Permission
from core.privacy import Vault
from core.settings import Settings
from tickets import draft_rows, history, records, repeats
from tickets.draft_rows import DraftRow
from tickets.errors import checked_note, conflict
from tickets.events import DraftChanged, DraftOpened, DraftWritten
from tickets.forms import pack_draft, unpack_draft
from tickets.inputs import parse_input
from tickets.models import TicketDraft, table_of
from tickets.service import TicketService
from tickets.states import Action
from tickets.terms import DraftEnd

_draft = table_of(TicketDraft)
_user = table_of(User)
_role = table_of(UserRole)
# A text, because SQLAlchemy compiles its own ON CONFLICT anew each time.
_OPEN = sa.text(
    """
    INSERT INTO ticket_draft (call_session_id, owner_id, caller_ref, version, opened_at, saved_at)
    VALUES (:session_id, :owner_id, :caller_ref, 1, :now, :now)
    ON CONFLICT (call_session_id) DO NOTHING RETURNING id
    """
).bindparams(
    *(sa.bindparam(name, type_=sa.BigInteger) for name in ("session_id", "owner_id", "caller_ref")),
    sa.bindparam("now", type_=sa.DateTime(timezone=True)),
)
_EMPTY = """
    SELECT nextval('ticket_draft_id_seq'), (
        SELECT id FROM ticket_draft WHERE owner_id = $1 AND ended_at IS NULL AND call_session_id IS NULL
        AND form_sealed IS NULL ORDER BY opened_at, id LIMIT 1)
"""
WRITERS = [role.value for role, may in ROLE_PERMISSIONS.items() if Permission.DRAFT_WRITE in may]


class DraftService:
    """Every write of `ticket_draft`, except ending a draft as a ticket (`tickets.service`)."""

    def __init__(
        self, db: Database, clock: Clock, vault: Vault, settings: Settings, tickets: TicketService
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._area = settings.city.area_code
        self._tickets = tickets

    # ---- opening ----------------------------------------------------------------------------

    async def open_for_call(
        self, uow: UnitOfWork, session_id: int, user_id: int | None, caller_ref: int | None
    ) -> int:
        """The draft of an answered call: made once, whatever arrives twice; returns its id.

        A draft in which nothing was written yet follows the call to the agent it was passed to;
        one that was written in stays with its writer, who may hand it over.
        """
        made = await self._insert(uow, owner_id=user_id, session_id=session_id, caller_ref=caller_ref)
        if made is not None:
            return made
        return await self._follow_call(uow, session_id, user_id, caller_ref)

    async def open_manual(self, uow: UnitOfWork, actor: Actor) -> int:
        """An empty draft without a call (a visitor, a letter); returns its id."""
        actor.require(Permission.DRAFT_WRITE)
        found = await uow.look("SELECT nextval('ticket_draft_id_seq') AS id")
        return await self._put(uow, actor, int(found[0]["id"]))

    async def open_empty(self, uow: UnitOfWork, actor: Actor) -> int:
        """Like `open_manual`, but a draft of the actor's in which nothing was written is taken up again."""
        actor.require(Permission.DRAFT_WRITE)
        new, empty = (await uow.look(_EMPTY, actor.user_id))[0]
        return int(empty) if empty is not None else await self._put(uow, actor, int(new))

    async def _put(self, uow: UnitOfWork, actor: Actor, draft_id: int) -> int:
        row = {"id": draft_id, "owner_id": actor.user_id, "version": 1, "opened_at": uow.now}
        await uow.put(_draft, row | {"saved_at": uow.now})
        await self._tell_opened(uow, draft_id, actor.user_id, None)
        return draft_id

    async def _insert(
        self, uow: UnitOfWork, *, owner_id: int | None, session_id: int | None, caller_ref: int | None
    ) -> int | None:
        """A new draft; None when the call has one."""
        values = {"session_id": session_id, "owner_id": owner_id, "caller_ref": caller_ref, "now": uow.now}
        made = (await uow.session.execute(_OPEN, values)).scalar_one_or_none()
        if made is not None:
            await self._tell_opened(uow, int(made), owner_id, session_id)
        return made

    @staticmethod
    async def _tell_opened(
        uow: UnitOfWork, draft_id: int, owner_id: int | None, session_id: int | None
    ) -> None:
        await history.append_draft(
            uow, draft_id=draft_id, actor_id=owner_id, action="opened", version=1, to_owner=owner_id
        )
        await uow.emit(DraftOpened(draft_id, 1, owner_id, session_id))

    async def _follow_call(
        self, uow: UnitOfWork, session_id: int, user_id: int | None, caller_ref: int | None
    ) -> int:
        query = sa.select(_draft).where(_draft.c.call_session_id == session_id).with_for_update()
        row = (await uow.session.execute(query)).one()
        if row.caller_ref is None and caller_ref is not None and row.ended_at is None:
            known = sa.update(_draft).where(_draft.c.id == row.id).values(caller_ref=caller_ref)
            await uow.session.execute(known)
        untouched = row.ended_at is None and (row.owner_id is None or row.form_sealed is None)
        if untouched and user_id is not None and row.owner_id != user_id:
            await self._change_owner(
                uow, row.id, row.version, row.owner_id, user_id, actor_id=None, action="followed"
            )
        return int(row.id)

    # ---- writing ----------------------------------------------------------------------------

    async def save(
        self,
        uow: UnitOfWork,
        actor: Actor,
        draft_id: int,
        version: int,
        form: Mapping[str, Any],
        *,
        page: str = "",
    ) -> int:
        """Keep what is typed, right or wrong; returns the new version.

        `page` names a page of the browser that begins to write in the draft: the others are told.

        Saving the same text over the same version twice is one save. Whoever writes first in a draft
        that nobody owns becomes its owner. Raises what `pack_draft` and `draft_rows.lock_open` raise.
        """
        saved = await self._save(uow, actor, draft_id, version, pack_draft(form))
        if page:
            await uow.emit(DraftWritten(draft_id, saved, actor.user_id, page))
        return saved

    async def _save(self, uow: UnitOfWork, actor: Actor, draft_id: int, version: int, data: bytes) -> int:
        values = {
            "form_sealed": draft_rows.seal(self._vault, draft_id, data),
            "version": version + 1,
            "saved_at": uow.now,
        }
        statement = sa.update(_draft).where(_draft.c.id == draft_id, _draft.c.version == version)
        fast = statement.where(_draft.c.owner_id == actor.user_id, _draft.c.ended_at.is_(None)).returning(
            _draft.c.id
        )
        actor.require(Permission.DRAFT_WRITE)
        if (await uow.session.execute(fast.values(**values))).first() is not None:
            return version + 1
        row = await draft_rows.lock(uow, actor, draft_id)
        await draft_rows.check_open(uow, row)
        draft_rows.check_owner(actor, row)
        if row.version == version + 1 and draft_rows.unseal(self._vault, draft_id, row.form_sealed) == data:
            return row.version
        if row.version != version:
            raise conflict("draft", draft_id, ours=version, theirs=row.version)
        await uow.session.execute(statement.values(owner_id=actor.user_id, **values))
        return version + 1

    def form_of(self, row: DraftRow) -> dict[str, Any]:
        """What was typed into a draft, in the clear."""
        return unpack_draft(draft_rows.unseal(self._vault, row.id, row.form_sealed))

    # ---- passing on -------------------------------------------------------------------------

    async def hand_over(
        self, uow: UnitOfWork, actor: Actor, draft_id: int, version: int, to_user_id: int
    ) -> int:
        """Give the draft to a colleague, who goes on writing it; returns the new version.

        The owner may, and the shift leader. Raises `user_cannot_take` besides the usual.
        """
        row = await self._lock_for_passing(uow, actor, draft_id, version)
        await _check_user_may_take(uow, to_user_id)
        return await self._change_owner(
            uow, row.id, row.version, row.owner_id, to_user_id, actor_id=actor.user_id, action="handed_over"
        )

    async def take_over(
        self,
        uow: UnitOfWork,
        actor: Actor,
        draft_id: int,
        version: int,
        reason: str,
        *,
        on_call: bool = False,
    ) -> int:
        """Take a colleague's draft (who fell ill, whose call was passed on); returns the new version.

        Needs a reason and is audited. The shift leader may; `on_call` says that the actor himself
        talked with the citizen, which `routing.intake` knows. Raises `reason_required` besides the usual.
        """
        actor.require(Permission.DRAFT_WRITE)
        reason = checked_note(reason, action="take_over", required=False)
        if not reason:
            raise HotlineError("reason_required")
        row = await self._lock_for_passing(uow, actor, draft_id, version, on_call=on_call)
        await audit.record(
            uow,
            actor=actor,
            action="draft.take_over",
            object_type="draft",
            object_id=row.id,
            reason=reason,
            detail={"from": row.owner_id},
        )
        assert actor.user_id is not None
        return await self._change_owner(
            uow, row.id, row.version, row.owner_id, actor.user_id, actor_id=actor.user_id, action="taken_over"
        )

    async def _lock_for_passing(
        self, uow: UnitOfWork, actor: Actor, draft_id: int, version: int, *, on_call: bool = False
    ) -> DraftRow:
        row = await draft_rows.lock(uow, actor, draft_id, on_call=on_call)
        await draft_rows.check_open(uow, row)
        leads = actor.may(Permission.DRAFT_READ_ALL) and actor.may(Permission.DRAFT_WRITE)
        if not (leads or on_call):
            draft_rows.check_owner(actor, row)
        if row.version != version:
            raise conflict("draft", draft_id, ours=version, theirs=row.version)
        return row

    @staticmethod
    async def _change_owner(
        uow: UnitOfWork,
        draft_id: int,
        version: int,
        old: int | None,
        new: int,
        *,
        actor_id: int | None,
        action: str,
    ) -> int:
        values = {"owner_id": new, "version": version + 1}
        await uow.session.execute(sa.update(_draft).where(_draft.c.id == draft_id).values(**values))
        await history.append_draft(
            uow,
            draft_id=draft_id,
            actor_id=actor_id,
            action=action,
            version=version + 1,
            from_owner=old,
            to_owner=new,
        )
        await uow.emit(DraftChanged(draft_id, version + 1, old, new))
        return version + 1

    # ---- ending -----------------------------------------------------------------------------

    async def end_as_urge(
        self, uow: UnitOfWork, actor: Actor, draft_id: int, version: int, ticket_id: int, note: str = ""
    ) -> None:
        """The citizen asks about an open ticket again: an urge, not a new ticket."""
        await self._end_on_ticket(uow, actor, draft_id, version, ticket_id, DraftEnd.URGE, note)

    async def end_as_addition(
        self, uow: UnitOfWork, actor: Actor, draft_id: int, version: int, ticket_id: int, text: str
    ) -> None:
        """The citizen adds to an open ticket. Raises `note_required` without text."""
        await self._end_on_ticket(uow, actor, draft_id, version, ticket_id, DraftEnd.ADDITION, text)

    async def _end_on_ticket(
        self,
        uow: UnitOfWork,
        actor: Actor,
        draft_id: int,
        version: int,
        ticket_id: int,
        ended_as: DraftEnd,
        note: str,
    ) -> None:
        seen = await draft_rows.lock(uow, actor, draft_id)
        twice = draft_rows.is_replay(actor, seen, version, ended_as) and seen.ticket_id == ticket_id
        if twice and await self._said_before(uow, actor, seen, ended_as, note):
            return
        row = await draft_rows.check_writable(uow, actor, seen, version)
        add = self._tickets.urge if ended_as is DraftEnd.URGE else self._tickets.add
        await add(uow, actor, ticket_id, note, call=row.call_session_id)
        await draft_rows.end(uow, actor, row, ended_as, ticket_id=ticket_id)

    @staticmethod
    async def _said_before(
        uow: UnitOfWork, actor: Actor, draft: DraftRow, ended_as: DraftEnd, note: str
    ) -> bool:
        """Whether what this draft put on its ticket is this very text: another one was not taken."""
        action = Action.URGE if ended_as is DraftEnd.URGE else Action.ADD
        told = parse_input(action, {"note": checked_note(note, action=action.value, required=False)})
        call = draft.call_session_id
        return await repeats.said(uow.session, actor, draft.ticket_id or 0, action, told, call)

    async def end_as_record(
        self, uow: UnitOfWork, actor: Actor, draft_id: int, version: int, code: str, note: str = ""
    ) -> str:
        """No ticket comes of it, but a numbered record does; returns the number.

        `code` is a `Disposition`. A direct answer needs a note (what was asked and answered).
        Raises `unknown_disposition`, `note_required` besides the usual.
        """
        disposition = records.checked(code)
        note = checked_note(note, action=disposition.value, required=disposition in records.EXPLAINED)
        seen = await draft_rows.lock(uow, actor, draft_id)
        if draft_rows.is_replay(actor, seen, version, DraftEnd.RECORD) and seen.ended_code == code:
            return str(seen.record_number)
        row = await draft_rows.check_writable(uow, actor, seen, version)
        number = await records.insert_for(
            uow,
            actor,
            row,
            self.form_of(row),
            disposition,
            note,
            area=self._area,
            measures=self._tickets.measures,
        )
        await draft_rows.end(uow, actor, row, DraftEnd.RECORD, code=disposition.value, record_number=number)
        return number


async def _check_user_may_take(uow: UnitOfWork, user_id: int) -> None:
    query = (
        sa.select(_user.c.id)
        .join(_role, _role.c.user_id == _user.c.id)
        .where(_user.c.id == user_id, _user.c.active, _role.c.role.in_(WRITERS))
        .limit(1)
    )
    if (await uow.session.execute(query)).first() is None:
        raise HotlineError("user_cannot_take", user_id=user_id)
