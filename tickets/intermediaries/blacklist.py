"""The blacklist: proposed, approved by somebody else, announced, appealed against, decided, public.

Every write of its table. Who proposed does not approve; who did either does not decide an appeal.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.clock import to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.notify import staff
from core.notify.staff import Notice, roles_with
from core.people.actor import Actor
from core.people.permissions import Permission
from tickets.errors import conflict
from tickets.forms import clean
from tickets.intermediaries import credit
from tickets.intermediaries.models import BlacklistEntry, Intermediary
from tickets.intermediaries.rows import lock, note
from tickets.intermediaries.scope import Market, accounts, check_edit, own
from tickets.intermediaries.terms import (
    DECISIONS,
    FINDINGS,
    MONTHS,
    Credit,
    Listing,
    Move,
    led_to,
    months_later,
)
from tickets.models import table_of

_entry = table_of(BlacklistEntry)
_one = table_of(Intermediary)
DECIDING = roles_with(Permission.INTERMEDIARY_DECIDE)
MAX_TEXT = 2000
Later = Callable[[datetime, int], datetime]  # an instant moved on by working days
SYSTEM = Actor.system("intermediaries")


async def propose(
    uow: UnitOfWork,
    actor: Actor,
    market: Market,
    intermediary_id: int,
    *,
    finding: str,
    reason: str,
    months: int,
) -> int:
    """Propose an intermediary for the blacklist; returns the entry.

    Raises `forbidden`, `intermediary_unknown`, `form_invalid` (finding, reason, months), `listing_open`.
    """
    row = await lock(uow, intermediary_id)
    await check_edit(uow.session, actor, market, row.unit_id)
    reason = clean(reason, lines=True)
    _check_proposal(finding, reason, months)
    ident = await _insert(uow, actor, intermediary_id, finding, reason, months)
    detail = {"listing_id": ident, "finding": finding, "months": months}
    await note(uow, actor, intermediary_id, "listing_proposed", reason, detail)
    units = tuple({row.unit_id, market.operator_id} - {None})
    await staff.write(uow, [Notice("listing_waiting", None, DECIDING, units)], done_by=actor.user_id)
    return ident


def _check_proposal(finding: str, reason: str, months: int) -> None:
    wrong = {}
    if finding not in FINDINGS:
        wrong["finding"] = "unknown_choice"
    if months not in MONTHS:
        wrong["months"] = "unknown_choice"
    if not 2 <= len(reason) <= MAX_TEXT:
        wrong["reason"] = "too_long" if reason else "required"
    if wrong:
        raise HotlineError("form_invalid", fields=wrong)


async def _insert(
    uow: UnitOfWork, actor: Actor, intermediary_id: int, finding: str, reason: str, months: int
) -> int:
    """The row of a proposal; one that is open already is the only one."""
    values = {
        "version": 1,
        "intermediary_id": intermediary_id,
        "state": Listing.PROPOSED.value,
        "finding": finding,
        "reason": reason,
        "months": months,
        "proposed_by": actor.user_id,
        "proposed_at": uow.now,
        "appeal": "",
        "decision": "",
    }
    try:
        async with uow.savepoint():
            made = await uow.session.execute(sa.insert(_entry).values(**values).returning(_entry.c.id))
            return int(made.scalar_one())
    except IntegrityError:
        raise HotlineError("listing_open") from None


async def decide(
    uow: UnitOfWork,
    actor: Actor,
    market: Market,
    entry_id: int,
    version: int,
    move: Move,
    text: str,
    *,
    later: Later,
    appeal_days: int,
) -> Listing:
    """Approve, refuse, decide an appeal or remove early; returns where it stands now.

    Raises `forbidden`, `listing_unknown`, `listing_own`, `listing_step_refused`, `note_required`,
    `version_conflict`.
    """
    actor.require(Permission.INTERMEDIARY_DECIDE)
    if move not in DECISIONS:
        raise HotlineError("listing_step_refused", state="", move=move.value)
    row = await _lock(uow, entry_id, version)
    unit = sa.select(_one.c.unit_id).where(_one.c.id == row.intermediary_id)
    await check_edit(uow.session, actor, market, (await uow.session.execute(unit)).scalar_one())
    if actor.user_id in (row.proposed_by, row.approved_by) and move is not Move.REMOVE:
        raise HotlineError("listing_own")
    text = clean(text, lines=True)
    if not text or len(text) > MAX_TEXT:
        raise HotlineError("note_required" if not text else "note_too_long", limit=MAX_TEXT, action="listing")
    state = led_to(row.state, move)
    values: dict[str, Any] = {}
    if move is Move.APPROVE:
        until = later(uow.now, appeal_days)
        values = {"approved_by": actor.user_id, "approved_at": uow.now, "appeal_until": until}
    elif move is not Move.REMOVE:
        values = {"decided_by": actor.user_id, "decided_at": uow.now, "decision": text}
    await _move(uow, actor, row, move, state, text, **values)
    return state


async def appeal(uow: UnitOfWork, actor: Actor, entry_id: int, version: int, text: str) -> None:
    """The intermediary objects, within the term.

    Raises `forbidden`, `listing_unknown`, `listing_step_refused`, `appeal_late`, `form_invalid` (appeal).
    """
    mine = await own(uow.session, actor)
    row = await _lock(uow, entry_id, version)
    if row.intermediary_id != mine:
        raise HotlineError("listing_unknown", entry_id=entry_id)
    state = led_to(row.state, Move.APPEAL)
    if row.appeal_until is not None and uow.now > row.appeal_until:
        raise HotlineError("appeal_late")
    text = clean(text, lines=True)
    if not 2 <= len(text) <= MAX_TEXT:
        raise HotlineError("form_invalid", fields={"appeal": "too_long" if text else "required"})
    values = {"appeal": text, "appealed_by": actor.user_id, "appealed_at": uow.now}
    await _move(uow, actor, row, Move.APPEAL, state, "", **values)


async def keep_up(uow: UnitOfWork) -> int:
    """List what nobody appealed against in time, end what has run its time; returns how many."""
    today = to_city(uow.now).date()
    over = sa.and_(_entry.c.state == Listing.NOTICED.value, _entry.c.appeal_until < uow.now)
    ended = sa.and_(_entry.c.state == Listing.LISTED.value, _entry.c.ends_on <= today)
    query = sa.select(_entry).where(sa.or_(over, ended)).order_by(_entry.c.id)
    rows = (await uow.session.execute(query.with_for_update(skip_locked=True))).all()
    for row in rows:
        move = Move.LIST if row.state == Listing.NOTICED.value else Move.EXPIRE
        more = {"decided_at": uow.now} if move is Move.LIST else {}
        await _move(uow, SYSTEM, row, move, led_to(row.state, move), "", **more)
    return len(rows)


async def _lock(uow: UnitOfWork, entry_id: int, version: int) -> Any:
    query = sa.select(_entry).where(_entry.c.id == entry_id).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("listing_unknown", entry_id=entry_id)
    if row.version != version:
        raise conflict("listing", entry_id, ours=version, theirs=row.version)
    return row


async def _move(
    uow: UnitOfWork, actor: Actor, row: Any, move: Move, state: Listing, text: str, **values: Any
) -> None:
    """Write a move, its step of history, what the feed is told, who hears of it."""
    today: date = to_city(uow.now).date()
    if state is Listing.LISTED:
        values |= {"listed_on": today, "ends_on": months_later(today, row.months)}
    if state is Listing.ENDED:
        values |= {"ended_at": uow.now}
    values |= {"state": state.value, "version": row.version + 1}
    await uow.session.execute(sa.update(_entry).where(_entry.c.id == row.id).values(**values))
    detail = {"listing_id": row.id, "move": move.value, "state": state.value}
    await note(uow, actor, row.intermediary_id, f"listing_{move.value}", text, detail)
    if state is Listing.LISTED:
        ends = values["ends_on"]
        more: dict[str, Any] = {"finding": row.finding, "listing_id": row.id, "ends_on": ends}
        await credit.tell(uow, row.intermediary_id, Credit.LISTED, **more)
    elif state is Listing.ENDED:
        await credit.tell(uow, row.intermediary_id, Credit.UNLISTED, listing_id=row.id)
    await _tell(uow, actor, row, move, state)


async def _tell(uow: UnitOfWork, actor: Actor, row: Any, move: Move, state: Listing) -> None:
    """The intermediary hears from the notice on, never of a refused proposal; deciders of an appeal."""
    if move is Move.APPEAL:
        await staff.write(uow, [Notice("listing_appealed", None, DECIDING)], done_by=actor.user_id)
    elif move is not Move.REFUSE:
        kind = "listing_noticed" if state is Listing.NOTICED else "listing_decided"
        await staff.tell_people(uow, kind, await accounts(uow.session, row.intermediary_id))
