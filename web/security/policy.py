"""Who may hear of an event: the one function every socket asks, for every event and recipient."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import Audience
from core.people.actor import Actor
from core.people.permissions import Permission


@dataclass(frozen=True)
class Recipient:
    """A signed-in person with the ids of the units at and below theirs."""

    actor: Actor
    units: frozenset[int]


def may_hear(recipient: Recipient, audience: Audience) -> bool:
    """True when the audience names the person, a permission they hold, or a unit they work for.

    A unit counts only for people who read what departments handle: a note about a district's ticket
    is not for everybody whose desk happens to stand above it in the tree.
    """
    actor = recipient.actor
    if actor.user_id is not None and actor.user_id in audience.users:
        return True
    if any(str(held) in audience.permissions for held in actor.permissions):
        return True
    return actor.may(Permission.TICKET_READ_UNIT) and not recipient.units.isdisjoint(audience.units)
