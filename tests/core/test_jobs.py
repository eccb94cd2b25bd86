"""Ticks: one that takes longer than its interval is not started twice, and nobody is warned of it."""

import asyncio
import logging

import pytest

from core.jobs import Ticker


async def test_a_tick_that_is_still_running_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    begun, over, others = 0, asyncio.Event(), 0

    async def slow() -> None:
        nonlocal begun
        begun += 1
        await over.wait()

    async def beside() -> None:
        nonlocal others
        others += 1
        if others == 5:  # the slow one was due at least three times meanwhile
            over.set()

    ticker = Ticker()
    ticker.every(0.02, "slow", slow, at_once=True)
    ticker.every(0.02, "beside", beside, at_once=True)
    with caplog.at_level(logging.DEBUG, logger="apscheduler"):
        await ticker.start()
        async with asyncio.timeout(20):
            await over.wait()
        await ticker.stop()
    assert begun == 1
    assert [row.getMessage() for row in caplog.records if row.levelno >= logging.WARNING] == []


async def test_a_tick_that_fails_is_told_and_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    failed, again = 0, asyncio.Event()

    async def broken() -> None:
        nonlocal failed
        failed += 1
        if failed == 2:
            again.set()
        raise ValueError("broken")

    ticker = Ticker()
    ticker.every(0.02, "broken", broken, at_once=True)
    await ticker.start()
    async with asyncio.timeout(20):
        await again.wait()
    await ticker.stop()
    assert "tick failed" in [row.getMessage() for row in caplog.records]


async def test_a_tick_under_way_ends_with_the_clockwork_and_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    ticker = Ticker()
    ticker.every(60, "long", long, at_once=True)
    await ticker.start()
    async with asyncio.timeout(20):
        await begun.wait()
        await ticker.stop()
        await ended.wait()
    await asyncio.sleep(0)
    assert [row.getMessage() for row in caplog.records if row.levelno >= logging.WARNING] == []
