"""Agents' rows: the only writer of agent_session, agent_interval and wrap_up.

Whoever changes an agent locks the row of the session, lets the machine say what follows, and writes
that: intervals that end and begin at the same instant, work after a call with its deadline, what the
PBX shall stand at. One event tells screens.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update

from core.db import UnitOfWork
from core.settings import Settings
from core.tables import table_of
from telephony import agent_time
from telephony.agent_time import Stretch
from telephony.agents import machine
from telephony.agents.machine import Agent, Call, Change, Event, Rules, WrapUp
from telephony.agents.models import AgentInterval, AgentSession
from telephony.agents.models import WrapUp as WrapUpRow
from telephony.events import AgentMoved

SESSION, INTERVAL, WRAP = table_of(AgentSession), table_of(AgentInterval), table_of(WrapUpRow)
OPEN = SESSION.c.signed_out_at.is_(None)
# Who asks for a change and waits for it; a queue left at the telephone counts as the agent's too.
CLICKED = {"agent", "leader", "takeover"}


def rules_of(settings: Settings) -> Rules:
    """What the city set."""
    agents = settings.agents
    return Rules(
        timedelta(seconds=agents.wrap_up_seconds),
        timedelta(seconds=agents.wrap_up_extension_seconds),
        agents.wrap_up_extensions,
        agents.missed_rings,
    )


@dataclass
class Held:
    """An agent whose row is locked."""

    row: dict[str, Any]
    agent: Agent
    wrap_id: int | None


async def lock(uow: UnitOfWork, *where: ColumnElement[bool]) -> list[Held]:
    """Lock the open sessions that meet `where`, always in the same order, and read what they know."""
    query = select(SESSION).where(OPEN, *where).order_by(SESSION.c.id).with_for_update()
    rows = [dict(row) for row in (await uow.session.execute(query)).mappings()]
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    found = select(WRAP).where(WRAP.c.agent_session_id.in_(ids), WRAP.c.ended_at.is_(None))
    wraps = {row["agent_session_id"]: row for row in (await uow.session.execute(found)).mappings()}
    return [_held(row, wraps.get(row["id"])) for row in rows]


def _held(row: dict[str, Any], wrap: Mapping[Any, Any] | None) -> Held:
    wrap_up = None
    if wrap is not None:
        wrap_up = WrapUp(wrap["call_session_id"], wrap["started_at"], wrap["ends_at"], wrap["extended"])
    agent = Agent(
        signed_in=True,
        begun=row["signed_in_at"],
        queues=tuple(row["queues"]),
        wish=row["wish"],
        reason=row["wish_reason"],
        set_by=row["wish_by"],
        leaving=row["leaving"],
        missed=row["missed"],
        reachable=row["reachable"],
        calls={int(ident): _call(call) for ident, call in row["calls"].items()},
        wrap_up=wrap_up,
    )
    return Held(row, agent, None if wrap is None else wrap["id"])


def _call(kept: Mapping[str, Any]) -> Call:
    upto = kept.get("upto")
    return Call(**{**kept, "upto": None if upto is None else datetime.fromisoformat(upto)})


def _kept(call: Call) -> dict[str, Any]:
    return {**vars(call), "upto": None if call.upto is None else call.upto.isoformat()}


async def open_session(
    uow: UnitOfWork, *, user_id: int, extension: str, pbx: str, event: machine.SignIn
) -> Held:
    """A new session with its first interval. The caller has seen to it that there is no other."""
    agent = machine.run(Agent(), [(uow.now, event)], uow.now, Rules())[0].after
    values = {
        "user_id": user_id, "extension": extension, "pbx": pbx, "signed_in_at": uow.now,
        "changed_at": uow.now, "version": 1, **_state(agent),
    }  # fmt: skip
    made = await uow.session.execute(insert(SESSION).values(**values).returning(*SESSION.c))
    held = Held(dict(made.mappings().one()), agent, None)
    await _begin(uow, held, uow.now)
    await _tell(uow, held, clicked=True)
    return held


async def apply(uow: UnitOfWork, held: Held, told: Iterable[tuple[datetime, Event]], rules: Rules) -> bool:
    """Let the machine take what is told; True when something changed."""
    return await write(uow, held, machine.run(held.agent, told, held.row["changed_at"], rules))


async def write(uow: UnitOfWork, held: Held, changes: Sequence[Change]) -> bool:
    """Write what the machine says; True when there is something."""
    if not changes:
        return False
    for change in changes:
        await _wrap_up(uow, held, change)
    await _intervals(uow, held, changes)
    last = changes[-1]
    values: dict[str, Any] = {
        **_state(last.after),
        "changed_at": last.at,
        "version": held.row["version"] + 1,
    }
    if not last.after.signed_in:
        values |= {"signed_out_at": last.at, "ended_by": _ended_by(last)}
    await uow.session.execute(update(SESSION).where(SESSION.c.id == held.row["id"]).values(**values))
    held.row |= values
    quiet = _looks(held.agent) == _looks(last.after)
    held.agent = last.after
    if not quiet:
        await _tell(uow, held, clicked=any(change.by in CLICKED for change in changes))
    return True


def _ended_by(change: Change) -> str:
    return change.before.leaving or change.by


def _looks(agent: Agent) -> tuple[object, ...]:
    """What screens and the PBX see of an agent: not how many facts of a call were told."""
    return machine.shown(agent), machine.wanted(agent), agent.wish, agent.leaving, agent.wrap_up


def _state(agent: Agent) -> dict[str, Any]:
    wanted = machine.wanted(agent)
    return {
        "queues": list(agent.queues),
        "wish": agent.wish,
        "wish_reason": agent.reason,
        "wish_by": agent.set_by,
        "leaving": agent.leaving,
        "missed": agent.missed,
        "reachable": agent.reachable,
        "paused": wanted.paused,
        "pause_reason": wanted.reason,
        "calls": {str(ident): _kept(call) for ident, call in agent.calls.items()},
    }


async def _intervals(uow: UnitOfWork, held: Held, changes: Sequence[Change]) -> None:
    """The stretches between the changes; those of no length are left out, but for the last."""
    stretches: list[tuple[datetime, Agent]] = []
    state = machine.shown(held.agent)
    for change in changes:
        now = machine.shown(change.after)
        if now == state:
            continue
        state = now
        if stretches and stretches[-1][0] == change.at:
            stretches.pop()
        stretches.append((change.at, change.after))
    before = machine.shown(held.agent)
    over: list[Stretch] = []
    for at, agent in stretches:
        now = machine.shown(agent)
        if now == before:
            continue
        over += await _end(uow, held, at)
        if agent.signed_in:
            await _begin(uow, Held(held.row, agent, None), at)
        before = now
    await agent_time.keep(uow, over)


async def _end(uow: UnitOfWork, held: Held, at: datetime) -> list[Stretch]:
    its = (INTERVAL.c.agent_session_id == held.row["id"], INTERVAL.c.ended_at.is_(None))
    told = (INTERVAL.c[name] for name in Stretch.__dataclass_fields__)
    ended = await uow.session.execute(update(INTERVAL).where(*its).values(ended_at=at).returning(*told))
    return [Stretch(**row) for row in ended.mappings()]


async def _begin(uow: UnitOfWork, held: Held, at: datetime) -> None:
    shown = machine.shown(held.agent)
    values = {
        "agent_session_id": held.row["id"], "user_id": held.row["user_id"],
        "extension": held.row["extension"], "state": shown.state, "reason": shown.reason,
        "call_session_id": shown.call, "queue": shown.queue, "set_by": shown.set_by, "started_at": at,
    }  # fmt: skip
    await uow.session.execute(insert(INTERVAL).values(**values))


async def _wrap_up(uow: UnitOfWork, held: Held, change: Change) -> None:
    """Begin, extend or end the row of work after a call as this change has it."""
    before, after = change.before.wrap_up, change.after.wrap_up
    if before == after:
        return
    if before is not None and after is not None and before.started == after.started:
        values = {"ends_at": after.ends, "extended": after.extended}
        await uow.session.execute(update(WRAP).where(WRAP.c.id == held.wrap_id).values(**values))
        return
    if before is not None:
        ended = {"ended_at": max(change.at, before.started), "ended_by": change.by}
        await uow.session.execute(update(WRAP).where(WRAP.c.id == held.wrap_id).values(**ended))
        held.wrap_id = None
    if after is not None:
        row = {
            "agent_session_id": held.row["id"], "user_id": held.row["user_id"], "note": "",
            "extension": held.row["extension"], "call_session_id": after.call, "started_at": after.started,
            "ends_at": after.ends, "extended": after.extended, "logged": False,
        }  # fmt: skip
        made = await uow.session.execute(insert(WRAP).values(**row).returning(WRAP.c.id))
        held.wrap_id = int(made.scalar_one())


async def _tell(uow: UnitOfWork, held: Held, *, clicked: bool) -> None:
    shown, row = machine.shown(held.agent), held.row
    who = (row["user_id"], row["extension"], shown.state, shown.reason, row["version"], row["pbx"])
    await uow.emit(AgentMoved(*who, clicked))
