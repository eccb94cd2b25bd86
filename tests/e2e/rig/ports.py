"""Free loopback ports. There is a moment between finding and using one; a clash shows at once."""

from __future__ import annotations

import random
import socket


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    """A port nobody listens on now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def free_udp_block(size: int, host: str = "127.0.0.1") -> int:
    """The first of `size` consecutive UDP ports whose two ends are free."""
    while True:
        first = random.randrange(20000, 32000 - size, 2)
        try:
            for port in (first, first + size - 1):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind((host, port))
        except OSError:
            continue
        return first
