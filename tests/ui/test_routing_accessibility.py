"""axe-core on the pages of routing: catalogue, rules with a draft and a trial, places, figures, the desk."""

from __future__ import annotations

import pytest

from routing import rule_service, trials
from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations

pytestmark = pytest.mark.browser
PAGES = {
    "supervision01": (
        "/routing/catalogue",
        "/routing/catalogue/new",
        "/routing/catalogue/{row}",
        "/routing/catalogue/import",
        "/routing/rules?code=gas",
        "/routing/rules?view=live",
        "/routing/rules?view=versions",
        "/routing/rules/trials/{trial}",
        "/routing/places",
        "/routing/places/import",
        "/routing/try",
        "/routing/figures",
        "/routing/figures?by=source",
        "/routing/figures/tickets?first=2026-11-01&last=2026-11-02",
    ),
    "dispatcher01": ("/dispatch",),
}


async def _draft_on_trial(console: RunningConsole) -> int:
    """A draft, tried to its end; returns the trial."""
    node = console.node
    async with node.db.begin() as uow:
        boss = await scalar(node, "SELECT id FROM user_account WHERE login = 'supervision01'")
        actor = await node.people.actor_for_user(uow.session, boss)
        assert actor is not None
        draft = await rule_service.open_draft(uow, actor)
        ident = await trials.order(uow, actor, draft.id)
    await node.trials.run()
    return ident


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_of_routing_are_clean(console: RunningConsole, theme: str) -> None:
    ids = {
        "row": await scalar(console.node, "SELECT min(id) FROM responsibility"),
        "trial": await _draft_on_trial(console),
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
