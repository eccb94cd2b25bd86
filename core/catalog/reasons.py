"""Reason codes: what a person may choose when an act needs a reason (退单原因, 退回原因, …).

The table is read into the process and read again within a second of a change; an unknown code is
looked up afresh before it is refused. A closed code is no longer offered, but what was decided by it
keeps its word: `label` knows closed codes too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.catalog.models import ReasonCode
from core.catalog.versions import Copy, touch
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission

KINDS: dict[str, str] = {
    "return": "退单原因",
    "reject_check": "审核退回原因",
    "redo": "重办原因",
    "extension": "延期原因",
    "suspension": "挂起原因",
    "exclusion": "剔除原因",
    "inform": "告知法定途径",
    "emergency": "转紧急热线",
    "void": "作废原因",
    "redispatch": "改派原因",
    "unsolved": "未解决原因",
    "dissatisfied": "不满意原因",
    "not_ready": "示忙原因",
    "wrap_up": "话后小结",
}
Table = Mapping[str, tuple[ReasonCode, ...]]


@dataclass(frozen=True)
class Reason:
    """What the editor saves; `code` and `kind` never change once they exist."""

    kind: str
    code: str
    label: str
    hint: str = ""
    active: bool = True
    sort: int = 0


async def _load(session: AsyncSession) -> Table:
    query = select(ReasonCode).order_by(col(ReasonCode.kind), col(ReasonCode.sort), col(ReasonCode.id))
    found: dict[str, list[ReasonCode]] = {}
    for row in (await session.execute(query)).scalars():
        session.expunge(row)
        found.setdefault(row.kind, []).append(row)
    return {kind: tuple(rows) for kind, rows in found.items()}


_copy: Copy[Table] = Copy("reasons", _load)


async def choices(session: AsyncSession, kind: str) -> list[tuple[str, str]]:
    """Code and label of what may be chosen for `kind`, in the order of the list."""
    return [(row.code, row.label) for row in (await _copy.get(session)).get(kind, ()) if row.active]


async def hints(session: AsyncSession, kind: str) -> dict[str, str]:
    """By code: what a person is asked to write besides, such as the legal basis."""
    return {row.code: row.hint for row in (await _copy.get(session)).get(kind, ()) if row.active and row.hint}


async def check(session: AsyncSession, kind: str, code: str) -> None:
    """Raise `reason_unknown` (kind, reason) unless `code` may be chosen for `kind`."""
    for now in (False, True):
        rows = (await _copy.get(session, now=now)).get(kind, ())
        if any(row.code == code and row.active for row in rows):
            return
    raise HotlineError("reason_unknown", kind=kind, reason=code[:40])


async def label(session: AsyncSession, kind: str, code: str) -> str:
    """The word for a code, closed ones included; an unknown code stands for itself."""
    rows = (await _copy.get(session)).get(kind, ())
    return next((row.label for row in rows if row.code == code), code)


async def words(session: AsyncSession, kind: str) -> dict[str, str]:
    """By code its word, closed ones included."""
    return {row.code: row.label for row in (await _copy.get(session)).get(kind, ())}


async def all_of(session: AsyncSession, kind: str | None = None) -> list[ReasonCode]:
    """Every code, closed ones too, for the editor; read from the table itself."""
    table = await _load(session)
    return [row for name in KINDS if kind in (None, name) for row in table.get(name, ())]


async def save(uow: UnitOfWork, actor: Actor, reason: Reason) -> int:
    """Add a code or change its words; audited. Raises `forbidden`, `reason_kind_unknown`."""
    return (await save_all(uow, actor, [reason]))[0]


async def save_all(uow: UnitOfWork, actor: Actor, reasons: list[Reason]) -> list[int]:
    """Add or change many, one audit row each; all or nothing."""
    actor.require(Permission.CATALOG_MANAGE)
    await touch(uow, "reasons")
    made = []
    for reason in reasons:
        if reason.kind not in KINDS:
            raise HotlineError("reason_kind_unknown", kind=reason.kind[:40])
        before = await _one(uow.session, reason)
        values: dict[str, Any] = dict(vars(reason))
        words = {name: values[name] for name in ("label", "hint", "active", "sort")}
        if before is not None:
            changed = {name: [getattr(before, name), new] for name, new in words.items()}
            changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
            if changed:
                await uow.session.execute(
                    update(ReasonCode).where(col(ReasonCode.id) == before.id).values(**words)
                )
                await _note(uow, actor, "reason.change", before.id, {"code": reason.code, **changed})
            made.append(before.id)
            continue
        statement = insert(ReasonCode).values(**values).returning(col(ReasonCode.id))
        ident = int((await uow.session.execute(statement)).scalar_one())
        await _note(uow, actor, "reason.create", ident, {"kind": reason.kind, "code": reason.code})
        made.append(ident)
    return made


async def _one(session: AsyncSession, reason: Reason) -> ReasonCode | None:
    query = select(ReasonCode).where(col(ReasonCode.kind) == reason.kind, col(ReasonCode.code) == reason.code)
    found = (await session.execute(query)).scalar_one_or_none()
    if found is not None:
        session.expunge(found)
    return found


async def _note(uow: UnitOfWork, actor: Actor, action: str, ident: int, detail: dict[str, Any]) -> None:
    await audit.record(uow, actor=actor, action=action, object_type="reason", object_id=ident, detail=detail)
