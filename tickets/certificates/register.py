"""Every write of the embedded registry: lists taken in whole, or not at all.

An ID number becomes its blind index here and is forgotten; what a list does not name stays as it is.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from tickets.certificates.lists import Record
from tickets.certificates.models import CertificateRecord
from tickets.models import table_of

_record = table_of(CertificateRecord)
CHUNK = 1000
EFFECTS = ("new", "changed", "same")
_SAID = ("issuer", "valid_from", "valid_to", "revoked")
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtext('certificate registry'))")
Progress = Callable[[int], object]


async def effects(
    session: AsyncSession, vault: Vault, records: Sequence[Record], progress: Progress = lambda _: None
) -> list[str]:
    """What taking each record would do: `new`, `changed` or `same`."""
    found: list[str] = []
    for part in _parts(records):
        rows = [_row(vault, record) for record in part]
        found += await _effects(session, rows)
        progress(len(found))
    return found


async def compare(uow: UnitOfWork, actor: Actor, vault: Vault, records: Sequence[Record]) -> list[str]:
    """`effects` for a person, who learns by it what certificates others hold. One audit row, of counts.

    Raises `forbidden`.
    """
    actor.require(Permission.CATALOG_MANAGE)
    found = await effects(uow.session, vault, records)
    await audit.record(
        uow,
        actor=actor,
        action="certificate.compare",
        object_type="certificate_registry",
        detail={effect: found.count(effect) for effect in EFFECTS},
    )
    return found


async def take(
    uow: UnitOfWork,
    actor: Actor | None,
    vault: Vault,
    records: Sequence[Record],
    progress: Progress = lambda _: None,
) -> Counter[str]:
    """Add certificates, change those that are there; returns how many of each effect. One audit row.

    `actor` None: the command on the machine. No certificate may be named twice. Raises `forbidden`.
    """
    if actor is not None:
        actor.require(Permission.CATALOG_MANAGE)
    await uow.session.execute(_LOCK)
    counts: Counter[str] = Counter(dict.fromkeys(EFFECTS, 0))
    for part in _parts(records):
        rows = [_row(vault, record) for record in part]
        does = await _effects(uow.session, rows)
        counts.update(does)
        await _write(uow, [row for row, effect in zip(rows, does, strict=True) if effect != "same"])
        progress(counts.total())
    kinds = Counter(record.kind for record in records)
    await audit.record(
        uow,
        actor=actor,
        action="certificate.import",
        object_type="certificate_registry",
        detail={**counts, "kinds": dict(sorted(kinds.items()))},
    )
    return counts


def _parts(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for start in range(0, len(records), CHUNK):
        yield records[start : start + CHUNK]


def _row(vault: Vault, record: Record) -> dict[str, Any]:
    told = {name: getattr(record, name) for name in ("kind", *_SAID)}
    return {"holder": vault.blind("id_number", record.number), **told}


async def _effects(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> list[str]:
    query = sa.select(_record).where(_record.c.holder.in_([row["holder"] for row in rows]))
    there = {(row.holder, row.kind): row for row in await session.execute(query)}
    return [_effect(there.get((row["holder"], row["kind"])), row) for row in rows]


def _effect(there: Any, row: dict[str, Any]) -> str:
    if there is None:
        return "new"
    return "same" if all(getattr(there, name) == row[name] for name in _SAID) else "changed"


async def _write(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(_record)
    changed = {name: statement.excluded[name] for name in _SAID}
    await uow.session.execute(
        statement.on_conflict_do_update(index_elements=["holder", "kind"], set_=changed), list(rows)
    )
