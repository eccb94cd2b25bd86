"""What citizens ask about their data: to see, to correct, to delete it. Every write of `citizen_request`.

It is work of the hotline with a due time. Deleting itself goes its own way (a request and an approval by
two administrators, `tickets.citizens.forgetting`); here stands that it was asked for and what was answered.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.notify import staff
from core.notify.staff import Notice
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.privacy import PersonalValue, Vault
from tickets.citizens.events import CitizenForgotten
from tickets.citizens.models import CitizenPhone
from tickets.forms import clean
from tickets.models import table_of
from tickets.notices import PRIVACY
from tickets.public.acts import CITIZEN
from tickets.public.models import CitizenRequest, CitizenSession

_request, _value, _user = table_of(CitizenRequest), table_of(PersonalValue), table_of(User)
_phone, _session = table_of(CitizenPhone), table_of(CitizenSession)
Kind = Literal["access", "correct", "delete"]
KIND_WORDS: dict[str, str] = {"access": "查阅我的信息", "correct": "更正我的信息", "delete": "删除我的信息"}
STATE_WORDS: dict[str, str] = {"open": "正在处理", "done": "已办理", "refused": "未能办理"}
DAYS = 15  # the hotline answers within
MOST_OPEN = 3
MAX_TEXT, MAX_ANSWER = 1000, 500
ACT = Permission.DELETION_REQUEST


@dataclass(frozen=True)
class Asked:
    """A request as its citizen sees it."""

    id: int
    kind: str
    state: str
    created_at: datetime
    due_at: datetime
    decided_at: datetime | None
    answer: str


@dataclass(frozen=True)
class Waiting:
    """A request as the hotline works on it: the number masked, the text in the clear."""

    id: int
    version: int
    kind: str
    state: str
    phone: str
    citizen_id: int | None
    text: str
    created_at: datetime
    due_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    answer: str


async def ask(uow: UnitOfWork, vault: Vault, phone_ref: int, kind: Kind, text: str, *, key: str) -> int:
    """Ask; the same key again is the same request. Raises `form_invalid` (text), `rights_too_many`."""
    await uow.fetch("SELECT id FROM personal_value WHERE id = $1 FOR UPDATE", phone_ref)
    mine = _request.c.phone_ref == phone_ref
    before = sa.select(_request.c.id).where(mine, _request.c.key == key)
    found: int | None = (await uow.session.execute(before)).scalar_one_or_none()
    if found is not None:
        return found
    text = clean(text, lines=True)
    if len(text) > MAX_TEXT or (kind == "correct" and not text):
        raise HotlineError("form_invalid", fields={"text": "too_long" if text else "required"})
    opened = sa.select(sa.func.count()).where(mine, _request.c.state == "open")
    if (await uow.session.execute(opened)).scalar_one() >= MOST_OPEN:
        raise HotlineError("rights_too_many")
    ref = (await vault.put(uow, "note", text)).id if text else None
    values = {
        "version": 1,
        "phone_ref": phone_ref,
        "key": key,
        "kind": kind,
        "text_ref": ref,
        "state": "open",
        "created_at": uow.now,
        "due_at": uow.now + timedelta(days=DAYS),
        "answer": "",
    }
    made = await uow.session.execute(sa.insert(_request).values(**values).returning(_request.c.id))
    ident = int(made.scalar_one())
    await audit.record(
        uow, actor=CITIZEN, action=f"data.{kind}", object_type="citizen_request", object_id=ident
    )
    await staff.write(uow, [Notice("data_request", None, PRIVACY)])
    return ident


async def of_phone(session: AsyncSession, phone_ref: int) -> list[Asked]:
    """What a citizen asked, the newest first."""
    names = ("id", "kind", "state", "created_at", "due_at", "decided_at", "answer")
    query = sa.select(*(_request.c[name] for name in names)).where(_request.c.phone_ref == phone_ref)
    rows = await session.execute(query.order_by(_request.c.id.desc()).limit(20))
    return [Asked(**row._mapping) for row in rows]


async def worklist(session: AsyncSession, vault: Vault, actor: Actor) -> list[Waiting]:
    """Open requests by their due time, then the last fifty that were answered. Raises `forbidden`."""
    actor.require(ACT)
    names = ("id", "version", "kind", "state", "created_at", "due_at", "decided_at", "answer", "text_ref")
    query = (
        sa.select(
            *(_request.c[name] for name in names),
            _value.c.masked.label("phone"),
            _phone.c.citizen_id,
            _user.c.name.label("decided_by"),
        )
        .join(_value, _value.c.id == _request.c.phone_ref)
        .outerjoin(_phone, _phone.c.phone_ref == _request.c.phone_ref)
        .outerjoin(_user, _user.c.id == _request.c.decided_by)
        .order_by((_request.c.state == "open").desc(), _request.c.due_at, _request.c.id)
        .limit(100)
    )
    rows = (await session.execute(query)).all()
    texts = await vault.plain(session, [row.text_ref for row in rows if row.text_ref is not None])
    found = []
    for row in rows:
        values = dict(row._mapping)
        ref = values.pop("text_ref")
        found.append(Waiting(**values, text=texts.get(ref, "") if ref else ""))
    return found


async def on_forgotten(uow: UnitOfWork, event: CitizenForgotten) -> None:
    """A citizen was deleted: what he wrote with his requests goes, and his browsers open nothing any more."""
    mine = _request.c.phone_ref.in_(event.value_refs)
    query = sa.select(_request.c.text_ref).where(mine, _request.c.text_ref.is_not(None))
    texts = (await uow.session.execute(query)).scalars().all()
    if texts:
        await Vault.destroy(uow, list(texts))
    his = (_session.c.phone_ref.in_(event.value_refs), _session.c.ended_at.is_(None))
    await uow.session.execute(sa.update(_session).where(*his).values(ended_at=uow.now))


async def decide(
    uow: UnitOfWork, actor: Actor, request_id: int, version: int, *, done: bool, answer: str
) -> None:
    """Answer a request; the same answer again is the same. Audited.

    Raises `forbidden`, `not_found`, `version_conflict`, `form_invalid` (answer).
    """
    actor.require(ACT)
    answer = clean(answer, lines=True)
    if not 2 <= len(answer) <= MAX_ANSWER:
        raise HotlineError("form_invalid", fields={"answer": "required" if len(answer) < 2 else "too_long"})
    mine = _request.c.id == request_id
    query = sa.select(_request.c.version, _request.c.state, _request.c.answer).where(mine)
    row = (await uow.session.execute(query.with_for_update())).first()
    if row is None:
        raise HotlineError("not_found")
    state = "done" if done else "refused"
    if (row.state, row.answer) == (state, answer):
        return
    if row.state != "open" or row.version != version:
        raise HotlineError("data_request_decided")
    values = {
        "state": state,
        "answer": answer,
        "version": version + 1,
        "decided_at": uow.now,
        "decided_by": actor.user_id,
    }
    await uow.session.execute(sa.update(_request).where(mine).values(**values))
    await audit.record(
        uow, actor=actor, action=f"data.{state}", object_type="citizen_request", object_id=request_id
    )
