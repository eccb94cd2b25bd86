"""Other systems hear of tickets they may see: signed posts through the outbox, each once, again on demand.

A post says which ticket, what happened and how it stands, never a text or a person; details are read with
the client's token. Whether the client may see the ticket is asked when it is sent, not when it happened.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import outbox
from core.clock import Clock
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.events import EventBus
from core.ids import new_token
from core.notify.guard import Network, Resolve, check, resolve
from core.notify.ports import DeliveryFailed
from core.notify.webhook import Webhook
from core.outbox import OutboxMessage, OutboxWorker
from core.people.machines import Machine, MachineClient, machine_of
from core.people.models import Unit
from core.privacy import Vault
from tickets.events import TicketChanged, TicketCreated, TicketDispatched
from tickets.exchange.models import OuterTicket, WebhookDelivery, WebhookEndpoint
from tickets.exchange.numbers import seen_by
from tickets.models import Ticket, table_of
from tickets.states import FINAL, Action, State

logger = logging.getLogger(__name__)
_endpoint, _delivery = table_of(WebhookEndpoint), table_of(WebhookDelivery)
_client, _unit, _ticket = table_of(MachineClient), table_of(Unit), table_of(Ticket)
_outer = table_of(OuterTicket)
EVENT, DELIVER = "exchange.event", "exchange.deliver"
MOST = 20  # endpoints of one client
KEPT = timedelta(days=90)
LOOK_EVERY = 5.0  # seconds for which a node believes that nobody, or somebody, wants to hear


@dataclass(frozen=True)
class Delivery:
    """One post to one endpoint."""

    id: int
    event: str
    number: str
    created_at: datetime
    tries: int
    last_error: str | None
    delivered_at: datetime | None


def event_of(event: TicketCreated | TicketDispatched | TicketChanged) -> str:
    """What happened, in the words of a subscription."""
    if isinstance(event, TicketCreated):
        return "created"
    if isinstance(event, TicketDispatched):
        return "dispatched"
    if event.action == Action.EMERGENCY.value:
        return "emergency"
    ended = event.state in {state.value for state in FINAL - {State.ARCHIVED}}
    return "closed" if ended else "changed"


class Webhooks:
    """Subscriptions, what is sent for them, and sending it again."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        clock: Clock,
        *,
        allowed: Sequence[Network] = (),
        lookup: Resolve = resolve,
    ) -> None:
        """`allowed` are the inner networks the settings name; everything else inside is refused."""
        self._db, self._vault, self._clock = db, vault, clock
        self._allowed, self._lookup = allowed, lookup
        self._wanted, self._looked_at = False, float("-inf")

    def wire(self, bus: EventBus, worker: OutboxWorker) -> None:
        """Hear of tickets within their transactions; send from the outbox."""
        bus.within(TicketCreated, self.on_event)
        bus.within(TicketDispatched, self.on_event)
        bus.within(TicketChanged, self.on_event)
        worker.register(EVENT, self.fan_out)
        worker.register(DELIVER, self.deliver)

    # ---- subscriptions ----------------------------------------------------------------------

    async def subscribe(self, machine: Machine, url: str, events: Sequence[str]) -> tuple[int, str]:
        """A new endpoint; returns its id and the secret of its signatures.

        Raises `webhook_refused` (why) for an address that may not be called, `webhook_many`.
        """
        try:
            await check(url, self._allowed, self._lookup)
        except DeliveryFailed as error:
            raise HotlineError("webhook_refused", fields={"url": error.code}) from None
        async with self._db.begin() as uow:
            live = sa.select(sa.func.count()).where(
                _endpoint.c.client_id == machine.id, _endpoint.c.revoked_at.is_(None)
            )
            if (await uow.session.execute(live)).scalar_one() >= MOST:
                raise HotlineError("webhook_many", most=MOST)
            salt = new_token(16)
            values = {"client_id": machine.id, "url": url, "events": sorted(set(events)), "salt": salt}
            made = sa.insert(_endpoint).values(**values, created_at=uow.now).returning(_endpoint.c.id)
            ident = int((await uow.session.execute(made)).scalar_one())
        self._looked_at = float("-inf")
        return ident, self.secret_of(ident, salt)

    def secret_of(self, ident: int, salt: str) -> str:
        """The secret of an endpoint: made from the vault's key, so that it lies nowhere."""
        return self._vault.blind("webhook", f"{ident}:{salt}").hex()

    async def revoke(self, uow: UnitOfWork, machine: Machine, ident: int) -> None:
        """End an endpoint; what waits for it is not sent any more. Raises `not_found`."""
        mine = (
            _endpoint.c.id == ident,
            _endpoint.c.client_id == machine.id,
            _endpoint.c.revoked_at.is_(None),
        )
        done = sa.update(_endpoint).where(*mine).values(revoked_at=uow.now).returning(_endpoint.c.id)
        if (await uow.session.execute(done)).first() is None:
            raise HotlineError("not_found")

    async def replay(self, uow: UnitOfWork, machine: Machine, ident: int) -> None:
        """Send a delivery again, with the same id: its receiver can tell. Raises `not_found`."""
        query = (
            sa.select(_delivery.c.sent)
            .join(_endpoint, _endpoint.c.id == _delivery.c.endpoint_id)
            .where(_delivery.c.id == ident, _endpoint.c.client_id == machine.id)
            .where(_endpoint.c.revoked_at.is_(None))
            .with_for_update(of=_delivery)
        )
        sent = (await uow.session.execute(query)).scalar_one_or_none()
        if sent is None:
            raise HotlineError("not_found")
        await uow.session.execute(sa.update(_delivery).where(_delivery.c.id == ident).values(sent=sent + 1))
        await _enqueue(uow, ident, sent + 1)

    # ---- what happened ----------------------------------------------------------------------

    async def on_event(
        self, uow: UnitOfWork, event: TicketCreated | TicketDispatched | TicketChanged
    ) -> None:
        """Note it for later, if anybody wants to hear of tickets at all."""
        if not await self._somebody(uow):
            return
        told = {
            "ticket_id": event.ticket_id,
            "number": event.number,
            "version": event.version,
            "event": event_of(event),
            "action": "create" if isinstance(event, TicketCreated) else event.action,
            "state": event.state,
            "at": uow.now.isoformat(),
        }
        dedup = f"exchange:{event.ticket_id}:{event.version}:{told['action']}"
        await outbox.enqueue(uow, kind=EVENT, dedup=dedup, payload=told)

    async def _somebody(self, uow: UnitOfWork) -> bool:
        """Asked of the database every few seconds only: most nights nobody subscribes to anything."""
        if time.monotonic() - self._looked_at > LOOK_EVERY:
            query = "SELECT EXISTS (SELECT FROM webhook_endpoint WHERE revoked_at IS NULL) AS some"
            self._wanted = bool((await uow.look(query))[0]["some"])
            self._looked_at = time.monotonic()
        return self._wanted

    async def fan_out(self, message: OutboxMessage) -> None:
        """One delivery per endpoint that wants it and may know; a repetition makes none twice."""
        told = message.payload
        async with self._db.begin() as uow:
            for ident, machine in await self._endpoints(uow.session, told["event"]):
                if not await _sees(uow.session, machine, told["ticket_id"]):
                    continue
                values = {
                    "endpoint_id": ident,
                    "ticket_id": told["ticket_id"],
                    "event_key": message.dedup[:60],
                    "event": told["event"],
                    "told": await _told(uow.session, machine, told),
                    "created_at": uow.now,
                    "tries": 0,
                    "sent": 1,
                }
                made = insert(_delivery).values(**values)
                made = made.on_conflict_do_nothing(index_elements=["endpoint_id", "event_key"])
                returned = await uow.session.execute(made.returning(_delivery.c.id))
                delivery = returned.scalar_one_or_none()
                if delivery is not None:
                    await _enqueue(uow, delivery, 1)

    async def _endpoints(self, session: AsyncSession, event: str) -> list[tuple[int, Machine]]:
        query = (
            sa.select(_endpoint.c.id, MachineClient, Unit)
            .join(MachineClient, _client.c.id == _endpoint.c.client_id)
            .outerjoin(Unit, _unit.c.id == _client.c.unit_id)
            .where(_endpoint.c.revoked_at.is_(None), _client.c.revoked_at.is_(None))
            .where(_endpoint.c.events.contains([event]))
        )
        rows = (await session.execute(query)).all()
        return [(row[0], machine_of(row[1], row[2])) for row in rows]

    # ---- sending ----------------------------------------------------------------------------

    async def deliver(self, message: OutboxMessage) -> None:
        """Post one delivery; raising means: try again later. A revoked endpoint gets nothing."""
        ident = int(message.payload["delivery_id"])
        async with self._db.read() as session:
            query = (
                sa.select(_delivery.c.told, _endpoint.c.id, _endpoint.c.url, _endpoint.c.salt)
                .join(_endpoint, _endpoint.c.id == _delivery.c.endpoint_id)
                .join(_client, _client.c.id == _endpoint.c.client_id)
                .where(_delivery.c.id == ident)
                .where(_endpoint.c.revoked_at.is_(None), _client.c.revoked_at.is_(None))
            )
            row = (await session.execute(query)).first()
        if row is None:
            return
        secret = self.secret_of(row.id, row.salt)
        hook = Webhook(row.url, secret, self._clock, allowed=self._allowed, lookup=self._lookup)
        try:
            await hook.post(f"hl-{ident}", {"id": ident, **row.told})
        except DeliveryFailed as error:
            await self._note(ident, last_error=error.code[:60])
            raise
        await self._note(ident, last_error=None, delivered_at=self._clock.now())

    async def _note(self, ident: int, **values: Any) -> None:
        async with self._db.begin() as uow:
            tried = sa.update(_delivery).where(_delivery.c.id == ident)
            await uow.session.execute(tried.values(tries=_delivery.c.tries + 1, **values))


