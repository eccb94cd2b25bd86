"""The market: register, ratings, complaints without complainants, credit events, blacklist."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.clock import ManualClock
from core.people.actor import Actor
from core.people.permissions import Role
from routing.advice import AdviceService
from routing.suggest import Suggestion
from tests.numbers import uscc
from tests.tickets.conftest import PASSWORD, SYSTEM, City, Refused
from tickets.intermediaries import blacklist, cases, credit, lists, queries, ratings, register, upkeep
from tickets.intermediaries.register import Licence, Said
from tickets.intermediaries.scope import Market
from tickets.intermediaries.terms import (
    DECISIONS,
    WAY,
    Credit,
    Listing,
    Move,
    led_to,
    months_later,
    standing,
)

USCC, NAME = uscc(), "桂林阳朔测绘服务有限公司"
DAY = date(2026, 11, 23)


@dataclass
class Fair:
    """The small city with a market: the waterworks run it, the lights' bureau has one trade."""

    city: City
    market: Market
    house: int
    people: dict[str, Actor] = field(default_factory=dict)

    async def do(self, work: Any, *given: Any, **more: Any) -> Any:
        """One act in a transaction of its own."""
        async with self.city.db.begin() as uow:
            return await work(uow, *given, **more)

    async def complaint(self, **over: Any) -> int:
        """A complaint about the house that lies with the lights' bureau."""
        about = {"type": "complaint", "subject_name": NAME, "title": "测绘收费不合理"}
        return (await self.city.dispatched("lights", **(about | over))).id

    async def closed(self, **over: Any) -> int:
        """A complaint the bureau has dealt with."""
        ident = await self.complaint(**over)
        async with self.city.db.begin() as uow:
            values = "closed_as = 'handled', state = 'closed', stage = NULL, closed_at = now()"
            await uow.session.execute(sa.text(f"UPDATE ticket SET {values} WHERE id = {ident}"))
        return ident

    async def propose(self) -> int:
        told = {"finding": "false_report", "reason": "两次出具虚假报告", "months": 12}
        return int(await self.do(blacklist.propose, self.people["lights"], self.market, self.house, **told))

    async def decide(self, who: str, entry: int, version: int, move: Move) -> Listing:
        later = self.city.limits.later
        return await self.do(  # type: ignore[no-any-return]  # what the work returns
            blacklist.decide, self.people[who], self.market, entry, version, move, "依据材料",
            later=later, appeal_days=10,
        )  # fmt: skip

    async def told(self) -> list[str]:
        async with self.city.db.read() as session:
            rows = await session.execute(sa.text("SELECT kind FROM intermediary_credit_event ORDER BY id"))
            return [row[0] for row in rows]


@pytest.fixture
async def fair(city: City) -> Fair:
    market = Market(city.unit("water"))
    more = (
        ("agency", Role.INTERMEDIARY, "water"),
        ("rival", Role.INTERMEDIARY, "water"),
        ("water_head", Role.DEPT_HEAD, "water"),
    )
    people = dict(city.actors)
    async with city.db.begin() as uow:
        said = Said(USCC, NAME, "测绘", city.unit("lights"), "中山中路 1 号")
        house = await register.save(uow, people["water"], market, said)
        for login, role, unit in more:
            ident = await city.people.create_user(
                uow, SYSTEM, login=login, name=login, password=PASSWORD, unit_id=city.unit(unit),
                roles=frozenset({role}),
            )  # fmt: skip
            found = await city.people.actor_for_user(uow.session, ident)
            assert found is not None
            people[login] = found
        await register.link(uow, people["water"], market, house, "agency")
        other = await register.save(
            uow, people["water"], market, Said(uscc("91450300MA5K0A111"), "另一家公司", "测绘", said.unit_id)
        )
        await register.link(uow, people["water"], market, other, "rival")
    return Fair(city, market, house, people)


# ---- the register --------------------------------------------------------------------------------


