"""Ring → pop: from the ring event leaving the simulated PBX to the banner in an agent's browser.

A whole node (embedded database, web, telephony) runs in this process; a headless Chromium looks at
the agent's seat through the real login, WebSocket and templates. A MutationObserver notes when the
banner stands in the document; the simulator notes when `AgentCalled`, the first event that names the
desk, is written to the socket. Both read the same machine's clock.

    python -m bench.ring_to_pop [--calls 50]
"""

import argparse
import asyncio
import os
import random
import shutil
import time
from collections.abc import Sequence
from typing import Any

from playwright.async_api import Page, async_playwright

from bench._node import EXTENSION, LOGIN, quiet_node
from bench._report import console, finish, machine, percentile, progress, until
from core.event_log import LoggedEvent
from node import Node
from telephony.events import CallRinging
from telephony.simulator import Simulator
from telephony.simulator.callers import citizen
from telephony.simulator.wire import Headers, first

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 15.0  # seconds until a pop counts as lost
RINGS_FOR = 1.2  # seconds each call rings before the citizen hangs up
WATCH = """
window.pops = [];
window.notes = [];
const now = () => (performance.timeOrigin + performance.now()) / 1000;
document.addEventListener("hl:live", (event) => {
  if (event.detail.kind === "ringing") window.notes.push(now());
});
new MutationObserver(() => {
  for (const banner of document.querySelectorAll(".ag-banner[data-session]")) {
    if (!banner.noted) {
      banner.noted = true;
      window.pops.push(now());
    }
  }
}).observe(document, { childList: true, subtree: true });
"""


class Rings:
    """When each ring left the PBX, was committed, and was numbered for the screens; epoch seconds."""

    def __init__(self, node: Node, simulator: Simulator) -> None:
        self.left: list[float] = []
        self.committed: list[float] = []
        self.numbered: list[float] = []
        simulator.tap(self._hear)
        node.bus.after(CallRinging, self._commit)
        node.tail.listen(self._number)

    def _hear(self, name: str, headers: Headers) -> None:
        if name == "AgentCalled" and first(headers, "Interface") == f"PJSIP/{EXTENSION}":
            self.left.append(time.time())

    async def _commit(self, event: CallRinging) -> None:
        del event
        self.committed.append(time.time())

    async def _number(self, batch: Sequence[LoggedEvent]) -> None:
        self.numbered += [time.time() for event in batch if event.kind == "ringing"]


async def measure(calls: int) -> dict[str, Any]:
    """Ring so often; returns the figures."""
    figures: dict[str, Any] = {"machine": machine(), "calls": calls}
    async with quiet_node() as node, async_playwright() as playwright:
        assert node.simulator is not None
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        figures["browser"] = browser.version
        page = await browser.new_page(viewport={"width": 1366, "height": 768})
        await _sign_in(page, node)
        rings = Rings(node, node.simulator)
        pops = await _ring(page, node.simulator, calls)
        notes: list[float] = await page.evaluate("window.notes")
        await browser.close()
    delays = [(popped - left) * 1000 for popped, left in zip(pops, rings.left, strict=True) if popped]
    stages = {
        "committed": rings.committed,
        "numbered": rings.numbered,
        "in_the_page": notes,
        "in_the_dom": [popped for popped in pops if popped],
    }
    found = sorted(delays)
    figures |= {
        "delays_ms": [round(delay, 1) for delay in delays],
        "lost": calls - len(found),
        "reached_by_ms_p50": {name: _typical(times, rings.left) for name, times in stages.items()},
        "p50_ms": percentile(found, 0.5),
        "p99_ms": percentile(found, 0.99),
        "max_ms": max(found, default=0.0),
    }
    return figures


def _typical(times: list[float], left: list[float]) -> float | None:
    """Median milliseconds from the ring to a stage; None where the counts do not match."""
    if len(times) != len(left):
        return None
    return round(percentile([(at - start) * 1000 for at, start in zip(times, left, strict=True)], 0.5), 1)


def _chromium() -> str:
    chosen = os.environ.get("HOTLINE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if chosen is None:
        raise SystemExit("no Chromium on PATH; apt-get install chromium, or name one: HOTLINE_TEST_CHROMIUM")
    return chosen


async def _sign_in(page: Page, node: Node) -> None:
    await page.add_init_script(WATCH)
    base = f"http://127.0.0.1:{node.port}"
    await page.goto(f"{base}/login")
    await page.fill("input[name=login]:not([type=hidden])", LOGIN)
    await page.fill("input[name=password]:not([type=hidden])", node.settings.secrets.demo_password)
    await page.press("input[name=password]:not([type=hidden])", "Enter")
    await page.wait_for_selector(".hl-user")
    await page.goto(f"{base}/agent")
    await page.wait_for_selector("hl-phone")
    await _wait_for_line(node)


async def _wait_for_line(node: Node) -> None:
    """Until the node has logged in at the simulated PBX."""
    assert node.simulator is not None
    server = node.simulator.server
    await until(lambda: any(session.logged_in for session in server.sessions))
    await asyncio.sleep(2)  # the browser's socket and the first snapshot


async def _ring(page: Page, simulator: Simulator, calls: int) -> list[float | None]:
    """Ring so often; returns when each pop stood in the document, None for one that never came."""
    draw = random.Random(1)
    pops: list[float | None] = []
    with progress() as bars:
        for number in bars.track(range(calls), description="ringing"):
            caller = citizen(number)
            simulator.place_call(
                caller.number, caller.name, agent=EXTENSION, outcome="abandoned", patience=RINGS_FOR
            )
            pops.append(await _popped(page, number - pops.count(None)))
            await page.wait_for_selector(".ag-banner[data-session]", state="detached", timeout=10_000)
            await asyncio.sleep(draw.uniform(0.2, 0.8))
    return pops


async def _popped(page: Page, number: int) -> float | None:
    """When the pop of this call stood in the document, epoch seconds; None when it never came."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        pops: list[float] = await page.evaluate("window.pops")
        if len(pops) > number:
            return pops[number]
        await asyncio.sleep(0.05)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.ring_to_pop", description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    figures = asyncio.run(measure(parser.parse_args().calls))
    rows = [
        ("calls rung / pops lost", f"{figures['calls']} / {figures['lost']}", "0 lost"),
        ("p50", f"{figures['p50_ms']:.0f} ms", ""),
        ("p99", f"{figures['p99_ms']:.0f} ms", "< 300 ms"),
        ("slowest", f"{figures['max_ms']:.0f} ms", ""),
    ]
    for stage, reached in figures["reached_by_ms_p50"].items():
        rows.append((f"p50, {stage.replace('_', ' ')}", "?" if reached is None else f"{reached:.0f} ms", ""))
    console.print(figures["machine"])
    finish("ring_to_pop", "Ring → pop in the DOM", rows, figures)


if __name__ == "__main__":
    main()
