"""Work in another process: its answer, its errors, and its end when nobody waits any more."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from core.apart import apart
from core.errors import HotlineError
from tests.helpers import eventually


def double(number: int) -> int:
    return 2 * number


def refuse() -> None:
    raise HotlineError("train_too_few", found=1, least=2)


def vanish() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def last_for_ever(mark: str) -> None:
    Path(mark).write_text(str(os.getpid()))
    signal.pause()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


async def test_its_answer_and_its_errors_come_back() -> None:
    assert await apart(double, 21) == 42
    with pytest.raises(HotlineError, match="train_too_few") as refused:
        await apart(refuse)
    assert refused.value.params == {"found": 1, "least": 2}


async def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(RuntimeError, match="vanish ended without an answer"):
        await apart(vanish)


async def test_who_stops_waiting_ends_it(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    task = asyncio.create_task(apart(last_for_ever, str(mark)))
    await eventually(lambda: mark.exists() and mark.read_text(), what="the process works")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: gone(int(mark.read_text())), what="the process is gone")
