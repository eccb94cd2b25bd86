"""Who stands behind a session token: asked for every request, so it is one short statement for many.

The rule of when a session has rested too long is that of `sessions.living`, told in Python; a test
holds the two together.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from core.clock import Clock
from core.db import Database
from core.gather import Gather
from core.people.actor import Actor
from core.people.hotkeys import own_of
from core.people.permissions import Permission, Role, permissions_of
from core.settings import Security

_LOOK = """
    SELECT s.token_hash, s.id AS session_id, s.seen_at, s.expires_at, a.id AS user_id, a.login, a.name,
        a.unit_id, a.extension, a.must_change_password,
        a.hotkeys::text AS hotkeys, u.path AS unit_path, u.name AS unit_name,
        ARRAY(SELECT r.role FROM user_role r WHERE r.user_id = a.id) AS roles
    FROM web_session s JOIN user_account a ON a.id = s.user_id JOIN unit u ON u.id = a.unit_id
    WHERE s.token_hash = ANY($1) AND s.ended_at IS NULL AND a.active
"""


@dataclass(frozen=True)
class Entered:
    """A living session: whose it is, and when it was last used (UTC)."""

    actor: Actor
    session_id: int
    seen_at: datetime


def idle_minutes(roles: frozenset[Role], *, seat: bool, security: Security) -> int:
    """How long a session of such a person may rest; the same rule as `sessions.living`."""
    own = [minutes for post, minutes in security.post_idle_minutes.items() if post in roles]
    if own:
        return min(own)
    return security.seat_idle_minutes if seat else security.session_idle_minutes


class Doorway:
    """Finds the people behind tokens, those who come at once in one look."""

    def __init__(self, db: Database, clock: Clock, security: Security) -> None:
        self._db = db
        self._clock = clock
        self._security = security
        self._rows: Gather[bytes, Any] = Gather(self._look)

    async def enter(self, token_hash: bytes) -> Entered | None:
        """The living session with this hash; None when it ended, rested or aged too long."""
        row = await self._rows.get(token_hash)
        if row is None:
            return None
        now, roles = self._clock.now(), frozenset(map(Role, row["roles"]))
        idle = idle_minutes(roles, seat=row["extension"] is not None, security=self._security)
        if row["expires_at"] <= now or row["seen_at"] <= now - timedelta(minutes=idle):
            return None
        actor = Actor(
            user_id=row["user_id"],
            login=row["login"],
            name=row["name"],
            roles=roles,
            permissions=_permissions(roles),
            unit_id=row["unit_id"],
            unit_path=row["unit_path"],
            unit_name=row["unit_name"],
            extension=row["extension"],
            session_id=row["session_id"],
            must_change_password=row["must_change_password"],
            hotkeys=_hotkeys(row["hotkeys"]),
        )
        return Entered(actor, row["session_id"], row["seen_at"])

    async def _look(self, hashes: Sequence[bytes]) -> Mapping[bytes, Any]:
        return {row["token_hash"]: row for row in await self._db.fetch(_LOOK, list(hashes))}


@lru_cache(maxsize=500)
def _hotkeys(kept: str) -> tuple[tuple[str, str], ...]:
    return tuple(own_of(json.loads(kept)).items())


@lru_cache(maxsize=500)
def _permissions(roles: frozenset[Role]) -> frozenset[Permission]:
    return permissions_of(roles)
