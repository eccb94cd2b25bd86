"""What the stories of the agent's seat share: placing calls, waiting, and asking axe."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.async_api import Page, expect

from node import Node
from tests.helpers import eventually
from tests.ui.conftest import RunningConsole

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# The first four agents of the demo city have drafts on their desks already; these have none.
AGENT, COLLEAGUE, BUSY = ("agent11", "1011"), ("agent12", "1012"), ("agent01", "1001")
CITIZEN = "13812341234"
MASKED = "138****1234"
NEVER = 10**6  # seconds


async def scalar(node: Node, statement: str, **values: Any) -> Any:
    """One value out of the node's database."""
    async with node.db.read() as session:
        return (await session.execute(sa.text(statement), values)).scalar_one_or_none()


async def city_counted(node: Node) -> None:
    """Wait until the demo city's past is counted and its sums are folded."""

    async def counted() -> bool:
        left = "SELECT count(*) FROM measure_count WHERE upto IS NOT NULL OR records_upto IS NOT NULL"
        waits = "SELECT count(*) FROM measure_delta"
        return (await scalar(node, left), await scalar(node, waits)) == (0, 0)

    await eventually(counted, within=60, what="the demo city is counted")


async def telephone_ready(node: Node) -> None:
    """Wait until the node has taken up the simulated PBX."""

    async def connected() -> bool:
        return bool(await scalar(node, "SELECT bool_and(connected) FROM pbx_state"))

    await eventually(connected, within=20, what="the simulated PBX is connected")


async def ring(
    node: Node,
    extension: str = AGENT[1],
    number: str = CITIZEN,
    *,
    answer_after: float = NEVER,
    talk: float = 600,
) -> None:
    """A citizen calls and this telephone rings; it is picked up after `answer_after` seconds."""
    await telephone_ready(node)
    assert node.simulator is not None
    node.simulator.place_call(
        number, "", agent=extension, menu=0.0, answer_after=answer_after, talk=talk, patience=None
    )


async def seat(console: RunningConsole, login: str = AGENT[0], **options: Any) -> Page:
    """The agent's seat, with its live connection up."""
    page = await console.page(login, **options)
    await page.goto(console.base + "/agent")
    await page.wait_for_selector("[data-part=socket][data-state=good]")
    return page


async def on_the_line(console: RunningConsole, login: str = AGENT[0], extension: str = AGENT[1]) -> Page:
    """A seat with an answered call and its empty form open."""
    page = await seat(console, login)
    await ring(console.node, extension, answer_after=0.2)
    await page.wait_for_selector("[data-draft]")
    return page


async def focused(page: Page) -> str:
    """The name or id of what has the focus."""
    found: str = await page.evaluate("document.activeElement.name || document.activeElement.id || 'nothing'")
    return found


async def saved(page: Page) -> None:
    """Wait until the open form says that the server has what is in it."""
    state = page.locator("[data-draft]:not([hidden]) [data-save-state]")
    await expect(state).to_have_text(re.compile("^已保存"))


# What no page may show: itself wider than the screen, a value that was never turned into words, panels
# without room between them or between their edge and their words, in the dark a box that stayed white.
SLIPS = r"""() => {
  const found = [document.documentElement, document.querySelector(".hl-page")]
    .filter((one) => one && one.scrollWidth > one.clientWidth)
    .map((one) => `wider than the screen: ${one.scrollWidth} > ${one.clientWidth}`);
  document.querySelectorAll("table").forEach((table) => {
    let place = table.parentElement;
    while (getComputedStyle(place).display === "inline") place = place.parentElement;
    const out = getComputedStyle(place).overflowX === "visible" && table.offsetWidth > place.clientWidth + 1;
    if (out) found.push(`a table out of its place: ${table.tHead ? table.tHead.innerText.trim() : ""}`);
  });
  document.querySelectorAll("td").forEach((cell) => {
    const lines = cell.offsetHeight / parseFloat(getComputedStyle(cell).lineHeight);
    const squeezed = cell.clientWidth < 46 && lines > 2.5 && !cell.children.length && cell.textContent.trim();
    if (squeezed) found.push(`one letter a line: ${cell.textContent.trim().slice(0, 20)}`);
  });
  const panels = Array.from(document.querySelectorAll(".hl-panel")).filter((one) => one.offsetParent)
    .map((one) => [one, one.getBoundingClientRect()]);
  for (const [one, at] of panels) for (const [next, below] of panels) {
    const apart = at.right <= below.left || at.left >= below.right || Math.abs(at.bottom - below.top) >= 2;
    const touch = !apart && !one.contains(next) && !next.contains(one);
    if (touch) found.push(`panels that touch: ${[one, next].map((of) => of.innerText.slice(0, 20))}`);
  }
  document.querySelectorAll("[data-theme=dark] .hl-frame *").forEach((one) => {
    const parts = getComputedStyle(one).backgroundColor.match(/[\d.]+/g) || [0];
    const white = parts.slice(0, 3).every((part) => part > 220) && Number(parts[3] || 1) > 0.5;
    const large = one.offsetParent && Math.min(one.offsetWidth, one.offsetHeight) > 8;
    if (white && large) found.push(`white in the dark: ${one.outerHTML.slice(0, 80)}`);
  });
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent;
    const host = texts.currentNode.parentElement;
    if (host.closest("script, style, template, code, pre, textarea")) continue;
    const shown = text.trim() && host.offsetParent && !host.closest("hl-chart, .hl-hidden-label");
    const panel = shown ? host.closest(".hl-panel") : null;
    if (panel) {
      const inset = parseFloat(getComputedStyle(host).paddingLeft) - panel.getBoundingClientRect().left;
      const room = host.getBoundingClientRect().left + inset;
      if (room >= 0 && room < 4) found.push(`at a panel's edge: ${text.trim().slice(0, 20)}`);
    }
    if (/\b(None|undefined|NaN)\b|\[object /.test(text)) found.push(`no word: ${text.trim().slice(0, 60)}`);
  }
  return found;
}"""


async def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.1 A and AA, and what no page may show, one line each."""
    # One that is cancelled, since its element went, is over as well.
    await page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))")
    await page.evaluate(AXE.read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
    found = await page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(tags)}}})")
    slips: list[str] = await page.evaluate(SLIPS)
    return slips + [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


async def rested(node: Node, extension: str = AGENT[1]) -> None:
    """The queue rings this telephone again: its time after the last call is over."""
    assert node.simulator is not None
    queues = node.simulator.pbx.queues.values()
    places = [one for queue in queues for one in queue.members.values() if one.extension == extension]
    await eventually(lambda: not any(one.in_call for one in places), what="the telephone is free")
    for one in places:
        one.busy_until = 0.0
