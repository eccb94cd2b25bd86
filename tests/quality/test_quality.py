"""Draws, scores, appeals and calibrations in the database, and who may see what of them."""

import asyncio
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from sla.quality import calibrations, drawing, figures, queries
from sla.quality.drawing import DrawRules
from sla.quality.sampling import ORDER, RULE_WORDS, Rule, draw
from sla.quality.sheet import Item, agreement, spreads
from tests.quality.conftest import BEGIN, LAST_WEEK, Office

# ---- the draw -------------------------------------------------------------------------------


async def test_a_week_is_drawn_once_and_can_be_drawn_again_on_paper(office: Office) -> None:
    for n in range(12):
        await office.call("agent01" if n % 2 else "agent02", at=BEGIN + timedelta(hours=n))
    async with office.db.read() as session:
        pool = await drawing.candidates(session, LAST_WEEK, DrawRules())
        _, plan = await drawing.plan_in_force(session)
    assert await office.draw() == len(draw(pool, plan, 7))
    async with office.db.read() as session:
        rows = await session.execute(sa.text("SELECT call_session_id, user_id, rule FROM quality_case"))
        kept = {tuple(row) for row in rows}
        (told,) = await queries.draws(session, office.actors["inspector"])
    assert kept == {(one.call_id, one.agent_id, one.rule.value) for one in draw(pool, plan, 7)}
    assert (told.seed, told.candidates, told.waiting) == (7, 12, len(kept))
    with pytest.raises(HotlineError, match="quality_drawn"):
        await office.draw(seed=8)


async def test_two_who_draw_at_once_draw_once(office: Office) -> None:
    for n in range(6):
        await office.call("agent01", at=BEGIN + timedelta(hours=n))
    found = await asyncio.gather(office.draw(), office.draw(by="officer"), return_exceptions=True)
    assert sorted(isinstance(one, HotlineError) for one in found) == [False, True]
    assert len(await office.cases()) == len(set(await office.cases()))


async def test_only_recorded_answered_talks_of_the_week_are_drawn_and_never_sealed_ones(
    office: Office,
) -> None:
    good = await office.call("agent01")
    await office.call("agent01", recording=None)
    await office.call("agent01", outcome="abandoned")
    await office.call("agent01", talk=10)
    await office.call("agent01", direction="outbound")
    await office.call("agent01", at=BEGIN + timedelta(days=7))
    await office.ticket(await office.call("agent01"), confidentiality="secret")
    await office.ticket(await office.call("agent01"), type="report")
    async with office.db.read() as session:
        pool = await drawing.candidates(session, LAST_WEEK, DrawRules())
    assert [one.call_id for one in pool] == [good]


async def test_the_rules_know_low_scores_complaints_long_calls_and_new_staff(office: Office) -> None:
    low = await office.call("agent01", survey="1")
    await office.call("agent01", survey="5")
    complaint = await office.call("agent02")
    await office.ticket(complaint, type="complaint")
    long = await office.call("agent02", talk=361)
    unhappy = await office.call("agent02")
    ticket = await office.ticket(unhappy)
    async with office.db.begin() as uow:
        statement = sa.text(
            "INSERT INTO revisit (ticket_id, round, opened_at, mandatory, attempts, solved, note)"
            " VALUES (:ticket, 1, now(), false, 1, false, '')"
        )
        await uow.session.execute(statement, {"ticket": ticket})
    async with office.db.read() as session:
        pool = await drawing.candidates(session, LAST_WEEK, DrawRules())
        old = await drawing.candidates(session, LAST_WEEK, DrawRules(new_days=1))
    by_call = {one.call_id: one for one in pool}
    assert {call for call, one in by_call.items() if one.low} == {low, unhappy}
    assert {call for call, one in by_call.items() if one.complaint} == {complaint}
    assert {call for call, one in by_call.items() if one.long} == {long}
    assert all(one.new_staff for one in pool + old)  # accounts of the tests were made today


@pytest.mark.parametrize("week", [LAST_WEEK + timedelta(days=7), LAST_WEEK + timedelta(days=1)])
async def test_a_week_that_is_not_over_is_not_drawn(office: Office, week: date) -> None:
    await office.call("agent01")
    with pytest.raises(HotlineError, match="quality_week"):
        await office.draw(week)


