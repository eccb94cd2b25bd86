"""A city's registry over HTTP: a signed question, an answer that is believed only when it holds together.

POST {"request", "kind", "id_number"} with `HL-Signature` as `core.notify.webhook` has it; the answer is
{"request", "kind", "found", "issuer", "valid_from", "valid_to", "revoked"} with the same request and kind.
Whatever else it holds, an image above all, is dropped unread. Connections go to checked addresses only.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import aiohttp

from core.clock import Clock
from core.ids import new_token
from core.notify.guard import Network, Resolve, check, resolve
from core.notify.ports import DeliveryFailed
from core.notify.webhook import Pinned, signature
from core.settings import Certificates
from tickets.certificates.breaker import Breaker
from tickets.certificates.port import RegistryAway
from tickets.certificates.terms import UNKNOWN, Verdict, judged

LARGEST = 16 * 1024  # bytes of an answer; an image would be more
MAX_ISSUER = 60


class HttpRegistry:
    """Asks the registry of the settings, at most `tries` times within `seconds` each."""

    name = "http"

    def __init__(
        self,
        wanted: Certificates,
        secret: str,
        clock: Clock,
        *,
        allowed: Sequence[Network] = (),
        lookup: Resolve = resolve,
    ) -> None:
        self._wanted = wanted
        self._secret = secret
        self._clock = clock
        self._allowed = allowed
        self._lookup = lookup
        self.breaker = Breaker(wanted.failures, wanted.rest_seconds)

    def state(self) -> str:
        """The state of the breaker of this node."""
        return self.breaker.state(self._clock.monotonic())

    async def verify(self, kind: str, id_number: str, today: date) -> Verdict:
        """The registry's verdict. Raises `RegistryAway`: open, timeout, unreachable, refused, bad_answer."""
        now = self._clock.monotonic()
        if not self.breaker.let_in(now):
            raise RegistryAway("open", self.breaker.wait(now))
        try:
            verdict = await self._tried(kind, id_number, today)
        except RegistryAway as away:
            self.breaker.failed(self._clock.monotonic())
            raise RegistryAway(away.code, self.breaker.wait(self._clock.monotonic())) from None
        except BaseException:
            self.breaker.left()
            raise
        self.breaker.well()
        return verdict

    async def _tried(self, kind: str, id_number: str, today: date) -> Verdict:
        for last in range(self._wanted.tries - 1, -1, -1):
            try:
                return await self._ask(kind, id_number, today)
            except RegistryAway as away:
                if not last or away.code == "refused":  # what was understood and refused is not repeated
                    raise
        raise AssertionError("unreachable")

    async def _ask(self, kind: str, id_number: str, today: date) -> Verdict:
        key = new_token(12)
        body = {"request": key, "kind": kind, "id_number": id_number}
        raw = json.dumps(body, separators=(",", ":")).encode()
        try:
            async with asyncio.timeout(self._wanted.seconds):
                status, answer = await self._post(key, raw)
        except TimeoutError:
            raise RegistryAway("timeout") from None
        except (DeliveryFailed, aiohttp.ClientError, OSError, ValueError):
            raise RegistryAway("unreachable") from None
        if status != 200:
            raise RegistryAway("refused" if 400 <= status < 500 else "unreachable")
        return verdict_of(answer, key, kind, today)

    async def _post(self, key: str, raw: bytes) -> tuple[int, bytes]:
        target = await check(self._wanted.url, self._allowed, self._lookup)
        stamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "HL-Timestamp": stamp,
            "HL-Message-Id": key,
            "HL-Signature": signature(self._secret, stamp, key, raw),
        }
        connector = aiohttp.TCPConnector(resolver=Pinned(target), use_dns_cache=False, force_close=True)
        jar = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=jar, trust_env=False) as session,
            session.post(self._wanted.url, data=raw, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, await _at_most(answer.content, LARGEST + 1)


async def _at_most(stream: aiohttp.StreamReader, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < most:
        part = await stream.read(most - size)
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def verdict_of(raw: bytes, key: str, kind: str, today: date) -> Verdict:
    """What an answer says. Raises `RegistryAway("bad_answer")` for one that does not hold together."""
    try:
        said = json.loads(raw) if len(raw) <= LARGEST else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("request") != key or said.get("kind") != kind:
        raise RegistryAway("bad_answer")
    found, revoked, issuer = said.get("found"), said.get("revoked", False), said.get("issuer", "")
    if not isinstance(found, bool) or not isinstance(revoked, bool) or not isinstance(issuer, str):
        raise RegistryAway("bad_answer")
    if not found:
        return Verdict(UNKNOWN, "not_found")
    first, last = _day(said.get("valid_from")), _day(said.get("valid_to"))
    if not issuer.strip() or (first is not None and last is not None and last < first):
        raise RegistryAway("bad_answer")
    return judged(issuer.strip()[:MAX_ISSUER], first, last, revoked=revoked, today=today)


def _day(value: Any) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise RegistryAway("bad_answer") from None
