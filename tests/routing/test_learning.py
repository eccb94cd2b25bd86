"""What the models learn from: tickets that are over, with the category they have in the end."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from classifier import registry
from core.clock import ManualClock
from core.leadership import Lease
from core.settings import Classifier
from routing.learning import Learning
from tests.tickets.conftest import City
from tests.tickets.life import life
from tickets.models import Category


@pytest.fixture
async def learning(city: City, clock: ManualClock) -> Learning:
    lease = Lease(city.db, "scheduler", "test", city.settings.leadership, clock)
    assert await lease.try_take()
    return Learning(city.db, lease, Classifier(least=50))


async def closed(city: City, **over: Any) -> None:
    """A ticket that was answered at once."""
    one = await life(city)
    async with city.db.begin() as uow:
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


async def test_what_was_taken_for_something_else_at_first_is_a_hard_lesson(
    city: City, learning: Learning
) -> None:
    await closed(city, title="路灯坏了")
    await closed(city, title="路灯又坏了")
    async with city.db.begin() as uow:
        uow.session.add(Category(level=1, code="09", name="水务", full_name="水务", initials="sw", path="."))
        await uow.session.flush()
        await uow.session.execute(
            text(
                """
                WITH model AS (
                    INSERT INTO classifier_model (digest, state, source, rows, figures, made_at)
                    VALUES ('d', 'active', 'local', 1, '{}', now()) RETURNING id
                )
                INSERT INTO category_advice (ticket_id, model_id, advised_at, heard, label, probability,
                    second, third, gate, words, likeness, chosen_id)
                SELECT t.id, model.id, now(), true, '01', 0.5, '', '', 'suggest', '[]', 0.5,
                    CASE WHEN t.title = '路灯坏了' THEN (
                        SELECT c.id FROM category c WHERE c.code = '09'
                    ) ELSE t.category_id END
                FROM ticket t, model
                """
            )
        )
    lessons, _, _ = await learning.lessons()
    assert {one.title: one.hard for one in lessons} == {"路灯坏了": True, "路灯又坏了": False}


async def test_too_few_tickets_make_no_model(city: City, learning: Learning) -> None:
    await closed(city)
    await learning.night()
    async with city.db.read() as session:
        assert await registry.listed(session) == []


async def test_a_city_with_a_tree_of_its_own_gets_no_starter(city: City, learning: Learning) -> None:
    await learning.begin()
    async with city.db.read() as session:
        assert await registry.listed(session) == []
