"""A whole node in a process of its own, on a database that was prepared before.

    python -m bench._served URL FOLDER [PROFILE]

Prints its port and lives until standard input ends. FOLDER takes what a node writes, its log among
it; PROFILE, if given, takes the profile of everything it did, in processor time, for pstats.
"""

import asyncio
import cProfile
import sys
import time
from pathlib import Path

from core import heap, log
from core.settings import Settings, load_settings
from node import Node


def settings_in(folder: Path, **environ: str) -> Settings:
    """The defaults, with everything written below `folder`, a free port and a simulator nobody calls."""
    return load_settings(
        environ={
            "HOTLINE_PATHS__VAR": str(folder),
            "HOTLINE_CLASSIFIER__STARTER": "false",  # training would take a core
            "HOTLINE_HTTP__PORT": "0",
            "HOTLINE_TELEPHONY__SIMULATOR__CALLS_PER_HOUR": "0",
            "HOTLINE_LOG__FILE": str(folder / "hotline.log"),
            **environ,
        }
    )


async def serve(url: str, folder: Path, **environ: str) -> None:
    """Start the node, print its port, live until standard input ends."""
    settings = settings_in(folder, **environ)
    log.configure_logging(settings)
    node = Node(settings, url)
    heap.watch()
    await node.start()
    try:
        print(node.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await node.stop()


if __name__ == "__main__":
    profile = cProfile.Profile(time.process_time) if len(sys.argv) > 3 else None
    if profile is not None:
        profile.enable()
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
    if profile is not None:
        profile.disable()
        profile.dump_stats(sys.argv[3])
