"""Keeps Python's garbage collector from stopping a node again and again for what it never gives back.

The collector looks for cycles of objects nobody holds any more. Its full search touches every object
there is and stops the whole process meanwhile: a third of a second on a node with its words and its model
in memory, every ten to twenty seconds under load. Whatever such a long search finds alive is therefore
taken out of the next ones; at night, when nobody waits, everything is searched once (`search_all`).
"""

import asyncio
import gc
import logging
import time
from datetime import datetime, timedelta
from datetime import time as time_of_day

from core.clock import CITY_ZONE, Clock

logger = logging.getLogger(__name__)
LONG_SECONDS = 0.03  # a full search that took longer found too much to be repeated under load
# Objects made and not yet given back until the young are searched, and how many searches of one age until
# the next one's. Python's own 700 and 10 are for programs that make less at a time.
THRESHOLDS = (5_000, 10, 20)
NIGHT = time_of_day(4, 10)  # of the city


class Watch:
    """Listens to the collector of this process."""

    def __init__(self, long_seconds: float = LONG_SECONDS) -> None:
        self._long = long_seconds
        self._began = 0.0

    def heard(self, phase: str, info: dict[str, int]) -> None:
        """A `gc.callbacks` entry: after a long full search its survivors are left alone."""
        if phase == "start":
            self._began = time.perf_counter()
        elif info["generation"] == 2 and time.perf_counter() - self._began > self._long:
            gc.freeze()


def watch() -> None:
    """From now on in this process, and what it has loaded so far is left alone. For a node, once."""
    gc.collect()
    gc.freeze()
    gc.collect()  # Python waits with a full search until there is a quarter more than at the last one
    gc.set_threshold(*THRESHOLDS)
    gc.callbacks.append(Watch().heard)


def search_all() -> int:
    """Search everything once, also what was left alone; returns how many objects were given back."""
    began = time.perf_counter()
    gc.unfreeze()
    found = gc.collect()
    logger.info(
        "searched all memory", extra={"found": found, "seconds": round(time.perf_counter() - began, 3)}
    )
    return found


def until_night(now: datetime) -> float:
    """Seconds from `now` to the next hour of the night at which everything is searched."""
    here = now.astimezone(CITY_ZONE)
    night = datetime.combine(here.date(), NIGHT, CITY_ZONE)
    return ((night if night > here else night + timedelta(days=1)) - here).total_seconds()


async def search_nightly(clock: Clock) -> None:
    """Search everything once a night, until cancelled."""
    while True:
        await asyncio.sleep(until_night(clock.now()))
        search_all()
