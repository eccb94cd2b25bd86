"""Beginnings of replies by category, for one unit or for everybody: text to start from."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from tickets.desk_models import ReplyTemplate
from tickets.errors import conflict, require_any
from tickets.forms import clean
from tickets.models import Category, table_of

_template = table_of(ReplyTemplate)
_category = table_of(Category)
_unit = table_of(Unit)
MAX_TITLE = 60
MAX_BODY = 4000
MOST = 50


@dataclass(frozen=True)
class Template:
    """A template as lists show it; without `unit_id` everybody's, without category for every matter."""

    id: int
    version: int
    unit_id: int | None
    unit: str | None
    category_id: int | None
    category: str | None
    title: str
    body: str
    active: bool
    editable: bool = False


# ---- reading ----------------------------------------------------------------------------------


async def for_ticket(session: AsyncSession, actor: Actor, category_id: int) -> list[Template]:
    """The templates that fit a ticket of this category, the nearest first.

    One's own unit's and those of the units above, then everybody's; within them the category itself,
    then the categories above it, then those for every matter.
    """
    path = sa.select(_category.c.path).where(_category.c.id == category_id).scalar_subquery()
    above = sa.func.concat("%.", sa.cast(_template.c.category_id, sa.Text), ".%")
    query = (
        _query()
        .where(_template.c.active, _of_units(actor))
        .where(sa.or_(_template.c.category_id.is_(None), path.like(above)))
        .order_by(
            sa.desc(sa.func.coalesce(sa.func.length(_unit.c.path), 0)),
            sa.desc(sa.func.coalesce(_category.c.level, 0)),
            _template.c.title,
            _template.c.id,
        )
        .limit(MOST)
    )
    return [Template(**row._mapping) for row in await session.execute(query)]


async def templates(session: AsyncSession, actor: Actor) -> list[Template]:
    """Every template this person may use, closed ones last; `editable` where he may change it."""
    _require(actor)
    query = _query().where(_of_units(actor))
    rows = await session.execute(
        query.order_by(
            _template.c.active.desc(), _template.c.unit_id.is_(None), _template.c.title, _template.c.id
        )
    )
    return [Template(**row._mapping, editable=_may_write(actor, row.unit_id)) for row in rows]


def _query() -> sa.Select[Any]:
    plain = ("id", "version", "unit_id", "category_id", "title", "body", "active")
    return (
        sa.select(
            *(_template.c[name] for name in plain),
            _unit.c.short_name.label("unit"),
            _category.c.full_name.label("category"),
        )
        .select_from(_template)
        .outerjoin(_unit, _unit.c.id == _template.c.unit_id)
        .outerjoin(_category, _category.c.id == _template.c.category_id)
    )


def _of_units(actor: Actor) -> sa.ColumnElement[bool]:
    """Everybody's, and those of the actor's unit and the units above it."""
    above = [int(part) for part in actor.unit_path.split(".") if part]
    return sa.or_(_template.c.unit_id.is_(None), _template.c.unit_id.in_(above))


# ---- writing ----------------------------------------------------------------------------------


async def save(
    uow: UnitOfWork,
    actor: Actor,
    *,
    title: str,
    body: str,
    category_id: int | None,
    active: bool = True,
    template_id: int | None = None,
    version: int = 0,
    common: bool = False,
) -> int:
    """Keep a template of one's own unit (`common`: of everybody, for who manages the catalogue).

    With `template_id` an existing one is changed over `version`. Returns its id. Raises `forbidden`,
    `template_incomplete`, `template_too_long`, `category_unknown`, `template_not_found`,
    `version_conflict`.
    """
    _require(actor)
    values = {"title": clean(title), "body": clean(body, lines=True), "active": active}
    if not values["title"] or not values["body"]:
        raise HotlineError("template_incomplete")
    if len(str(values["title"])) > MAX_TITLE or len(str(values["body"])) > MAX_BODY:
        raise HotlineError("template_too_long", title=MAX_TITLE, body=MAX_BODY)
    await _check_category(uow, category_id)
    values |= {"category_id": category_id, "updated_at": uow.now}
    if template_id is None:
        unit_id = None if common else actor.unit_id
        if not _may_write(actor, unit_id):
            raise HotlineError("forbidden", permission=str(Permission.CATALOG_MANAGE))
        first = {"unit_id": unit_id, "version": 1, "created_by": actor.user_id, "created_at": uow.now}
        statement = sa.insert(_template).values(**values, **first).returning(_template.c.id)
        ident = int((await uow.session.execute(statement)).scalar_one())
    else:
        ident = await _change(uow, actor, template_id, version, values)
    await audit.record(
        uow, actor=actor, action="template.save", object_type="reply_template", object_id=ident
    )
    return ident


async def _change(
    uow: UnitOfWork, actor: Actor, template_id: int, version: int, values: dict[str, Any]
) -> int:
    query = sa.select(_template.c.unit_id, _template.c.version).where(
        _template.c.id == template_id, _of_units(actor)
    )
    row = (await uow.session.execute(query.with_for_update())).first()
    if row is None or not _may_write(actor, row.unit_id):
        raise HotlineError("template_not_found", template_id=template_id)
    if row.version != version:
        raise conflict("reply_template", template_id, ours=version, theirs=row.version)
    statement = sa.update(_template).where(_template.c.id == template_id)
    await uow.session.execute(statement.values(version=version + 1, **values))
    return template_id


async def follow_unit(uow: UnitOfWork, from_id: int, to_id: int) -> int:
    """The templates of a unit go along when it goes over into another; returns how many."""
    statement = sa.update(_template).where(_template.c.unit_id == from_id).values(unit_id=to_id)
    return len((await uow.session.execute(statement.returning(_template.c.id))).all())


async def _check_category(uow: UnitOfWork, category_id: int | None) -> None:
    if category_id is None:
        return
    query = sa.select(_category.c.id).where(_category.c.id == category_id, _category.c.active)
    if (await uow.session.execute(query)).first() is None:
        raise HotlineError("category_unknown", category_id=category_id)


def _require(actor: Actor) -> None:
    require_any(actor, (Permission.TICKET_HANDLE, Permission.CATALOG_MANAGE))


def _may_write(actor: Actor, unit_id: int | None) -> bool:
    """A unit's people write their own unit's; who manages the catalogue writes everybody's."""
    if unit_id is None:
        return actor.may(Permission.CATALOG_MANAGE)
    return actor.may(Permission.TICKET_HANDLE) and unit_id == actor.unit_id
