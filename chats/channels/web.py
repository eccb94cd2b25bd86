"""The citizen's page: it asks for what is new by itself, so there is nothing to send."""

from core.db import UnitOfWork


class WebChannel:
    """The page of the conversation."""

    name = "web"

    async def hand_over(self, uow: UnitOfWork, chat_id: int, key: str) -> None:
        """Nothing to do: the page reads the table."""
