"""What was suggested, chosen and corrected is stored; creating and dispatching ask nothing for it."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from core.events import EventBus
from routing import figures, rule_service
from routing.advice import AdviceService, kept_already
from routing.catalogue_service import Said, add
from routing.rules import Conditions, Rule
from routing.suggest import Label
from tests.routing.conftest import City, Refused
from tickets.states import Action

RETURN = {"reason_code": "other_unit", "note": "不归我们管", "basis": "职责清单第三条"}


@pytest.fixture
async def advice(city: City, bus: EventBus) -> AdviceService:
    made = AdviceService(city.db.clock)
    made.wire(bus)
    said = Said("01", "lights", date(2026, 1, 1), co=("water",), basis="《照明规定》", clock="3 个工作日")
    async with city.db.begin() as uow:
        await add(uow, city.actors["admin"], said)
    return made


async def shown(city: City, advice: AdviceService, ticket_id: int) -> Any:
    async with city.db.read() as session:
        found, version = await advice.of_ticket(session, ticket_id)
    async with city.db.begin() as uow:
        await advice.keep(uow, ticket_id, version, found)
    return found


async def choices(city: City) -> list[Any]:
    async with city.db.read() as session:
        return list((await session.execute(sa.text("SELECT * FROM dispatch_choice ORDER BY id"))).all())


async def act(city: City, who: str, ticket_id: int, action: Action, **data: Any) -> None:
    version = await city.scalar("SELECT version FROM ticket WHERE id = :i", i=ticket_id)
    async with city.db.begin() as uow:
        await city.tickets.act(uow, city.actors[who], ticket_id, version, action, data)


async def test_the_catalogue_names_the_unit_and_the_suggestion_is_kept_once(
    city: City, advice: AdviceService
) -> None:
    made = await city.ticket()
    found = await shown(city, advice, made.id)
    assert [one.unit.id for one in found.candidates] == [city.unit("lights")]
    assert found.candidates[0].basis == "《照明规定》"
    async with city.db.read() as session:
        assert await kept_already(session, made.id, 1, found)
    await shown(city, advice, made.id)
    assert await city.scalar("SELECT count(*) FROM dispatch_advice") == 1
    assert await city.scalar("SELECT source FROM dispatch_advice") == "catalogue"


async def test_the_choice_goes_with_the_dispatch_whether_or_not_anybody_looked(
    city: City, advice: AdviceService
) -> None:
    made = await city.dispatched("water")
    rows = await choices(city)
    assert [(row.ticket_id, row.version, row.unit_id) for row in rows] == [(made.id, 2, city.unit("water"))]
    assert rows[0].chosen_by == city.user("dispatcher")
    assert rows[0].corrected_at is None


async def test_a_hopeful_dispatch_notes_its_choice_in_its_one_statement(
    city: City, advice: AdviceService
) -> None:
    made = await city.ticket()

    async def work(uow: Any) -> int:
        return await city.tickets.dispatch(uow, city.actors["dispatcher"], made.id, 1, city.unit("lights"))

    await city.db.retrying(work, hopeful=True)
    assert [row.unit_id for row in await choices(city)] == [city.unit("lights")]


async def test_an_accepted_return_marks_the_choice_with_its_reason_and_where_it_went(
    city: City, advice: AdviceService
) -> None:
    made = await city.dispatched("water")
    await act(city, "water", made.id, Action.RETURN, **RETURN, suggested_unit_id=city.unit("lights"))
    assert (await choices(city))[0].corrected_at is None  # asked for is not yet accepted
    await act(city, "dispatcher", made.id, Action.ACCEPT_RETURN, note="同意", unit_id=city.unit("lights"))
    row = (await choices(city))[0]
    assert (row.corrected_as, row.corrected_reason) == ("accept_return", "other_unit")
    assert row.corrected_to == city.unit("lights")


async def test_a_return_to_the_desk_marks_the_choice_and_the_next_dispatch_is_another_one(
    city: City, advice: AdviceService
) -> None:
    made = await city.dispatched("water")
    await act(city, "water", made.id, Action.RETURN, **RETURN, suggested_unit_id=city.unit("lights"))
    await act(city, "dispatcher", made.id, Action.ACCEPT_RETURN, note="同意")
    await act(city, "dispatcher", made.id, Action.DISPATCH, unit_id=city.unit("lights"))
    first, second = await choices(city)
    assert (first.corrected_as, first.corrected_to) == ("accept_return", None)
    assert (second.unit_id, second.corrected_as) == (city.unit("lights"), None)


async def test_a_refused_return_leaves_the_choice_right(city: City, advice: AdviceService) -> None:
    made = await city.dispatched("water")
    await act(city, "water", made.id, Action.RETURN, **RETURN, suggested_unit_id=city.unit("lights"))
    await act(city, "dispatcher", made.id, Action.REFUSE_RETURN, note="请办理")
    assert (await choices(city))[0].corrected_at is None


async def test_a_redispatch_marks_the_choice_with_its_own_reason(city: City, advice: AdviceService) -> None:
    made = await city.dispatched("water")
    code = await city.scalar("SELECT code FROM reason_code WHERE kind = 'redispatch' ORDER BY sort LIMIT 1")
    told = {"unit_id": city.unit("lights"), "reason_code": code, "note": "派错"}
    await act(city, "dispatcher", made.id, Action.REDISPATCH, **told)
    row = (await choices(city))[0]
    assert (row.corrected_as, row.corrected_reason) == ("redispatch", code)


async def test_a_matter_about_a_unit_is_not_suggested_to_it(city: City, advice: AdviceService) -> None:
    made = await city.ticket()
    async with city.db.begin() as uow:
        about = {"u": city.unit("lights"), "i": made.id}
        await uow.session.execute(sa.text("UPDATE ticket SET subject_unit_id = :u WHERE id = :i"), about)
    found = await shown(city, advice, made.id)
    assert found.candidates == ()
    assert "不作推荐" in found.remarks[0]


async def test_a_model_is_asked_when_there_is_one(city: City, advice: AdviceService) -> None:
    class Model:
        async def advise(self, title: str, detail: str) -> list[Label]:
            assert title
            assert detail
            return [Label("01", 0.9, ("路灯",), "m1")]

    made = await city.ticket()
    advice.advisor = Model()
    found = await shown(city, advice, made.id)
    assert [why.source for why in found.candidates[0].reasons] == ["catalogue", "model"]
    assert await city.scalar("SELECT model FROM dispatch_advice") == "m1"


async def test_the_figures_count_first_dispatches_and_the_list_behind_says_the_same(
    city: City, advice: AdviceService
) -> None:
    right, wrong = await city.ticket(), await city.ticket()
    for ticket, unit in ((right, "lights"), (wrong, "water")):
        await shown(city, advice, ticket.id)
        await act(city, "dispatcher", ticket.id, Action.DISPATCH, unit_id=city.unit(unit))
    await act(city, "water", wrong.id, Action.RETURN, **RETURN, suggested_unit_id=city.unit("lights"))
    await act(city, "dispatcher", wrong.id, Action.ACCEPT_RETURN, note="同意")
    await act(city, "dispatcher", wrong.id, Action.DISPATCH, unit_id=city.unit("lights"))  # not a first one
    wanted = figures.Wanted(date(2026, 11, 23), date(2026, 11, 23))
    async with city.db.read() as session:
        whole = await figures.whole(session, wanted)
        assert (whole.sent, whole.corrected, whole.right_rate, whole.followed_rate) == (2, 1, 0.5, 0.5)
        by_unit = {line.key: line for line in await figures.lines(session, wanted, "unit")}
        assert by_unit[city.unit("water")].corrected == 1
        assert by_unit[city.unit("lights")].right_rate == 1.0
        assert await figures.reasons(session, wanted) == [("accept_return", "other_unit", 1)]
        for kind, count in (("all", 2), ("right", 1), ("corrected", 1), ("followed", 1)):
            some = figures.Wanted(wanted.first, wanted.last, kind)  # type: ignore[arg-type]  # one of its kinds
            assert len(await figures.tickets(session, city.actors["dispatcher"], some)) == count
        narrowed = figures.Wanted(wanted.first, wanted.last, reason="other_unit")
        behind = await figures.tickets(session, city.actors["dispatcher"], narrowed)
        assert [row.ticket_id for row in behind] == [wrong.id]
        assert await figures.tickets(session, city.actors["admin"], wanted) == []  # who sees no tickets


async def test_figures_by_rule_name_the_rule(city: City, advice: AdviceService) -> None:
    ticket, actor = await city.ticket(), city.actors["supervision"]
    await shown(city, advice, ticket.id)
    await act(city, "dispatcher", ticket.id, Action.DISPATCH, unit_id=city.unit("lights"))
    made = Rule("lights", "路灯归城管", "lights", Conditions(words=("路灯",)))
    async with city.db.begin() as uow:
        draft = await rule_service.open_draft(uow, actor)
        await rule_service.edit(uow, actor, draft.edits, lambda _: (made,), {})
        await uow.session.execute(sa.text("UPDATE dispatch_advice SET rule = 'lights'"))
    wanted = figures.Wanted(date(2026, 11, 23), date(2026, 11, 23))

    async def labels() -> list[tuple[str, str]]:
        async with city.db.read() as session:
            return [(line.key, line.label) for line in await figures.lines(session, wanted, "rule")]

    assert await labels() == [("lights", "lights")]  # a draft's name is nobody's yet
    async with city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE rule_set SET state = 'live'"))
    assert await labels() == [("lights", "路灯归城管")]


async def test_rows_of_the_catalogue_keep_what_they_said_and_who_was_faster_is_told(
    city: City, advice: AdviceService, refused: Refused
) -> None:
    from routing import catalogue_service as service
    from routing import queries

    said = Said("01", "water", date(2026, 1, 1), basis="改")
    async with city.db.begin() as uow:
        row = (await uow.session.execute(sa.text("SELECT id FROM responsibility"))).scalar_one()
        assert await service.change(uow, city.actors["admin"], row, 1, said, "调整") == 2
    async with city.db.begin() as uow:
        assert await service.change(uow, city.actors["admin"], row, 2, said) == 2  # nothing changed
        await refused("responsibility_changed", service.change(uow, city.actors["admin"], row, 1, said))
        await refused("forbidden", service.change(uow, city.actors["dispatcher"], row, 2, said))
        params = await refused("responsibility_invalid", service.add(uow, city.actors["admin"], said))
        assert params["fields"] == {"category": "twice"}
        wrong = Said("99", "nobody", date(2026, 1, 2), "nowhere", valid_to=date(2026, 1, 1))
        params = await refused("responsibility_invalid", service.add(uow, city.actors["admin"], wrong))
        assert set(params["fields"]) == {"category", "lead", "area", "valid_to"}
    async with city.db.read() as session:
        kept = await queries.changes(session, row)
    assert [(one.version, one.said["lead"]) for one in kept] == [(2, "water"), (1, "lights")]
    assert kept[0].by == "admin"
    async with city.db.begin() as uow:
        await service.end(uow, city.actors["admin"], row, 2)
    made = await city.ticket()
    assert (await shown(city, advice, made.id)).candidates == ()
