"""The models learn: a starter at the first start, then every night from what people decided.

Every ticket teaches the category it has in the end. Corrections, returns that led to another category and
rulings count more than others: of what they were first taken for they are the hard counterexamples. A night's
model is a challenger; people promote it. Training is the work of another process: the node answers meanwhile.
"""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from classifier import registry
from classifier.lessons import Lesson, train_apart
from classifier.models import CategoryAdvice
from classifier.registry import Trained
from core.apart import apart
from core.clock import to_city
from core.db import Database
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from core.settings import Classifier
from tickets.models import Category, Ticket, table_of
from tickets.states import State

logger = logging.getLogger(__name__)
_ticket, _category, _advice = table_of(Ticket), table_of(Category), table_of(CategoryAdvice)
# What these came to, people stand by; what runs may still be corrected.
OVER = (State.CLOSED, State.ARCHIVED, State.ANSWERED, State.INFORMED)
# A correction, a return that led to another category: what it was first taken for it is not.
_MISTAKEN = (
    sa.exists()
    .where(_advice.c.ticket_id == _ticket.c.id, _advice.c.chosen_id != _ticket.c.category_id)
    .label("mistaken")
)
FEW = 30  # local tickets of a category, below which the starter's texts help out


class Learning:
    """Trains when there is nothing yet, and every night; only the leader's node does."""

    def __init__(self, db: Database, lease: Lease, settings: Classifier) -> None:
        self._db = db
        self._lease = lease
        self._settings = settings
        self._begun = False  # a model was there once: it is not looked for again

    async def begin(self) -> None:
        """Where there never was a model: train the starter, which is then heard at once."""
        if self._begun or not self._settings.starter:
            return
        async with self._db.read() as session:
            self._begun = bool(await registry.listed(session))
            if self._begun:
                return
            codes = await _codes(session)
        # Of a tree of the city's own the starter knows nothing: it learns from its own tickets.
        await self._train([], codes, "starter", None, None)

    async def night(self) -> None:
        """A challenger from the tickets that are over, once there are enough of them."""
        lessons, first, last = await self.lessons()
        if len(lessons) < self._settings.least:
            logger.info("too few tickets to learn from", extra={"tickets": len(lessons)})
            return
        count = Counter(one.label for one in lessons)
        async with self._db.read() as session:
            codes = await _codes(session)
        few = frozenset(code for code in codes if count[code] < FEW)
        await self._train(lessons, few, "local", first, last)

    async def lessons(self) -> tuple[list[Lesson], date | None, date | None]:
        """Title, text and final category of what is over, the newest first, and the days they span."""
        since = self._db.clock.now() - timedelta(days=31 * self._settings.months)
        query = (
            sa.select(_ticket.c.title, _ticket.c.narrative, _category.c.code, _ticket.c.created_at, _MISTAKEN)
            .join(_category, _category.c.id == _ticket.c.category_id)
            .where(_ticket.c.state.in_([state.value for state in OVER]), _ticket.c.created_at >= since)
            .order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc())
            .limit(self._settings.most)
        )
        async with self._db.read() as session:
            rows = (await session.execute(query)).all()
        if not rows:
            return [], None, None
        lessons = [Lesson(row.title, row.narrative, row.code, hard=row.mistaken) for row in rows]
        return lessons, to_city(rows[-1].created_at).date(), to_city(rows[0].created_at).date()

    async def _train(
        self,
        lessons: Sequence[Lesson],
        helped: Collection[str],
        source: str,
        first: date | None,
        last: date | None,
    ) -> None:
        logger.info("training", extra={"source": source, "texts": len(lessons)})
        try:
            made = await apart(train_apart, list(lessons), helped)
        except HotlineError as error:
            logger.warning("nothing to learn from", extra={"why": error.code})
            return
        if made is None:
            return
        trained = Trained(made.digest, made.files, source, made.rows, first, last, made.figures)
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            ident = await registry.keep(uow, Actor.system("classifier"), trained)
        logger.info("trained", extra={"model_id": ident, "source": source})


async def _codes(session: AsyncSession) -> frozenset[str]:
    """The codes of the open categories."""
    return frozenset((await session.execute(sa.select(_category.c.code).where(_category.c.active))).scalars())
