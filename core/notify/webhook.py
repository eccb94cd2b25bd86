"""A generic webhook: signed JSON to a checked address, no redirects, five seconds, idempotent by key.

The receiver recomputes `HL-Signature: v1=HMAC-SHA256(secret, timestamp + "." + message id + "." + body)`
in hexadecimal, refuses old timestamps, and answers 2xx; `Idempotency-Key` is the same for every try.
"""

import hashlib
import hmac
import json
import socket
from collections.abc import Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from core.clock import Clock
from core.notify.guard import Network, Resolve, Target, check, resolve
from core.notify.ports import DeliveryFailed, Sms

MAX_ANSWER = 4096  # bytes of an answer that are read, to let the connection end cleanly


def signature(secret: str, timestamp: str, key: str, body: bytes) -> str:
    """What `HL-Signature` holds for this body."""
    signed = f"{timestamp}.{key}.".encode() + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class Pinned(AbstractResolver):
    """Knows one name and answers with the addresses that were checked."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host != self._target.host:
            raise OSError("another name than the checked one")
        found = [self._entry(address, port) for address in self._target.addresses]
        return [entry for entry in found if family in (socket.AF_UNSPEC, entry["family"])]

    def _entry(self, address: str, port: int) -> ResolveResult:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return ResolveResult(
            hostname=self._target.host, host=address, port=port, family=family, proto=0, flags=flags
        )

    async def close(self) -> None:
        return None


class Webhook:
    """One receiver. A connection lives for one message: the address is checked anew each time."""

    def __init__(
        self,
        url: str,
        secret: str,
        clock: Clock,
        *,
        allowed: Sequence[Network] = (),
        seconds: float = 5.0,
        lookup: Resolve = resolve,
    ) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._allowed = allowed
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._lookup = lookup

    async def post(self, key: str, body: dict[str, Any]) -> None:
        """Deliver `body`. Raises `DeliveryFailed`: those of `guard.check`, unreachable, timeout, http_NNN."""
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            async with self._session(await check(self._url, self._allowed, self._lookup)) as session:
                status = await self._send(session, key, raw)
        except TimeoutError:
            raise DeliveryFailed("timeout") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise DeliveryFailed("unreachable") from None
        if not 200 <= status < 300:  # a redirect is a failure too: its target was never checked
            raise DeliveryFailed(f"http_{status}")

    def _session(self, target: Target) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(resolver=Pinned(target), use_dns_cache=False, force_close=True)
        jar = aiohttp.DummyCookieJar()
        return aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, cookie_jar=jar, trust_env=False
        )

    async def _send(self, session: aiohttp.ClientSession, key: str, raw: bytes) -> int:
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "hotline",
            "HL-Timestamp": timestamp,
            "HL-Message-Id": key,
            "HL-Signature": signature(self._secret, timestamp, key, raw),
            "Idempotency-Key": key,
        }
        sent = session.post(self._url, data=raw, headers=headers, allow_redirects=False)
        async with sent as answer:
            await answer.content.read(MAX_ANSWER)
            return answer.status


class SmsWebhook:
    """Text messages through a webhook: the gateway's adapter receives `{id, to, text}`."""

    def __init__(self, hook: Webhook) -> None:
        self._hook = hook

    async def send(self, message: Sms) -> None:
        await self._hook.post(message.key, {"id": message.key, "to": message.to, "text": message.text})