async def test_the_register_checks_what_it_takes_and_who_says_it(fair: Fair, refused: Refused) -> None:
    people, unit = fair.people, fair.city.unit("lights")
    wrong = await refused(
        "form_invalid",
        fair.do(register.save, people["water"], fair.market, Said("91450300MA5K0A0001", "甲", "测绘", unit)),
    )
    assert wrong["fields"] == {"uscc": "bad_uscc", "name": "required"}
    again = Said(f" {USCC.lower()} ", "别的名字", "测绘", unit)
    await refused("intermediary_known", fair.do(register.save, people["lights"], fair.market, again))
    foreign = Said(uscc("91450300MA5K0A222"), "象山测绘", "测绘", fair.city.unit("xiangshan"))
    await refused("forbidden", fair.do(register.save, people["lights"], fair.market, foreign))
    await refused("forbidden", fair.do(register.save, people["agent"], fair.market, foreign))
    assert await fair.do(register.save, people["supervision"], fair.market, foreign)


async def test_every_change_is_a_step_nobody_edits(fair: Fair) -> None:
    change = Said(USCC, NAME, "工程测绘", fair.city.unit("lights"))
    await fair.do(
        register.save, fair.people["lights"], fair.market, change, intermediary_id=fair.house, version=1
    )
    async with fair.city.db.read() as session:
        acts = [row.act for row in await queries.steps(session, fair.house)]
    assert acts == ["changed", "account", "registered"]
    audited = "SELECT count(*) FROM audit_log WHERE action = 'intermediary.changed'"
    assert await fair.city.scalar(audited) == 1
    for table in ("intermediary_step", "intermediary_credit_event", "intermediary_rating"):
        await fair.do(credit.tell, fair.house, Credit.REVOKED)
        if table == "intermediary_rating":
            number = await fair.do(register.issue_service, fair.people["water"], fair.market, fair.house, DAY)
            await fair.do(ratings.by_service, number, 5)
        with pytest.raises(DBAPIError):
            async with fair.city.db.begin() as uow:
                await uow.session.execute(sa.text(f"DELETE FROM {table}"))


async def test_a_list_says_what_is_wrong_and_does_the_same_twice_once(fair: Fair) -> None:
    units = {"lights": fair.city.unit("lights")}
    head = ",".join(lists.COLUMNS.values())
    new = uscc("91450300MA5K0A333")
    text = "\n".join(
        (
            head,
            f"{new},桂林甲评估所,评估,lights,,,资产评估资格,P-1,2024-01-01,2027-01-01",
            f"{new},桂林甲评估所,评估,lights,,,房地产估价资格,P-2,2024-01-01,",
            f"{new},另一个名字,评估,lights,,,估价资格,P-3,,",
            "123,乙,评估,nobody,,,,,,",
            f"{uscc('91450300MA5K0A444')},丙评估所,评估,lights,,,资格,P-4,2027-01-01,2026-01-01",
        )
    )
    steps = lists.steps(text, units, {}, {})
    assert [step.effect for step in steps] == ["new", "new", "wrong", "wrong", "wrong"]
    assert "不一致" in steps[2].why
    assert "主管部门" in steps[3].why
    assert "早于" in steps[4].why
    taken = lists.entries(lists.steps("\n".join(text.splitlines()[:3]), units, {}, {}))
    water = fair.people["water"]
    first = await fair.do(register.take, water, fair.market, taken)
    again = await fair.do(register.take, water, fair.market, taken)
    assert (first.added, first.licences, again.added, again.changed, again.licences) == (1, 2, 0, 0, 0)


# ---- routing -------------------------------------------------------------------------------------


async def suggestion(fair: Fair, ident: int) -> Suggestion:
    async with fair.city.db.read() as session:
        advice = AdviceService(fair.city.db.clock, operator="water")
        return (await advice.of_ticket(session, ident))[0]


