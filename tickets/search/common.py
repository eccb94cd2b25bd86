"""How common pairs of characters are, as the database's own statistics say.

Looking a pair up costs as much as texts have it, and a few rare pairs say nearly as much about where a
phrase is as all of them. The statistics are only advice: what a search finds does not hang on them.
"""

import time
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

FRESH_SECONDS = 600
ENOUGH = 4  # pairs of a phrase that are looked up when it is known how common each is
_QUERY = sa.text(
    """
    SELECT CAST(CAST(most_common_elems AS text) AS text[]) AS pairs, most_common_elem_freqs AS shares
    FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'ticket_text' AND attname = 'tsv'
    """
)


class Statistics:
    """The shares of texts that have a pair, for the most common pairs; read anew every ten minutes."""

    def __init__(self) -> None:
        self._shares: Mapping[str, float] = {}
        self._read_at: float | None = None

    async def shares(self, session: AsyncSession) -> Mapping[str, float]:
        """Pair → share of the texts (0 … 1); what is not in it is rarer than all that are."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > FRESH_SECONDS:
            self._read_at = now
            row = (await session.execute(_QUERY)).first()
            # Behind the shares stand their least, their most and the share of nulls.
            self._shares = dict(zip(row.pairs, row.shares, strict=False)) if row and row.pairs else {}
        return self._shares


STATISTICS = Statistics()


def telling(pairs: list[str], shares: Mapping[str, float]) -> list[str]:
    """The rarest of `pairs`; all of them when nothing is known."""
    if not shares:
        return pairs
    return sorted(pairs, key=lambda pair: shares.get(pair, 0.0))[:ENOUGH]
