"""Two kinds of events: within the writer's transaction, and after its commit.

*Within* handlers share the writer's unit of work: what must never exist without the other
(a ticket and its clock, a call and its draft) is written together, and their failure undoes the
write. *After* handlers run once the commit is safe; their failure is logged and hurts nobody.
A `LiveEvent` is also a row of the event log, written in the same transaction, from which every
node feeds its screens. What must not be lost on its way out goes through `core.outbox`.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from core.db import UnitOfWork

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """Something that happened. Subclasses carry ids and codes, never personal values."""


@dataclass(frozen=True)
class Audience:
    """Who may hear of it: any of these users, people of these units or above, holders of a permission."""

    users: tuple[int, ...] = ()
    units: tuple[int, ...] = ()
    permissions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, list[Any]]:
        return {"users": list(self.users), "units": list(self.units), "permissions": list(self.permissions)}


@dataclass(frozen=True)
class LiveNote:
    """What screens are told: small, so that each decides whether to fetch its own fragment."""

    topic: str
    kind: str
    ref: int
    version: int
    audience: Audience
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LiveEvent(Event):
    """An event that screens want to know of."""

    @property
    def live(self) -> LiveNote:
        """The note for the event log."""
        raise TypeError(f"{type(self).__name__} does not say what its screens are told")


E = TypeVar("E", bound=Event)
Within = Callable[["UnitOfWork", Any], Awaitable[None]]
After = Callable[[Any], Awaitable[None]]


class EventBus:
    """Handlers by event type; a handler of a base class hears its subclasses too."""

    def __init__(self) -> None:
        self._within: dict[type[Event], list[Within]] = defaultdict(list)
        self._after: dict[type[Event], list[After]] = defaultdict(list)

    def within(self, kind: type[E], handler: Callable[["UnitOfWork", E], Awaitable[None]]) -> None:
        """Run `handler` inside the transaction of whoever emits `kind`."""
        self._within[kind].append(handler)

    def after(self, kind: type[E], handler: Callable[[E], Awaitable[None]]) -> None:
        """Run `handler` after the commit of whoever emitted `kind`."""
        self._after[kind].append(handler)

    async def run_within(self, uow: "UnitOfWork", event: Event) -> None:
        """Call the within-handlers in the order they were wired; the first failure goes up."""
        for kind in type(event).__mro__:
            for handler in self._within.get(kind, ()):
                await handler(uow, event)

    async def run_after(self, event: Event) -> None:
        """Call the after-handlers; each failure is logged and the next one runs."""
        for kind in type(event).__mro__:
            for handler in self._after.get(kind, ()):
                try:
                    await handler(event)
                except Exception:
                    logger.exception("after-commit handler failed", extra={"event": type(event).__name__})
