"""The models in force on this node: loaded from the database, asked in a thread, never in the event loop.

Every node follows the table of models and takes up what a person promoted within seconds. Without a model
there is no advice, and nothing waits for it.
"""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from classifier import registry
from classifier.advice import Advice
from classifier.model import Model
from core.db import Database
from core.jobs import follow

logger = logging.getLogger(__name__)
SECONDS = 5.0
Text = tuple[str, str]  # title, detail


@dataclass(frozen=True)
class Loaded:
    """A model that answers, and the row that pins it."""

    id: int
    digest: str
    model: Model


class Advisor:
    """Gives advice on texts; `active` is heard, `challenger` only kept beside it."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._db = db
        self._folder = folder
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="advice")
        self.active: Loaded | None = None
        self.challenger: Loaded | None = None

    async def load(self) -> None:
        """Take up what is in force now."""
        async with self._db.read() as session:
            wanted = await registry.in_state(session)
        self.active = await self._as_wanted(self.active, wanted.get(registry.ACTIVE))
        self.challenger = await self._as_wanted(self.challenger, wanted.get(registry.CHALLENGER))

    async def follow(self) -> None:
        """Load again and again until cancelled."""
        await follow(self.load, SECONDS, "models")

    async def advise(self, title: str, detail: str) -> Advice | None:
        """What the active model says; None without one, or without any text."""
        if self.active is None or not (title.strip() or detail.strip()):
            return None
        loop, model = asyncio.get_running_loop(), self.active.model
        return await loop.run_in_executor(self._threads, model.suggest, title, detail)

    async def advise_many(self, loaded: Loaded, texts: Sequence[Text]) -> list[Advice]:
        """What a model says of several texts, in their order."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, loaded.model.suggest_many, texts)

    async def _as_wanted(self, present: Loaded | None, wanted: tuple[int, str] | None) -> Loaded | None:
        if wanted is None:
            return None
        ident, digest = wanted
        if present is not None and present.id == ident:
            return present
        async with self._db.read() as session:
            parts = await registry.files(session, ident)
        model = await asyncio.to_thread(self._open, digest, parts)
        logger.info("model taken up", extra={"model_id": ident, "digest": digest[:12]})
        return Loaded(ident, digest, model)

    def _open(self, digest: str, parts: dict[str, bytes]) -> Model:
        """Lay the files down and load them; what does not have the digest of its row is refused."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            for name, data in parts.items():
                (Path(folder) / Path(name).name).write_bytes(data)
            return Model.load(Path(folder), digest)

    def close(self) -> None:
        """End the thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)
