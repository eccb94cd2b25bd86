"""What the models learn from: tickets that are over, with the category they have in the end."""

from __future__ import annotations

from typing import Any

import pytest

from classifier import registry
from core.clock import ManualClock
from core.leadership import Lease
from core.settings import Classifier
from routing.learning import Learning
from tests.tickets.conftest import City
from tests.tickets.life import life


@pytest.fixture
async def learning(city: City, clock: ManualClock) -> Learning:
    lease = Lease(city.db, "scheduler", "test", city.settings.leadership, clock)
    assert await lease.try_take()
    return Learning(city.db, lease, Classifier(least=50))


async def closed(city: City, **over: Any) -> None:
    """A ticket that was answered at once."""
    one = await life(city)
    async with city.db.begin() as uow:
        from sqlalchemy import text

        await uow.session.execute(
            text("UPDATE ticket SET state = 'closed', title = :title WHERE id = :id"),
            {"id": one.id, "title": over.get("title", "路灯不亮")},
        )


async def test_only_what_is_over_teaches_and_teaches_the_category_it_has_now(
    city: City, learning: Learning
) -> None:
    await life(city)  # still open: it may yet be corrected
    await closed(city, title="路灯坏了")
    lessons, first, last = await learning.lessons()
    code = await city.scalar("SELECT code FROM category WHERE id = :id", id=city.category_id)
    assert [(one.title, one.label) for one in lessons] == [("路灯坏了", code)]
    assert str(first) == str(last) == "2026-11-23"


async def test_too_few_tickets_make_no_model(city: City, learning: Learning) -> None:
    await closed(city)
    await learning.night()
    async with city.db.read() as session:
        assert await registry.listed(session) == []


async def test_a_city_with_a_tree_of_its_own_gets_no_starter(city: City, learning: Learning) -> None:
    await learning.begin()
    async with city.db.read() as session:
        assert await registry.listed(session) == []
