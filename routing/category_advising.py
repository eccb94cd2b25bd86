"""What the models say of new tickets is kept after the fact: making a ticket does not wait for it.

The leader follows the tickets by their numbers. The active model's advice is what people saw; the
challenger's is kept beside it, so that both can be compared on the same tickets.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from classifier.advice import Advice
from classifier.advisor import Advisor, Loaded
from classifier.models import AdviceProgress, CategoryAdvice
from core.db import Database
from core.leadership import Lease
from tickets.models import Ticket, table_of

logger = logging.getLogger(__name__)
_ticket, _advice, _progress = table_of(Ticket), table_of(CategoryAdvice), table_of(AdviceProgress)
BATCH = 50
# An id is taken before its row is committed: the newest tickets are left for the next tick.
SETTLED = timedelta(seconds=40)
LOOK_BACK = 2_000  # the first model of a city is not asked about its whole past


class Advising:
    """The tick that follows the tickets; only the leader's node writes."""

    def __init__(self, db: Database, advisor: Advisor, lease: Lease) -> None:
        self._db = db
        self._advisor = advisor
        self._lease = lease

    async def tick(self) -> None:
        """A batch, as long as this node leads and has a model."""
        await self.step()

    async def step(self) -> int:
        """Keep the advice on the next tickets; returns how many were looked at."""
        models = [one for one in (self._advisor.active, self._advisor.challenger) if one is not None]
        if not models:
            return 0
        rows = await self._next()
        if not rows:
            return 0
        texts = [(row.title, row.narrative) for row in rows]
        said = [(model, await self._advisor.advise_many(model, texts)) for model in models]
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            for model, advice in said:
                heard = model is self._advisor.active
                values = [
                    _values(row, model, one, heard, uow.now) for row, one in zip(rows, advice, strict=True)
                ]
                await uow.session.execute(insert(_advice).on_conflict_do_nothing(), values)
            passed = sa.update(_progress).where(_progress.c.step == "advice").values(ticket_id=rows[-1].id)
            await uow.session.execute(passed)
        return len(rows)

    async def _next(self) -> Sequence[Any]:
        newest = sa.select(sa.func.coalesce(sa.func.max(_ticket.c.id), 0) - LOOK_BACK).scalar_subquery()
        mark = sa.select(_progress.c.ticket_id).where(_progress.c.step == "advice").scalar_subquery()
        query = sa.select(_ticket.c.id, _ticket.c.title, _ticket.c.narrative, _ticket.c.category_id).where(
            _ticket.c.id > sa.func.greatest(mark, newest),
            _ticket.c.created_at < self._db.clock.now() - SETTLED,
        )
        async with self._db.read() as session:
            return (await session.execute(query.order_by(_ticket.c.id).limit(BATCH))).all()


def _values(row: Any, loaded: Loaded, advice: Advice, heard: bool, now: Any) -> dict[str, Any]:
    codes = [code for code, _ in advice.top]
    return {
        "ticket_id": row.id,
        "model_id": loaded.id,
        "advised_at": now,
        "heard": heard,
        "label": advice.label,
        "probability": advice.probability,
        "second": codes[1] if len(codes) > 1 else "",
        "third": codes[2] if len(codes) > 2 else "",
        "gate": advice.gate.value,
        "words": [[reason.word, reason.weight] for reason in advice.reasons],
        "likeness": advice.cosine,
        "chosen_id": row.category_id,
    }
