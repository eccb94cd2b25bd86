"""Numbered records of contacts that became no ticket: the write path of `intake_record`."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from tickets.counting import Measures
from tickets.draft_rows import DraftRow
from tickets.forms import MAX_TITLE, clean
from tickets.measures import Noted
from tickets.models import Category, IntakeRecord, table_of
from tickets.numbers import city_day, insert_numbered
from tickets.terms import Channel, Disposition, TicketType

_record = table_of(IntakeRecord)
_category = table_of(Category)
# What was said must be on record when the citizen was given an answer.
EXPLAINED = frozenset({Disposition.DIRECT_ANSWER, Disposition.INFORMED, Disposition.EXPLAINED})


def checked(code: str) -> Disposition:
    """The disposition a form names; raises `unknown_disposition`."""
    try:
        return Disposition(code)
    except ValueError:
        raise HotlineError("unknown_disposition", disposition=code[:40]) from None


async def insert_for(
    uow: UnitOfWork,
    actor: Actor,
    draft: DraftRow,
    form: Mapping[str, Any],
    code: Disposition,
    note: str,
    *,
    area: str,
    measures: Measures,
) -> str:
    """Write the record of `draft` with what its form already says; returns the number."""
    typed_channel, typed_type = form.get("channel"), form.get("type")
    called = draft.call_session_id is not None or typed_channel not in set(Channel)
    kind = typed_type if typed_type in set(TicketType) else None
    category = await _known_category(uow, form.get("category_id"))
    values = {
        "code": code.value,
        "channel": Channel.PHONE.value if called else typed_channel,
        "type": kind,
        "category_id": category,
        "title": clean(str(form.get("title", "")))[:MAX_TITLE],
        "note": note,
        "phone_ref": draft.caller_ref,
        "call_session_id": draft.call_session_id,
        "created_by": actor.user_id,
        "created_at": uow.now,
    }
    ident, number = await insert_numbered(uow.session, _record, values, area=area, day=city_day(uow.now))
    await measures.noted(uow, Noted(ident, uow.now, code.value, kind, category))
    return number


async def _known_category(uow: UnitOfWork, typed: Any) -> int | None:
    """The category typed into a draft, if there is such a one; a record can do without."""
    text = str(typed or "")
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    query = sa.select(_category.c.id).where(_category.c.id == int(text))
    found: int | None = (await uow.session.execute(query)).scalar_one_or_none()
    return found
