"""A ticket goes out without a person only where everything agrees."""

from __future__ import annotations

from typing import Any, cast

import pytest
import sqlalchemy as sa

from classifier import switches
from classifier.advice import Gate
from core.catalog import words
from core.clock import ManualClock
from routing import category_figures
from routing.advice import AdviceService
from routing.automatic import Automatic
from routing.category_advising import Advising
from routing.category_figures import Share
from routing.submissions import Submission, Submissions
from routing.suggest import Label
from tests.routing.test_advice import advice
from tests.routing.test_category_advising import Oracle, advising, code_of
from tests.tickets.conftest import City
from tests.tickets.life import Life
from tickets.attachments.service import AttachmentService
from tickets.states import Action
from tickets.terms import Channel

__all__ = ["advice", "advising"]


async def opened(city: City, *, automatic: bool = True) -> None:
    async with city.db.begin() as uow:
        boss = city.actors["supervision"]
        await switches.change(uow, boss, city.category_id, automatic=automatic, evidence={})


@pytest.fixture
async def automatic(city: City, advising: Advising, advice: AdviceService) -> Automatic:
    """The leader's tick, with the city's only category open."""
    await opened(city)
    return Automatic(city.db, city.tickets, advice, advising._lease)


async def sent(city: City, clock: ManualClock, advising: Advising, automatic: Automatic) -> int:
    """What goes out once the advice on the newest tickets is kept."""
    clock.advance(60)
    await advising.step()
    return await automatic.step()


async def test_it_goes_to_whom_the_catalogue_names_and_the_history_says_why(
    city: City, clock: ManualClock, advising: Advising, automatic: Automatic
) -> None:
    made = await city.ticket()
    assert await sent(city, clock, advising, automatic) == 1
    assert await automatic.step() == 0
    async with city.db.read() as session:
        ticket = (
            await session.execute(
                sa.text("SELECT state, lead_unit_id FROM ticket WHERE id = :id"), {"id": made.id}
            )
        ).one()
        line = (
            await session.execute(
                sa.text(
                    "SELECT actor_id, note FROM ticket_history WHERE ticket_id = :id AND action = 'dispatch'"
                ),
                {"id": made.id},
            )
        ).one()
    assert tuple(ticket) == ("waiting_sign", city.unit("lights"))
    assert line.actor_id is None
    assert line.note.startswith("自动派单：责任清单")
    kept = "SELECT chosen_by FROM dispatch_choice WHERE ticket_id = :id"
    assert await city.scalar(kept, id=made.id) is None


async def test_what_only_a_model_classified_waits_for_a_person(
    city: City, clock: ManualClock, advising: Advising, automatic: Automatic
) -> None:
    """A matter that 110 sent over without a category: the model must not confirm what it said itself."""
    files = AttachmentService(city.db, city.settings)
    inward = Submissions(city.vault, city.settings, city.tickets, files, Named(await code_of(city)))
    given: dict[str, Any] = {"channel": Channel.PLATFORM, "phone": "13800000001"}
    matter = Submission(key="police:J1", narrative="中山路路灯不亮。已经三个晚上了。", **given)
    made = await city.db.retrying(lambda uow: inward.submit(uow, matter))
    chosen = Submission(
        key="police:J2", narrative="路灯不亮，已经三个晚上。", category_id=city.category_id, **given
    )
    other = await city.db.retrying(lambda uow: inward.submit(uow, chosen))
    assert await sent(city, clock, advising, automatic) == 1
    state = "SELECT state FROM ticket WHERE id = :id"
    assert await city.scalar(state, id=made.ticket_id) == "waiting_dispatch"
    assert await city.scalar(state, id=other.ticket_id) == "waiting_sign"
    figures = category_figures.by_category
    async with city.db.read() as session:
        model = advising._advisor.active
        assert model is not None
        (one,) = await figures(session, model.id, clock.now())
        assert one.right == Share(1, 1), "what it filled in itself is no evidence"
    seen = Life(city, made.ticket_id, made.number)
    await seen.do("dispatcher", Action.EDIT, title="中山路路灯三晚不亮", note="核对过分类")
    async with city.db.read() as session:
        (one,) = await figures(session, model.id, clock.now())
        assert one.right == Share(2, 2)
    assert await automatic.step() == 1


class Named:
    """A classifier that always says the same."""

    def __init__(self, code: str) -> None:
        self.code = code

    async def advise(self, title: str, detail: str) -> list[Label]:
        return [Label(self.code, 0.99)]


@pytest.mark.parametrize(
    "form",
    [{"urgency": "urgent"}, {"confidentiality": "secret"}, {"type": "report"}],
    ids=["urgent", "secret", "report"],
)
async def test_what_needs_a_person_waits_for_one(
    city: City, clock: ManualClock, advising: Advising, automatic: Automatic, form: dict[str, Any]
) -> None:
    await city.ticket(**form)
    assert await sent(city, clock, advising, automatic) == 0


async def test_a_sensitive_word_waits_for_a_person(
    city: City, clock: ManualClock, advising: Advising, automatic: Automatic
) -> None:
    async with city.db.begin() as uow:
        await words.add(uow, city.actors["admin"], [words.Found("断桥", "danger")])
    await city.ticket(narrative="断桥附近路灯不亮，请尽快派人查看处理。")
    assert await sent(city, clock, advising, automatic) == 0


async def test_a_category_that_was_shut_again_waits_for_a_person(
    city: City, clock: ManualClock, advising: Advising, automatic: Automatic
) -> None:
    await opened(city, automatic=False)
    await city.ticket()
    assert await sent(city, clock, advising, automatic) == 0


@pytest.mark.parametrize("doubt", ["unsure", "another"])
async def test_a_model_in_doubt_or_of_another_mind_sends_nothing(
    city: City, clock: ManualClock, advising: Advising, automatic: Automatic, doubt: str
) -> None:
    active = advising._advisor.active
    assert active is not None
    said = Oracle(await code_of(city), Gate.SUGGEST) if doubt == "unsure" else Oracle("0199")
    object.__setattr__(active, "model", cast(Any, said))
    await city.ticket()
    assert await sent(city, clock, advising, automatic) == 0


async def test_without_a_row_or_a_rule_nothing_is_sent(
    city: City, clock: ManualClock, advising: Advising, automatic: Automatic
) -> None:
    async with city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE responsibility SET valid_to = '2026-02-01'"))
    await city.ticket()
    assert await sent(city, clock, advising, automatic) == 0


async def test_a_node_that_no_longer_leads_sends_nothing(
    city: City, clock: ManualClock, advising: Advising, automatic: Automatic
) -> None:
    made = await city.ticket()
    clock.advance(60)
    await advising.step()
    async with city.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE lease SET owner = 'other', epoch = epoch + 1"))
    with pytest.raises(Exception, match="lease_lost"):
        await automatic.step()
    assert await city.scalar("SELECT state FROM ticket WHERE id = :id", id=made.id) == "waiting_dispatch"
