"""What the feed of 电子监察 is told of documents."""

from core.db import UnitOfWork
from sla.supervision.events import OrderMoved


async def write(uow: UnitOfWork, told: OrderMoved) -> None:
    """Append the step to the feed."""
