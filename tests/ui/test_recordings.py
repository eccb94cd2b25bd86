"""The player on the ticket page: hidden until a reason was given, then it plays and seeks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations

Shot = Callable[[Page, str], Awaitable[None]]
HEARD = """async () => {
  const sound = document.querySelector('audio');
  if (sound.readyState < 1) await new Promise((done) => sound.addEventListener('loadedmetadata', done));
  const moved = new Promise((done) => sound.addEventListener('seeked', done));
  sound.currentTime = sound.duration / 2;
  await moved;
  return [sound.error, Math.round(sound.duration), Math.round(sound.currentTime)];
}"""


async def player_shown(page: Page) -> None:
    """The own player has come with the shape of the sound and taken the place of the browser's."""
    await expect(page.locator("[data-recording] [data-player]")).to_be_visible()
    await expect(page.locator("[data-recording] audio")).to_be_hidden()


async def test_a_recording_plays_and_seeks_once_a_reason_was_given(
    console: RunningConsole, shot: Shot
) -> None:
    query = (
        "SELECT t.id FROM ticket t JOIN call_session c ON c.id = t.call_session_id "
        "WHERE c.recording IS NOT NULL AND t.type <> 'report' ORDER BY t.id DESC LIMIT 1"
    )
    ident = await scalar(console.node, query)
    page = await console.page("dispatcher01")
    await page.goto(f"{console.base}/tickets/{ident}")
    await expect(page.locator("audio")).to_have_count(0)
    await page.click("text=听录音")
    await page.fill("[data-recording] input[name=reason]", "核对来电内容")
    await shot(page, "recording-asked")
    await page.click("[data-recording] button")
    await player_shown(page)
    assert await page.evaluate(HEARD) == [None, 8, 4]
    await expect(page.locator("[data-recording] [data-time]")).to_have_text("00:04 / 00:08")
    await page.locator("[data-recording]").scroll_into_view_if_needed()
    await shot(page, "recording-open")
    assert await violations(page) == []
    await page.reload()
    await player_shown(page)
