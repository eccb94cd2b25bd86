"""Waiting for a condition instead of sleeping."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


async def eventually(check: Callable[[], Any], *, within: float = 10.0, what: str = "") -> Any:
    """Call `check` until it returns something true, at most `within` seconds; fail with `what`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    pause = 0.005
    while True:
        found = check()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        if loop.time() > deadline:
            raise AssertionError(f"did not happen within {within} s: {what or check}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.1)
