"""How often the floor is read when many watch it at once."""

import asyncio

import pytest

from core.event_log import EventTail
from web import floor_board
from web.floor_board import Board, FloorBoards

WATCHERS = 10


class NeverRead:
    """The tail of these boards is not followed."""

    def read(self) -> None:
        raise AssertionError


@pytest.fixture
def boards(monkeypatch: pytest.MonkeyPatch) -> FloorBoards:
    monkeypatch.setattr(floor_board, "SETTLE_SECONDS", 0.0)
    return FloorBoards(EventTail(NeverRead(), poll_seconds=60))


async def test_those_who_ask_during_a_reading_share_the_next_one(boards: FloorBoards) -> None:
    """However many watch, and though the floor never stands still, each waits for two readings at most."""
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def build(board: Board) -> None:
        reading.set()
        await go_on.wait()
        boards.changes += 1  # the floor moves on meanwhile

    first = asyncio.create_task(boards.board("floor", build))
    await reading.wait()
    others = [asyncio.create_task(boards.board("floor", build)) for _ in range(WATCHERS - 1)]
    await asyncio.sleep(0)  # all of them have asked
    go_on.set()
    await asyncio.gather(first, *others)
    assert boards.readings == 2


async def test_who_asks_during_a_reading_is_not_given_that_one(boards: FloorBoards) -> None:
    """It may have passed what the asker has already heard of."""
    reading, go_on = asyncio.Event(), asyncio.Event()
    floor, seen = "before", list[str]()

    async def build(board: Board) -> None:
        seen.append(floor)
        reading.set()
        await go_on.wait()

    first = asyncio.create_task(boards.board("floor", build))
    await reading.wait()
    floor = "after"
    boards.changes += 1
    second = asyncio.create_task(boards.board("floor", build))
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, second)
    assert seen == ["before", "after"]


async def test_a_floor_that_stands_still_is_not_read_again(boards: FloorBoards) -> None:
    async def build(board: Board) -> None:
        await asyncio.sleep(0)

    for _ in range(3):
        await boards.board("floor", build)
    assert boards.readings == 1
    await boards.board("floor", build, at_once=True)
    assert boards.readings == 2