@pytest.mark.parametrize(
    "about",
    [
        {"subject_name": "桂林阳朔测绘服务（有限）公司"},
        {"subject_name": "", "subject_uscc": USCC},
        {"subject_name": "那家测绘公司", "subject_uscc": USCC},
    ],
)
async def test_a_matter_about_a_registered_house_is_suggested_to_its_department(
    fair: Fair, about: dict[str, Any]
) -> None:
    ident = (await fair.city.ticket(type="complaint", **about)).id
    first = (await suggestion(fair, ident)).candidates[0]
    assert (first.unit.code, [one.code for one in first.co]) == ("lights", ["water"])
    assert first.reasons[0].source == "register"
    assert "测绘" in first.reasons[0].text
    assert "协办" in first.reasons[0].text


async def test_a_closed_house_and_an_unknown_name_suggest_nothing(fair: Fair) -> None:
    unknown = (await fair.city.ticket(subject_name="桂林不在册公司")).id
    assert (await suggestion(fair, unknown)).candidates == ()
    await fair.do(
        register.set_open, fair.people["water"], fair.market, fair.house, 1, active=False, why="已注销"
    )
    known = (await fair.city.ticket(subject_name=NAME)).id
    assert (await suggestion(fair, known)).candidates == ()


# ---- complaints ----------------------------------------------------------------------------------


async def test_the_house_sees_the_complaint_and_never_the_complainant(fair: Fair, refused: Refused) -> None:
    ident, lights, agency = await fair.complaint(), fair.people["lights"], fair.people["agency"]
    for words in ("王小明反映收费过高", "请致电13800000001", "电话 138-0000-0001"):
        await refused("case_names_somebody", fair.do(cases.serve, lights, ident, 0, words))
    case = await fair.do(cases.serve, lights, ident, 0, "反映测绘收费高于公示价，请说明。")
    async with fair.city.db.read() as session:
        mine = await queries.own_cases(session, agency)
        assert [one.summary for one in mine] == ["反映测绘收费高于公示价，请说明。"]
        assert "ticket_id" not in vars(mine[0])
        assert await queries.own_cases(session, fair.people["rival"]) == []
    await refused("case_unknown", fair.do(cases.answer, fair.people["rival"], case, 2, "不是我们"))
    await fair.do(cases.answer, agency, case, 2, "收费按合同约定。")
    await refused("case_answered", fair.do(cases.answer, agency, case, 3, "再补充"))
    assert await fair.city.scalar("SELECT count(*) FROM notification WHERE kind = 'case_served'") == 1
    assert await fair.city.scalar("SELECT count(*) FROM notification WHERE kind = 'case_answered'") > 0


async def test_the_house_reaches_no_ticket_by_its_account(fair: Fair, refused: Refused) -> None:
    ident = await fair.complaint()
    from tickets.queries import ticket_page

    async with fair.city.db.read() as session:
        await refused("ticket_not_found", ticket_page(session, fair.people["agency"], ident))


async def test_only_who_leads_the_matter_serves_and_judges(fair: Fair, refused: Refused) -> None:
    ident = await fair.closed()
    for who in ("agent", "dispatcher"):
        await refused("forbidden", fair.do(cases.judge, fair.people[who], ident, 0, "unfounded", text="x"))
    await refused(
        "ticket_not_found",
        fair.do(cases.judge, fair.people["water"], ident, 0, "unfounded", text="x"),
    )
    await refused(
        "case_no_intermediary",
        fair.do(
            cases.judge, fair.people["lights"], await fair.closed(subject_name="别家公司"), 0, "unfounded",
            text="x",
        ),
    )  # fmt: skip


