"""What the parts of the seed share while they work."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Table, UnitOfWork
from core.privacy import Kind, PersonalValue, Vault
from core.settings import Settings
from routing.demo.people import Folk
from telephony.calls.counts import Agents
from telephony.intervals import Changes
from telephony.simulator.callers import citizen
from tickets.bulk import insert_rows, reserve_ids
from tickets.limits import Limits
from tickets.models import table_of

Row = dict[str, Any]


class Values:
    """Personal values in the making: one row per telephone, one per name and code."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._rows: list[Row] = []
        self._ids: Iterator[int] = iter(())
        self._phones: dict[int, int] = {}

    async def reserve(self, session: AsyncSession, count: int) -> None:
        """Room for `count` new values."""
        self._ids = await ids_for(session, PersonalValue, count)

    def phone(self, index: int, at: datetime) -> int:
        """The telephone of the invented citizen `index`."""
        if index not in self._phones:
            self._phones[index] = self.new("phone", citizen(index).number, at)
        return self._phones[index]

    def new(self, kind: Kind, value: str, at: datetime) -> int:
        """A row of its own for `value`; returns its id."""
        ident = next(self._ids)
        self._rows.append(self.vault.row(kind, value, at) | {"id": ident})
        return ident

    async def save(self, session: AsyncSession) -> None:
        """Write what was made since the last time."""
        await insert_rows(session, table_of(PersonalValue), self._rows)
        self._rows = []


@dataclass
class Making:
    """The transaction, the present, the chance, and what there is already."""

    uow: UnitOfWork
    now: datetime
    settings: Settings
    draw: random.Random
    values: Values
    limits: Limits
    folk: Folk = field(default_factory=Folk)
    categories: dict[str, int] = field(default_factory=dict)
    figures: Changes = field(init=False)

    def __post_init__(self) -> None:
        self.figures = Changes(self.settings.telephony.short_abandon_seconds)

    def count(self, call: Row, leg: Row | None = None) -> None:
        """A call that is over, in the figures of the telephone."""
        agents = Agents().plus(leg["talk_seconds"], leg["hold_seconds"]) if leg else Agents()
        self.figures.note(call | {"ended_at": None}, Agents(), call, agents)


async def ids_for(session: AsyncSession, model: type[Table], count: int) -> Iterator[int]:
    """`count` ids of a model's table, one after the other."""
    return iter(await reserve_ids(session, table_of(model), count) if count else ())
