"""A test that stands still ends the run, and says where every task of it waits.

A hang would otherwise last until whatever runs the tests loses patience, and a dump of threads shows
only that the event loop waits for something.
"""

import asyncio
import os
import signal
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Generator

import pytest

PATIENCE = float(os.environ.get("HOTLINE_TEST_PATIENCE", "600"))  # seconds; no test may need as long
GRACE = 60.0  # seconds for the fixtures to clear up
_screen = os.fdopen(os.dup(2), "w", encoding="utf-8")  # before pytest captures what is written
_loops: list[asyncio.AbstractEventLoop] = []


@pytest.fixture(scope="session", autouse=True)
async def _watched_loop() -> AsyncIterator[None]:
    """Remember the loop that all asynchronous tests share."""
    _loops.append(asyncio.get_running_loop())
    yield
    _loops.clear()


def pytest_unconfigure() -> None:
    """The run is over, and with it the watch."""
    _screen.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let nobody wait for ever: neither the test nor its fixtures."""
    timer = threading.Timer(PATIENCE, _give_up, (item.nodeid,))
    timer.daemon = True
    timer.start()
    try:
        return (yield)
    finally:
        timer.cancel()


def _give_up(name: str) -> None:
    def say(text: str) -> None:
        print(text, file=_screen, flush=True)

    say(f"\n{name} stood still for {PATIENCE:.0f} s. Where its tasks wait:")
    for loop in _loops:
        for task in asyncio.all_tasks(loop):
            say(f"\n{task.get_name()}: {task.get_coro()}")
            task.print_stack(file=_screen)
    for ident, frame in sys._current_frames().items():
        say(f"\nthread {ident}\n{''.join(traceback.format_stack(frame))}")
    last = threading.Timer(GRACE, os._exit, (70,))  # what stands still may not let itself be interrupted
    last.daemon = True
    last.start()
    # What the run has started is stopped as after Ctrl-C; only a real signal ends a wait in the loop.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
