"""The demo city knows who is in charge of everything, and its past is in the figures."""

from datetime import timedelta

from core.clock import to_city
from routing import figures
from routing.catalogue import faults
from routing.demo import categories
from routing.demo.catalogue import rows
from routing.known import gazetteer, knowledge
from tests.conftest import MONDAY
from tests.routing.test_demo import SMALL, Services, _number, seeded

__all__ = ["seeded"]


def test_every_matter_of_the_tree_has_a_row_for_the_whole_city() -> None:
    made = list(rows())
    everywhere = {row.category for row in made if not row.area and not row.subject}
    assert everywhere == {node.code for node in categories.nodes() if node.level == 3}
    keys = [(row.category, row.area, row.subject) for row in made]
    assert len(keys) == len(set(keys))
    assert all(row.basis and row.clock and row.script for row in made)


async def test_catalogue_rules_and_places_of_the_demo_stand_for_units_that_are_there(
    seeded: Services,
) -> None:
    async with seeded.db.read() as session:
        known = await knowledge(session, MONDAY)
        places = await gazetteer(session, known.directory)
    wrong = [
        why
        for found in known.catalogue.rows.values()
        for row in found
        for why in faults(row, known.directory)
    ]
    assert wrong == []
    assert dict(known.book.faults) == {}
    assert len(known.book.rules) > 3
    named = places.resolve("中山中路 18 号")
    assert named.district is not None
    assert named.district.name == "秀峰区"
    assert places.resolve("翠竹路").ambiguous


async def test_what_was_sent_in_the_past_is_in_the_figures_with_what_would_have_been_suggested(
    seeded: Services,
) -> None:
    dispatched = "SELECT count(*) FROM ticket_history WHERE action = 'dispatch'"
    assert await _number(seeded, "SELECT count(*) FROM dispatch_choice") > SMALL.tickets / 2
    assert await _number(seeded, "SELECT count(*) FROM dispatch_choice") <= await _number(seeded, dispatched)
    last = to_city(MONDAY).date()
    async with seeded.db.read() as session:
        whole = await figures.whole(session, figures.Wanted(last - timedelta(days=91), last))
    assert whole.sent > SMALL.tickets / 2
    assert whole.followed_rate is not None
    assert whole.followed_rate > 0.5
