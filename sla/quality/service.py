"""Scores, appeals and calibrations: every write of them, with the course of each call.

A score is appended with its sheet's version. Who scored first never decides the appeal, nobody scores a
call of his own, and in a calibration nobody's score shows before it is closed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.tables import table_of
from sla.calendar import Calendar
from sla.clocks import Limit, Unit, add
from sla.quality import drawing, queries, sheet
from sla.quality.models import (
    QualityAppeal,
    QualityCalibration,
    QualityCase,
    QualityMember,
    QualityScore,
    QualityStep,
)
from sla.quality.sheet import Marks

_case, _score, _step = table_of(QualityCase), table_of(QualityScore), table_of(QualityStep)
_appeal, _calibration = table_of(QualityAppeal), table_of(QualityCalibration)
_member = table_of(QualityMember)
MAX_TEXT, FEWEST, MOST_MEMBERS = 2000, 2, 12


@dataclass(frozen=True)
class Given:
    """What a reviewer gives: points by item (None: does not apply), fatal items found, words."""

    sheet_id: int
    marks: Marks
    fatal: tuple[str, ...] = ()
    comment: str = ""


class QualityService:
    """Writes with the calendar in force; `appeal_days`: working days an agent may appeal within."""

    def __init__(self, calendar: Callable[[], Calendar], appeal_days: int) -> None:
        self._calendar = calendar
        self.appeal_days = appeal_days

    # ---- scoring --------------------------------------------------------------------------

    async def score(self, uow: UnitOfWork, actor: Actor, case_id: int, version: int, given: Given) -> Decimal:
        """The first score of a drawn call; the agent may appeal from now on.

        Raises `forbidden`, `quality_not_found`, `version_conflict`, `quality_own`, `quality_scored`,
        `quality_old_sheet`, `quality_marks`, `quality_comment`.
        """
        actor.require(Permission.QUALITY_REVIEW)
        case = await _locked(uow, actor, case_id, version)
        if case.state != "drawn":
            raise HotlineError("quality_scored")
        total = await self._give(uow, actor, case_id, "review", given)
        until = add(self._calendar(), uow.now, Limit(self.appeal_days, Unit.WORKING_DAY))
        await _move(
            uow, actor, case, "score", state="scored", total=total, fatal=bool(given.fatal),
            reviewer_id=actor.user_id, scored_at=uow.now, appeal_until=until,
        )  # fmt: skip
        return total

    async def _give(
        self,
        uow: UnitOfWork,
        actor: Actor,
        case_id: int,
        kind: str,
        given: Given,
        calibration: int | None = None,
        wanted: int | None = None,
    ) -> Decimal:
        """Append a score by the sheet in force, or by `wanted`."""
        newest, form = await drawing.sheet_in_force(uow.session)
        if wanted is not None:
            newest, form = wanted, await drawing.sheet_by_id(uow.session, wanted)
        if given.sheet_id != newest:
            raise HotlineError("quality_old_sheet", sheet_id=newest)
        sheet.check_marks(form, given.marks, given.fatal)
        if len(given.comment) > MAX_TEXT or (given.fatal and len(given.comment.strip()) < 2):
            raise HotlineError("quality_comment")
        total = sheet.total(form, given.marks, given.fatal)
        await uow.session.execute(
            sa.insert(_score).values(
                case_id=case_id, kind=kind, calibration_id=calibration, reviewer_id=actor.user_id,
                sheet_id=newest, marks=dict(given.marks), fatal=list(given.fatal), total=total,
                comment=given.comment.strip(), at=uow.now,
            )
        )  # fmt: skip
        return total

    # ---- appeals --------------------------------------------------------------------------

    async def appeal(self, uow: UnitOfWork, actor: Actor, case_id: int, reason: str) -> None:
        """The agent does not accept the score.

        Raises `quality_not_found` (none of his), `quality_appealed`, `quality_appeal_late`,
        `quality_appeal_reason`.
        """
        actor.require(Permission.SHIFT_OWN)
        query = sa.select(_case).where(_case.c.id == case_id, _case.c.user_id == actor.user_id)
        case = (await uow.session.execute(query.with_for_update())).first()
        if case is None or case.state == "drawn":
            raise HotlineError("quality_not_found", case_id=case_id)
        if case.state != "scored":
            raise HotlineError("quality_appealed")
        if uow.now > case.appeal_until:
            raise HotlineError("quality_appeal_late")
        text = reason.strip()
        if not 5 <= len(text) <= MAX_TEXT:
            raise HotlineError("quality_appeal_reason")
        await uow.session.execute(
            sa.insert(_appeal).values(case_id=case_id, reason=text, asked_at=uow.now, answer="")
        )
        await _move(uow, actor, case, "appeal", state="appealed")

    async def decide(
        self,
        uow: UnitOfWork,
        actor: Actor,
        case_id: int,
        version: int,
        *,
        answer: str,
        given: Given | None = None,
    ) -> None:
        """Another reviewer lets the score stand, or scores anew (`given`), always with an answer.

        Raises `forbidden`, `quality_not_found`, `version_conflict`, `quality_own`, `quality_same_reviewer`,
        `quality_not_appealed`, `quality_answer`, and those of a score.
        """
        actor.require(Permission.QUALITY_REVIEW)
        case = await _locked(uow, actor, case_id, version)
        if case.state != "appealed":
            raise HotlineError("quality_not_appealed")
        if case.reviewer_id == actor.user_id:
            raise HotlineError("quality_same_reviewer")
        text = answer.strip()
        if not 2 <= len(text) <= MAX_TEXT:
            raise HotlineError("quality_answer")
        changed: dict[str, Any] = {}
        if given is not None:
            total = await self._give(uow, actor, case_id, "appeal", given)
            changed = {"total": total, "fatal": bool(given.fatal)}
        outcome = "upheld" if given is None else "changed"
        values = {"decided_at": uow.now, "decided_by": actor.user_id, "outcome": outcome, "answer": text}
        await uow.session.execute(sa.update(_appeal).where(_appeal.c.case_id == case_id).values(**values))
        await _move(uow, actor, case, outcome, state="final", **changed)

    # ---- calibration ----------------------------------------------------------------------

    async def calibrate(self, uow: UnitOfWork, actor: Actor, case_id: int, members: Sequence[int]) -> int:
        """Ask several reviewers to score the call without seeing each other; returns the calibration.

        Raises `forbidden`, `quality_not_found`, `quality_calibrated`, `quality_members`.
        """
        actor.require(Permission.QUALITY_MANAGE)
        case = await _locked(uow, actor, case_id)
        wanted = sorted(set(members))
        able = {who for who, _ in await queries.reviewers(uow.session) if who != case.user_id}
        if not FEWEST <= len(wanted) <= MOST_MEMBERS or not set(wanted) <= able:
            raise HotlineError("quality_members", least=FEWEST, most=MOST_MEMBERS)
        there = sa.select(_calibration.c.id).where(_calibration.c.case_id == case_id)
        if (await uow.session.execute(there)).first() is not None:
            raise HotlineError("quality_calibrated")
        sheet_id, _ = await drawing.sheet_in_force(uow.session)
        values = {"case_id": case_id, "sheet_id": sheet_id, "opened_at": uow.now, "opened_by": actor.user_id}
        made = sa.insert(_calibration).values(note="", **values).returning(_calibration.c.id)
        ident = int((await uow.session.execute(made)).scalar_one())
        rows = [{"calibration_id": ident, "user_id": who} for who in wanted]
        await uow.session.execute(sa.insert(_member), rows)
        await _told(uow, actor, case_id, "calibrate")
        return ident

    async def blind_score(self, uow: UnitOfWork, actor: Actor, calibration_id: int, given: Given) -> None:
        """One member's score, once.

        Raises `quality_not_found`, `quality_calibration_closed`, `quality_scored`, and those of a score.
        """
        actor.require(Permission.QUALITY_REVIEW)
        row = await _open_calibration(uow, calibration_id)
        asked = sa.select(_member.c.user_id).where(
            _member.c.calibration_id == calibration_id, _member.c.user_id == actor.user_id
        )
        if (await uow.session.execute(asked)).first() is None:
            raise HotlineError("quality_not_found", calibration_id=calibration_id)
        done = sa.select(_score.c.id).where(
            _score.c.calibration_id == calibration_id, _score.c.reviewer_id == actor.user_id
        )
        if (await uow.session.execute(done)).first() is not None:
            raise HotlineError("quality_scored")
        await self._give(uow, actor, row.case_id, "calibration", given, calibration_id, row.sheet_id)

    async def close_calibration(
        self, uow: UnitOfWork, actor: Actor, calibration_id: int, note: str = ""
    ) -> None:
        """Show everybody's scores. Raises `forbidden`, `quality_calibration_few` (fewer than two scored)."""
        actor.require(Permission.QUALITY_MANAGE)
        row = await _open_calibration(uow, calibration_id)
        count = (
            sa.select(sa.func.count()).select_from(_score).where(_score.c.calibration_id == calibration_id)
        )
        if (await uow.session.execute(count)).scalar_one() < FEWEST:
            raise HotlineError("quality_calibration_few", least=FEWEST)
        values = {"closed_at": uow.now, "note": note.strip()[:500]}
        closing = sa.update(_calibration).where(_calibration.c.id == calibration_id).values(**values)
        await uow.session.execute(closing)
        await _told(uow, actor, row.case_id, "calibrated")


