"""How telephones stand in the queues → rows. The only writer of agent_state.

Only what the PBX says is kept: whether a telephone is a member of a queue, paused and why, and whether
it can be reached. That it rings or talks is told by the legs of calls and not repeated here.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert

from core.db import UnitOfWork
from telephony.calls.roster import Standing
from telephony.events import AgentsMoved
from telephony.models import AgentState

AGENT: Table = AgentState.__table__  # type: ignore[attr-defined]  # set by SQLModel
GONE = Standing("out")


async def save(uow: UnitOfWork, pbx: str, standings: Mapping[str, Standing]) -> None:
    """Bring the rows of `pbx` to `standings`; whoever is not named there is signed out."""
    query = select(AGENT).where(AGENT.c.pbx == pbx).with_for_update()
    known = {row["extension"]: row for row in (await uow.session.execute(query)).mappings()}
    wanted = {**dict.fromkeys(known, GONE), **standings}
    rows = [
        _row(uow, pbx, extension, standing, known.get(extension))
        for extension, standing in sorted(wanted.items())
        if extension not in known or _standing(known[extension]) != standing
    ]
    if not rows:
        return
    statement = insert(AGENT).values(rows)
    values = {name: statement.excluded[name] for name in ("state", "reason", "queues", "since")}
    keys = ["pbx", "extension"]
    await uow.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
    await uow.emit(AgentsMoved(pbx, len(rows)))


def _standing(row: Mapping[Any, Any]) -> Standing:
    return Standing(row["state"], row["reason"], tuple(row["queues"]))


def _row(
    uow: UnitOfWork, pbx: str, extension: str, standing: Standing, known: Mapping[Any, Any] | None
) -> dict[str, Any]:
    """The new row; joining one more queue does not begin a state anew."""
    same = known is not None and (known["state"], known["reason"]) == (standing.state, standing.reason)
    since = known["since"] if known is not None and same else uow.now
    values = {"state": standing.state, "reason": standing.reason, "queues": list(standing.queues)}
    return {"pbx": pbx, "extension": extension, **values, "since": since}
