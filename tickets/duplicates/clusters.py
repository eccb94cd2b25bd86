"""Clusters: proposed by the leader, confirmed or dismissed by a person. Every write of their tables.

Confirmed means: one ticket is the master, every other that can be is merged into it, each through the
workflow's own merge. So one closing answers all callers, the clock counts once, and it can be undone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.db import UnitOfWork
from core.errors import HotlineError
from core.notify import staff
from core.notify.staff import Notice, roles_with
from core.people.actor import Actor
from core.people.permissions import Permission
from tickets.duplicates.events import ClusterChanged
from tickets.duplicates.models import TicketCluster, TicketClusterMember
from tickets.duplicates.warning import Judged
from tickets.errors import checked_note
from tickets.models import Ticket, table_of
from tickets.service import TicketService
from tickets.states import Action, State
from tickets.terms import TicketType
from tickets.visibility import SEALED_DEGREES
from tickets.workflow import MERGEABLE, OPEN

FOUND, GREW = "cluster_found", "cluster_grew"
WATCHERS = roles_with(Permission.TICKET_SUPERVISE, Permission.TICKET_DISPATCH)
AGAIN = 2  # times the callers it had, before what was dismissed is proposed again
_cluster = table_of(TicketCluster)
_member = table_of(TicketClusterMember)
_ticket = table_of(Ticket)


@dataclass(frozen=True)
class Found:
    """What the leader found: the group's figures, its tickets, and what it is called."""

    judged: Judged
    ticket_ids: tuple[int, ...]
    title: str
    place: str = ""
    kind: str = ""  # the judged one's, or surge
    z: float | None = None
    category_id: int | None = None


@dataclass(frozen=True)
class Joined:
    """What a confirmation did: the master, how many were merged now, how many could not be."""

    master_id: int
    merged: int
    left: int


# ---- the leader's part ----------------------------------------------------------------------------


async def propose(uow: UnitOfWork, found: Found) -> int | None:
    """Propose a cluster, or let the one it continues grow; returns its id, None when nothing is new.

    What was dismissed is not proposed again before twice as many called.
    """
    row = await _continued(uow, found)
    if row is None or (row.state == "dismissed" and found.judged.callers >= AGAIN * row.callers):
        return await _new(uow, found)
    if row.state == "dismissed":
        return None
    grown = await _add(uow, row.id, found.ticket_ids)
    if not grown and row.callers == found.judged.callers:
        return None
    version = row.version + 1
    values = _figures(found) | {"version": version}
    if row.kind != "surge":
        values |= {"kind": found.kind or found.judged.kind}
    await uow.session.execute(sa.update(_cluster).where(_cluster.c.id == row.id).values(**values))
    await uow.emit(ClusterChanged(row.id, version, row.state))
    if row.state == "confirmed" and grown:
        await staff.write(uow, [Notice(GREW, None, WATCHERS)])
    return int(row.id)


async def _continued(uow: UnitOfWork, found: Found) -> "sa.Row[tuple[object, ...]] | None":
    """The newest cluster that shares a ticket with what was found; of a surge, the category's of the day."""
    columns = ("id", "kind", "state", "version", "callers")
    query = sa.select(*(_cluster.c[name] for name in columns))
    if found.kind == "surge":
        query = query.where(
            _cluster.c.kind == "surge",
            _cluster.c.category_id == found.category_id,
            _cluster.c.last_at >= found.judged.first_at,
        )
    else:
        mine = sa.exists().where(
            _member.c.cluster_id == _cluster.c.id, _member.c.ticket_id.in_(found.ticket_ids)
        )
        query = query.where(_cluster.c.kind != "surge", mine)
    return (
        await uow.session.execute(query.order_by(_cluster.c.id.desc()).limit(1).with_for_update())
    ).first()


async def _new(uow: UnitOfWork, found: Found) -> int:
    values = _figures(found) | {
        "kind": found.kind or found.judged.kind,
        "state": "proposed",
        "version": 1,
        "title": found.title[:120],
        "category_id": found.category_id,
        "found_at": uow.now,
        "note": "",
    }
    statement = sa.insert(_cluster).values(**values).returning(_cluster.c.id)
    ident = int((await uow.session.execute(statement)).scalar_one())
    await _add(uow, ident, found.ticket_ids)
    await uow.emit(ClusterChanged(ident, 1, "proposed"))
    await staff.write(uow, [Notice(FOUND, None, WATCHERS)])
    return ident


def _figures(found: Found) -> dict[str, object]:
    judged = found.judged
    return {
        "callers": judged.callers,
        "callers_24h": judged.callers_24h,
        "callers_7d": judged.callers_7d,
        "words": list(judged.words),
        "place": found.place[:100],
        "first_at": judged.first_at,
        "last_at": judged.last_at,
        "z": found.z,
    }


async def _add(uow: UnitOfWork, cluster_id: int, ticket_ids: Sequence[int]) -> int:
    rows = [{"cluster_id": cluster_id, "ticket_id": ident, "at": uow.now} for ident in sorted(ticket_ids)]
    statement = insert(_member).values(rows).on_conflict_do_nothing().returning(_member.c.ticket_id)
    return len((await uow.session.execute(statement)).all())


# ---- a person's part ------------------------------------------------------------------------------


