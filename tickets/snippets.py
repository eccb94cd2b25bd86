"""Text snippets (常用语): one's own, and everybody's; put into a form by a short code.

A snippet begins a text, it never is a decision: nothing refers to one, so it may go without a trace.
Of two with the same code one's own is meant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.pinyin import initials
from tickets.desk_models import Snippet
from tickets.errors import conflict
from tickets.forms import clean
from tickets.models import table_of

_snippet = table_of(Snippet)
CODE = re.compile(r"[a-z0-9]{1,12}")
MAX_TITLE = 40
MAX_BODY = 2000
MAX_OWN = 100


@dataclass(frozen=True)
class Item:
    """A snippet as lists show it; `editable` where this person may change it."""

    id: int
    version: int
    shared: bool
    code: str
    title: str
    body: str
    editable: bool

    @property
    def initials(self) -> str:
        """First letters of the title's pinyin, to be found by."""
        return initials(self.title)


# ---- reading ----------------------------------------------------------------------------------


async def usable(session: AsyncSession, actor: Actor) -> list[Item]:
    """The snippets this person may put in, by code; a shared one behind an own code is left out."""
    found: dict[str, Item] = {}
    for item in await snippets(session, actor):
        found.setdefault(item.code, item)
    return sorted(found.values(), key=lambda item: item.code)


async def snippets(session: AsyncSession, actor: Actor) -> list[Item]:
    """One's own snippets, then the shared ones, each by code."""
    mine = sa.or_(_snippet.c.owner_id == actor.user_id, _snippet.c.owner_id.is_(None))
    query = sa.select(_snippet).where(mine).order_by(_snippet.c.owner_id.is_(None), _snippet.c.code)
    return [_item(actor, row) for row in await session.execute(query)]


def _item(actor: Actor, row: Any) -> Item:
    shared = row.owner_id is None
    return Item(row.id, row.version, shared, row.code, row.title, row.body, not shared or leads(actor))


def leads(actor: Actor) -> bool:
    """Whether this person keeps the shared snippets."""
    return actor.may(Permission.FLOOR_LEAD)


# ---- writing ----------------------------------------------------------------------------------


async def save(
    uow: UnitOfWork,
    actor: Actor,
    *,
    code: str,
    title: str,
    body: str,
    shared: bool = False,
    snippet_id: int | None = None,
    version: int = 0,
) -> int:
    """Keep a snippet of one's own, or (`shared`) of everybody; returns its id.

    With `snippet_id` an existing one is changed over `version`; whose it is does not change. Raises
    `forbidden`, `snippet_code`, `snippet_incomplete`, `snippet_too_long`, `snippet_code_taken`,
    `too_many_snippets`, `snippet_not_found`, `version_conflict`.
    """
    actor.require(Permission.DRAFT_WRITE)
    values = _checked(code, title, body) | {"updated_at": uow.now}
    try:
        async with uow.session.begin_nested():
            if snippet_id is None:
                ident, everybody = await _add(uow, actor, values, shared)
            else:
                ident, everybody = await _change(uow, actor, snippet_id, version, values)
    except IntegrityError:
        raise HotlineError("snippet_code_taken", snippet=values["code"]) from None
    if everybody:
        await _note(uow, actor, "snippet.save", ident, values)
    return ident


async def remove(uow: UnitOfWork, actor: Actor, snippet_id: int) -> None:
    """Take a snippet away. Raises `snippet_not_found` for one that is not there or not one's to keep."""
    row = await _lock(uow, actor, snippet_id)
    await uow.session.execute(sa.delete(_snippet).where(_snippet.c.id == snippet_id))
    if row.owner_id is None:
        await _note(uow, actor, "snippet.remove", snippet_id, {"code": row.code, "title": row.title})


def _checked(code: str, title: str, body: str) -> dict[str, Any]:
    form = code.strip().lower()
    if not CODE.fullmatch(form):
        raise HotlineError("snippet_code")
    values = {"code": form, "title": clean(title), "body": clean(body, lines=True)}
    if not values["title"] or not values["body"]:
        raise HotlineError("snippet_incomplete")
    if len(values["title"]) > MAX_TITLE or len(values["body"]) > MAX_BODY:
        raise HotlineError("snippet_too_long", title=MAX_TITLE, body=MAX_BODY)
    return values


async def _add(uow: UnitOfWork, actor: Actor, values: Mapping[str, Any], shared: bool) -> tuple[int, bool]:
    if shared and not leads(actor):
        raise HotlineError("forbidden", permission=str(Permission.FLOOR_LEAD))
    owner = None if shared else actor.user_id
    count = sa.select(sa.func.count()).where(_snippet.c.owner_id == owner)
    if not shared and (await uow.session.execute(count)).scalar_one() >= MAX_OWN:
        raise HotlineError("too_many_snippets", limit=MAX_OWN)
    first = {"owner_id": owner, "version": 1, "created_by": actor.user_id, "created_at": uow.now}
    statement = sa.insert(_snippet).values(**values, **first).returning(_snippet.c.id)
    return int((await uow.session.execute(statement)).scalar_one()), shared


async def _change(
    uow: UnitOfWork, actor: Actor, snippet_id: int, version: int, values: Mapping[str, Any]
) -> tuple[int, bool]:
    row = await _lock(uow, actor, snippet_id)
    if row.version != version:
        raise conflict("snippet", snippet_id, ours=version, theirs=row.version)
    statement = sa.update(_snippet).where(_snippet.c.id == snippet_id)
    await uow.session.execute(statement.values(version=version + 1, **values))
    return snippet_id, row.owner_id is None


async def _lock(uow: UnitOfWork, actor: Actor, snippet_id: int) -> Any:
    actor.require(Permission.DRAFT_WRITE)
    query = sa.select(_snippet).where(_snippet.c.id == snippet_id)
    row = (await uow.session.execute(query.with_for_update())).first()
    mine = row is not None and (row.owner_id == actor.user_id or (row.owner_id is None and leads(actor)))
    if not mine:
        raise HotlineError("snippet_not_found", snippet_id=snippet_id)
    return row


async def _note(uow: UnitOfWork, actor: Actor, action: str, ident: int, values: Mapping[str, Any]) -> None:
    detail = {"code": values["code"], "title": values["title"]}
    await audit.record(uow, actor=actor, action=action, object_type="snippet", object_id=ident, detail=detail)
