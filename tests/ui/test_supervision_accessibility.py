"""axe-core on the pages of the clock and of supervision, with the life of the last days in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node import Node
from routing.demo import Size, seed
from sla.demo import Past
from tests.ui.conftest import RunningConsole, ui_settings
from tests.ui.seat import scalar, violations

pytestmark = pytest.mark.browser
PAGES = {
    "supervision01": (
        "/supervision",
        "/supervision/proposals",
        "/supervision/interviews",
        "/supervision/new?kind=order",
        "/orders",
        "/orders/{order}",
        "/orders/{interview}",
        "/cards",
        "/dashboard",
        "/monitor",
        "/reports",
        "/wallboards",
        "/tickets/{carded}",
        "/measures/accepted/tickets",
    ),
    "chengguan01": ("/workbench", "/cards", "/orders", "/digest"),
}


@pytest.fixture
async def node(database_url: str, tmp_path: Path) -> AsyncIterator[Node]:
    """A node on a demo city with its past."""
    running = Node(ui_settings(tmp_path), database_url)
    past = Past(running.people, running.limits, running.supervision)
    await seed(running.context, size=Size(tickets=400, records=20, missed=6), then=past.make)
    await running.start()
    yield running
    await running.stop()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_of_supervision_are_clean(console: RunningConsole, theme: str) -> None:
    ids = {
        "order": await scalar(console.node, "SELECT min(id) FROM supervision_order WHERE kind = 'order'"),
        "interview": await scalar(console.node, "SELECT order_id FROM supervision_interview"),
        "carded": await scalar(console.node, "SELECT max(ticket_id) FROM card"),
    }
    wrong: dict[str, list[str]] = {}
    for login, paths in PAGES.items():
        page = await console.page(login, theme=theme)
        for path in paths:
            answer = await page.goto(console.base + path.format(**ids))
            assert answer is not None
            assert answer.status == 200, path
            if found := await violations(page):
                wrong[path] = found
    assert wrong == {}
