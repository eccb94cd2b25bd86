"""Every write of the dispatch rules: a draft is edited, tried on a month, and promoted by a person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog.versions import touch
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from routing.known import RULES
from routing.models import RuleSet, RuleTrial
from routing.rules import Rule, as_data, from_data
from tickets.models import table_of

_set, _trial, _user = table_of(RuleSet), table_of(RuleTrial), table_of(User)
Change = Callable[[tuple[Rule, ...]], tuple[Rule, ...]]


@dataclass(frozen=True)
class Version:
    """A version of the rules."""

    id: int
    number: int
    state: str
    edits: int
    rules: tuple[Rule, ...]
    note: str
    author: str | None
    made_at: datetime
    published_by: str | None
    published_at: datetime | None


# ---- questions -----------------------------------------------------------------------------------


async def versions(session: AsyncSession, limit: int = 50) -> list[Version]:
    """The latest versions, newest first; dropped drafts are left out."""
    query = _query().where(_set.c.state != "dropped").order_by(_set.c.number.desc()).limit(limit)
    return [_version(row) for row in await session.execute(query)]


async def version(session: AsyncSession, ident: int) -> Version:
    """One version. Raises `rules_missing`."""
    row = (await session.execute(_query().where(_set.c.id == ident))).first()
    if row is None:
        raise HotlineError("rules_missing", rule_set_id=ident)
    return _version(row)


async def in_state(session: AsyncSession, state: str) -> Version | None:
    """The live version or the draft."""
    row = (await session.execute(_query().where(_set.c.state == state))).first()
    return _version(row) if row else None


def _query() -> sa.Select[Any]:
    author, publisher = _user.alias("author"), _user.alias("publisher")
    columns = (_set.c[name] for name in ("id", "number", "state", "edits", "rules", "note", "made_at"))
    return (
        sa.select(
            *columns, _set.c.published_at, author.c.name.label("author"), publisher.c.name.label("publisher")
        )
        .outerjoin(author, author.c.id == _set.c.made_by)
        .outerjoin(publisher, publisher.c.id == _set.c.published_by)
    )


def _version(row: Any) -> Version:
    return Version(
        row.id,
        row.number,
        row.state,
        row.edits,
        from_data(row.rules),
        row.note,
        row.author,
        row.made_at,
        row.publisher,
        row.published_at,
    )


# ---- writing -------------------------------------------------------------------------------------


async def open_draft(uow: UnitOfWork, actor: Actor) -> Version:
    """Begin a draft from what is live; the one there is, if there is one."""
    actor.require(Permission.ROUTING_EDIT)
    await touch(uow, RULES)
    found = await in_state(uow.session, "draft")
    if found is not None:
        return found
    live = await in_state(uow.session, "live")
    last = (await uow.session.execute(sa.select(sa.func.max(_set.c.number)))).scalar_one()
    values: Mapping[str, Any] = {
        "number": int(last or 0) + 1,
        "state": "draft",
        "edits": 0,
        "rules": as_data(live.rules if live else ()),
        "note": "",
        "made_by": actor.user_id,
        "made_at": uow.now,
    }
    made = await uow.session.execute(sa.insert(_set).values(**values).returning(_set.c.id))
    ident = int(made.scalar_one())
    await _audit(uow, actor, "rules.draft", ident, {"number": values["number"]})
    return await version(uow.session, ident)


async def edit(uow: UnitOfWork, actor: Actor, edits: int, change: Change, detail: Mapping[str, Any]) -> int:
    """Change the draft as it was seen after `edits` changes; returns how many there are now.

    Raises `forbidden`, `rules_no_draft`, `rules_changed`, and what the change raises.
    """
    actor.require(Permission.ROUTING_EDIT)
    draft = await _lock_draft(uow, edits)
    after = from_data(as_data(change(draft.rules)))  # checked as it will be read
    if after == draft.rules:
        return edits
    values = {"rules": as_data(after), "edits": edits + 1}
    await uow.session.execute(sa.update(_set).where(_set.c.id == draft.id).values(**values))
    await _audit(uow, actor, "rules.edit", draft.id, dict(detail))
    return edits + 1


async def drop(uow: UnitOfWork, actor: Actor) -> None:
    """Give the draft up; its number is not used again."""
    actor.require(Permission.ROUTING_EDIT)
    await touch(uow, RULES)
    draft = await in_state(uow.session, "draft")
    if draft is None:
        raise HotlineError("rules_no_draft")
    await uow.session.execute(sa.update(_set).where(_set.c.id == draft.id).values(state="dropped"))
    await _audit(uow, actor, "rules.drop", draft.id, {"number": draft.number})


async def promote(uow: UnitOfWork, actor: Actor, edits: int, note: str) -> int:
    """Let the draft count from now on; only as it was tried. Returns its number.

    Raises `forbidden`, `rules_no_draft`, `rules_changed`, `rules_untried`.
    """
    actor.require(Permission.ROUTING_EDIT)
    draft = await _lock_draft(uow, edits)
    mine = (_trial.c.rule_set_id == draft.id, _trial.c.edits == edits, _trial.c.state == "done")
    if (await uow.session.execute(sa.select(_trial.c.id).where(*mine).limit(1))).first() is None:
        raise HotlineError("rules_untried")
    await uow.session.execute(sa.update(_set).where(_set.c.state == "live").values(state="past"))
    values = {
        "state": "live",
        "note": note[:200],
        "published_by": actor.user_id,
        "published_at": uow.now,
    }
    await uow.session.execute(sa.update(_set).where(_set.c.id == draft.id).values(**values))
    await _audit(uow, actor, "rules.promote", draft.id, {"number": draft.number, "note": note[:200]})
    return draft.number


async def restore(uow: UnitOfWork, actor: Actor, ident: int) -> Version:
    """Begin a draft with the rules of an earlier version. Raises `rules_draft_open`: somebody's work."""
    actor.require(Permission.ROUTING_EDIT)
    await touch(uow, RULES)
    if await in_state(uow.session, "draft") is not None:
        raise HotlineError("rules_draft_open")
    old = await version(uow.session, ident)
    draft = await open_draft(uow, actor)
    await edit(uow, actor, draft.edits, lambda _: old.rules, {"what": "restore", "number": old.number})
    return await version(uow.session, draft.id)


async def _lock_draft(uow: UnitOfWork, edits: int) -> Version:
    await touch(uow, RULES)  # writers wait for one another here
    draft = await in_state(uow.session, "draft")
    if draft is None:
        raise HotlineError("rules_no_draft")
    if draft.edits != edits:
        raise HotlineError("rules_changed", edits=draft.edits)
    return draft


async def _audit(uow: UnitOfWork, actor: Actor, action: str, ident: int, detail: dict[str, Any]) -> None:
    await audit.record(
        uow, actor=actor, action=action, object_type="rule_set", object_id=ident, detail=detail
    )


def differences(before: Sequence[Rule], after: Sequence[Rule]) -> list[tuple[str, str]]:
    """What changed from one version to another: (code, new, gone, changed or moved)."""
    old, new = {rule.code: rule for rule in before}, {rule.code: rule for rule in after}
    found = [(code, "gone") for code in old if code not in new]
    kept_before = [rule.code for rule in before if rule.code in new]
    kept_after = [rule.code for rule in after if rule.code in old]
    moved = {code for code, other in zip(kept_after, kept_before, strict=True) if code != other}
    for code, rule in new.items():
        if code not in old:
            found.append((code, "new"))
        elif rule != old[code]:
            found.append((code, "changed"))
        elif code in moved:
            found.append((code, "moved"))
    return found
