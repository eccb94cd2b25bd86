"""What a person may do to a ticket now, and why not the rest: for the next-action bar and bulk bars."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from tickets import facts, guards, ticket_rows
from tickets.facts import Facts
from tickets.limits import Limits
from tickets.ticket_rows import Locked
from tickets.workflow import ACTION_LABELS, RULES, STATE_LABELS, Action, State, permits


@dataclass(frozen=True)
class Offer:
    """One action; `why` is None when it can be done, else `state` or the code of a guard."""

    action: Action
    why: str | None

    @property
    def label(self) -> str:
        """The word on the button."""
        return ACTION_LABELS[self.action]

    @property
    def allowed(self) -> bool:
        """Whether it can be done now."""
        return self.why is None

    @property
    def states(self) -> str:
        """The states in which it can be done, in words."""
        return "、".join(STATE_LABELS[state] for state in State if state in RULES[self.action].sources)


async def load(
    session: AsyncSession, actor: Actor, ticket_id: int, limits: Limits, now: datetime
) -> list[Offer]:
    """The offers for one ticket; raises `ticket_not_found`."""
    found = await ticket_rows.find(session, actor, ticket_id)
    return offers(actor, found, await facts.load(session, found.row, limits), now)


def offers(actor: Actor, found: Locked, known: Facts, now: datetime) -> list[Offer]:
    """Every action this person could ever do to this ticket, in the order of the table."""
    made = []
    for action, rule in RULES.items():
        if not permits(rule, actor.permissions, found.relations):
            continue
        if State(found.row.state) not in rule.sources:
            made.append(Offer(action, "state"))
        else:
            made.append(Offer(action, guards.refusal(action, found.row, known, actor, now)))
    return made