async def test_a_week_without_calls_stays_to_be_drawn(office: Office) -> None:
    with pytest.raises(HotlineError, match="quality_no_calls"):
        await office.draw()
    await office.call("agent01")
    assert await office.draw() == 1


async def test_only_who_manages_draws_and_writes_rules(office: Office) -> None:
    await office.call("agent01")
    for login in ("agent01", "quality1", "inspector", "head"):
        with pytest.raises(HotlineError, match="forbidden"):
            await office.draw(by=login)
        async with office.db.begin() as uow:
            with pytest.raises(HotlineError, match="forbidden"):
                await drawing.save_plan(uow, office.actors[login], 1, {"random": 1})


# ---- scores ---------------------------------------------------------------------------------


async def drawn(office: Office, calls: int = 1) -> list[int]:
    for n in range(calls):
        await office.call("agent01", at=BEGIN + timedelta(hours=n))
    await office.draw()
    return await office.cases()


async def test_a_score_is_kept_with_its_sheet_and_the_agent_sees_it_without_the_reviewer(
    office: Office,
) -> None:
    (case,) = await drawn(office)
    agent = office.actors["agent01"]
    async with office.db.read() as session:
        assert await queries.own(session, agent) == []  # not before it is scored
    await office.score(case, points=5)
    async with office.db.read() as session:
        (item,) = await queries.own(session, agent)
        page = await queries.own_page(session, agent, case)
        full = await queries.case_page(session, office.actors["quality2"], case)
    assert (item.total, item.state, item.reviewer) == (full.item.total, "scored", None)
    assert [one.reviewer for one in page.scores] == ["质检员"]
    assert full.item.reviewer == "张quality1"
    assert page.scores[0].marks["greeting"] == 5


async def test_nobody_scores_his_own_call_nor_one_that_is_scored(office: Office) -> None:
    await office.call("leader")
    await office.draw(by="officer")
    (case,) = await office.cases()
    with pytest.raises(HotlineError, match="quality_own"):
        await office.score(case, by="leader")
    await office.score(case)
    with pytest.raises(HotlineError, match="quality_scored"):
        await office.score(case, by="quality2", version=2)
    with pytest.raises(HotlineError, match="version_conflict"):
        await office.score(case, by="quality2")


async def test_a_fatal_item_needs_words_and_makes_it_nothing(office: Office) -> None:
    (case,) = await drawn(office)
    given = await office.given(None, "rude", comment="")
    with pytest.raises(HotlineError, match="quality_comment"):
        async with office.db.begin() as uow:
            await office.quality.score(uow, office.actors["quality1"], case, 1, given)
    given = await office.given(None, "rude", comment="通话 02:10 顶撞来电人")
    async with office.db.begin() as uow:
        assert await office.quality.score(uow, office.actors["quality1"], case, 1, given) == 0


async def test_a_sheet_that_was_replaced_is_not_scored_by(office: Office) -> None:
    first, second = await drawn(office, 2)
    old = await office.given()
    await office.score(first)
    async with office.db.begin() as uow:
        items = [Item("greeting", "规范", "问候", 40), Item("answer", "业务", "解答", 60)]
        await drawing.save_sheet(uow, office.actors["leader"], old.sheet_id, items)
    with pytest.raises(HotlineError, match="quality_old_sheet"):
        async with office.db.begin() as uow:
            await office.quality.score(uow, office.actors["quality1"], second, 1, old)
    await office.score(second, points=20)
    async with office.db.read() as session:
        kept = (await queries.case_page(session, office.actors["leader"], first)).scores[0]
        found = await figures.by_item(session, office.actors["leader"], LAST_WEEK, LAST_WEEK)
    assert kept.sheet_id == old.sheet_id
    shares = {one.code: one.share for one in found}
    assert shares["greeting"] == pytest.approx(30 / 50)  # 10 of 10, then 20 of 40
    with pytest.raises(HotlineError, match="version_conflict"):
        async with office.db.begin() as uow:
            await drawing.save_sheet(uow, office.actors["officer"], old.sheet_id, items)


@pytest.mark.parametrize(
    "table", ["quality_sheet", "quality_plan", "quality_draw", "quality_score", "quality_step"]
)
async def test_what_was_written_is_never_edited(office: Office, table: str) -> None:
    (case,) = await drawn(office)
    await office.score(case)
    for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError):
            async with office.db.begin() as uow:
                await uow.session.execute(sa.text(statement))


