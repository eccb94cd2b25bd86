"""The leader's watch over what comes in: groups of the last seven days, surges of today.

The groups are held in memory and can be made anew from the signatures at any time: whoever takes the lead
reads the last seven days once. Each round takes in what is new and judges the groups it touched.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from core.clock import CITY_ZONE, to_city
from core.db import Database
from core.leadership import Lease
from tickets.duplicates.clusters import Found, propose
from tickets.duplicates.ranking import example_of, is_theme, place_of
from tickets.duplicates.signatures import unpacked
from tickets.duplicates.stream import Stream
from tickets.duplicates.warning import WEEK, WEEKS_BEFORE, Judged, Told, judge, surge
from tickets.terms import TicketType
from tickets.visibility import SEALED_DEGREES

BATCH = 1000
OVERLAP = timedelta(hours=1)  # transactions end in another order than their tickets were made
SURGE_EVERY = timedelta(minutes=10)
WATCHED = ["danger", "crowd"]
_NEW = """
    SELECT ticket_id, created_at FROM ticket_signature
    WHERE (created_at, ticket_id) > ($1, $2) ORDER BY created_at, ticket_id LIMIT $3
"""
_FEATURES = """
    SELECT ticket_id, created_at, features FROM ticket_signature
    WHERE ticket_id = ANY($1::bigint[]) ORDER BY created_at, ticket_id
"""
_TOLD = """
    SELECT t.id, t.created_at, coalesce(t.phone_ref, -t.id) AS caller, t.title, t.address,
        left(t.narrative, 150) AS narrative,
        ARRAY(SELECT f.word FROM ticket_flag f WHERE f.ticket_id = t.id AND f.kind = ANY($2::text[])
            ORDER BY f.word) AS words
    FROM ticket t JOIN ticket_signature s ON s.ticket_id = t.id
    WHERE t.id = ANY($1::bigint[]) AND t.type <> ALL($3::text[]) ORDER BY t.created_at, t.id
"""
# Many who ask the same thing want an answer, and many who praise want none: neither is a common complaint.
NO_COMPLAINT = [TicketType.CONSULT.value, TicketType.PRAISE.value]
_PLAIN = "t.type <> $4 AND t.confidentiality <> ALL($5::text[]) AND t.state NOT IN ('void', 'withdrawn')"
_COUNTS = f"""
    SELECT t.category_id, w.week, count(*) AS n
    FROM generate_series(0, $3::int) AS w(week)
    JOIN ticket t ON t.created_at >= $1::timestamptz - w.week * interval '7 days'
        AND t.created_at <= $2::timestamptz - w.week * interval '7 days'
    WHERE {_PLAIN} GROUP BY t.category_id, w.week
"""  # noqa: S608 - a constant of this module
_OLDEST = "SELECT min(created_at) AS at FROM ticket"
_OF_CATEGORY = f"""
    SELECT t.id, t.created_at, coalesce(t.phone_ref, -t.id) AS caller, c.full_name
    FROM ticket t JOIN category c ON c.id = t.category_id
    WHERE t.created_at >= $1::timestamptz AND t.created_at <= $2::timestamptz AND t.category_id = $3
        AND {_PLAIN} ORDER BY t.created_at, t.id
"""  # noqa: S608 - a constant of this module


class ClusterWatch:
    """One round takes in what is new."""

    def __init__(self, db: Database, lease: Lease) -> None:
        self._db = db
        self._lease = lease
        self._epoch = -1
        self._stream = Stream(WEEK)
        self._upto: datetime | None = None
        self._surged: datetime | None = None

    async def tick(self) -> None:
        """For the ticker."""
        await self.run()

    async def run(self) -> int:
        """A round; returns how many clusters were proposed or grew."""
        if self._epoch != self._lease.epoch:
            self._epoch, self._stream, self._upto = self._lease.epoch, Stream(WEEK), None
        touched = await self._take_in()
        done = 0
        for group in sorted(touched):
            done += await self._judge(group)
        return done + await self._surges()

    async def _take_in(self) -> set[int]:
        now = self._db.clock.now()
        since = now - WEEK if self._upto is None else max(self._upto - OVERLAP, now - WEEK)
        keys: list[int] = []
        last, ident = since, 0
        while rows := await self._db.fetch(_NEW, last, ident, BATCH):
            last, ident = rows[-1]["created_at"], rows[-1]["ticket_id"]
            fresh = [row["ticket_id"] for row in rows if row["ticket_id"] not in self._stream]
            if fresh:
                await asyncio.to_thread(self._add, await self._db.fetch(_FEATURES, fresh))
            keys += fresh
            self._upto = max(last, self._upto or last)
        return {self._stream.group_of(key) for key in keys if key in self._stream}

    def _add(self, rows: Sequence[Any]) -> None:
        for row in rows:
            self._stream.add(row["ticket_id"], unpacked(row["features"]), row["created_at"])

    async def _judge(self, group: int) -> int:
        members = [int(str(key)) for key in self._stream.members(group)]
        if len(members) < 2:
            return 0
        rows = await self._db.fetch(_TOLD, members, WATCHED, NO_COMPLAINT)
        gone = set(members) - {row["id"] for row in rows}
        self._stream.forget(gone)  # sealed or withdrawn since, or no complaint
        judged = judge(
            [Told(row["id"], row["created_at"], row["caller"], tuple(row["words"])) for row in rows]
        )
        if judged is None:
            return 0
        title = example_of([row["title"] for row in rows])
        where = [f"{row['title']}，{row['address']}" for row in rows]
        if is_theme(where):
            return 0
        place = place_of(where) or place_of([row["narrative"] for row in rows])
        return await self._propose(Found(judged, tuple(row["id"] for row in rows), title, place))

    async def _propose(self, found: Found) -> int:
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            return int(await propose(uow, found) is not None)

    # ---- surges -----------------------------------------------------------------------------

    async def _surges(self) -> int:
        now = self._db.clock.now()
        if self._surged is not None and now - self._surged < SURGE_EVERY:
            return 0
        self._surged = now
        start = datetime.combine(to_city(now).date(), datetime.min.time(), CITY_ZONE)
        oldest = (await self._db.fetch(_OLDEST))[0]["at"]
        weeks = min(WEEKS_BEFORE, int((start - oldest) / WEEK)) if oldest else 0
        plain = (TicketType.REPORT.value, sorted(SEALED_DEGREES))
        counts: dict[int, dict[int, int]] = {}
        for row in await self._db.fetch(_COUNTS, start, now, weeks, *plain):
            counts.setdefault(row["category_id"], {})[row["week"]] = row["n"]
        done = 0
        for category, found in sorted(counts.items()):
            z = surge(found.get(0, 0), [found.get(week, 0) for week in range(1, weeks + 1)])
            if z is not None:
                done += await self._surge(category, start, now, z)
        return done

    async def _surge(self, category: int, start: datetime, now: datetime, z: float) -> int:
        plain = (TicketType.REPORT.value, sorted(SEALED_DEGREES))
        rows = await self._db.fetch(_OF_CATEGORY, start, now, category, *plain)
        if not rows:
            return 0
        callers = len({row["caller"] for row in rows})
        times = rows[0]["created_at"], rows[-1]["created_at"]
        judged = Judged("surge", callers, callers, callers, (), *times)
        ids = tuple(row["id"] for row in rows)
        title = f"{rows[0]['full_name']}：今日来电激增"
        return await self._propose(Found(judged, ids, title, "", "surge", z, category))
