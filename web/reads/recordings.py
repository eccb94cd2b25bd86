"""Recordings, and messages left in the mailbox: of a ticket's calls, for everybody who sees the ticket; of
any call, for who sees the call.

Who may see the ticket or the call, and that its reporter is not sealed from them, are conditions of each
query. To listen takes a reason; the audit row that holds it keeps the recording open to that person for a
while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.audit import AuditRow
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from sla.inspection.queries import standing
from telephony.models import CallSession
from telephony.recordings import Recordings
from tickets.flow import TicketContact
from tickets.models import Ticket, TicketHistory, table_of
from tickets.queries.veils import confidential
from tickets.reveal import checked_reason
from tickets.visibility import sees_every_ticket, visible_tickets
from web.reads.calls import CallRow, rows_of, survey_words, visible_calls
from web.reads.controls import PASSED, Line
from web.reads.controls import mark_lines as mark_lines_of

_call = table_of(CallSession)
_ticket = table_of(Ticket)
_history = table_of(TicketHistory)
_contact = table_of(TicketContact)
_audit = table_of(AuditRow)
ACTION, REFUSED = "recording.listen", "recording.refused"
OPEN_FOR = timedelta(minutes=30)  # as long as the longest calls: the player fetches and seeks meanwhile
MOST_CALLS = 10


@dataclass(frozen=True)
class TicketCall:
    """A call of a ticket. `how`: none, live, away, swept, ask or open, as `how_of` has it.

    `message_how` is the same of the message it left, None if it left none; `said`: the answers by keys.
    """

    row: CallRow
    how: str
    message_how: str | None
    said: str
    listed: bool  # its own page may be opened by this person
    passed: Sequence[Line] = ()  # whom it was passed on to, 110 and its like above all


def of_ticket(ticket_id: int) -> sa.Select[Any]:
    """The ids of the calls that made a ticket or were about it."""
    parts = [
        sa.select(_ticket.c.call_session_id.label("id")).where(_ticket.c.id == ticket_id),
        sa.select(_history.c.call_session_id).where(_history.c.ticket_id == ticket_id),
        sa.select(_contact.c.call_session_id).where(_contact.c.ticket_id == ticket_id),
    ]
    each = sa.union(*parts).subquery("of_ticket")
    return sa.select(each.c.id).where(each.c.id.is_not(None))


def shown(actor: Actor, ticket_id: int) -> sa.ColumnElement[bool]:
    """The condition on `call_session` that it is a call of a ticket this person may see."""
    seen = sa.exists().where(_ticket.c.id == ticket_id, visible_tickets(actor))
    return sa.and_(seen, _call.c.id.in_(of_ticket(ticket_id)))


def audible(actor: Actor, ticket_id: int) -> sa.ColumnElement[bool]:
    """The condition on `call_session` that this person may hear who called.

    A unit never hears a sealed reporter: neither on the ticket that is sealed nor on another one that
    was made of the same call.
    """
    if sees_every_ticket(actor):
        return sa.true()
    of_call = sa.or_(_ticket.c.id == ticket_id, _ticket.c.call_session_id == _call.c.id)
    return ~sa.exists().where(confidential(), of_call)


async def calls_of_ticket(
    session: AsyncSession, actor: Actor, recordings: Recordings, ticket_id: int, now: datetime
) -> list[TicketCall]:
    """The last calls of a ticket, oldest first; none where the reporter is sealed from this person."""
    query = sa.select(
        _call.c.id,
        _call.c.pbx,
        _call.c.state,
        _call.c.recording,
        _call.c.recording_gone_at,
        _call.c.voicemail,
        _call.c.survey_asked_at,
        _call.c.survey,
        _call.c.survey_solved,
        sa.case((visible_calls(actor), True), else_=False).label("listed"),
    ).where(shown(actor, ticket_id), audible(actor, ticket_id))
    newest = query.order_by(_call.c.started_at.desc(), _call.c.id.desc()).limit(MOST_CALLS)
    found = list(reversed((await session.execute(newest)).all()))
    ids = [row.id for row in found]
    rows = {row.id: row for row in await rows_of(session, ids)}
    open_ids = await _open_ids(session, actor, ids, now)
    passed = {ident: await mark_lines_of(session, ident, only=PASSED) for ident in ids}
    asked = await _asked(session, actor, ids, now)
    return [
        TicketCall(
            rows[one.id],
            how_of(one, recordings, asked[one.id], opened=one.id in open_ids),
            how_of(one, recordings, asked[one.id], opened=one.id in open_ids, message=True)
            if one.voicemail
            else None,
            survey_words(one),
            one.listed,
            passed[one.id],
        )
        for one in found
    ]


async def _asked(session: AsyncSession, actor: Actor, ids: Sequence[int], now: datetime) -> dict[int, str]:
    """How this person comes to hear each call: `ask` (says a reason), `apply`, or `waiting` for approval."""
    if actor.may(Permission.RECORDING_OPEN) or not actor.may(Permission.RECORDING_ASK):
        return dict.fromkeys(ids, "ask")
    words = {"open": "ask", "waiting": "waiting"}
    found = await standing(session, actor, ids, now)
    return {ident: words.get(found.get(ident, ""), "apply") for ident in ids}


def how_of(row: Any, recordings: Recordings, asked: str, *, opened: bool, message: bool = False) -> str:
    """What stands where a player may be: live (still talking), none, swept (past its time), away (out of
    reach), open, or what is `asked` of this person before."""
    if row.state != "ended":
        return "live"
    if not (row.voicemail if message else row.recording):
        return "none"
    if row.recording_gone_at is not None:
        return "swept"
    if not recordings.knows(row.pbx, message=message):
        return "away"
    return "open" if opened else asked


async def of_call(
    session: AsyncSession,
    actor: Actor,
    recordings: Recordings,
    call_id: int,
    now: datetime,
    *,
    message: bool = False,
) -> str:
    """`how_of` for a call this person may see, on the page of the call itself."""
    row = await _recorded(session, actor, None, call_id)
    opened = bool(await _open_ids(session, actor, [call_id], now))
    asked = (await _asked(session, actor, [call_id], now))[call_id]
    return how_of(row, recordings, asked, opened=opened, message=message)


async def _open_ids(session: AsyncSession, actor: Actor, ids: list[int], now: datetime) -> set[int]:
    """Those of the calls whose recording this person has given a reason for not long ago."""
    if not ids or actor.user_id is None:
        return set()
    query = sa.select(_audit.c.object_id).where(
        _audit.c.object_type == "call",
        _audit.c.object_id.in_(ids),
        _audit.c.actor_id == actor.user_id,
        _audit.c.action == ACTION,
        _audit.c.at > now - OPEN_FOR,
    )
    given = set((await session.execute(query)).scalars())
    if not given or actor.may(Permission.RECORDING_OPEN):
        return given
    approved = await standing(session, actor, given, now)  # an approval that has ended closes it again
    return {ident for ident in given if approved.get(ident) == "open"}


async def _recorded(session: AsyncSession, actor: Actor, ticket_id: int | None, call_id: int) -> Any:
    """The call, when it is one of this ticket, or one this person sees himself.

    Raises `recording_not_found`, `recording_sealed`.
    """
    if ticket_id is None:
        seen, heard = visible_calls(actor), sees_every_ticket(actor)
        may_hear: sa.ColumnElement[bool] = sa.true() if heard else sa.false()
    else:
        seen, may_hear = shown(actor, ticket_id), audible(actor, ticket_id)
    columns = ("id", "pbx", "state", "recording", "recording_gone_at", "marks", "voicemail")
    query = sa.select(
        *(_call.c[name] for name in columns), sa.case((may_hear, True), else_=False).label("may_hear")
    )
    row = (await session.execute(query.where(_call.c.id == call_id, seen))).first()
    if row is None:
        raise HotlineError("recording_not_found", call_id=call_id)
    if not row.may_hear:
        raise HotlineError("recording_sealed", call_id=call_id)
    return row


@dataclass(frozen=True)
class Place:
    """Where a recording lies, and what is known of its course."""

    pbx: str
    name: str
    marks: tuple[dict[str, Any], ...]


async def named(
    session: AsyncSession, actor: Actor, ticket_id: int | None, call_id: int, *, message: bool = False
) -> Place:
    """Where a call's recording lies, or its message. Without a ticket: of a call this person sees himself.

    Raises `recording_not_found`, `recording_sealed`, `recording_running`, `recording_swept`,
    `recording_missing`.
    """
    row = await _recorded(session, actor, ticket_id, call_id)
    if row.state != "ended":
        raise HotlineError("recording_running", call_id=call_id)
    name = row.voicemail if message else row.recording
    if not name:
        raise HotlineError("recording_missing", call_id=call_id)
    if row.recording_gone_at is not None:
        raise HotlineError("recording_swept", call_id=call_id)
    return Place(row.pbx, name, () if message else tuple(row.marks or ()))


async def ask(
    uow: UnitOfWork,
    actor: Actor,
    ticket_id: int | None,
    call_id: int,
    reason: str,
    *,
    message: bool = False,
) -> None:
    """Open a recording to this person for a while; the reason is audited.

    Raises `forbidden`, `reason_required`, `recording_unapproved` (who may hear only what another person
    has approved) and what `named` raises.
    """
    reason = checked_reason(actor, reason)
    await named(uow.session, actor, ticket_id, call_id, message=message)
    if not actor.may(Permission.RECORDING_OPEN):
        approved = await standing(uow.session, actor, [call_id], uow.now)
        if approved.get(call_id) != "open":
            raise HotlineError("recording_unapproved", call_id=call_id)
    await note(uow, actor, ACTION, ticket_id, call_id, reason)


async def note(
    uow: UnitOfWork, actor: Actor, action: str, ticket_id: int | None, call_id: int, reason: str
) -> None:
    """Who listened, or tried to, to which call of which ticket, and why."""
    await audit.record(
        uow,
        actor=actor,
        action=action,
        object_type="call",
        object_id=call_id,
        reason=reason,
        detail={"ticket": ticket_id} if ticket_id is not None else {},
    )


async def asked_for(
    session: AsyncSession,
    actor: Actor,
    ticket_id: int | None,
    call_id: int,
    now: datetime,
    *,
    message: bool = False,
) -> Place:
    """Where a recording lies that this person has given a reason for.

    Raises `recording_unasked` and what `named` raises.
    """
    found = await named(session, actor, ticket_id, call_id, message=message)
    if not await _open_ids(session, actor, [call_id], now):
        raise HotlineError("recording_unasked", call_id=call_id)
    return found


MARK_WORDS = {
    "agent": "通话",
    "hold": "保持",
    "mute": "隐私静音",
    "blind": "盲转",
    "attended": "协商转接",
    "redirect": "改接",
    "conference": "三方通话",
}


def mark_lines(marks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Marks as the player shows them: what, from when until when (seconds), and who or where to."""
    lines = []
    for mark in marks:
        kind = str(mark.get("kind", ""))
        who = f"{mark.get('who', '')} → {mark['to']}" if mark.get("to") else str(mark.get("who", ""))
        line = {"kind": kind, "word": MARK_WORDS.get(kind, kind), "who": who.strip()}
        lines.append({**line, "at": float(mark.get("at") or 0), "until": mark.get("until")})
    return lines
