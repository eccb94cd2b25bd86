"""How elements keep up with the server: looks that are shared, put off, tried again and given up."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page

from tests.ui.conftest import RunningConsole

pytestmark = pytest.mark.browser
# What every script below has: `Seen` looks at what `answer` says and notes what it did.
HEAD = """async () => {
  const { Looking } = await import("/static/js/elements/looking.js");
  const { FetchError } = await import("/static/js/elements/dom.js");
  const said = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
  const turn = () => new Promise((go) => window.setTimeout(go, 0));
  class Seen extends Looking {
    constructor(answer, options) {
      super(async () => { this.looks += 1; await answer(this.looks); }, { burst: 0, stale: (old) => this.told.push(old), ...options });
      this.looks = 0; this.told = []; this.waits = [];
      this.follow((note) => note.topic === "call");
    }
    soon(ms = this.wait()) { this.waits.push(ms); super.soon(ms); }
    async now() { await super.now(); if (this.ended && this.ended()) this.done(); }
    until(ended) { this.ended = ended; return new Promise((done) => { this.done = done; }); }
  }
"""  # noqa: E501 - a script reads better in its own lines


@pytest.fixture
async def page(console: RunningConsole) -> Page:
    page = await console.page()
    await page.goto(console.base + "/login")
    return page


async def _run(page: Page, script: str) -> Any:
    return await page.evaluate(HEAD + script + "}")


async def test_a_burst_is_one_look_and_what_is_heard_meanwhile_one_more(page: Page) -> None:
    found = await _run(
        page,
        """
  let go; const open = new Promise((one) => { go = one; });
  const seen = new Seen((looks) => looks === 1 ? open : null);
  for (let n = 0; n < 9; n += 1) said("hl:live", { topic: "call" });
  said("hl:live", { topic: "another" });
  while (!seen.looks) await turn();
  for (let n = 0; n < 9; n += 1) { said("hl:live", { topic: "call" }); await turn(); }
  const during = seen.looks;
  const both = seen.until(() => seen.looks === 2 && !seen.busy);
  go();
  await both; await turn();
  return [during, seen.looks, seen.told];
""",
    )
    assert found == [1, 2, [False, False]]


async def test_pauses_grow_until_the_server_answers_and_then_begin_anew(page: Page) -> None:
    found = await _run(
        page,
        """
  const seen = new Seen((looks) => { if (looks < 5) throw new FetchError(looks === 4 ? 429 : 0, ""); }, { retry: 1, longest: 4 });
  const over = seen.until(() => seen.looks === 5);
  said("hl:socket", { state: "open" });
  await over;
  return [seen.waits.slice(1), seen.told, seen.pause, seen.due === Infinity];
""",  # noqa: E501
    )
    assert found == [[1, 2, 4, 4], [True] * 4 + [False], 1, True]


async def test_what_the_server_refused_is_not_asked_again_by_itself(page: Page) -> None:
    found = await _run(
        page,
        """
  const seen = new Seen(() => { throw new FetchError(404, ""); }, { retry: 0 });
  const over = seen.until(() => seen.looks === 1);
  said("hl:reset");
  await over;
  const due = seen.due === Infinity;
  const again = seen.until(() => seen.looks === 2);
  said("hl:live", { topic: "call" });
  await again;
  return [due, seen.told];
""",
    )
    assert found == [True, [True, True]]


async def test_an_element_that_has_left_looks_no_more(page: Page) -> None:
    found = await _run(
        page,
        """
  let fail; const open = new Promise((_, no) => { fail = no; });
  const seen = new Seen(() => open, { retry: 0 });
  said("hl:live", { topic: "call" });
  while (!seen.looks) await turn();
  seen.stop();
  const over = seen.until(() => true);
  fail(new FetchError(0, ""));
  await over;
  said("hl:live", { topic: "call" });
  await turn();
  return [seen.looks, seen.due === Infinity];
""",
    )
    assert found == [1, True]
