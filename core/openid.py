"""Signing in through an OpenID Connect provider: authorization code with PKCE, state and nonce.

What the provider says is believed only as far as its signature goes: issuer, audience, time and nonce are
checked, keys come from the provider's own address. Nothing of a person is kept here.
"""

import asyncio
import base64
import hmac
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from yarl import URL

from core.errors import HotlineError
from core.ids import new_token
from core.notify.guard import Network, check
from core.notify.ports import DeliveryFailed
from core.notify.webhook import Pinned
from core.settings import OpenId

logger = logging.getLogger(__name__)
SECONDS = 8.0
KEPT_SECONDS = 600.0  # what the provider says of itself
MOST_BYTES = 256 * 1024
LEEWAY = 60  # seconds between two clocks
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Step:
    """What the browser keeps between going and coming back; three values nobody can guess."""

    state: str
    nonce: str
    verifier: str

    def pack(self) -> str:
        """For a cookie."""
        return f"{self.state}.{self.nonce}.{self.verifier}"

    @staticmethod
    def unpack(text: str) -> "Step | None":
        """What `pack` packed; None for anything else."""
        parts = text.split(".")
        return Step(*parts) if len(parts) == 3 and all(len(part) >= 32 for part in parts) else None


@dataclass(frozen=True)
class Person:
    """Who signed in: the provider's own name for the person, and a phone the provider vouches for."""

    issuer: str
    subject: str
    phone: str | None

    def __repr__(self) -> str:
        return "Person(…)"


class OpenIdClient:
    """Talks with one provider."""

    def __init__(
        self,
        settings: OpenId,
        secret: str,
        *,
        allowed: Sequence[Network] = (),
        clock_time: Any = time.time,
    ) -> None:
        """`allowed`: networks inside that the provider's other hosts may lie in."""
        self._settings = settings
        self._allowed = allowed
        self._secret = secret
        self._time = clock_time
        self._known: tuple[float, dict[str, Any]] | None = None

    async def start(self, redirect: str) -> tuple[str, Step]:
        """Where the browser is to go, and what it keeps meanwhile. Raises `openid_failed`."""
        told = await self._provider()
        step = Step(new_token(24), new_token(24), new_token(48))
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect,
            "scope": self._settings.scope,
            "state": step.state,
            "nonce": step.nonce,
            "code_challenge": create_s256_code_challenge(step.verifier),
            "code_challenge_method": "S256",
        }
        return str(URL(told["authorization_endpoint"]).update_query(query)), step

    async def finish(self, step: Step, *, state: str, code: str, redirect: str) -> Person:
        """Who came back with `code`. Raises `openid_refused` (not vouched for), `openid_failed`."""
        if not code or not hmac.compare_digest(step.state.encode(), state.encode()):
            raise HotlineError("openid_refused")
        told = await self._provider()
        token = await self._token(told, step, code, redirect)
        claims = await self._claims(told, step, token)
        phone = await self._phone(told, claims, str(token.get("access_token", "")))
        return Person(self._settings.issuer, str(claims["sub"])[:255], phone)

    async def _token(self, told: dict[str, Any], step: Step, code: str, redirect: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "client_id": self._settings.client_id,
            "code_verifier": step.verifier,
        }
        return await self._ask("POST", told["token_endpoint"], data=form, headers=self._credentials())

    def _credentials(self) -> dict[str, str]:
        """Name and secret as RFC 6749, section 2.3.1 has them; none for a client without a secret."""
        if not self._secret:
            return {}
        pair = f"{quote(self._settings.client_id, safe='')}:{quote(self._secret, safe='')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    async def _claims(self, told: dict[str, Any], step: Step, token: dict[str, Any]) -> dict[str, Any]:
        """The signed claims, once everything about them is right."""
        told_keys = await self._ask("GET", told["jwks_uri"])
        try:
            keys = KeySet.import_key_set(told_keys)  # type: ignore[arg-type]  # checked while it is read
            found = jwt.decode(str(token["id_token"]), keys, algorithms=list(ALGORITHMS))
            options = {
                "iss": {"essential": True, "value": told["issuer"]},
                "aud": {"essential": True, "value": self._settings.client_id},
            }
            params = {"nonce": step.nonce, "client_id": self._settings.client_id}
            claims = CodeIDToken(found.claims, found.header, options, params)
            claims.validate(now=int(self._time()), leeway=LEEWAY)
        except (JoseError, KeyError, TypeError, ValueError):
            raise HotlineError("openid_refused") from None
        return dict(claims)

    async def _phone(self, told: dict[str, Any], claims: dict[str, Any], access: str) -> str | None:
        """A number the provider has verified, of the token or of its page about the person."""
        name = self._settings.phone_claim
        if name not in claims and self._belongs(str(told.get("userinfo_endpoint", ""))) and access:
            more = await self._ask(
                "GET", told["userinfo_endpoint"], headers={"Authorization": f"Bearer {access}"}
            )
            if more.get("sub") != claims["sub"]:
                raise HotlineError("openid_refused")
            claims = {**more, **claims}
        phone = claims.get(name)
        verified = claims.get(f"{name}_verified", True)
        return str(phone) if phone and verified is True else None

    async def _provider(self) -> dict[str, Any]:
        """What the provider says of itself, asked for now and then."""
        now = time.monotonic()
        if self._known is not None and now - self._known[0] < KEPT_SECONDS:
            return self._known[1]
        issuer = self._settings.issuer.rstrip("/")
        told = await self._ask("GET", f"{issuer}/.well-known/openid-configuration")
        named = all(self._belongs(str(told.get(name, ""))) for name in _ENDPOINTS)
        if str(told.get("issuer", "")).rstrip("/") != issuer or not named:
            raise HotlineError("openid_failed", reason="discovery")
        self._known = (now, told)
        return told

    def _belongs(self, address: str) -> bool:
        """A provider reached by https names no address without it."""
        scheme = URL(address).scheme if address else ""
        return scheme == "https" or (scheme == "http" and self._settings.issuer.startswith("http://"))

    async def _way(self, url: str) -> TCPConnector | None:
        """How `url` is reached: the host that the settings name as any, another one checked and pinned.

        What a provider says of itself must not lead us to addresses inside the network (SSRF).
        """
        if URL(url).origin() == URL(self._settings.issuer).origin():
            return None
        async with asyncio.timeout(SECONDS):
            target = await check(url, self._allowed)
        return TCPConnector(resolver=Pinned(target), use_dns_cache=False, force_close=True)

    async def _ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        try:
            async with (
                ClientSession(
                    timeout=ClientTimeout(total=SECONDS), connector=await self._way(url)
                ) as session,
                session.request(method, url, allow_redirects=False, **options) as got,
            ):
                body = await got.content.read(MOST_BYTES)
                if got.status != 200:
                    refused = got.status in (400, 401)
                    raise HotlineError("openid_refused" if refused else "openid_failed", reason="status")
                data = json.loads(body)
        except (ClientError, DeliveryFailed, TimeoutError, OSError, ValueError) as error:
            host, why = URL(url).host, getattr(error, "code", type(error).__name__)
            logger.warning("the OpenID provider is out of reach", extra={"host": host, "why": why})
            raise HotlineError("openid_failed", reason="unreachable") from None
        if not isinstance(data, dict):
            raise HotlineError("openid_failed", reason="answer")
        return data
