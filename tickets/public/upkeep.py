"""What the portal no longer needs: sessions that are over, codes of before, files nobody came back for."""

from core.db import Database
from tickets.public import sessions, sign_in, waiting


class PortalUpkeep:
    """Run now and then by whichever node ticks."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def sweep(self) -> None:
        """Forget it."""
        async with self._db.begin() as uow:
            await sessions.prune(uow)
            await sign_in.prune(uow)
            await waiting.prune(uow)
