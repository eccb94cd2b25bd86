"""What the ticket room asks of whoever counts: take note of each step. The answer lives in `sla`."""

from typing import Protocol

from core.db import UnitOfWork
from tickets.measures import Move, Noted


class Measures(Protocol):
    """Who counts. Called in the writer's transaction, which waits for nothing but its own writes."""

    async def moved(self, uow: UnitOfWork, move: Move) -> None:
        """A ticket took a step."""
        ...

    async def noted(self, uow: UnitOfWork, record: Noted) -> None:
        """A contact ended as a record."""
        ...


class Uncounted:
    """Nobody counts."""

    async def moved(self, uow: UnitOfWork, move: Move) -> None:
        """Nothing."""

    async def noted(self, uow: UnitOfWork, record: Noted) -> None:
        """Nothing."""
