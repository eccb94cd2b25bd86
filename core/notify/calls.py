"""Calls to a platform's interface: checked addresses only, no redirects, bounded in time and size."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from core.notify.guard import Network, Resolve, check, resolve
from core.notify.ports import DeliveryFailed
from core.notify.webhook import Pinned

MOST_ANSWER = 256 * 1024
CHUNK = 64 * 1024


class Calls:
    """One platform. A connection lives for one call: the address is checked anew each time (SSRF)."""

    def __init__(
        self, *, allowed: Sequence[Network] = (), seconds: float = 10.0, lookup: Resolve = resolve
    ) -> None:
        self._allowed = allowed
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._lookup = lookup

    async def ask(
        self,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """GET, or POST of a JSON `body` or a `form`; the JSON object of the answer.

        Raises `DeliveryFailed`: those of `guard.check`, timeout, unreachable, http_NNN, not_json.
        """
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        data: Any = raw if form is None else dict(form)
        async with self._answer(url, query, data, raw is not None) as answer:
            text = await answer.content.read(MOST_ANSWER)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise DeliveryFailed("not_json") from None
        if not isinstance(found, dict):
            raise DeliveryFailed("not_json")
        return found

    @asynccontextmanager
    async def download(self, url: str, query: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """GET a file; the caller reads it in chunks and stops at its own limit. Raises as `ask` does."""
        async with self._answer(url, query, None, False) as answer:
            yield answer

    @asynccontextmanager
    async def _answer(
        self, url: str, query: Mapping[str, str] | None, data: Any, is_json: bool
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        target = await check(url, self._allowed, self._lookup)
        connector = aiohttp.TCPConnector(resolver=Pinned(target), use_dns_cache=False, force_close=True)
        headers = {"User-Agent": "hotline"}
        if is_json:
            headers["Content-Type"] = "application/json; charset=utf-8"
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=self._timeout,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                ) as session,
                session.request(
                    "GET" if data is None else "POST",
                    url,
                    params=query,
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                ) as answer,
            ):
                if answer.status != 200:  # a redirect is a failure too: its target was never checked
                    raise DeliveryFailed(f"http_{answer.status}")
                yield answer
        except TimeoutError:
            raise DeliveryFailed("timeout") from None
        except (aiohttp.ClientError, OSError):
            raise DeliveryFailed("unreachable") from None


__all__ = ["CHUNK", "Calls"]
