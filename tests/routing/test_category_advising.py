"""Advice on tickets is kept after the fact, compared with what people decided, and never waited for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa

from classifier import registry, switches
from classifier.advice import Advice, Gate, Reason, Why
from classifier.advisor import Advisor, Loaded
from classifier.models import CategoryAdvice
from classifier.registry import Trained
from core.clock import ManualClock
from core.errors import HotlineError
from core.leadership import Lease
from core.people.actor import Actor
from routing import category_figures
from routing.category_advising import Advising
from routing.category_figures import Share
from tests.tickets.conftest import City
from tests.tickets.life import Life, life
from tickets.models import Category, table_of
from tickets.states import Action

SYSTEM = Actor.system("classifier")
_advice, _category = table_of(CategoryAdvice), table_of(Category)


class Oracle:
    """Names the same category for everything."""

    def __init__(self, label: str, gate: Gate = Gate.AUTOMATIC) -> None:
        self.label, self.gate = label, gate

    def suggest_many(self, texts: Sequence[tuple[str, str]]) -> list[Advice]:
        one = Advice(
            self.label,
            0.9,
            ((self.label, 0.9), ("0199", 0.06), ("0198", 0.04)),
            (Reason("路灯", 1.5),),
            self.gate,
            Why.ABOVE_THRESHOLD,
            cosine=0.5,
        )
        return [one for _ in texts]


def trained(digest: str) -> Trained:
    return Trained(digest * 64, {"model.json": b"{}"}, "local", 500, None, None, {"accuracy": 0.9})


async def kept(city: City, digest: str) -> int:
    async with city.db.begin() as uow:
        return await registry.keep(uow, SYSTEM, trained(digest))


async def states(city: City) -> dict[int, str]:
    async with city.db.read() as session:
        return {one.id: one.state for one in await registry.listed(session)}


async def code_of(city: City) -> str:
    return str(await city.scalar("SELECT code FROM category WHERE id = :id", id=city.category_id))


@pytest.fixture
async def advising(city: City, clock: ManualClock, tmp_path: Any) -> Any:
    """The follower of a node that leads, with an active model that is right and a challenger that is not."""
    lease = Lease(city.db, "scheduler", "test", city.settings.leadership, clock)
    assert await lease.try_take()
    advisor = Advisor(city.db, tmp_path)
    first, second = await kept(city, "a"), await kept(city, "b")
    advisor.active = Loaded(first, "a" * 64, cast(Any, Oracle(await code_of(city))))
    advisor.challenger = Loaded(second, "b" * 64, cast(Any, Oracle("0000", Gate.SUGGEST)))
    yield Advising(city.db, advisor, lease)
    advisor.close()


async def followed(city: City, clock: ManualClock, advising: Advising) -> int:
    clock.advance(60)
    return await advising.step()


async def test_what_both_models_say_is_kept_once_and_only_the_active_one_is_heard(
    city: City, clock: ManualClock, advising: Advising
) -> None:
    one, two = await life(city), await life(city)
    assert await followed(city, clock, advising) == 2
    assert await followed(city, clock, advising) == 0
    async with city.db.read() as session:
        rows = (await session.execute(sa.select(_advice).order_by(_advice.c.ticket_id))).all()
    assert [(row.ticket_id, row.heard) for row in rows if row.heard] == [(one.id, True), (two.id, True)]
    assert len(rows) == 4
    assert rows[0].words == [["路灯", 1.5]]
    assert rows[0].chosen_id == city.category_id


async def test_the_newest_tickets_are_left_for_the_next_tick(city: City, advising: Advising) -> None:
    await life(city)  # its neighbours may not be committed yet
    assert await advising.step() == 0


async def test_without_a_model_nothing_is_passed_over(
    city: City, clock: ManualClock, advising: Advising
) -> None:
    await life(city)
    advisor = advising._advisor
    active, advisor.active, advisor.challenger = advisor.active, None, None
    assert await followed(city, clock, advising) == 0
    advisor.active = active
    assert await followed(city, clock, advising) == 1


async def corrected(city: City, one: Life) -> None:
    """The dispatcher gives the ticket another category."""
    async with city.db.begin() as uow:
        values = {
            "level": 1, "code": "77", "name": "其他", "full_name": "其他", "initials": "qt", "path": ".",
        }  # fmt: skip
        made = await uow.session.execute(sa.insert(_category).values(**values).returning(_category.c.id))
        other = made.scalar_one()
    await one.do("dispatcher", Action.EDIT, category_id=other, note="分类有误")


async def test_a_correction_is_an_answer_that_was_wrong(
    city: City, clock: ManualClock, advising: Advising
) -> None:
    one, _ = await life(city), await life(city)
    await followed(city, clock, advising)
    active, challenger = advising._advisor.active, advising._advisor.challenger
    assert active is not None
    assert challenger is not None

    async def read() -> Any:
        async with city.db.read() as session:
            now = city.db.clock.now()
            return (
                await category_figures.weeks(session, active.id, now),
                await category_figures.beside(session, active.id, challenger.id),
                await category_figures.by_category(session, active.id, now),
            )

    weeks, beside, categories = await read()
    assert [week.right for week in weeks] == [Share(2, 2)]
    assert beside == (Share(2, 2), Share(0, 2))
    assert [(row.id, row.sure) for row in categories] == [(city.category_id, Share(2, 2))]
    assert not categories[0].may_open  # two cases are no evidence
    await corrected(city, one)
    weeks, beside, categories = await read()
    assert [week.right for week in weeks] == [Share(1, 2)]
    assert beside == (Share(1, 2), Share(0, 2))
    clock.advance(timedelta(weeks=13).total_seconds())
    assert (await read())[0] == []


@pytest.mark.parametrize(
    ("right", "n", "enough"), [(200, 200, True), (133, 133, True), (130, 130, False), (199, 200, False)]
)
def test_evidence_is_a_bound_not_a_rate(right: int, n: int, enough: bool) -> None:
    assert (Share(right, n).at_least >= category_figures.WANTED) is enough


async def test_the_first_model_is_heard_at_once_a_later_one_when_a_person_says_so(city: City) -> None:
    first, second = await kept(city, "a"), await kept(city, "b")
    assert await states(city) == {first: "active", second: "challenger"}
    assert await kept(city, "b") == second  # the same model is the same row
    third = await kept(city, "c")
    assert await states(city) == {first: "active", second: "retired", third: "challenger"}
    boss = city.actors["supervision"]
    async with city.db.begin() as uow:
        await registry.promote(uow, boss, third, "首选正确率更高")
    assert await states(city) == {first: "retired", second: "retired", third: "active"}
    count = "SELECT count(*) FROM audit_log WHERE action = 'classifier.promote'"
    assert await city.scalar(count) == 1


@pytest.mark.parametrize(
    ("who", "ident", "reason", "code"),
    [
        ("agent", 0, "理由充分", "forbidden"),
        ("supervision", 0, " ", "form_invalid"),
        ("supervision", 99, "理由充分", "model_not_found"),
    ],
)
async def test_promoting_is_refused_with_its_reason(
    city: City, who: str, ident: int, reason: str, code: str
) -> None:
    model = await kept(city, "a")
    with pytest.raises(HotlineError) as refused:
        async with city.db.begin() as uow:
            await registry.promote(uow, city.actors[who], model + ident, reason)
    assert refused.value.code == code


async def test_old_models_keep_their_figures_and_lose_their_files(city: City) -> None:
    first = await kept(city, "0")
    for digest in "123456789abcdef":
        await kept(city, digest)
    async with city.db.read() as session:
        assert await registry.files(session, first) == {"model.json": b"{}"}  # it is in use
        assert await registry.files(session, first + 1) == {}
    with pytest.raises(HotlineError) as refused:
        async with city.db.begin() as uow:
            await registry.promote(uow, city.actors["supervision"], first + 1, "再试一次")
    assert refused.value.code == "model_without_files"


async def test_a_category_that_is_open_is_told_so_until_it_is_shut(city: City) -> None:
    boss = city.actors["supervision"]
    for automatic in (True, False):
        async with city.db.begin() as uow:
            evidence = {"right": 200, "n": 200}
            await switches.change(uow, boss, city.category_id, automatic=automatic, evidence=evidence)
        async with city.db.read() as session:
            assert await switches.automatic(session) == ({city.category_id} if automatic else frozenset())
