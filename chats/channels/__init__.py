"""The ways on which a conversation reaches a citizen, one file each, behind one interface.

A channel is handed the id of a message within the transaction that writes it. The web asks for what is
new by itself; text messages go through the outbox, so that none is lost and none is sent before the commit.
"""

from collections.abc import Iterable
from typing import Protocol

from core.db import UnitOfWork


class Channel(Protocol):
    """One way to the citizen."""

    name: str

    async def hand_over(self, uow: UnitOfWork, chat_id: int, key: str) -> None:
        """A message of ours was written; `key` is its own within the conversation."""
        ...


class Channels:
    """The channels by name."""

    def __init__(self, channels: Iterable[Channel]) -> None:
        self._channels = {channel.name: channel for channel in channels}

    async def hand_over(self, uow: UnitOfWork, name: str, chat_id: int, key: str) -> None:
        """Give a message to its channel; where a channel is out of use, it stays written all the same."""
        channel = self._channels.get(name)
        if channel is not None:
            await channel.hand_over(uow, chat_id, key)
