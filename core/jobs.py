"""Ticks: APScheduler wakes what is due; what is due lives in tables.

Only the leader of `scheduler` ticks. A tick that is still running is not started twice, a tick
that was missed is made up once, and a tick that fails is logged and comes again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import SQLAlchemyError

from core.clock import CITY_ZONE
from core.errors import HotlineError

logger = logging.getLogger(__name__)
_SCHEDULERS = "apscheduler.scheduler"  # the logger of its schedulers
_STILL_RUNNING = "maximum number of running instances reached"
Work = Callable[[], Awaitable[None]]


def _worth_a_line(record: logging.LogRecord) -> bool:
    """A tick that takes longer than its interval is not started twice: so it was meant, and no warning."""
    return _STILL_RUNNING not in str(record.msg)


class Ticker:
    """The leader's clockwork; register before `start`."""

    def __init__(self) -> None:
        self._jobs: list[tuple[str, IntervalTrigger | CronTrigger, Work, bool]] = []
        self._scheduler: AsyncIOScheduler | None = None

    def every(self, seconds: float, name: str, work: Work, *, at_once: bool = False) -> None:
        """Run `work` every `seconds` while this node leads; `at_once`: and as soon as it does."""
        self._jobs.append((name, IntervalTrigger(seconds=seconds, timezone=CITY_ZONE), work, at_once))

    def cron(self, expression: str, name: str, work: Work) -> None:
        """Run `work` by a five-field cron expression read in the city's time."""
        self._jobs.append((name, CronTrigger.from_crontab(expression, timezone=CITY_ZONE), work, False))

    async def start(self) -> None:
        """Begin to tick; called when the lease was taken."""
        self._scheduler = AsyncIOScheduler(timezone=CITY_ZONE)
        logging.getLogger(_SCHEDULERS).addFilter(_worth_a_line)  # the same one is added once
        for name, trigger, work, at_once in self._jobs:
            first = {"next_run_time": datetime.now(CITY_ZONE)} if at_once else {}
            self._scheduler.add_job(
                _guarded(name, work),
                trigger,
                id=name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                **first,
            )
        self._scheduler.start()

    async def stop(self) -> None:
        """Stop ticking; called when the lease was lost."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None


async def follow(load: Callable[[], Awaitable[object]], seconds: float, what: str) -> None:
    """Load again and again until cancelled.

    A database out of reach, or something an older release cannot read, leaves what was loaded before.
    """
    while True:
        await asyncio.sleep(seconds)
        try:
            await load()
        except (SQLAlchemyError, OSError) as error:
            logger.warning("out of reach", extra={"what": what, "error": type(error).__name__})
        except HotlineError:
            logger.exception("cannot be read", extra={"what": what})


def _guarded(name: str, work: Work) -> Work:
    async def tick() -> None:
        try:
            await work()
        except asyncio.CancelledError:  # the scheduler stops; it would log an error for each
            logger.debug("tick ended", extra={"tick": name})
        except Exception:
            logger.exception("tick failed", extra={"tick": name})

    return tick