async def test_a_verified_complaint_is_a_credit_event_and_so_is_its_cancelling(
    fair: Fair, refused: Refused, clock: ManualClock
) -> None:
    lights, head = fair.people["lights"], fair.people["lights_head"]
    early = await fair.complaint()
    verdict = {"finding": "overcharge", "text": "核对票据属实"}
    await refused("case_not_closed", fair.do(cases.judge, lights, early, 0, "verified", **verdict))
    ident = await fair.closed()
    wrong = await refused("form_invalid", fair.do(cases.judge, lights, ident, 0, "verified", text="x"))
    assert wrong["fields"] == {"finding": "required"}
    await fair.do(cases.judge, lights, ident, 0, "verified", **verdict)
    await refused("case_judged", fair.do(cases.judge, lights, ident, 2, "unfounded", text="x"))
    assert await fair.told() == ["verified_complaint"]
    await fair.do(cases.cancel, head, ident, 2, "票据另有说明")
    assert await fair.told() == ["verified_complaint", "verdict_cancelled"]
    clock.advance(60)
    async with fair.city.db.read() as session:
        events = [one.as_json() for one in await credit.feed(session, clock.now())]
    assert (events[0]["finding"], events[1]["cancels"]) == ("overcharge", events[0]["id"])
    assert set(events[0]) == {
        *("id", "at", "kind", "kind_label", "finding", "finding_label", "ends_on", "cancels"),
        *("uscc", "name", "trade", "department"),
    }


async def test_an_unfounded_complaint_tells_nobody(fair: Fair) -> None:
    await fair.do(cases.judge, fair.people["lights"], await fair.closed(), 0, "unfounded", text="收费合规")
    assert await fair.told() == []


async def test_the_feed_goes_on_by_the_last_id_and_waits_for_what_is_just_written(
    fair: Fair, clock: ManualClock
) -> None:
    for _ in range(5):
        await fair.do(credit.tell, fair.house, Credit.REVOKED)
    async with fair.city.db.read() as session:
        assert await credit.feed(session, clock.now()) == []
    clock.advance(31)
    seen, after = [], 0
    async with fair.city.db.read() as session:
        while found := await credit.feed(session, clock.now(), after=after, limit=2):
            seen += [one.id for one in found]
            after = found[-1].id
    assert seen == sorted(set(seen))
    assert len(seen) == 5


async def test_an_event_of_another_clock_does_not_overtake_one_that_is_not_settled(
    fair: Fair, clock: ManualClock
) -> None:
    for _ in range(3):
        await fair.do(credit.tell, fair.house, Credit.REVOKED)
    async with fair.city.db.begin() as uow:
        await uow.session.execute(sa.text("ALTER TABLE intermediary_credit_event DISABLE TRIGGER ALL"))
        for seconds, skipped in ((-40, 0), (40, 1)):  # the first is old, the second of a clock that is fast
            await uow.session.execute(
                sa.text(
                    "UPDATE intermediary_credit_event SET at = at + make_interval(secs => :seconds)"
                    " WHERE id = (SELECT id FROM intermediary_credit_event ORDER BY id"
                    " OFFSET :skipped LIMIT 1)"
                ),
                {"seconds": seconds, "skipped": skipped},
            )
    clock.advance(31)
    async with fair.city.db.read() as session:
        first = await credit.feed(session, clock.now())
        assert len(first) == 1  # the third waits for the second, else nobody ever read that one
        clock.advance(60)
        rest = await credit.feed(session, clock.now(), after=first[-1].id)
    assert len(rest) == 2
    assert first[0].id < rest[0].id < rest[1].id


# ---- ratings -------------------------------------------------------------------------------------


async def test_a_service_is_rated_once_by_its_number_alone(fair: Fair, refused: Refused) -> None:
    water = fair.people["water"]
    number = await fair.do(register.issue_service, water, fair.market, fair.house, DAY)
    await refused("rating_unproven", fair.do(ratings.by_service, "F23456789ABCD", 5))
    await refused("form_invalid", fair.do(ratings.by_service, number, 6))
    assert await fair.do(ratings.by_service, number.lower(), 4) == fair.house
    await refused("rating_given", fair.do(ratings.by_service, number, 5))
    async with fair.city.db.read() as session:
        found = await queries.item(session, fair.house, DAY)
        assert (found.shares.count, found.shares.mean(1), found.shares.mean(5)) == (1, 4.0, None)
        columns = await session.execute(
            sa.text("SELECT column_name FROM information_schema.columns WHERE table_name = :t"),
            {"t": "intermediary_rating"},
        )
        assert {row[0] for row in columns} == {
            *("id", "intermediary_id", "service_id", "ticket_id", "stars", "at")
        }


