"""Who may hear of an event: the one function every socket asks, for every event and recipient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from core.events import Audience
from core.people.actor import Actor
from core.people.permissions import Permission


@dataclass(frozen=True)
class Rights:
    """What people of one post at one desk hear alike: permissions, and units where they read by unit."""

    permissions: frozenset[str]
    units: frozenset[int]

    def hear(self, audience: Audience) -> bool:
        """True when the audience names one of these permissions or units."""
        return not (
            self.permissions.isdisjoint(audience.permissions) and self.units.isdisjoint(audience.units)
        )


@dataclass(frozen=True)
class Recipient:
    """A signed-in person with the ids of the units at and below theirs."""

    actor: Actor
    units: frozenset[int]

    @cached_property
    def rights(self) -> Rights:
        """What the person hears of not by name.

        A unit counts only for people who read what departments handle: a note about a district's ticket
        is not for everybody whose desk happens to stand above it in the tree.
        """
        reads = self.actor.may(Permission.TICKET_READ_UNIT)
        return Rights(frozenset(map(str, self.actor.permissions)), self.units if reads else frozenset())


def may_hear(recipient: Recipient, audience: Audience) -> bool:
    """True when the audience names the person, a permission they hold, or a unit they work for."""
    user_id = recipient.actor.user_id
    return (user_id is not None and user_id in audience.users) or recipient.rights.hear(audience)
