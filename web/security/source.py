"""Where a request comes from, believing X-Forwarded-* only from the proxies of the settings.

A header anybody can write must not choose whose login attempts are counted.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from aiohttp import web

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses or networks as written in the settings. Raises ValueError for anything else."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None


def _trusted(text: str, proxies: tuple[Network, ...]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in proxies)


def peer_of(request: web.Request) -> str:
    """The address at the other end of the connection; empty when there is none."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def source_of(request: web.Request, proxies: tuple[Network, ...]) -> str:
    """The address of the caller: the last hop in X-Forwarded-For that is not one of our proxies.

    Without a trusted proxy in front the header is ignored. A malformed hop ends the walk at the
    last believable address.
    """
    found = peer_of(request)
    hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    while _trusted(found, proxies) and hops:
        hop = _address(hops.pop())
        if hop is None:
            break
        found = str(hop)
    return found
