"""After a reconnect: what the PBX has now, what the database thinks it has, what queue_log says was.

telephony.md §4: the list of channels and of waiting callers is applied like events, so what came in
meanwhile needs no special care; sessions the database has open and the PBX does not have are ended; and
calls that began and ended unseen are taken from queue_log, if it can be read.
"""

import logging
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.db import UnitOfWork
from core.errors import HotlineError
from telephony.ami.connection import AmiConnection
from telephony.calls import Session, Tracker, read_session
from telephony.queue_log import Truth, reconcile, session_of
from telephony.store import CallStore

logger = logging.getLogger(__name__)
SLACK = 5.0  # seconds the clocks of PBX and node may differ at the edges of a gap
# Replies to our own lists: applied when they were asked for, passed over in the stream.
LISTED = {
    "CoreShowChannel", "CoreShowChannelsComplete", "QueueParams", "QueueMember", "QueueEntry",
    "QueueStatusComplete", "FullyBooted",
}  # fmt: skip


async def take_stock(line: AmiConnection, tracker: Tracker) -> None:
    """Ask the PBX for every channel and every waiting caller; raises HotlineError when it does not say."""
    tracker.begin_snapshot()
    events = await line.query("CoreShowChannels")
    try:
        events += await line.query("QueueStatus")
    except HotlineError as error:
        if error.code != "ami_error":  # a PBX without queues has no such action
            raise
    tracker.roster.begin_list()
    for event in events:
        tracker.apply(event)
    tracker.roster.end_list()


async def end_absent(
    uow: UnitOfWork, store: CallStore, tracker: Tracker, truth: Truth, members: dict[str, str], at: datetime
) -> list[Session]:
    """Sessions the database holds open and the PBX knows nothing of: ended, as queue_log says or unknown."""
    followed: set[str] = set()
    for call in tracker.calls():
        session = read_session(tracker, call)
        if session is not None:
            followed |= {session.key, *call.links}
    rows = [row for row in await store.open_sessions(uow) if row["session_key"] not in followed]
    return [_dated(reconcile(_ended(row, at), truth, members), truth) for row in rows]


def _dated(session: Session, truth: Truth) -> Session:
    """With the end that queue_log knows, which may be long before somebody looked again."""
    found = truth.calls.get(session.citizen)
    begun = session.answered or session.queued or session.started
    if found is None or found.over is None or found.over < begun:
        return session
    return replace(session, ended=found.over)


def _ended(row: dict[str, Any], at: datetime) -> Session:
    """An open row as a session that ended out of sight."""
    queued, answered = row["queued_at"], row["answered_at"]
    return Session(
        key=row["session_key"],
        direction=row["direction"],
        caller=None,
        caller_name=None,
        did=None,
        state="ended",
        outcome="answered" if answered else "ended_unknown",
        queues=tuple(row["queues"]),
        legs=(),
        transfers=(),
        wait_seconds=row["wait_seconds"],
        linkedids=tuple(row["linkedids"]),
        recording=None,
        survey=None,
        started=row["started_at"].timestamp(),
        queued=queued.timestamp() if queued else None,
        answered=answered.timestamp() if answered else None,
        ended=at.timestamp(),
        citizen=row["session_key"],
        partial=True,
        lost=True,
    )


async def unseen(
    uow: UnitOfWork,
    store: CallStore,
    tracker: Tracker,
    truth: Truth,
    members: dict[str, str],
    since: datetime,
) -> list[Session]:
    """Calls that entered a queue or left a message since `since`, untold by events and the database."""
    begin = since.timestamp() - SLACK
    tails = {
        uniqueid
        for call in tracker.calls()
        if read_session(tracker, call) is None
        for uniqueid in call.channels
    }
    calls = [
        call
        for call in truth.calls.values()
        if (call.entered is not None or call.message is not None)
        and (call.entered or call.began or 0.0) >= begin
        and (call.call in tails or not tracker.knows(call.call))
    ]
    known = await store.known_keys(uow, [call.call for call in calls])
    sessions = [session_of(call, members) for call in calls if call.call not in known]
    return [session for session in sessions if session is not None]
