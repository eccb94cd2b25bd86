"""A node that is killed and started again, behind a proxy on this machine that names its clients.

    python -m bench._public_node URL FOLDER PORT

Prints its port and lives until standard input ends, or until it is killed.
"""

import asyncio
import sys
from pathlib import Path

from bench._served import serve

if __name__ == "__main__":
    asyncio.run(
        serve(
            sys.argv[1],
            Path(sys.argv[2]),
            HOTLINE_HTTP__PORT=sys.argv[3],
            HOTLINE_HTTP__TRUSTED_PROXIES='["127.0.0.1"]',  # the clients' addresses are believed
            HOTLINE_LOG__LEVEL="WARNING",
        )
    )
