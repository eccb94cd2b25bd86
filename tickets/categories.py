"""The categories in versions: a draft is worked on, compared with what is in force, and published.

Publishing writes the table `category` by code: what is new is added, what is closed stays for the
tickets that have it. Every published tree is kept whole, so that a past day can be read as it was.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.catalog import tables
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.pinyin import initials
from tickets.category_tree import Difference, Node, Tree
from tickets.models import Category, Ticket, table_of
from tickets.states import FINAL
from tickets.upkeep import CategoryVersion

_category = table_of(Category)
_version = table_of(CategoryVersion)
_ticket = table_of(Ticket)
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtext('category versions'))")
COLUMNS = {"code": "编码", "name": "名称", "parent": "上级编码", "active": "启用", "into": "并入编码"}
YES, NO = "是", "否"


async def present(session: AsyncSession) -> Tree:
    """The tree in force, with the mergers of the last published version."""
    above = _category.alias("above")
    query = sa.select(
        _category.c.code, _category.c.name, above.c.code.label("parent"), _category.c.sort, _category.c.active
    ).join(above, above.c.id == _category.c.parent_id, isouter=True)
    rows = (await session.execute(query)).mappings().all()
    last = await _last_published(session)
    into = {str(row["code"]): row.get("into") for row in (last.tree if last else ())}
    return Tree(Node(**row, into=None if row["active"] else into.get(row["code"])) for row in rows)


async def draft(session: AsyncSession) -> CategoryVersion | None:
    """The version that is worked on, if there is one."""
    query = sa.select(CategoryVersion).where(col(CategoryVersion.state) == "draft")
    return (await session.execute(query)).scalar_one_or_none()


async def version(session: AsyncSession, version_id: int) -> CategoryVersion:
    """One version. Raises `not_found`."""
    found = await session.get(CategoryVersion, version_id)
    if found is None:
        raise HotlineError("not_found", version_id=version_id)
    return found


async def published(session: AsyncSession, *, limit: int = 20) -> list[CategoryVersion]:
    """What was published, newest first."""
    query = sa.select(CategoryVersion).where(col(CategoryVersion.state) == "published")
    query = query.order_by(col(CategoryVersion.number).desc()).limit(limit)
    return list((await session.execute(query)).scalars())


async def _last_published(session: AsyncSession) -> CategoryVersion | None:
    found = await published(session, limit=1)
    return found[0] if found else None


async def differences(session: AsyncSession, tree: Tree) -> list[Difference]:
    """What publishing `tree` would change now."""
    return tree.differences(await present(session))


async def open_tickets(session: AsyncSession, codes: list[str]) -> dict[str, int]:
    """How many open tickets have each of these matters."""
    query = (
        sa.select(_category.c.code, sa.func.count())
        .join(_ticket, _ticket.c.category_id == _category.c.id)
        .where(_category.c.code.in_(codes), _ticket.c.state.not_in([state.value for state in FINAL]))
        .group_by(_category.c.code)
    )
    return {str(code): int(count) for code, count in await session.execute(query)}


# ---- the draft ------------------------------------------------------------------------------


async def open_draft(uow: UnitOfWork, actor: Actor) -> int:
    """Begin a draft from what is in force, or take up the one there is; returns its id."""
    actor.require(Permission.CATALOG_MANAGE)
    await uow.session.execute(_LOCK)
    found = await draft(uow.session)
    if found is not None:
        return found.id
    tree = await present(uow.session)
    number = (await uow.session.execute(sa.select(sa.func.max(_version.c.number)))).scalar_one() or 0
    if not number and tree.nodes:  # what was there before the first draft is the first version
        await _insert(uow, actor, 1, "published", tree, note="初始版本")
        number = 1
    ident = await _insert(uow, actor, number + 1, "draft", tree)
    await _note(uow, actor, "category.draft", ident, {"number": number + 1})
    return ident


async def _insert(
    uow: UnitOfWork, actor: Actor, number: int, state: str, tree: Tree, *, note: str = ""
) -> int:
    values = {
        "number": number,
        "state": state,
        "tree": tree.rows(),
        "edits": 0,
        "note": note,
        "created_by": actor.user_id,
        "created_at": uow.now,
        "published_at": uow.now if state == "published" else None,
    }
    made = await uow.session.execute(sa.insert(_version).values(**values).returning(_version.c.id))
    return int(made.scalar_one())


async def edit(
    uow: UnitOfWork, actor: Actor, edits: int, change: Callable[[Tree], Tree], detail: dict[str, Any]
) -> int:
    """Change the draft; `edits` is how often it had been changed when it was read. Returns the new count.

    Raises `category_no_draft`, `version_conflict`, and what the change raises.
    """
    actor.require(Permission.CATALOG_MANAGE)
    found = await _locked(uow)
    if found.edits != edits:
        raise HotlineError("version_conflict", thing="categories", ours=edits, theirs=found.edits)
    before = Tree.of(found.tree)
    after = change(before)
    if after.rows() == before.rows():
        return edits
    values = {"tree": after.rows(), "edits": edits + 1}
    await uow.session.execute(sa.update(_version).where(_version.c.id == found.id).values(**values))
    await _note(uow, actor, "category.edit", found.id, detail)
    return edits + 1


async def drop(uow: UnitOfWork, actor: Actor) -> None:
    """Give the draft up; it is kept, but comes to nothing."""
    actor.require(Permission.CATALOG_MANAGE)
    found = await _locked(uow)
    await uow.session.execute(sa.update(_version).where(_version.c.id == found.id).values(state="dropped"))
    await _note(uow, actor, "category.drop", found.id, {"number": found.number})


async def _locked(uow: UnitOfWork) -> CategoryVersion:
    await uow.session.execute(_LOCK)
    found = await draft(uow.session)
    if found is None:
        raise HotlineError("category_no_draft")
    return found


# ---- publishing -----------------------------------------------------------------------------


async def publish(uow: UnitOfWork, actor: Actor, version_id: int, edits: int, note: str) -> int:
    """Put the draft in force; returns how many differences it made. Who may is in the table of duties.

    Raises `category_no_draft`, `version_conflict` when it was changed since, `category_unchanged`.
    """
    found = await _locked(uow)
    if (found.id, found.edits) != (version_id, edits):
        raise HotlineError("version_conflict", thing="categories", ours=edits, theirs=found.edits)
    tree = Tree.of(found.tree)
    changed = await differences(uow.session, tree)
    if not changed:
        raise HotlineError("category_unchanged")
    await _write(uow, tree)
    values = {
        "state": "published", "note": note[:500], "published_by": actor.user_id, "published_at": uow.now
    }  # fmt: skip
    await uow.session.execute(sa.update(_version).where(_version.c.id == found.id).values(**values))
    detail = {"number": found.number, "differences": len(changed)}
    await _note(uow, actor, "category.publish", found.id, detail, reason=note or None)
    return len(changed)


async def _write(uow: UnitOfWork, tree: Tree) -> None:
    query = sa.select(_category.c.code, _category.c.id)
    ids = {row.code: row.id for row in await uow.session.execute(query)}
    paths: dict[str | None, str] = {None: "."}
    for node in tree.walk():
        values = {
            "parent_id": ids[node.parent] if node.parent else None,
            "level": tree.level(node.code),
            "name": node.name,
            "full_name": tree.full_name(node.code),
            "initials": initials(node.name)[:60],
            "active": node.active,
            "sort": node.sort,
        }
        if node.code not in ids:
            new = sa.insert(_category).values(**values, code=node.code, path="").returning(_category.c.id)
            ids[node.code] = (await uow.session.execute(new)).scalar_one()
        paths[node.code] = f"{paths[node.parent]}{ids[node.code]}."
        update = sa.update(_category).where(_category.c.id == ids[node.code])
        await uow.session.execute(update.values(**values, path=paths[node.code]))


async def _note(
    uow: UnitOfWork, actor: Actor, action: str, ident: int, detail: dict[str, Any], reason: str | None = None
) -> None:
    await audit.record(
        uow, actor=actor, action=action, object_type="category", object_id=ident, detail=detail, reason=reason
    )


# ---- lists ----------------------------------------------------------------------------------


def export(tree: Tree) -> str:
    """The tree as a list that can be changed and read back."""
    rows = (
        (node.code, node.name, node.parent, YES if node.active else NO, node.into) for node in tree.walk()
    )
    return tables.write(list(COLUMNS.values()), rows)


def read_list(tree: Tree, text: str) -> tuple[Tree, list[tuple[int, str, HotlineError]]]:
    """The tree with what the list says, and the lines (number, code, error) that could not be done."""
    wrong: list[tuple[int, str, HotlineError]] = []
    for line in tables.read(text, COLUMNS, needed=("code", "name", "parent")):
        try:
            tree = _take(tree, line)
        except HotlineError as error:
            wrong.append((line.number, line["code"], error))
    return tree, wrong


def _take(tree: Tree, line: tables.Line) -> Tree:
    code, parent = line["code"], line["parent"] or None
    if code not in tree.nodes:
        return tree.add(code, line["name"], parent)
    if line["active"] == YES and not tree.node(code).active:
        tree = tree.open(code)
    tree = tree.rename(code, line["name"]).move(code, parent)
    if line["into"] and tree.node(code).into != line["into"]:
        return tree.merge(code, line["into"])
    if line["active"] == NO and tree.node(code).active:
        return tree.close(code)
    return tree
