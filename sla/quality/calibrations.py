"""Calibrations: several score the same call, and see each other's scores when it is closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.tables import table_of
from sla.quality.models import (
    QualityCalibration,
    QualityCase,
    QualityMember,
    QualityScore,
)
from sla.quality.queries import ScoreItem

_case, _score = table_of(QualityCase), table_of(QualityScore)
_calibration, _member, _user = table_of(QualityCalibration), table_of(QualityMember), table_of(User)


@dataclass(frozen=True)
class CalibrationItem:
    """A calibration with who has scored; scores themselves show when it is closed."""

    id: int
    case_id: int
    sheet_id: int
    agent_id: int
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    note: str
    members: tuple[tuple[int, str, bool], ...]  # id, name, has scored

    @property
    def done(self) -> int:
        return sum(scored for _, _, scored in self.members)

    def waits_for(self, user_id: int | None) -> bool:
        """Whether this person is asked and has not scored yet."""
        return self.closed_at is None and any(who == user_id and not done for who, _, done in self.members)

    def member(self, user_id: int | None) -> bool:
        return any(who == user_id for who, _, _ in self.members)


async def calibrations(
    session: AsyncSession, actor: Actor, calibration_id: int | None = None, limit: int = 30
) -> list[CalibrationItem]:
    """The last calibrations, or the one; not those of one's own calls."""
    actor.require(Permission.QUALITY_READ)
    names = ("id", "case_id", "sheet_id", "opened_at", "closed_at", "note")
    query = (
        sa.select(*(_calibration.c[name] for name in names), _user.c.name.label("opened_by"), _case.c.user_id)
        .join(_case, _case.c.id == _calibration.c.case_id)
        .join(_user, _user.c.id == _calibration.c.opened_by)
        .where(_case.c.user_id != actor.user_id)
        .order_by(_calibration.c.id.desc())
        .limit(limit)
    )
    if calibration_id is not None:
        query = query.where(_calibration.c.id == calibration_id)
    rows = (await session.execute(query)).all()
    members = await _members(session, [row.id for row in rows])
    return [
        CalibrationItem(
            **{name: getattr(row, name) for name in (*names, "opened_by")},
            agent_id=row.user_id,
            members=tuple(members.get(row.id, ())),
        )
        for row in rows
    ]


async def _members(session: AsyncSession, ids: Sequence[int]) -> dict[int, list[tuple[int, str, bool]]]:
    scored = sa.exists().where(
        _score.c.calibration_id == _member.c.calibration_id, _score.c.reviewer_id == _member.c.user_id
    )
    query = (
        sa.select(_member.c.calibration_id, _member.c.user_id, _user.c.name, scored.label("scored"))
        .join(_user, _user.c.id == _member.c.user_id)
        .where(_member.c.calibration_id.in_(ids))
        .order_by(_user.c.login)
    )
    found: dict[int, list[tuple[int, str, bool]]] = {}
    for row in await session.execute(query):
        found.setdefault(row.calibration_id, []).append((row.user_id, row.name, row.scored))
    return found


async def blind_scores(session: AsyncSession, actor: Actor, item: CalibrationItem) -> list[ScoreItem]:
    """What this person may see of a calibration: all when it is closed, before that only his own."""
    plain = [name for name in ScoreItem.__dataclass_fields__ if name != "reviewer"]
    query = (
        sa.select(*(_score.c[name] for name in plain), _user.c.name.label("reviewer"))
        .join(_user, _user.c.id == _score.c.reviewer_id)
        .join(_calibration, _calibration.c.id == _score.c.calibration_id)
        .where(
            _score.c.calibration_id == item.id,
            sa.or_(_calibration.c.closed_at.is_not(None), _score.c.reviewer_id == actor.user_id),
        )
        .order_by(_user.c.login)
    )
    return [ScoreItem(**row._mapping) for row in await session.execute(query)]
