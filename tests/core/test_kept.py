"""A value that many ask for, read by one of them at a time."""

import asyncio

import pytest

from core.kept import Kept


def _never(_age: float) -> bool:
    return False


def _lately(age: float) -> bool:
    return age < 60


async def test_what_is_good_is_not_read_again() -> None:
    kept, read = Kept[int](), list[int]()

    async def again() -> int:
        read.append(1)
        return len(read)

    assert await kept.get(again, _lately) == 1  # nothing was read yet: older than any limit
    assert await kept.get(again, _lately) == 1
    assert await kept.get(again, _never) == 2


async def test_those_who_wait_share_the_reading_that_began_after_they_asked() -> None:
    kept, reading, go_on = Kept[int](), asyncio.Event(), asyncio.Event()
    read: list[int] = []

    async def again() -> int:
        read.append(1)
        reading.set()
        await go_on.wait()
        return len(read)

    first = asyncio.create_task(kept.get(again, _never))
    await reading.wait()
    others = [asyncio.create_task(kept.get(again, _never)) for _ in range(9)]
    await asyncio.sleep(0)  # all of them have asked
    go_on.set()
    assert await first == 1
    assert await asyncio.gather(*others) == [2] * 9


async def test_a_reading_that_failed_is_tried_by_the_next_who_waits() -> None:
    kept, tries = Kept[str](), list[int]()

    async def again() -> str:
        tries.append(1)
        await asyncio.sleep(0)  # meanwhile the second asks
        if len(tries) == 1:
            raise OSError("gone")
        return "read"

    found = await asyncio.gather(kept.get(again, _never), kept.get(again, _lately), return_exceptions=True)
    assert isinstance(found[0], OSError)
    assert found[1] == "read"
    with pytest.raises(OSError, match="gone"):
        tries.clear()
        await kept.get(again, _never)
    assert await kept.get(again, _lately) == "read"