async def test_the_same_rating_at_the_same_moment_counts_once(fair: Fair) -> None:
    number = await fair.do(register.issue_service, fair.people["water"], fair.market, fair.house, DAY)
    done = await asyncio.gather(
        *(fair.do(ratings.by_service, number, 5) for _ in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert await fair.city.scalar(f"SELECT stars FROM intermediary WHERE id = {fair.house}") == 5


async def test_a_ticket_proves_a_rating_when_it_was_dealt_with(fair: Fair, refused: Refused) -> None:
    await refused("rating_unproven", fair.do(ratings.by_ticket, await fair.complaint(), 2))
    ident = await fair.closed()
    await fair.do(ratings.by_ticket, ident, 2)
    await refused("rating_given", fair.do(ratings.by_ticket, ident, 2))
    other = await fair.closed(subject_name="路人")
    await refused("rating_unproven", fair.do(ratings.by_ticket, other, 2))


# ---- the blacklist -------------------------------------------------------------------------------


async def test_the_whole_way_onto_the_blacklist_and_off_it(
    fair: Fair, refused: Refused, clock: ManualClock
) -> None:
    entry = await fair.propose()
    await refused("listing_open", fair.propose())
    await refused("forbidden", fair.decide("lights", entry, 1, Move.APPROVE))
    assert await fair.decide("lights_head", entry, 1, Move.APPROVE) is Listing.NOTICED
    async with fair.city.db.read() as session:
        assert await queries.public_list(session, DAY) == []
        assert len(await queries.own_entries(session, fair.people["agency"])) == 1
    await refused("listing_unknown", fair.do(blacklist.appeal, fair.people["rival"], entry, 2, "冤枉"))
    await fair.do(blacklist.appeal, fair.people["agency"], entry, 2, "报告无误，附说明")
    await refused("listing_own", fair.decide("lights_head", entry, 3, Move.UPHOLD))
    assert await fair.decide("supervision", entry, 3, Move.UPHOLD) is Listing.LISTED
    async with fair.city.db.read() as session:
        [row] = await queries.public_list(session, DAY)
        assert (row.listed_on, row.ends_on) == (DAY, date(2027, 11, 23))
        assert (await queries.item(session, fair.house, DAY)).listed_until == date(2027, 11, 23)
        assert await queries.public_list(session, date(2027, 11, 23)) == []
    clock.advance(365 * 86400)
    assert await fair.do(upkeep.daily, date(2027, 11, 23), warn_days=60) == 1
    assert await fair.told() == ["blacklisted", "blacklist_ended"]
    async with fair.city.db.read() as session:
        acts = [row.act for row in await queries.steps(session, fair.house)]
    assert acts[:5] == [
        *("listing_expire", "listing_uphold", "listing_appeal", "listing_approve", "listing_proposed")
    ]


async def test_nobody_approves_what_he_proposed(fair: Fair, refused: Refused) -> None:
    told = {"finding": "breach", "reason": "多次违约", "months": 6}
    head = fair.people["lights_head"]
    entry = await fair.do(blacklist.propose, head, fair.market, fair.house, **told)
    await refused("listing_own", fair.decide("lights_head", entry, 1, Move.APPROVE))
    await refused("forbidden", fair.decide("agency", entry, 1, Move.APPROVE))
    assert await fair.decide("water_head", entry, 1, Move.REFUSE) is Listing.DROPPED
    async with fair.city.db.read() as session:
        assert await queries.own_entries(session, fair.people["agency"]) == []


async def test_without_an_appeal_in_time_it_is_listed_and_a_late_one_is_refused(
    fair: Fair, refused: Refused, clock: ManualClock
) -> None:
    entry = await fair.propose()
    await fair.decide("lights_head", entry, 1, Move.APPROVE)
    assert await fair.do(blacklist.keep_up) == 0
    clock.advance(20 * 86400)
    await refused("appeal_late", fair.do(blacklist.appeal, fair.people["agency"], entry, 2, "申诉"))
    assert await fair.do(blacklist.keep_up) == 1
    assert await fair.do(blacklist.keep_up) == 0
    assert await fair.told() == ["blacklisted"]


async def test_an_appeal_that_holds_ends_it_and_tells_the_feed_nothing(fair: Fair) -> None:
    entry = await fair.propose()
    await fair.decide("lights_head", entry, 1, Move.APPROVE)
    await fair.do(blacklist.appeal, fair.people["agency"], entry, 2, "报告无误")
    assert await fair.decide("supervision", entry, 3, Move.DROP) is Listing.DROPPED
    assert await fair.told() == []
    assert await fair.propose() != entry  # a new one may be proposed


@pytest.mark.parametrize("state", list(Listing))
@pytest.mark.parametrize("move", list(Move))
def test_every_step_is_allowed_or_refused_as_the_table_says(state: Listing, move: Move) -> None:
    from core.errors import HotlineError

    if (state, move) in WAY:
        assert led_to(state.value, move) is WAY[state, move]
    else:
        with pytest.raises(HotlineError):
            led_to(state.value, move)


async def test_a_person_takes_no_step_of_the_system(fair: Fair, refused: Refused) -> None:
    entry = await fair.propose()
    await fair.decide("lights_head", entry, 1, Move.APPROVE)
    for move in set(Move) - DECISIONS:
        await refused("listing_step_refused", fair.decide("supervision", entry, 2, move))


# ---- qualifications ------------------------------------------------------------------------------


async def test_an_end_is_warned_of_once_and_again_after_a_renewal(fair: Fair) -> None:
    lights = fair.people["lights"]
    licence = Licence("测绘乙级", "C-1", date(2024, 1, 1), date(2026, 12, 31))
    await fair.do(register.put_licence, lights, fair.market, fair.house, licence)
    assert await fair.do(upkeep.warn, DAY, warn_days=60) == 1
    assert await fair.do(upkeep.warn, DAY, warn_days=60) == 0
    told = "SELECT count(DISTINCT user_id) FROM notification WHERE kind = 'qualification_ending'"
    assert await fair.city.scalar(told) >= 2  # the department and the house
    renewed = Licence("测绘乙级", "C-1", date(2024, 1, 1), date(2027, 1, 10))
    await fair.do(register.put_licence, lights, fair.market, fair.house, renewed)
    assert await fair.do(upkeep.warn, DAY, warn_days=60) == 1


async def test_a_revoked_qualification_stays_revoked_and_is_told(fair: Fair, refused: Refused) -> None:
    lights = fair.people["lights"]
    licence = Licence("测绘乙级", "C-1", None, None)
    await fair.do(register.put_licence, lights, fair.market, fair.house, licence)
    ident = await fair.city.scalar("SELECT id FROM intermediary_qualification")
    await refused("note_required", fair.do(register.revoke, lights, fair.market, ident, " "))
    await fair.do(register.revoke, lights, fair.market, ident, "行政处罚决定")
    await refused("licence_revoked", fair.do(register.revoke, lights, fair.market, ident, "再次"))
    back = Licence("测绘甲级", "C-1", None, None)
    await refused("licence_revoked", fair.do(register.put_licence, lights, fair.market, fair.house, back))
    assert await fair.told() == ["qualification_revoked"]
    async with fair.city.db.read() as session:
        rows = await queries.qualifications(session, DAY, kind="revoked", warn_days=60)
    assert [row.number for row in rows] == ["C-1"]


def test_how_a_qualification_stands_on_a_day() -> None:
    assert standing(DAY, None, DAY, 60) == "expiring"
    assert standing(date(2026, 11, 22), None, DAY, 60) == "expired"
    assert standing(date(2027, 1, 23), None, DAY, 60) == "good"
    assert standing(None, None, DAY, 60) == "good"
    assert standing(None, DAY, DAY, 60) == "revoked"


def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month() -> None:
    assert months_later(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert months_later(date(2026, 11, 23), 12) == date(2027, 11, 23)
    assert months_later(date(2026, 12, 31), 24) == date(2028, 12, 31)
