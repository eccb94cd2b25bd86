"""Complaints about intermediaries: put to them without the complainant, answered, judged.

A case begins with the first thing that is done about it. The intermediary never sees the ticket: it sees the
words the department wrote for it, which name nobody.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import redact
from core.db import UnitOfWork
from core.errors import HotlineError
from core.notify import staff
from core.notify.staff import Notice
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import vault_of
from tickets import ticket_rows
from tickets.errors import conflict
from tickets.forms import clean
from tickets.intermediaries import credit
from tickets.intermediaries.models import IntermediaryCase
from tickets.intermediaries.queries import of_subject
from tickets.intermediaries.rows import note
from tickets.intermediaries.scope import accounts, own
from tickets.intermediaries.terms import FINDINGS, VERDICTS, VERIFIED, Credit
from tickets.models import table_of
from tickets.notices import OFFICERS
from tickets.queries.veils import of_rows
from tickets.ticket_rows import TicketRow
from tickets.workflow import Relation

_case = table_of(IntermediaryCase)
MAX_SUMMARY, MAX_ANSWER, MAX_NOTE = 2000, 2000, 500


async def serve(uow: UnitOfWork, actor: Actor, ticket_id: int, version: int, summary: str) -> int:
    """Put a complaint to the intermediary in words that name nobody; returns the case.

    `version` is the case's as it was seen, 0 before there is one. Raises `ticket_not_found`, `forbidden`,
    `case_no_intermediary`, `case_names_somebody` (kinds), `form_invalid`, `version_conflict`, `case_served`.
    """
    row, about = await _ticket(uow, actor, ticket_id)
    summary = clean(summary, lines=True)
    if not 2 <= len(summary) <= MAX_SUMMARY:
        raise HotlineError("form_invalid", fields={"summary": "too_long" if summary else "required"})
    veil = (await of_rows(uow.session, vault_of_uow(uow), [row])).get(row.id)
    names, numbers = (veil.names, veil.numbers) if veil else ((), ())
    found = redact.find(summary, names=names, numbers=numbers)
    if found:
        raise HotlineError("case_names_somebody", kinds=sorted({one.kind for one in found}))
    case = await _open(uow, row.id, about, version)
    if case.served_at is not None:
        raise HotlineError("case_served")
    values = {"summary": summary, "served_at": uow.now, "served_by": actor.user_id}
    await _write(uow, case, **values)
    await note(uow, actor, about, "case_served", detail={"case_id": case.id, "ticket_id": row.id})
    await staff.tell_people(uow, "case_served", await accounts(uow.session, about))
    return int(case.id)


def vault_of_uow(uow: UnitOfWork) -> Any:
    """The vault that was lent to the database."""
    return vault_of(uow.session)


async def answer(uow: UnitOfWork, actor: Actor, case_id: int, version: int, text: str) -> None:
    """The intermediary says its part, once. Raises `forbidden`, `case_unknown`, `case_answered`, …"""
    mine = await own(uow.session, actor)
    case = await _locked(uow, _case.c.id == case_id, version, extra=_case.c.intermediary_id == mine)
    if case.served_at is None:
        raise HotlineError("case_unknown", case_id=case_id)
    if case.answered_at is not None or case.verdict is not None:
        raise HotlineError("case_answered")
    text = clean(text, lines=True)
    if not 2 <= len(text) <= MAX_ANSWER:
        raise HotlineError("form_invalid", fields={"answer": "too_long" if text else "required"})
    await _write(uow, case, answer=text, answered_at=uow.now, answered_by=actor.user_id)
    await note(uow, actor, mine, "case_answered", detail={"case_id": case.id})
    query = sa.text("SELECT desk_unit_id FROM ticket WHERE id = :id")
    unit = (await uow.session.execute(query, {"id": case.ticket_id})).scalar_one()
    if unit is not None:
        await staff.write(uow, [Notice("case_answered", case.ticket_id, OFFICERS, (unit,))])


async def judge(
    uow: UnitOfWork,
    actor: Actor,
    ticket_id: int,
    version: int,
    verdict: str,
    *,
    finding: str = "",
    text: str = "",
) -> int:
    """The department that closed the matter says what was found; a verified one is a credit event.

    Raises `ticket_not_found`, `forbidden`, `case_no_intermediary`, `case_not_closed`, `case_judged`,
    `form_invalid` (verdict, finding, note), `version_conflict`.
    """
    row, about = await _ticket(uow, actor, ticket_id)
    wrong = {}
    if verdict not in VERDICTS:
        wrong["verdict"] = "unknown_choice"
    if verdict == VERIFIED and finding not in FINDINGS:
        wrong["finding"] = "required"
    text = clean(text, lines=True)
    if not text or len(text) > MAX_NOTE:
        wrong["note"] = "too_long" if text else "required"
    if wrong:
        raise HotlineError("form_invalid", fields=wrong)
    if row.closed_as != "handled":
        raise HotlineError("case_not_closed")
    case = await _open(uow, row.id, about, version)
    if case.verdict is not None and case.cancelled_at is None:
        raise HotlineError("case_judged")
    code = finding if verdict == VERIFIED else None
    told = {"verdict": verdict, "finding": code, "verdict_note": text, "cancelled_at": None}
    await _write(uow, case, **told, verdict_at=uow.now, verdict_by=actor.user_id)
    detail = {"case_id": case.id, "ticket_id": row.id, "verdict": verdict, "finding": code}
    await note(uow, actor, about, "case_judged", detail=detail)
    if verdict == VERIFIED:
        await credit.tell(uow, about, Credit.COMPLAINT, finding=finding, case_id=case.id)
    return int(case.id)


async def cancel(uow: UnitOfWork, actor: Actor, ticket_id: int, version: int, why: str) -> None:
    """A verdict was wrong: the feed is told so. By a head or supervision, not by its author.

    Raises `forbidden`, `ticket_not_found`, `case_unknown`, `listing_own`, `note_required` and the like.
    """
    actor.require(Permission.INTERMEDIARY_DECIDE)
    row, about = await _ticket(uow, actor, ticket_id)
    case = await _locked(uow, _case.c.ticket_id == row.id, version)
    if case.verdict is None or case.cancelled_at is not None:
        raise HotlineError("case_unknown", case_id=case.id)
    if case.verdict_by == actor.user_id:
        raise HotlineError("listing_own")
    why = clean(why)[:MAX_NOTE]
    if not why:
        raise HotlineError("note_required", action="intermediary")
    await _write(uow, case, cancelled_at=uow.now)
    await note(uow, actor, about, "case_cancelled", why, {"case_id": case.id})
    if case.verdict == VERIFIED:
        event = await credit.of_case(uow, case.id)
        await credit.tell(uow, about, Credit.CANCELLED, case_id=case.id, cancels=event)


async def _ticket(uow: UnitOfWork, actor: Actor, ticket_id: int) -> tuple[TicketRow, int]:
    """The ticket, locked, by who leads it or by supervision; and the intermediary it is about."""
    locked = await ticket_rows.lock(uow, actor, ticket_id)
    leads = actor.may(Permission.TICKET_HANDLE) and locked.relations & {Relation.LEAD, Relation.LENT}
    if not leads and not actor.may(Permission.TICKET_SUPERVISE):
        raise HotlineError("forbidden", permission=str(Permission.TICKET_HANDLE))
    row = locked.row
    about = await of_subject(uow.session, row.subject_name, row.subject_uscc)
    if about is None:
        raise HotlineError("case_no_intermediary", ticket_id=ticket_id)
    return row, about.id


async def _open(uow: UnitOfWork, ticket_id: int, intermediary_id: int, version: int) -> Any:
    """The case of a ticket, locked; made when this is the first thing done about it."""
    if version == 0:
        values = {"version": 1, "ticket_id": ticket_id, "intermediary_id": intermediary_id}
        blank = {"summary": "", "answer": "", "verdict_note": ""}
        statement = insert(_case).values(**values, **blank).on_conflict_do_nothing()
        made = (await uow.session.execute(statement.returning(_case.c.id))).first()
        if made is not None:
            version = 1
    return await _locked(uow, _case.c.ticket_id == ticket_id, version)


async def _locked(uow: UnitOfWork, which: Any, version: int, *, extra: Any = None) -> Any:
    query = sa.select(_case).where(which).with_for_update()
    row = (await uow.session.execute(query if extra is None else query.where(extra))).first()
    if row is None:
        raise HotlineError("case_unknown")
    if row.version != version:
        raise conflict("case", row.id, ours=version, theirs=row.version)
    return row


async def _write(uow: UnitOfWork, case: Any, **values: Any) -> None:
    more = {"version": case.version + 1}
    await uow.session.execute(sa.update(_case).where(_case.c.id == case.id).values(**values, **more))
