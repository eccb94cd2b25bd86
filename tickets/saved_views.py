"""Saved views: the filters and columns of a list under a name, for oneself or for one's unit.

A view holds filters, never rows: whoever opens it sees what he may see. What is stored was understood
when it was saved; `opened` looks again, since words and filters change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from tickets.desk_models import SavedView
from tickets.forms import clean
from tickets.models import table_of
from tickets.queries.filters import parse_filters
from tickets.queries.todo import parse_todo_filters

_view = table_of(SavedView)
_user = table_of(User)
MAX_VIEWS = 30  # of one person on one surface
MAX_NAME = 40


@dataclass(frozen=True)
class Surface:
    """A list that has views: how its filters are checked, its columns, and those shown at first."""

    check: Callable[[Mapping[str, str]], Any]
    columns: Mapping[str, str]
    usual: tuple[str, ...]


_COLUMNS = {
    "number": "工单号",
    "state": "状态",
    "left": "剩余时限",
    "type": "类型",
    "urgency": "紧急",
    "title": "标题",
    "category": "分类",
    "place": "区县",
    "unit": "承办单位",
    "role": "本单位角色",
    "citizen": "来电人",
    "channel": "来源",
    "created": "登记时间",
    "due": "到期时间",
    "urges": "催办",
}
SURFACES: dict[str, Surface] = {
    "workbench": Surface(
        parse_todo_filters,
        {key: word for key, word in _COLUMNS.items() if key != "channel"},
        ("number", "left", "urgency", "title", "place", "role", "created"),
    ),
    "tickets": Surface(
        parse_filters,
        {key: word for key, word in _COLUMNS.items() if key not in {"left", "role"}},
        ("number", "state", "type", "urgency", "title", "place", "unit", "citizen", "created"),
    ),
}


@dataclass(frozen=True)
class View:
    """A saved view; `mine` says who may change it, `owner` whose it is."""

    id: int
    surface: str
    name: str
    query: dict[str, str]
    columns: tuple[str, ...]
    shared: bool
    mine: bool
    owner: str
    position: int


# ---- reading ----------------------------------------------------------------------------------


async def views(session: AsyncSession, actor: Actor, surface: str) -> list[View]:
    """One's own views in one's own order, then those colleagues of the unit share."""
    _surface(surface)
    rows = await session.execute(
        _query(actor)
        .where(_view.c.surface == surface)
        .order_by(sa.desc(_view.c.user_id == actor.user_id), _view.c.position, _view.c.id)
    )
    return [_item(actor, row) for row in rows]


async def opened(session: AsyncSession, actor: Actor, view_id: int) -> View:
    """One view this person may use; filters and columns that exist no longer are left out.

    Raises `view_not_found`.
    """
    row = (await session.execute(_query(actor).where(_view.c.id == view_id))).first()
    if row is None:
        raise HotlineError("view_not_found", view_id=view_id)
    return _item(actor, row)


def _query(actor: Actor) -> sa.Select[Any]:
    shared = sa.and_(_view.c.shared_with_unit, _view.c.unit_id == actor.unit_id)
    return (
        sa.select(_view, _user.c.name.label("owner"))
        .join(_user, _user.c.id == _view.c.user_id)
        .where(sa.or_(_view.c.user_id == actor.user_id, shared))
    )


def _item(actor: Actor, row: Any) -> View:
    surface = SURFACES.get(row.surface)
    known = tuple(name for name in row.columns if surface and name in surface.columns)
    return View(
        id=row.id,
        surface=row.surface,
        name=row.name,
        query=_understood(surface, row.query),
        columns=known or (surface.usual if surface else ()),
        shared=row.shared_with_unit,
        mine=row.user_id == actor.user_id,
        owner=row.owner,
        position=row.position,
    )


def _understood(surface: Surface | None, query: Mapping[str, str]) -> dict[str, str]:
    """The filters that still mean something, one by one."""
    found: dict[str, str] = {}
    if surface is None:
        return found
    for name, value in query.items():
        try:
            surface.check({name: value})
        except HotlineError:
            continue
        found[name] = value
    return found


# ---- writing ----------------------------------------------------------------------------------


async def save(
    uow: UnitOfWork,
    actor: Actor,
    surface: str,
    name: str,
    query: Mapping[str, str],
    columns: Sequence[str],
    *,
    shared: bool = False,
    view_id: int | None = None,
) -> int:
    """Keep a view, new or (with `view_id`) one's own again; returns its id.

    Empty filters are left out; no columns means the usual ones. Raises `unknown_surface`,
    `view_name_needed`, `view_name_taken`, `unknown_column` (columns), `too_many_views` (limit),
    `view_not_found` and what the filters of the surface raise.
    """
    known = _surface(surface)
    values = {
        "surface": surface,
        "name": _name(name),
        "query": _checked_query(known, query),
        "columns": _checked_columns(known, columns),
        "shared_with_unit": shared and actor.unit_id is not None,
        "unit_id": actor.unit_id,
        "updated_at": uow.now,
    }
    try:
        async with uow.savepoint():
            return await (
                _insert(uow, actor, values) if view_id is None else _update(uow, actor, view_id, values)
            )
    except IntegrityError:
        raise HotlineError("view_name_taken") from None


async def _insert(uow: UnitOfWork, actor: Actor, values: dict[str, Any]) -> int:
    own = sa.and_(_view.c.user_id == actor.user_id, _view.c.surface == values["surface"])
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(_view.c.position), 0)).where(own)
    count, last = (await uow.session.execute(query)).one()
    if count >= MAX_VIEWS:
        raise HotlineError("too_many_views", limit=MAX_VIEWS)
    statement = sa.insert(_view).values(
        user_id=actor.user_id, position=last + 1, created_at=uow.now, **values
    )
    return int((await uow.session.execute(statement.returning(_view.c.id))).scalar_one())


async def _update(uow: UnitOfWork, actor: Actor, view_id: int, values: dict[str, Any]) -> int:
    mine = sa.and_(_view.c.id == view_id, _view.c.user_id == actor.user_id)
    own = sa.and_(mine, _view.c.surface == values["surface"])
    done = await uow.session.execute(sa.update(_view).where(own).values(**values).returning(_view.c.id))
    if done.first() is None:
        raise HotlineError("view_not_found", view_id=view_id)
    return view_id


async def remove(uow: UnitOfWork, actor: Actor, view_id: int) -> None:
    """Take one's own view away. Raises `view_not_found`."""
    mine = sa.and_(_view.c.id == view_id, _view.c.user_id == actor.user_id)
    if (await uow.session.execute(sa.delete(_view).where(mine).returning(_view.c.id))).first() is None:
        raise HotlineError("view_not_found", view_id=view_id)