async def _enqueue(uow: UnitOfWork, delivery_id: int, nth: int) -> None:
    dedup, payload = f"exchange:{delivery_id}:{nth}", {"delivery_id": delivery_id}
    await outbox.enqueue(uow, kind=DELIVER, dedup=dedup, payload=payload)


async def _sees(session: AsyncSession, machine: Machine, ticket_id: int) -> bool:
    query = sa.select(_ticket.c.id).where(_ticket.c.id == ticket_id, seen_by(machine))
    return (await session.execute(query)).first() is not None


async def _told(session: AsyncSession, machine: Machine, told: dict[str, Any]) -> dict[str, Any]:
    """The body of a post: with the receiver's own number, without our ids."""
    query = sa.select(_outer.c.number).where(
        _outer.c.ticket_id == told["ticket_id"], _outer.c.client_id == machine.id
    )
    number = (await session.execute(query)).scalar_one_or_none()
    return {name: told[name] for name in told if name != "ticket_id"} | {"outer_number": number}


async def prune(uow: UnitOfWork) -> None:
    """Forget deliveries of more than 90 days ago."""
    await uow.session.execute(sa.delete(_delivery).where(_delivery.c.created_at < uow.now - KEPT))


async def endpoints_of(session: AsyncSession, machine: Machine) -> list[Any]:
    """The endpoints of a client, newest first."""
    query = sa.select(_endpoint).where(_endpoint.c.client_id == machine.id).order_by(_endpoint.c.id.desc())
    return list(await session.execute(query.limit(200)))


