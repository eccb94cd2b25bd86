"""The way a ticket's citizen is reached when he did not telephone. A port: who knows the ways is above."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from core.notify.ports import DeliveryFailed


class NoWay(DeliveryFailed):
    """This way reaches the citizen no more, and trying again will not help: the next one is taken."""


@dataclass(frozen=True)
class Way:
    """One citizen on one channel. `ref`: who it is, sealed. `stopped`: wants only what must be told."""

    channel: str
    dialogue_id: int
    ref: int
    stopped: bool


@dataclass(frozen=True)
class Parcel:
    """What is told: `text` is whole, the rest is for channels that fill a template."""

    key: str
    ticket_id: int
    event: str
    text: str
    at: datetime

    def __repr__(self) -> str:
        return f"Parcel(key={self.key!r})"


class Reach(Protocol):
    """Knows the channel a ticket came on."""

    async def way_of(self, session: AsyncSession, ticket_id: int) -> Way | None:
        """The way to the citizen; None when text messages are the only one."""
        ...

    async def tell(self, way: Way, parcel: Parcel) -> None:
        """Send. Raises `NoWay` for good, `DeliveryFailed` for now."""
        ...
