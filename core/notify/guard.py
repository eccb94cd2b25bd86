"""Which addresses the product may call: public ones, and those the settings name.

Whoever may set a webhook must not be able to reach the inside of the network with it (SSRF). A name
is resolved once, every address it has is checked, and the caller connects to those addresses and
nothing else, so that a second answer of the name server changes nothing (rebinding).
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from yarl import URL

from core.notify.ports import DeliveryFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Target:
    """A checked address: where to connect for which URL."""

    url: URL
    host: str
    port: int
    addresses: tuple[str, ...]


async def resolve(host: str, port: int) -> list[str]:
    """Every address of `host`. Raises OSError when it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks of the settings. Raises ValueError for anything that is none."""
    return tuple(ipaddress.ip_network(text) for text in texts)


async def check(url: str, allowed: Sequence[Network], lookup: Resolve = resolve) -> Target:
    """The target of `url`, when everything it resolves to may be called.

    Raises `DeliveryFailed`: url_invalid, name_unknown, address_refused, plain_http_refused.
    Plain http is for the networks of the settings only: a message must not cross the internet in the clear.
    """
    parsed = _parse(url)
    host, port = str(parsed.raw_host), int(parsed.port or 0)
    literal = _literal(host)
    try:
        found = [host] if literal is not None else list(await lookup(host, port))
    except (OSError, UnicodeError):
        raise DeliveryFailed("name_unknown") from None
    if not found:
        raise DeliveryFailed("name_unknown")
    inside = [_check_address(text, allowed) for text in found]
    if parsed.scheme == "http" and not all(inside):
        raise DeliveryFailed("plain_http_refused")
    return Target(parsed, host, port, tuple(dict.fromkeys(found)))


def _parse(text: str) -> URL:
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError:
        raise DeliveryFailed("url_invalid") from None
    wrong = url.scheme not in ("http", "https") or not host or not port or url.user is not None
    if wrong or url.password is not None or any(ord(sign) < 33 for sign in text):
        raise DeliveryFailed("url_invalid")
    if _literal(str(host)) is None and not _NAME.fullmatch(str(host).lower()):
        raise DeliveryFailed("address_refused")  # 2130706433, 0x7f.1, 127.1 and other spellings of addresses
    return url


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _check_address(text: str, allowed: Sequence[Network]) -> bool:
    """True when the settings name the address, False for a public one; anything else is refused."""
    address = _literal(text)
    if address is None or getattr(address, "scope_id", None):
        raise DeliveryFailed("address_refused")
    inner = _unwrap(address)
    if any(one.version == net.version and one in net for one in (address, inner) for net in allowed):
        return True
    special = inner.is_multicast or inner.is_reserved or getattr(inner, "is_site_local", False)
    if not inner.is_global or special:
        raise DeliveryFailed("address_refused")
    return False


def _unwrap(address: Address) -> Address:
    """The IPv4 address an IPv6 one leads to: mapped, translated or tunnelled."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or int(address) >> 32 == 0:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
