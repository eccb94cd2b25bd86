"""Who has to acknowledge a card: the named posts of the ladder, found up the org tree."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.people.models import Unit, User, UserRole
from core.people.permissions import Role
from sla.ladder import Post
from tickets.states import Stage, State

SUPERVISION = Role.SUPERVISION_OFFICER
# Stages that are the hotline's own work: who does it, and who stands above.
_OF_HOTLINE: dict[Stage, tuple[Role, Role]] = {
    Stage.ACCEPT: (Role.DISPATCHER, Role.SHIFT_LEADER),
    Stage.DISPATCH: (Role.DISPATCHER, Role.SHIFT_LEADER),
    Stage.RETURN_RULING: (Role.DISPATCHER, Role.SHIFT_LEADER),
    Stage.CHECK: (Role.DISPATCHER, Role.SHIFT_LEADER),
    Stage.CALL_BACK: (Role.CALLBACK_OFFICER, Role.SHIFT_LEADER),
    Stage.DECISION: (SUPERVISION, SUPERVISION),
    Stage.EXCLUSION: (SUPERVISION, SUPERVISION),
}


@dataclass(frozen=True)
class Named:
    """A post: of a unit, or of the hotline (no unit)."""

    unit_id: int | None
    role: Role


@dataclass(frozen=True)
class Posts:
    """The tree as far as it matters: every unit's way up, and which units have which posts filled."""

    above: Mapping[int, tuple[int, ...]]  # unit → itself and those above it, nearest first
    filled: frozenset[Named]
    _found: dict[Any, tuple[Named, ...]] = field(default_factory=dict, repr=False, compare=False)

    def owner(self, stage: Stage, state: str, unit_id: int | None) -> int | None:
        """The unit a clock is charged to; None: the hotline."""
        if stage is Stage.DECISION and state == State.CLOSING_REVIEW.value:
            return unit_id
        return None if stage in _OF_HOTLINE else unit_id

    def named(
        self, stage: Stage, state: str, unit_id: int | None, posts: tuple[Post, ...]
    ) -> tuple[Named, ...]:
        """Who has to acknowledge, without repetition; supervision when nobody holds any of the posts."""
        asked = (stage, state, unit_id, posts)
        if asked not in self._found:
            owner = self.owner(stage, state, unit_id)
            found = [self._one(stage, state, owner, post) for post in posts]
            named = dict.fromkeys(one for one in found if one is not None)
            if not any(self._held(one) for one in named):
                named[Named(None, SUPERVISION)] = None  # it must reach somebody
            self._found[asked] = tuple(named)
        return self._found[asked]

    def _one(self, stage: Stage, state: str, owner: int | None, post: Post) -> Named | None:
        if post is Post.SUPERVISION:
            return Named(None, SUPERVISION)
        if owner is None:
            doer, leader = _OF_HOTLINE.get(stage, _OF_HOTLINE[Stage.DISPATCH])
            if state == State.RULING.value:
                doer = leader = SUPERVISION
            return Named(None, doer if post is Post.OFFICER else leader)
        if stage is Stage.DECISION:  # closings are decided by the head
            return self._nearest(owner, Role.DEPT_HEAD) or Named(owner, Role.DEPT_HEAD)
        if post is Post.OFFICER:
            return self._nearest(owner, Role.DEPT_OFFICER) or Named(owner, Role.DEPT_OFFICER)
        head = self._nearest(owner, Role.DEPT_HEAD)
        if post is Post.HEAD:
            return head or Named(owner, Role.DEPT_HEAD)
        return self._nearest(head.unit_id, Role.DEPT_HEAD, itself=False) if head else None

    def _held(self, post: Named) -> bool:
        """Whether somebody has it; those of the hotline are taken to be held."""
        return post.unit_id is None or post in self.filled

    def _nearest(self, unit_id: int | None, role: Role, *, itself: bool = True) -> Named | None:
        """The unit itself if the post is filled there, else the nearest one above."""
        way = self.above.get(unit_id or 0, ())
        ways = (Named(one, role) for one in (way if itself else way[1:]))
        return next((one for one in ways if one in self.filled), None)


async def load(session: AsyncSession) -> Posts:
    """The tree and its posts of this moment."""
    units = (await session.execute(sa.select(col(Unit.id), col(Unit.path)))).all()
    above = {row.id: tuple(int(one) for one in row.path.strip(".").split("."))[::-1] for row in units}
    roles = (Role.DEPT_OFFICER, Role.DEPT_HEAD)
    query = (
        sa.select(col(User.unit_id), col(UserRole.role))
        .join(UserRole, col(UserRole.user_id) == col(User.id))
        .where(col(User.active), col(UserRole.role).in_([role.value for role in roles]))
        .distinct()
    )
    filled = frozenset(Named(row.unit_id, Role(row.role)) for row in (await session.execute(query)).all())
    return Posts(above, filled)
