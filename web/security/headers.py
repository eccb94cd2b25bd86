"""Security headers on every response, whatever produced it."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import web

from web.context import CTX

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",  # Bootstrap's icons are data: SVGs
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


@lru_cache(maxsize=100)
def policy(host: str, secure: bool) -> str:
    """The policy with the WebSocket address spelt out: older kernels do not count it as 'self'."""
    scheme = "wss" if secure else "ws"
    if not _plain_host(host):
        return CONTENT_SECURITY_POLICY
    return CONTENT_SECURITY_POLICY.replace("connect-src 'self'", f"connect-src 'self' {scheme}://{host}")


def _plain_host(host: str) -> bool:
    return bool(host) and all(char.isascii() and (char.isalnum() or char in ".-:[]") for char in host)


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler of `on_response_prepare`."""
    headers = response.headers
    secure = request.app[CTX].secure
    public = urlsplit(request.app[CTX].settings.http.public_url).netloc
    # What a view has set is narrower: files of others are served in a sandbox.
    headers.setdefault("Content-Security-Policy", policy(public or request.host, secure))
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), payment=(), usb=()"
    headers.setdefault("Cache-Control", "no-store")
    if secure:
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Strict-Transport-Security"] = "max-age=31536000"
    headers.popall("Server", None)  # versions help nobody but an attacker
