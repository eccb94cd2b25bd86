"""The leader's work: what writers put down becomes facts and sums, a few thousand steps at a time.

The last word on a fact wins, and sums move by the difference between the facts before and after, so that
folding the same steps in one batch or in ten ends the same, and a fact that is put down twice counts once.
"""

import logging

from core.db import Database, UnitOfWork
from core.leadership import Lease
from sla.measures.events import Folded
from sla.measures.recount import Recount

logger = logging.getLogger(__name__)
BATCH = 4_000
CHUNKS = 2  # of a count from history, between two folds

# ruff: noqa: E501 - the lines of SQL
FOLD = """
    WITH taken AS (
        DELETE FROM measure_delta WHERE id IN (SELECT id FROM measure_delta ORDER BY id LIMIT $1) RETURNING *
    ), star AS (
        SELECT DISTINCT ref_id, record FROM taken WHERE code = '*'
    ), last AS (
        SELECT DISTINCT ON (ref_id, code, seq, record) * FROM taken WHERE code <> '*'
        ORDER BY ref_id, code, seq, record, id DESC
    ), old AS (
        SELECT f.* FROM last l JOIN measure_fact f USING (ref_id, code, seq, record)
        UNION
        SELECT f.* FROM star s JOIN measure_fact f USING (ref_id, record) WHERE NOT f.left_out
    ), fresh AS (
        SELECT l.ref_id, l.code, l.seq, l.record, l.day, l.unit_id,
            coalesce(split_part(c.path, '.', 2)::bigint, 0) AS category_id, l.district_id, l.type,
            l.left_out OR s.ref_id IS NOT NULL AS left_out
        FROM last l LEFT JOIN category c ON c.id = l.category_id
        LEFT JOIN star s ON s.ref_id = l.ref_id AND s.record = l.record
        WHERE l.n > 0
        UNION ALL
        SELECT o.ref_id, o.code, o.seq, o.record, o.day, o.unit_id, o.category_id, o.district_id, o.type, true
        FROM old o JOIN star s USING (ref_id, record)
        WHERE NOT EXISTS (SELECT 1 FROM last l WHERE l.ref_id = o.ref_id AND l.code = o.code
                          AND l.seq = o.seq AND l.record = o.record)
    ), gone AS (
        DELETE FROM measure_fact f USING last l
        WHERE l.n < 0 AND f.ref_id = l.ref_id AND f.code = l.code AND f.seq = l.seq AND f.record = l.record
    ), kept AS (
        INSERT INTO measure_fact (ref_id, code, seq, record, day, unit_id, category_id, district_id, type, left_out)
        SELECT ref_id, code, seq, record, day, unit_id, category_id, district_id, type, left_out FROM fresh
        ON CONFLICT (ref_id, code, seq, record) DO UPDATE SET day = excluded.day, unit_id = excluded.unit_id,
            category_id = excluded.category_id, district_id = excluded.district_id, type = excluded.type,
            left_out = excluded.left_out
    ), change AS (
        SELECT code, day, unit_id, category_id, district_id, type, left_out, -1 AS n FROM old
        UNION ALL
        SELECT code, day, unit_id, category_id, district_id, type, left_out, 1 FROM fresh
    ), moved AS (
        SELECT scope, code, grain, start, key, left_out, sum(n) AS n FROM change {spread}
        GROUP BY scope, code, grain, start, key, left_out HAVING sum(n) <> 0
    ), summed AS (
        INSERT INTO measure_sum AS m (scope, code, grain, start, key, left_out, n)
        SELECT scope, code, grain, start, key, left_out, n FROM moved
        ORDER BY scope, code, grain, start, key, left_out
        ON CONFLICT (scope, code, grain, start, key, left_out) DO UPDATE SET n = m.n + excluded.n
    )
    SELECT count(*) AS taken FROM taken
"""
# One fact counts in all of these rows. What is open is asked by its day alone, of all and of a unit.
SPREAD = """
    CROSS JOIN LATERAL (VALUES ('all', ''), ('unit', unit_id::text), ('category', category_id::text),
        ('district', district_id::text), ('type', type)) AS by (scope, key)
    CROSS JOIN LATERAL (VALUES ('d', day), ('w', date_trunc('week', day)::date),
        ('m', date_trunc('month', day)::date)) AS grained (grain, start)
    WHERE (key NOT IN ('0', '') OR scope = 'all' OR (scope = 'unit' AND code LIKE 'open%'))
        AND (code NOT LIKE 'open%' OR (grain = 'd' AND scope IN ('all', 'unit')))
"""
_FOLD = FOLD.replace("{spread}", SPREAD)
_UNCOUNTED = "SELECT 1 FROM measure_count WHERE upto IS NOT NULL OR records_upto IS NOT NULL"
_EMPTY = "DELETE FROM measure_sum WHERE n = 0"


class Folding:
    """What the leader does every second or two."""

    def __init__(self, db: Database, lease: Lease) -> None:
        self._db = db
        self._lease = lease
        self._recount = Recount(db, lease)

    async def run(self) -> int:
        """Fold everything there is; returns how many steps that were."""
        done = 0
        while await self._waits():
            async with self._db.begin() as uow:
                await self._lease.fence(uow)
                taken = await fold(uow)
                if taken < BATCH:
                    await uow.emit(Folded())
            done += taken
            if taken < BATCH:
                break
        if await self._uncounted():
            for _ in range(CHUNKS):
                if not await self._recount.run():
                    break
        return done

    async def _uncounted(self) -> bool:
        """Whether there are tickets of before that nobody counted."""
        return bool(await self._db.fetch(_UNCOUNTED))

    async def _waits(self) -> bool:
        return bool(await self._db.fetch("SELECT 1 FROM measure_delta LIMIT 1"))


async def fold(uow: UnitOfWork, most: int = BATCH) -> int:
    """One batch in this transaction; returns how many steps it took. One at a time: see the lease."""
    rows = await uow.fetch(_FOLD, most)
    taken = int(rows[0]["taken"])
    if taken:
        await uow.fetch(_EMPTY)
    return taken