# ---- appeals --------------------------------------------------------------------------------


async def appealed(
    office: Office, case: int, by: str = "agent01", reason: str = "已按规定问候，请复核"
) -> None:
    async with office.db.begin() as uow:
        await office.quality.appeal(uow, office.actors[by], case, reason)


async def decided(
    office: Office, case: int, by: str, *, points: int | None = None, anew: bool = False
) -> None:
    given = await office.given(points) if anew else None
    async with office.db.begin() as uow:
        await office.quality.decide(uow, office.actors[by], case, 3, answer="已复听录音", given=given)


async def test_another_reviewer_decides_and_the_course_is_kept(office: Office) -> None:
    (case,) = await drawn(office)
    await office.score(case, points=0)
    await appealed(office, case)
    with pytest.raises(HotlineError, match="quality_same_reviewer"):
        await decided(office, case, "quality1")
    await decided(office, case, "quality2", points=10, anew=True)
    async with office.db.read() as session:
        page = await queries.case_page(session, office.actors["inspector"], case)
        (one,) = await figures.by_agent(session, office.actors["inspector"], LAST_WEEK, LAST_WEEK)
    assert (page.item.state, str(page.item.total), len(page.scores)) == ("final", "100.0", 2)
    assert [word for _, word, _ in page.course] == ["抽取", "评分", "提出申诉", "改评"]
    assert page.appeal is not None
    assert page.appeal.outcome == "changed"
    assert (one.mean, one.appeals, one.changed) == (100.0, 1, 1)
    with pytest.raises(HotlineError, match="version_conflict"):
        await decided(office, case, "officer")


async def test_a_score_that_stands_is_final_and_not_appealed_twice(office: Office) -> None:
    (case,) = await drawn(office)
    await office.score(case, points=0)
    await appealed(office, case)
    with pytest.raises(HotlineError, match="quality_appealed"):
        await appealed(office, case)
    await decided(office, case, "leader")
    with pytest.raises(HotlineError, match="quality_appealed"):
        await appealed(office, case)


async def test_an_appeal_is_in_time_by_working_days(office: Office) -> None:
    """Scored on Monday: five working days are over at the end of work on the next Monday."""
    (case,) = await drawn(office)
    await office.score(case)
    async with office.db.read() as session:
        until = (await queries.case_page(session, office.actors["leader"], case)).item.appeal_until
    assert until is not None
    assert until - office.clock.now() > timedelta(days=6)
    office.clock.advance((until - office.clock.now()).total_seconds() + 1)
    with pytest.raises(HotlineError, match="quality_appeal_late"):
        await appealed(office, case)
    office.clock.step(-1)
    await appealed(office, case)


async def test_only_the_agent_himself_appeals_with_words(office: Office) -> None:
    (case,) = await drawn(office)
    with pytest.raises(HotlineError, match="quality_not_found"):  # not scored yet
        await appealed(office, case)
    await office.score(case)
    with pytest.raises(HotlineError, match="quality_not_found"):
        await appealed(office, case, by="agent02")
    with pytest.raises(HotlineError, match="quality_appeal_reason"):
        await appealed(office, case, reason="不服")


# ---- visibility -----------------------------------------------------------------------------


async def test_everybody_sees_what_he_may(office: Office) -> None:
    await office.call("agent01")
    await office.call("agent02")
    await office.call("leader")
    await office.draw(by="officer")
    for case in await office.cases():
        await office.score(case)
    seen = {}
    async with office.db.read() as session:
        for login, actor in office.actors.items():
            seen[login] = await _seen(session, actor)
    assert seen == {
        "agent01": {"agent01"}, "agent02": {"agent02"}, "leader": {"agent01", "agent02", "leader"},
        "officer": {"agent01", "agent02", "leader"}, "quality1": {"agent01", "agent02", "leader"},
        "quality2": {"agent01", "agent02", "leader"}, "inspector": {"agent01", "agent02", "leader"},
        "head": set(),
    }  # fmt: skip


async def _seen(session: AsyncSession, actor: Actor) -> set[str]:
    found = await queries.cases(session, actor, queries.Filters())
    return {one.agent.removeprefix("张") for one in found}


