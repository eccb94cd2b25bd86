"""What the stories of the desks share: people who act on a ticket through its pages."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from core.people.actor import Actor
from core.people.permissions import Role
from node import Node
from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar

# Through the picker where there is one, else as a plain field.
_FILL = """([name, value]) => {
  const form = document.querySelector('form[data-act-form]');
  const all = Array.from(form.querySelectorAll(`[name="${name}"]`));
  const one = all[0];
  if (!one) throw new Error(`no field ${name}`);
  if (one.type === 'radio') { all.find((r) => r.value === String(value)).click(); return; }
  if (one.type === 'checkbox') { if (one.checked !== Boolean(value)) one.click(); return; }
  if (one.tomselect) { one.tomselect.setValue(value); return; }
  const pick = (o) => { o.selected = value.includes(o.value); };
  if (one.multiple) { Array.from(one.options).forEach(pick); return; }
  one.value = String(value);
}"""


class Cast:
    """People of the demo city, each with a page of his own, opened when first needed."""

    def __init__(self, console: RunningConsole) -> None:
        self.console = console
        self.node: Node = console.node
        self._pages: dict[str, Page] = {}

    async def page(self, login: str) -> Page:
        if login not in self._pages:
            self._pages[login] = await self.console.page(login)
        return self._pages[login]

    async def opens(self, login: str, path: str) -> Page:
        page = await self.page(login)
        await page.goto(self.console.base + path)
        return page

    async def does(self, login: str, ticket: int, action: str, **fields: Any) -> Page:
        """Fill the action's form and send it; the page then shows the ticket."""
        page = await self.opens(login, f"/tickets/{ticket}/do/{action}")
        for name, value in fields.items():
            await page.evaluate(_FILL, [name, value])
        await page.click("form[data-act-form] button[type=submit]")
        await page.wait_for_url(lambda url: "/do/" not in url)
        return page

    async def forbidden(self, login: str, ticket: int, action: str, **fields: Any) -> None:
        """The form can be filled, since a deputy could send it, but this person's is refused."""
        before = await self.state(ticket)
        page = await self.opens(login, f"/tickets/{ticket}/do/{action}")
        for name, value in fields.items():
            await page.evaluate(_FILL, [name, value])
        await page.click("form[data-act-form] button[type=submit]")
        await expect(page.locator("body")).to_contain_text("没有权限")
        assert await self.state(ticket) == before

    async def refused(self, login: str, ticket: int, action: str) -> None:
        """The page of the action offers no way to do it."""
        page = await self.opens(login, f"/tickets/{ticket}/do/{action}")
        await expect(page.locator("form[data-act-form] button[type=submit]")).to_have_count(0)

    async def state(self, ticket: int) -> str:
        return str(await scalar(self.node, "SELECT state FROM ticket WHERE id = :id", id=ticket))

    async def unit(self, code: str) -> str:
        return str(await scalar(self.node, "SELECT id FROM unit WHERE code = :code", code=code))

    async def hires(self, login: str, role: Role, unit: str) -> None:
        """One more account, with the password of the demo."""
        node = self.node
        async with node.db.begin() as uow:
            await node.people.create_user(
                uow,
                Actor.system("test"),
                login=login,
                name=login,
                password=node.settings.secrets.demo_password,
                unit_id=int(await self.unit(unit)),
                roles=frozenset({role}),
            )

    async def makes(self, **over: Any) -> int:
        """A ticket as an agent's draft makes it."""
        node = self.node
        async with node.db.begin() as uow:
            agent = await node.people.actor_for_user(
                uow.session, await scalar(node, "SELECT id FROM user_account WHERE login = 'agent05'")
            )
            assert agent is not None
            draft = await node.drafts.open_manual(uow, agent)
            category = await scalar(node, "SELECT id FROM category WHERE level = 3 ORDER BY id LIMIT 1")
            form = {
                "type": "complaint",
                "category_id": category,
                "title": "夜市占道经营",
                "narrative": "反映夜市摊位占用盲道，行人无法通行。",
                "phone": "13877300001",
            }
            made = await node.tickets.create_from_draft(uow, agent, draft, form | over, 1)
        return made.id