async def deliveries_of(
    session: AsyncSession, machine: Machine, endpoint_id: int, before: int | None, limit: int
) -> list[Delivery]:
    """The deliveries of an endpoint, newest first. Raises `not_found` for one of another client."""
    mine = sa.select(_endpoint.c.id).where(_endpoint.c.id == endpoint_id, _endpoint.c.client_id == machine.id)
    if (await session.execute(mine)).first() is None:
        raise HotlineError("not_found")
    names = ("id", "event", "created_at", "tries", "last_error", "delivered_at")
    query = (
        sa.select(*(_delivery.c[name] for name in names), _ticket.c.number)
        .join(_ticket, _ticket.c.id == _delivery.c.ticket_id)
        .where(_delivery.c.endpoint_id == endpoint_id)
        .order_by(_delivery.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(_delivery.c.id < before)
    return [Delivery(**row) for row in (await session.execute(query)).mappings()]


@dataclass(frozen=True)
class Subscription:
    """A subscription as its administrators see it; of the address only the host."""

    id: int
    client: str
    host: str
    events: tuple[str, ...]
    created_at: datetime
    revoked: bool
    delivered_at: datetime | None
    waiting: int
    last_error: str | None


async def subscriptions(session: AsyncSession, *, limit: int = 200) -> list[Subscription]:
    """Every subscription, the newest first, and how its last posts fared."""
    mine = _delivery.c.endpoint_id == _endpoint.c.id
    newest = sa.select(sa.func.max(_delivery.c.delivered_at)).where(mine)
    waiting = sa.select(sa.func.count()).where(mine, _delivery.c.delivered_at.is_(None))
    trouble = sa.select(_delivery.c.last_error).where(mine).order_by(_delivery.c.id.desc()).limit(1)
    over = sa.or_(_endpoint.c.revoked_at.is_not(None), _client.c.revoked_at.is_not(None))
    query = (
        sa.select(
            *(_endpoint.c[name] for name in ("id", "url", "events", "created_at")),
            _client.c.name,
            over.label("revoked"),
            newest.scalar_subquery().label("delivered_at"),
            waiting.scalar_subquery().label("waiting"),
            trouble.scalar_subquery().label("last_error"),
        )
        .join(_client, _client.c.id == _endpoint.c.client_id)
        .order_by(_endpoint.c.id.desc())
        .limit(limit)
    )
    rows = await session.execute(query)
    return [_subscription(row) for row in rows]


def _subscription(row: Any) -> Subscription:
    return Subscription(
        id=row.id,
        client=row.name,
        host=urlsplit(row.url).hostname or "",
        events=tuple(row.events),
        created_at=row.created_at,
        revoked=row.revoked,
        delivered_at=row.delivered_at,
        waiting=row.waiting,
        last_error=row.last_error,
    )