async def test_a_leader_does_not_see_his_own_call_before_it_is_scored(office: Office) -> None:
    await office.call("leader")
    await office.draw(by="officer")
    (case,) = await office.cases()
    async with office.db.read() as session:
        assert await queries.cases(session, office.actors["leader"], queries.Filters()) == []
        with pytest.raises(HotlineError, match="quality_not_found"):
            await queries.case_page(session, office.actors["leader"], case)
        with pytest.raises(HotlineError, match="forbidden"):
            await queries.case_page(session, office.actors["agent02"], case)


async def test_the_ticket_beside_names_nobody_and_goes_when_it_is_sealed(office: Office) -> None:
    call = await office.call("agent01")
    ticket = await office.ticket(call)
    await office.draw()
    (case,) = await office.cases()
    async with office.db.read() as session:
        page = await queries.case_page(session, office.actors["quality1"], case)
    assert page.ticket is not None
    assert "王小明" not in str(page)
    assert "13800001234" not in str(page)
    async with office.db.begin() as uow:
        statement = sa.text("UPDATE ticket SET confidentiality = 'secret' WHERE id = :id")
        await uow.session.execute(statement, {"id": ticket})
    async with office.db.read() as session:
        assert (await queries.case_page(session, office.actors["quality1"], case)).ticket is None


# ---- calibration ----------------------------------------------------------------------------


async def calibrated(office: Office, case: int, *members: str) -> int:
    async with office.db.begin() as uow:
        wanted = [office.id(login) for login in members]
        return await office.quality.calibrate(uow, office.actors["officer"], case, wanted)


async def blind(office: Office, calibration: int, by: str, points: int | None = None) -> None:
    given = await office.given(points)
    async with office.db.begin() as uow:
        await office.quality.blind_score(uow, office.actors[by], calibration, given)


async def test_scores_of_a_calibration_are_blind_until_it_is_closed(office: Office) -> None:
    (case,) = await drawn(office)
    await office.score(case, by="leader", points=1)
    ident = await calibrated(office, case, "quality1", "quality2")
    first, second = office.actors["quality1"], office.actors["quality2"]
    await blind(office, ident, "quality1", 10)
    async with office.db.read() as session:
        (item,) = await calibrations.calibrations(session, second)
        assert item.waits_for(second.user_id)
        assert await calibrations.blind_scores(session, second, item) == []
        assert [one.reviewer_id for one in await calibrations.blind_scores(session, first, item)] == [
            first.user_id
        ]
        page = await queries.case_page(session, second, case)
        assert (page.scores, page.item.total) == ((), None)  # nor what the leader gave before
    with pytest.raises(HotlineError, match="quality_calibration_few"):
        async with office.db.begin() as uow:
            await office.quality.close_calibration(uow, office.actors["officer"], ident)
    await blind(office, ident, "quality2", 6)
    async with office.db.begin() as uow:
        await office.quality.close_calibration(uow, office.actors["officer"], ident, "问候语从严")
    async with office.db.read() as session:
        (item,) = await calibrations.calibrations(session, second)
        scores = await calibrations.blind_scores(session, second, item)
        sheet = await drawing.sheet_by_id(session, item.sheet_id)
        page = await queries.case_page(session, second, case)
    found = spreads(sheet, [(one.marks, one.fatal) for one in scores])
    assert {one.code: one.spread for one in found}["greeting"] == 4
    assert agreement(found) == pytest.approx(9 / 10)
    assert page.item.total == page.scores[0].total  # the calibration changed nothing of the score
    with pytest.raises(HotlineError, match="quality_calibration_closed"):
        await blind(office, ident, "quality1")


async def test_a_calibration_asks_reviewers_once_each(office: Office) -> None:
    (case,) = await drawn(office)
    for members in (["quality1"], ["quality1", "agent02"], ["quality1", "quality1"]):
        with pytest.raises(HotlineError, match="quality_members"):
            await calibrated(office, case, *members)
    ident = await calibrated(office, case, "quality1", "quality2")
    with pytest.raises(HotlineError, match="quality_calibrated"):
        await calibrated(office, case, "quality1", "quality2")
    with pytest.raises(HotlineError, match="quality_not_found"):  # not asked
        await blind(office, ident, "leader")
    await blind(office, ident, "quality1")
    with pytest.raises(HotlineError, match="quality_scored"):
        await blind(office, ident, "quality1")


def test_every_rule_has_a_word() -> None:
    assert set(ORDER) == set(Rule) == set(RULE_WORDS)