async def arrange(uow: UnitOfWork, actor: Actor, surface: str, ids: Sequence[int]) -> None:
    """Put one's own views in this order; views not named come after. Raises `view_not_found`."""
    _surface(surface)
    own = sa.and_(_view.c.user_id == actor.user_id, _view.c.surface == surface)
    query = sa.select(_view.c.id).where(own).order_by(_view.c.position, _view.c.id).with_for_update()
    held = [int(ident) for ident in (await uow.session.execute(query)).scalars()]
    foreign = [ident for ident in ids if ident not in held]
    if foreign:
        raise HotlineError("view_not_found", view_id=foreign[0])
    wanted = list(dict.fromkeys(ids))
    for position, ident in enumerate([*wanted, *(one for one in held if one not in wanted)], start=1):
        await uow.session.execute(sa.update(_view).where(_view.c.id == ident).values(position=position))


async def follow_unit(uow: UnitOfWork, from_id: int, to_id: int) -> int:
    """What a unit shared goes along when it goes over into another; returns how many views."""
    statement = sa.update(_view).where(_view.c.unit_id == from_id).values(unit_id=to_id)
    return len((await uow.session.execute(statement.returning(_view.c.id))).all())


def _surface(name: str) -> Surface:
    if name not in SURFACES:
        raise HotlineError("unknown_surface", surface=name[:20])
    return SURFACES[name]


def _name(text: str) -> str:
    name = clean(text)[:MAX_NAME].strip()
    if not name:
        raise HotlineError("view_name_needed")
    return name


def _checked_query(surface: Surface, query: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, raw in query.items() if (value := clean(raw))}
    surface.check(kept)
    return kept


def _checked_columns(surface: Surface, columns: Sequence[str]) -> list[str]:
    unknown = [name[:20] for name in columns if name not in surface.columns]
    if unknown:
        raise HotlineError("unknown_column", columns=unknown[:10])
    return list(dict.fromkeys(columns)) or list(surface.usual)
