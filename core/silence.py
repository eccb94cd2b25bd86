"""Sessions whose node froze in the middle of a question.

PostgreSQL ends a transaction whose client is silent between two questions
(idle_in_transaction_session_timeout). One that stopped within a question counts as active, for ever, and
keeps its locks: the server waits for the rest. No question of ours takes its client that long, so the
leader ends such sessions.
"""

import logging
from datetime import timedelta

from core.db import Database

logger = logging.getLogger(__name__)
AFTER = timedelta(seconds=30)  # as for silence between questions
_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND application_name LIKE 'hotline%'
      AND state = 'active' AND wait_event_type = 'Client' AND state_change <= now() - $1::interval
"""


async def end_silent(db: Database, *, after: timedelta = AFTER) -> int:
    """End the sessions that have been silent for `after`; returns how many. They roll back."""
    ended = len(await db.fetch(_END, after))
    if ended:
        logger.warning("ended sessions that froze in the middle of a question", extra={"count": ended})
    return ended
