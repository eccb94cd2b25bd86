"""Copies of small tables kept in the process, read again when the version row has moved.

Every change of a part of the catalogue goes through `touch` in its own transaction. A copy is asked
for its version at most once a second, so that a hot path costs no query; `now=True` asks at once.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Pool, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.catalog.models import CatalogVersion
from core.db import UnitOfWork

REST_SECONDS = 1.0
V = TypeVar("V")


async def touch(uow: UnitOfWork, name: str) -> None:
    """Say within `uow` that the part `name` changed; writers of the same part wait for one another."""
    statement = insert(CatalogVersion).values(name=name, version=1)
    statement = statement.on_conflict_do_update(
        index_elements=["name"], set_={"version": col(CatalogVersion.version) + 1}
    )
    await uow.session.execute(statement)


@dataclass
class _Held(Generic[V]):
    version: int
    asked: float
    value: V


class Copy(Generic[V]):
    """A value computed from a part of the catalogue, one per database."""

    def __init__(self, name: str, load: Callable[[AsyncSession], Awaitable[V]]) -> None:
        self._name = name
        self._load = load
        self._held: WeakKeyDictionary[Pool, _Held[V]] = WeakKeyDictionary()

    async def get(self, source: AsyncSession | UnitOfWork, *, now: bool = False) -> V:
        """The present value; up to a second old unless `now`. Not for a transaction that changes the part."""
        pool = (source.engine if isinstance(source, UnitOfWork) else source.get_bind().engine).pool
        held = self._held.get(pool)
        if held is not None and not now and time.monotonic() - held.asked < REST_SECONDS:
            return held.value
        session, asked = source.session if isinstance(source, UnitOfWork) else source, time.monotonic()
        query = select(col(CatalogVersion.version)).where(col(CatalogVersion.name) == self._name)
        version = int((await session.execute(query)).scalar_one_or_none() or 0)
        if held is None or held.version != version:
            held = _Held(version, asked, await self._load(session))
        held.asked = asked
        self._held[pool] = held
        return held.value
