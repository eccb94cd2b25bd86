"""Cards of the last days, issued when they fell due, most of them acknowledged since."""

import random
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial

import sqlalchemy as sa

from core.clock import to_city
from core.db import UnitOfWork
from sla import cards, posts
from sla.adopting import adopt
from sla.demo.agenda import Agenda
from sla.demo.people import Cast
from sla.models import Card, CardReceipt
from sla.plain import CityLimits
from sla.posts import Posts
from sla.sweep import issue_due
from tickets.models import table_of

_card, _receipt = table_of(Card), table_of(CardReceipt)
DAYS = 4
TOGETHER = timedelta(minutes=8)  # what falls due within is issued at once, as after a short standstill
SIGNED = 0.7  # of the posts; the others have not looked yet
MOST_SIGNED = 60
SEED = 12345
NOTES = ("", "", "", "已知悉，正在办理。", "已联系市民，明日前答复。", "已催促经办人。")
_NEXT = """
    SELECT alarm_at FROM ticket_stage WHERE ended_at IS NULL AND alarm_at IS NOT NULL
    ORDER BY alarm_at, id LIMIT 1
"""


@dataclass
class Dealt:
    """The clocks that run, from some days ago on."""

    uow: UnitOfWork
    limits: CityLimits
    cast: Cast
    agenda: Agenda
    known: Posts
    last: int = 0  # the last card that was looked at
    left: int = MOST_SIGNED
    draw: random.Random = field(default_factory=lambda: random.Random(SEED))

    @classmethod
    async def begin(cls, uow: UnitOfWork, limits: CityLimits, cast: Cast, agenda: Agenda) -> "Dealt":
        """Have the ladder look after every clock as if the service had begun `DAYS` ago."""
        while await adopt(uow, limits, agenda.now - timedelta(days=DAYS)):
            pass
        return cls(uow, limits, cast, agenda, await posts.load(uow.session))

    async def next(self) -> datetime | None:
        """When the next cards are issued."""
        rows = await self.uow.fetch(_NEXT)
        return rows[0]["alarm_at"] + TOGETHER if rows else None

    async def issue(self, uow: UnitOfWork) -> None:
        """Issue what is due at the transaction's instant, and see who will take note of it when."""
        await issue_due(uow, self.limits, self.known, uow.now)
        query = sa.select(_receipt.c.card_id, _receipt.c.unit_id, _receipt.c.post, _card.c.issued_at)
        query = query.join(_card, _card.c.id == _receipt.c.card_id).where(_card.c.id > self.last)
        for row in await uow.session.execute(query.order_by(_receipt.c.id)):
            self.last = row.card_id
            if self.left and self.draw.random() < SIGNED:
                self.left -= 1
                sign = partial(self._sign, card_id=row.card_id, unit_id=row.unit_id, post=row.post)
                self.agenda.note(self._looks(row.issued_at), sign)

    def _looks(self, issued: datetime) -> datetime:
        """Some time later, within office hours."""
        at = issued + timedelta(minutes=self.draw.randrange(6, 170))
        local = to_city(at)
        if time(8, 30) <= local.time() < time(18):
            return at
        morning = local + timedelta(days=int(local.hour >= 18))
        morning = morning.replace(hour=8, minute=32) + timedelta(minutes=self.draw.randrange(40))
        return morning.astimezone(issued.tzinfo)

    async def _sign(self, uow: UnitOfWork, *, card_id: int, unit_id: int | None, post: str) -> None:
        actor = await self.cast.actor(uow.session, unit_id, post)
        if actor is not None:
            await cards.acknowledge(uow, actor, card_id, self.draw.choice(NOTES))
