"""What is known of each PBX: whether it answers, whether calls may be missing, how far queue_log was read."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert

from core.db import UnitOfWork
from telephony.events import PbxChanged
from telephony.models import PbxState
from telephony.queue_log import Position

STATE: Table = PbxState.__table__  # type: ignore[attr-defined]  # set by SQLModel


@dataclass(frozen=True)
class State:
    """One PBX as its follower sees it."""

    connected: bool = False
    connected_at: datetime | None = None
    silent_since: datetime | None = None
    gap_since: datetime | None = None
    gap_note: str | None = None  # reconciling no_queue_log queue_log_unreadable
    position: Position | None = None  # in queue_log
    generation: int = 0

    def up(self, at: datetime, generation: int) -> "State":
        """The line is up; what was missed while it was not is a gap until it is reconciled."""
        return replace(self, connected=True, connected_at=at, silent_since=None, generation=generation)

    def down(self, at: datetime) -> "State":
        """The line is down since `at`; a gap that was open already keeps its beginning."""
        return replace(
            self,
            connected=False,
            silent_since=self.silent_since or at,
            gap_since=self.gap_since or at,
            gap_note="reconciling",
        )

    def reconciled(self) -> "State":
        """Nothing is missing any more."""
        return replace(self, gap_since=None, gap_note=None)


async def load(uow: UnitOfWork, pbx: str) -> tuple[State, datetime] | None:
    """What the last leader left, and when it last wrote; None for a PBX that was never followed."""
    row = (await uow.session.execute(select(STATE).where(STATE.c.pbx == pbx))).mappings().first()
    if row is None:
        return None
    position = None
    if row["queue_log_offset"] is not None:
        position = Position(row["queue_log_inode"], row["queue_log_offset"])
    state = State(
        connected=row["connected"],
        connected_at=row["connected_at"],
        silent_since=row["silent_since"],
        gap_since=row["gap_since"],
        gap_note=row["gap_note"],
        position=position,
        generation=row["generation"],
    )
    return state, row["updated_at"]


async def save(uow: UnitOfWork, pbx: str, state: State, *, told: State | None) -> None:
    """Write `state`; screens are told when it differs from what they were `told` in what they show."""
    values: dict[str, Any] = {
        "connected": state.connected,
        "connected_at": state.connected_at,
        "silent_since": state.silent_since,
        "gap_since": state.gap_since,
        "gap_note": state.gap_note,
        "queue_log_inode": state.position.inode if state.position else None,
        "queue_log_offset": state.position.offset if state.position else None,
        "generation": state.generation,
        "updated_at": uow.now,
    }
    statement = insert(STATE).values(pbx=pbx, **values)
    await uow.session.execute(statement.on_conflict_do_update(index_elements=["pbx"], set_=values))
    if told is None or _shown(told) != _shown(state):
        await uow.emit(PbxChanged(pbx, state.connected, state.gap_since is not None))


def _shown(state: State) -> tuple[bool, bool]:
    return state.connected, state.gap_since is not None