async def confirm(
    uow: UnitOfWork,
    tickets: TicketService,
    actor: Actor,
    cluster_id: int,
    note: str,
    master_id: int | None = None,
    seen: Collection[int] | None = None,
) -> Joined:
    """It is one matter: merge its tickets into one, and note on that one what is known.

    Without `master_id` the master is where most are merged already, else the earliest open ticket. A surge
    is a theme: confirmed, it merges nothing. Confirmed before, it merges what came since. Only tickets that
    were `seen` (None: all) are merged: it may have grown while a person looked. Raises `cluster_not_found`,
    `cluster_decided`, `cluster_empty`, `forbidden`.
    """
    actor.require(Permission.TICKET_DISPATCH)
    actor.require(Permission.TICKET_MERGE)
    row = await _locked(uow, cluster_id)
    if row.state == "dismissed":
        raise HotlineError("cluster_decided", cluster_id=cluster_id)
    if row.kind == "surge":
        await _decide(uow, actor, row, "confirmed", "")
        return Joined(0, 0, 0)
    members = [one for one in await _members(uow, cluster_id) if seen is None or one.id in seen]
    master = row.master_id if row.state == "confirmed" else _master(members, master_id)
    if master is None:
        raise HotlineError("cluster_empty", cluster_id=cluster_id)
    merged, left = await _merge(uow, tickets, actor, members, master)
    if row.state == "proposed":
        await _decide(uow, actor, row, "confirmed", "", master)
        await tickets.add_note(uow, actor, master, note[:2000])
    else:
        await _decide(uow, actor, row, "confirmed", row.note, master)
    return Joined(master, merged, left)


async def dismiss(uow: UnitOfWork, actor: Actor, cluster_id: int, note: str) -> None:
    """It is no case of its own; says why. Raises `note_required`, `cluster_not_found`, `cluster_decided`."""
    actor.require(Permission.TICKET_DISPATCH)
    note = checked_note(note, action="dismiss", required=True)
    row = await _locked(uow, cluster_id)
    if row.state == "dismissed" and row.decided_by == actor.user_id:
        return  # pressed twice
    if row.state != "proposed":
        raise HotlineError("cluster_decided", cluster_id=cluster_id)
    await _decide(uow, actor, row, "dismissed", note[:500])


async def _locked(uow: UnitOfWork, cluster_id: int) -> "sa.Row[tuple[object, ...]]":
    names = ("id", "kind", "state", "version", "master_id", "decided_by", "note")
    query = sa.select(*(_cluster.c[name] for name in names)).where(_cluster.c.id == cluster_id)
    row = (await uow.session.execute(query.with_for_update())).first()
    if row is None:
        raise HotlineError("cluster_not_found", cluster_id=cluster_id)
    return row


async def _decide(
    uow: UnitOfWork,
    actor: Actor,
    row: "sa.Row[tuple[object, ...]]",
    state: str,
    note: str,
    master_id: int | None = None,
) -> None:
    version = row.version + 1
    values = {"state": state, "version": version, "note": note, "master_id": master_id}
    if row.state == "proposed":
        values |= {"decided_at": uow.now, "decided_by": actor.user_id}
    await uow.session.execute(sa.update(_cluster).where(_cluster.c.id == row.id).values(**values))
    await uow.emit(ClusterChanged(int(row.id), version, state))


async def _members(uow: UnitOfWork, cluster_id: int) -> "Sequence[sa.Row[tuple[object, ...]]]":
    """Its tickets, the earliest first; what was sealed since is none of them."""
    query = (
        sa.select(_ticket.c.id, _ticket.c.version, _ticket.c.state, _ticket.c.merged_into_id)
        .join(_member, _member.c.ticket_id == _ticket.c.id)
        .where(
            _member.c.cluster_id == cluster_id,
            _ticket.c.type != TicketType.REPORT.value,
            _ticket.c.confidentiality.not_in(sorted(SEALED_DEGREES)),
        )
        .order_by(_ticket.c.created_at, _ticket.c.id)
    )
    return (await uow.session.execute(query)).all()


def _master(members: "Sequence[sa.Row[tuple[object, ...]]]", wanted: int | None) -> int | None:
    open_ids = [int(one.id) for one in members if State(one.state) in OPEN]
    if wanted is not None and wanted in open_ids:
        return wanted
    merged = [one.merged_into_id for one in members if one.merged_into_id in open_ids]
    if merged:
        return int(max(set(merged), key=lambda ident: (merged.count(ident), -ident)))
    return open_ids[0] if open_ids else None


async def _merge(
    uow: UnitOfWork,
    tickets: TicketService,
    actor: Actor,
    members: "Sequence[sa.Row[tuple[object, ...]]]",
    master: int,
) -> tuple[int, int]:
    """Merge what can be, each for itself; returns how many were, and how many stand elsewhere."""
    merged = left = 0
    for one in members:
        if one.id == master or one.merged_into_id == master:
            continue
        if State(one.state) not in MERGEABLE:
            left += 1
            continue
        try:
            async with uow.savepoint():
                await tickets.act(uow, actor, one.id, one.version, Action.MERGE, {"master_id": master})
            merged += 1
        except HotlineError:
            left += 1
    return merged, left
