"""A node that is killed and started again, behind a proxy on this machine that names its clients.

    python -m bench._public_node URL FOLDER PORT

Prints its port and lives until standard input ends, or until it is killed.
"""

import asyncio
import sys
from pathlib import Path

from bench._served import settings_in
from core import log
from node import Node


async def serve(url: str, folder: Path, port: str) -> None:
    """Start the node on `port`, say so, live."""
    settings = settings_in(
        folder,
        HOTLINE_HTTP__PORT=port,
        HOTLINE_HTTP__TRUSTED_PROXIES='["127.0.0.1"]',  # the clients' addresses are believed
        HOTLINE_LOG__LEVEL="WARNING",
    )
    log.configure_logging(settings)
    node = Node(settings, url)
    await node.start()
    try:
        print(node.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await node.stop()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
