"""The suggestion for a ticket as the dispatch desk shows it, kept when it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from core.text import normalise
from routing.advice import kept_already
from routing.alike import Load, loads
from routing.suggest import Suggestion
from sla.pack_compare import in_words
from sla.plain import parsed
from tickets.limits import Matter
from tickets.queries import TicketPage
from tickets.states import Stage
from web.context import context


@dataclass(frozen=True)
class Shown:
    """What stands in the right column: the suggestion, the load of its units, the city's own clock."""

    suggestion: Suggestion
    loads: Mapping[int, Load]
    limit: str | None
    deciding: tuple[str, ...]
    ticket_id: int
    version: int
    kept: bool


async def advice_for(request: web.Request, session: AsyncSession, ticket: TicketPage) -> Shown:
    """The suggestion for a ticket this person was shown; `keep` is called when the reading is over."""
    ctx = context(request)
    found, version = await ctx.advice.of_ticket(session, ticket.id)
    units = [one.unit.id for one in found.candidates]
    matter = Matter(ticket.type, ticket.urgency, ticket.category_id, ticket.round)
    return Shown(
        found,
        await loads(session, units, ctx.clock.now()),
        _limit(ctx.tickets.limits.promise(Stage.TOTAL, matter, ctx.clock.now())),
        deciding_words(found, f"{ticket.title} {ticket.narrative}"),
        ticket.id,
        version,
        await kept_already(session, ticket.id, version, found),
    )


async def keep(request: web.Request, shown: Shown | None) -> None:
    """Keep what is shown unless the very same was kept before.

    Not while a session reads: a request that holds two connections can wait for itself.
    """
    if shown is None or shown.kept:
        return
    async with context(request).db.begin() as uow:
        await context(request).advice.keep(uow, shown.ticket_id, shown.version, shown.suggestion)


def _limit(text: str | None) -> str | None:
    return in_words(parsed(text)) if text else None


def deciding_words(found: Suggestion, text: str) -> tuple[str, ...]:
    """The words of the rule that fired and of the model's labels that stand in the text."""
    fired = found.decision.fired
    wanted = [*fired.rule.when.words, *fired.rule.when.subjects] if fired else []
    wanted += [word for label in found.labels[:1] for word in label.words]
    form = normalise(text)
    return tuple(dict.fromkeys(word for word in wanted if normalise(word) in form))
