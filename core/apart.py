"""Heavy work in a process of its own. Whoever stops waiting for it ends it: a node that stops does not wait
for minutes of arithmetic.
"""

import asyncio
import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from core.errors import HotlineError

T = TypeVar("T")
_SPAWN = get_context("spawn")


async def apart(work: Callable[..., T], *arguments: Any) -> T:
    """What `work` returns, called in another process; both ways only what can be pickled.

    A HotlineError of it is raised here; a process that ends without an answer raises RuntimeError.
    """
    here, there = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_run, args=(there, work, arguments), name=work.__name__, daemon=True)
    await asyncio.to_thread(process.start)
    there.close()
    try:
        answer = await asyncio.to_thread(_answer, here)
    finally:
        process.kill()  # nothing, if it is over; its end closes the pipe and so ends the waiting thread
    if answer is None:
        raise RuntimeError(f"{work.__name__} ended without an answer")
    found, code, params = answer
    if code is not None:
        raise HotlineError(code, **params)
    return found  # type: ignore[no-any-return]  # what work returned


def _answer(pipe: Connection) -> tuple[Any, str | None, dict[str, Any]] | None:
    try:
        return pipe.recv()  # type: ignore[no-any-return]  # a pipe carries anything
    except (EOFError, OSError):
        return None
    finally:
        pipe.close()


def _run(pipe: Connection, work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the node, which ends this
    try:
        pipe.send((work(*arguments), None, {}))
    except HotlineError as error:
        pipe.send((None, error.code, error.params))
