"""How common terms are among signatures, as the database's own statistics say; read anew every ten minutes.

Advice only: without statistics every term counts as rare, and what is found is the same while it is little.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from tickets.duplicates.likeness import Weigher

FRESH_SECONDS = 600
_QUERY = sa.text(
    """
    SELECT CAST(CAST(s.most_common_elems AS text) AS text[]) AS terms, s.most_common_elem_freqs AS shares,
        greatest(c.reltuples, 0) AS texts
    FROM pg_class c LEFT JOIN pg_stats s
        ON s.schemaname = current_schema() AND s.tablename = c.relname AND s.attname = 'terms'
    WHERE c.oid = to_regclass('ticket_signature')
    """
)


@dataclass(frozen=True)
class Known:
    """`texts` signatures, and the share of them (0 … 1) that has a common term."""

    texts: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def weigher(self) -> Weigher:
        """The weights of terms: of words, and of pairs of places without their mark."""
        counts = {term.lstrip("@"): share * self.texts for term, share in self.shares.items()}
        return Weigher(counts, self.texts)


class Statistics:
    """The statistics, kept for ten minutes."""

    def __init__(self) -> None:
        self._known = Known()
        self._read_at: float | None = None

    async def known(self, session: AsyncSession) -> Known:
        """What is known now."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > FRESH_SECONDS:
            self._read_at = now
            row = (await session.execute(_QUERY)).first()
            if row is not None:
                shares = dict(zip(row.terms, row.shares, strict=False)) if row.terms else {}
                self._known = Known(float(row.texts), shares)
        return self._known


STATISTICS = Statistics()
