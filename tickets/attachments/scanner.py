"""The door to a virus scanner: a command of the site's own, asked about every file before it is kept."""

import asyncio
import contextlib
import logging
import shlex
from pathlib import Path

from core.errors import HotlineError
from core.settings import Uploads

logger = logging.getLogger(__name__)
CLEAN, INFECTED = 0, 1  # what clamscan, clamdscan and their like answer


async def scan(path: Path, limits: Uploads) -> bool:
    """True when a scanner found the file clean, False when none is set.

    Raises `attachment_infected`, and `attachment_unscanned` when the scanner did not do its work: a
    file nobody could look at is not taken in.
    """
    if not limits.scanner:
        return False
    try:
        async with asyncio.timeout(limits.scanner_seconds):
            status = await _run([*shlex.split(limits.scanner), str(path)])
    except (OSError, ValueError, TimeoutError) as error:
        logger.error("scanner failed", extra={"why": type(error).__name__})
        raise HotlineError("attachment_unscanned") from None
    if status == INFECTED:
        raise HotlineError("attachment_infected")
    if status != CLEAN:
        logger.error("scanner failed", extra={"why": f"exit {status}"})
        raise HotlineError("attachment_unscanned")
    return True


async def _run(command: list[str]) -> int:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
