"""The codes of the categories, kept in memory: limits ask for them by the thousand, without a query.

A node reads them when it starts and every few seconds; a change of the tree is rare, and a limit is asked
for long after the category was made. An id nobody read yet has no codes: it counts like any other category.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Database
from core.jobs import follow
from tickets.models import Category, table_of

SECONDS = 10.0
_category = table_of(Category)


class CategoryCodes:
    """Category id → its code and those above it, nearest first."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._codes: dict[int, tuple[str, ...]] = {}

    def __call__(self, category_id: int) -> Sequence[str]:
        return self._codes.get(category_id, ())

    async def load(self) -> None:
        """Read the tree as it is now."""
        async with self._db.read() as session:
            self._codes = await read_codes(session)

    async def follow(self) -> None:
        """Read again and again until cancelled; a database out of reach leaves what was read."""
        await follow(self.load, SECONDS, "categories")


async def read_codes(session: AsyncSession) -> dict[int, tuple[str, ...]]:
    """Category id → its code and those above it, nearest first."""
    query = sa.select(_category.c.id, _category.c.code, _category.c.path)
    rows = (await session.execute(query)).all()
    code = {row.id: row.code for row in rows}
    return {row.id: _chain(row.path, code) for row in rows}


def _chain(path: str, code: dict[int, str]) -> tuple[str, ...]:
    """`.1.12.120.` as codes, the category's own first."""
    ids = [int(part) for part in path.split(".") if part]
    return tuple(code[ident] for ident in reversed(ids) if ident in code)