async def _locked(uow: UnitOfWork, actor: Actor, case_id: int, version: int | None = None) -> Any:
    """The case, locked, as it was seen, and of somebody else."""
    row = (await uow.session.execute(sa.select(_case).where(_case.c.id == case_id).with_for_update())).first()
    if row is None:
        raise HotlineError("quality_not_found", case_id=case_id)
    if row.user_id == actor.user_id:
        raise HotlineError("quality_own")
    if version is not None and row.version != version:
        raise HotlineError("version_conflict", object_type="quality_case", version=row.version)
    return row


async def _open_calibration(uow: UnitOfWork, calibration_id: int) -> Any:
    query = sa.select(_calibration).where(_calibration.c.id == calibration_id).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("quality_not_found", calibration_id=calibration_id)
    if row.closed_at is not None:
        raise HotlineError("quality_calibration_closed")
    return row


async def _move(uow: UnitOfWork, actor: Actor, case: Any, step: str, **values: Any) -> None:
    changed = sa.update(_case).where(_case.c.id == case.id).values(version=case.version + 1, **values)
    await uow.session.execute(changed)
    await _told(uow, actor, case.id, step)


async def _told(uow: UnitOfWork, actor: Actor, case_id: int, step: str) -> None:
    values = {"case_id": case_id, "at": uow.now, "step": step, "actor_id": actor.user_id, "note": ""}
    await uow.session.execute(sa.insert(_step).values(**values))
    await audit.record(
        uow, actor=actor, action=f"quality.{step}", object_type="quality_case", object_id=case_id
    )
