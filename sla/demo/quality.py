"""Two weeks of the demo city's quality: drawn, partly scored, some appealed against, one calibration."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import UserRole
from core.people.permissions import Role
from core.tables import table_of
from sla.demo.people import Cast
from sla.quality import drawing
from sla.quality.drawing import DrawRules
from sla.quality.models import QualityCase
from sla.quality.service import Given, QualityService
from sla.quality.sheet import Sheet
from telephony.shifts.hours import instant, monday_of, today

_case, _role = table_of(QualityCase), table_of(UserRole)
SEED = 12345
MOST_SCORED = 60  # of the week before last, a third of it of the last
WORDS = (
    "整体规范，继续保持。",
    "要素齐全，分类准确。",
    "结束语可再完整。",
    "复述确认不够，注意核对地点。",
    "解答依据充分。",
)
REASON = "已在通话开头报号问候，录音前两秒有杂音，申请复核。"
UPHELD, CHANGED = "已复听录音，问候语不完整，维持原评分。", "复听后确认问候规范，予以改评。"


@dataclass
class Room:
    """Reviewers at work in the past."""

    service: QualityService
    sheet_id: int
    sheet: Sheet
    draw: random.Random

    def given(self, *, strict: bool = False) -> Given:
        """Marks as they come: mostly full, a point or three off here and there."""
        chance = 0.45 if strict else 0.22
        marks: dict[str, int | None] = {}
        for item in self.sheet.weighed:
            off = self.draw.randint(1, max(1, item.points // 4)) if self.draw.random() < chance else 0
            marks[item.code] = item.points - off
        return Given(self.sheet_id, marks, (), self.draw.choice(WORDS))


async def make(uow: UnitOfWork, cast: Cast, service: QualityService) -> None:
    """Within the transaction that makes the city; without calls in these weeks there is nothing."""
    officer = await cast.actor(uow.session, None, Role.SUPERVISION_OFFICER.value)
    reviewers = await _reviewers(uow, cast)
    if officer is None or len(reviewers) < 2:
        return
    now = uow.now
    try:
        cases = await _draws(uow, officer)
        sheet_id, sheet = await drawing.sheet_in_force(uow.session)
        room = Room(service, sheet_id, sheet, random.Random(SEED))
        for place, (case, drawn_at) in enumerate(cases):
            uow.now = min(now, max(drawn_at, now - timedelta(hours=30) + timedelta(minutes=12 * place)))
            given = room.given(strict=place % 11 == 0)
            await service.score(uow, reviewers[place % 2], case, 1, given)
        uow.now = now
        await _appeals(uow, cast, room, [case for case, _ in cases], reviewers)
        await _calibration(uow, room, officer, [case for case, _ in cases], reviewers)
    finally:
        uow.now = now


async def _draws(uow: UnitOfWork, officer: Actor) -> list[tuple[int, datetime]]:
    """Two weeks drawn on the Monday after each; the calls to be scored, and since when they can be."""
    now, this = uow.now, monday_of(today(uow.now))
    found: list[tuple[int, datetime]] = []
    for weeks, most in ((2, MOST_SCORED), (1, MOST_SCORED // 3)):
        monday = this - timedelta(weeks=weeks)
        uow.now = min(instant(monday + timedelta(days=7), 9 * 60), now)
        try:
            async with uow.savepoint():
                await drawing.draw_week(uow, officer, monday, DrawRules(), SEED + weeks)
        except HotlineError:
            continue
        query = sa.select(_case.c.id).where(_case.c.monday == monday).order_by(sa.func.hashint8(_case.c.id))
        cases = (await uow.session.execute(query)).scalars().all()
        share = cases if weeks == 2 else cases[: len(cases) * 2 // 3]  # some of the last week still wait
        found += [(case, uow.now) for case in share[:most]]
    return found


async def _reviewers(uow: UnitOfWork, cast: Cast) -> list[Actor]:
    query = sa.select(_role.c.user_id).where(_role.c.role == Role.QUALITY_REVIEWER.value)
    ids = (await uow.session.execute(query.order_by(_role.c.user_id))).scalars()
    found = [await cast.people.actor_for_user(uow.session, one) for one in ids]
    return [one for one in found if one is not None]


async def _appeals(uow: UnitOfWork, cast: Cast, room: Room, cases: list[int], reviewers: list[Actor]) -> None:
    """One that waits, one that was upheld, one that changed the score."""
    for place, outcome in ((0, None), (11, "upheld"), (22, "changed")):
        if place >= len(cases):
            return
        row = (await uow.session.execute(sa.select(_case).where(_case.c.id == cases[place]))).one()
        agent = await cast.people.actor_for_user(uow.session, row.user_id)
        if row.state != "scored" or agent is None:
            continue
        await room.service.appeal(uow, agent, row.id, REASON)
        other = reviewers[(place + 1) % 2]
        if outcome == "upheld":
            await room.service.decide(uow, other, row.id, row.version + 1, answer=UPHELD)
        elif outcome == "changed":
            await room.service.decide(uow, other, row.id, row.version + 1, answer=CHANGED, given=room.given())


async def _calibration(
    uow: UnitOfWork, room: Room, officer: Actor, cases: list[int], reviewers: list[Actor]
) -> None:
    """One that was compared, one that waits for the second."""
    members = [one.user_id for one in reviewers[:2] if one.user_id is not None]
    for place, closed in ((5, True), (6, False)):
        if place >= len(cases):
            return
        ident = await room.service.calibrate(uow, officer, cases[place], members)
        for one in reviewers[: 2 if closed else 1]:
            await room.service.blind_score(uow, one, ident, room.given(strict=one is reviewers[1]))
        if closed:
            await room.service.close_calibration(uow, officer, ident, "问候语从严，复述确认以要素齐全为准。")
