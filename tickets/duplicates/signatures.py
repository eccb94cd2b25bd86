"""Keeps the signatures: the leader follows the event log, so that making a ticket costs nothing more.

A signature is made, made anew or taken away by what the ticket is now, whatever the event was; repeating
one changes nothing. Where the log was pruned before it was followed, every open ticket is looked at again.
Matters whose reporter is sealed have no signature: what is not there cannot be suggested.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from core.db import Database, UnitOfWork
from core.leadership import Lease
from tickets.duplicates.features import Features, features
from tickets.states import OPEN, State
from tickets.visibility import is_sealed_matter

BATCH = 500
KEPT = timedelta(days=8)  # closed tickets still count among the callers of the last seven days
_LIVE = frozenset(state.value for state in OPEN)
_GONE = frozenset({State.VOID.value, State.WITHDRAWN.value})
_FOLLOWED = "SELECT seq FROM signature_progress WHERE name = 'signatures'"
_HEAD = "SELECT coalesce(max(seq), 0) AS head, coalesce(min(seq), 0) AS tail FROM event_log"
_NEXT = """
    SELECT seq, ref, topic = 'ticket' AS about FROM event_log WHERE seq > $1 ORDER BY seq LIMIT $2
"""
_AT = """
    INSERT INTO signature_progress (name, seq) VALUES ('signatures', $1)
    ON CONFLICT (name) DO UPDATE SET seq = excluded.seq
"""
_TICKETS = """
    SELECT id, created_at, state, type, confidentiality, title, narrative, address
    FROM ticket WHERE id = ANY($1::bigint[]) ORDER BY id
"""
_OPEN_AFTER = "SELECT id FROM ticket WHERE id > $1 AND stage IS NOT NULL ORDER BY id LIMIT $2"
_RECENT_AFTER = "SELECT id FROM ticket WHERE id > $1 AND created_at >= $3 ORDER BY id LIMIT $2"
_PUT = """
    INSERT INTO ticket_signature (ticket_id, created_at, terms, features)
    SELECT s.ticket_id, s.created_at, ARRAY(SELECT jsonb_array_elements_text(s.terms)), s.features
    FROM jsonb_to_recordset($1::text::jsonb)
        AS s(ticket_id bigint, created_at timestamptz, terms jsonb, features jsonb)
    ON CONFLICT (ticket_id) DO UPDATE SET terms = excluded.terms, features = excluded.features
    WHERE ticket_signature.features IS DISTINCT FROM excluded.features
"""
_TAKE = "DELETE FROM ticket_signature WHERE ticket_id = ANY($1::bigint[])"
_SWEEP = """
    DELETE FROM ticket_signature s USING ticket t
    WHERE t.id = s.ticket_id AND s.created_at < $1 AND (t.stage IS NULL OR t.state = 'merged')
"""


def packed(text: Features) -> dict[str, dict[str, float]]:
    """Features as they are stored."""
    return {
        name: {term: round(weight, 3) for term, weight in getattr(text, name).items()}
        for name in ("whole", "matter", "place")
    }


def unpacked(stored: dict[str, Any]) -> Features:
    """Features out of the table."""
    return Features(stored["whole"], stored["matter"], stored["place"])


def terms_of(text: Features) -> list[str]:
    """What the index of the table knows of a text."""
    return sorted({*text.whole, *(f"@{pair}" for pair in text.place)})


class Signatures:
    """The leader's follower of the event log."""

    def __init__(self, db: Database, lease: Lease) -> None:
        self._db = db
        self._lease = lease
        self._swept: datetime | None = None

    async def tick(self) -> None:
        """For the ticker."""
        await self.run()

    async def run(self) -> int:
        """Everything that happened since the last time; returns how many tickets were looked at."""
        done = 0
        at = await self._begun()
        while True:
            rows = await self._db.fetch(_NEXT, at, BATCH)
            if not rows:
                break
            at = rows[-1]["seq"]
            ids = sorted({row["ref"] for row in rows if row["about"]})
            async with self._db.begin() as uow:
                await self._lease.fence(uow)
                await refresh(uow, ids)
                await uow.fetch(_AT, at)
            done += len(ids)
        await self._sweep()
        return done

    async def _begun(self) -> int:
        """Where to go on; looks at all open tickets first when that is not known."""
        found = await self._db.fetch(_FOLLOWED)
        ends = (await self._db.fetch(_HEAD))[0]
        if found and (found[0]["seq"] >= ends["tail"] - 1):
            return int(found[0]["seq"])
        recent = self._db.clock.now() - KEPT
        await self._all(_OPEN_AFTER)
        await self._all(_RECENT_AFTER, recent)
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            await uow.fetch(_AT, ends["head"])
        return int(ends["head"])

    async def _all(self, query: str, *more: Any) -> None:
        last = 0
        while ids := [row["id"] for row in await self._db.fetch(query, last, BATCH, *more)]:
            async with self._db.begin() as uow:
                await self._lease.fence(uow)
                await refresh(uow, ids)
            last = ids[-1]

    async def _sweep(self) -> None:
        now = self._db.clock.now()
        if self._swept is not None and now - self._swept < timedelta(hours=1):
            return
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            await uow.fetch(_SWEEP, now - KEPT)
        self._swept = now


async def refresh(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Make the signatures of these tickets what they are to be now."""
    if not ids:
        return
    rows = await uow.fetch(_TICKETS, list(ids))
    wanted = [row for row in rows if _has_one(row, uow.now)]
    made = await asyncio.to_thread(lambda: [_signature(row) for row in wanted])
    kept = {row["id"] for row in wanted}
    await uow.fetch(_TAKE, [ident for ident in ids if ident not in kept])
    if made:
        await uow.fetch(_PUT, json.dumps(made, ensure_ascii=False))


def _has_one(row: Any, now: datetime) -> bool:
    if row["state"] in _GONE or is_sealed_matter(row["type"], row["confidentiality"]):
        return False
    return row["state"] in _LIVE or bool(row["created_at"] >= now - KEPT)


def _signature(row: Any) -> dict[str, Any]:
    text = features(row["title"], row["narrative"], row["address"])
    return {
        "ticket_id": row["id"],
        "created_at": row["created_at"].isoformat(),
        "terms": [term.replace("\x00", "") for term in terms_of(text)],
        "features": packed(text),
    }
