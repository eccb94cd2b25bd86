"""Recordings of real Asterisks in the phone reports: equal to what queue_log says of the same calls."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from core.db import UnitOfWork
from telephony.figures import figures_by
from telephony.grains import Grain
from telephony.queue_log import Truth, parse
from telephony.replay import read_events, replay_events
from telephony.service import TelephonyService
from tests.telephony.raw_figures import from_queue_log
from tests.telephony.recordings import FIXTURES, queue_log_of, recordings
from tests.telephony.test_figures import service  # noqa: F401 - the fixture
from tests.telephony.test_phone_week import compare_with_log, together

MISSING = pytest.mark.skip("HOTLINE_RECORDINGS names no folder of recordings")
CODES = (
    "offered", "answered", "answered_in_15", "abandoned", "short_abandoned", "timeout", "withdrawn", "empty",
    "missed", "asa_seconds",
)  # fmt: skip


def runs() -> list[Any]:
    """Recordings that have one queue_log: a folder of them, or a fixture."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in recordings():
        if (log := queue_log_of(path)) is not None:
            folders[log].append(path)
    more = [pytest.param(log, paths, id=log.parent.name) for log, paths in folders.items()]
    fixture = FIXTURES / "22_outage.ami"
    return [(queue_log_of(fixture), [fixture]), *(more or [pytest.param(None, [], marks=MISSING)])]


def written(log: Path) -> bytes:
    return log.read_bytes()


@pytest.mark.parametrize(("log", "paths"), runs())
async def test_a_recorded_run_is_reported_as_its_queue_log_has_it(
    service: TelephonyService,  # noqa: F811 - the fixture's value
    log: Path,
    paths: list[Path],
) -> None:
    text = written(log)
    truth = Truth(parse(text)[0])
    citizens = set()
    for path in paths:
        sessions = replay_events(read_events(path), truth)
        # A call whose end another recording saw is told there.
        over = [one for one in sessions if one.ended is not None]
        citizens |= {one.citizen for one in over if one.queues}

        async def work(uow: UnitOfWork) -> None:
            await service.apply_changes(uow, "pbx1", over)  # noqa: B023 - done with before the next

        await service._db.retrying(work)
    logged = together(from_queue_log(text.decode(), citizens), lambda place: place[0])
    assert sum(counts["offered"] for counts in logged.values()) > 3
    now = service._db.clock.now()
    async with service._db.read() as session:
        found = await figures_by(session, now.replace(year=2020), now.replace(year=2100), Grain.QUARTER)
    told = {int(at.timestamp()): {code: getattr(one, code) for code in CODES} for at, one in found.items()}
    assert told.keys() == logged.keys()
    for at, counts in logged.items():
        compare_with_log(told[at], counts)
