"""Waiting for news must end when it is told to end, even when the news come at that very moment."""

import asyncio

import pytest

from core.wake import Wake


@pytest.mark.parametrize("turns", range(3))
async def test_a_wait_that_is_cancelled_as_the_news_come_is_cancelled(turns: int) -> None:
    wake = Wake()
    waiting = asyncio.create_task(wake.wait(60))
    for _ in range(3):
        await asyncio.sleep(0)
    wake.set()
    for _ in range(turns):
        await asyncio.sleep(0)
        if waiting.done():  # the news were first: nothing is left to cancel
            return
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_news_end_a_wait_and_are_told_once() -> None:
    wake = Wake()
    wake.set()
    await wake.wait(60)
    await wake.wait(0)  # would not return the same way if the first wait had left the news standing
    assert not wake._event.is_set()
