"""The page of one's own keys, and that every other page shows them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.people.hotkeys import FIXED, SHIPPED
from tests.web.conftest import Browser, Console
from web.reads.hotkeys import WORDS

HX = {"HX-Request": "true"}
TEMPLATES = Path(__file__).parents[2] / "web" / "templates"


@pytest.fixture
async def agent(console: Console) -> Browser:
    return await console.signed_in("agent")


async def _change(browser: Browser, name: str, combination: str) -> tuple[int, str]:
    answer = await browser.post("/me/keys", {"name": name, "combination": combination}, headers=HX)
    return answer.status, answer.text


def test_every_key_of_a_template_is_in_the_table_and_has_its_words() -> None:
    assert set(WORDS) == set(SHIPPED)
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text("utf-8")
        for name in re.findall(r'(?:hotkey|own_key)\("([^"%]+)"\)', text):
            assert name in (*SHIPPED, *FIXED), (path.name, name)
        assert "data-hotkey=" not in text, path.name  # hotkey() writes it, as the person has it


async def test_a_key_is_changed_and_every_page_and_seat_has_it(console: Console, agent: Browser) -> None:
    status, rows = await _change(agent, "Alt+N", "Alt+G")
    assert status == 200
    assert "“新建草稿”现在是 Alt+G。" in rows
    other_seat = await console.signed_in("agent")
    for browser in (agent, other_seat):
        page = (await browser.get("/agent")).text
        assert 'data-hotkey="Alt+G" aria-keyshortcuts="Alt+G"' in page
        assert "+ 新建 <kbd>Alt+G</kbd>" in page
        assert "<kbd>Alt+N</kbd>" not in page  # nor on the sheet
        assert 'data-hotkeys="{&#34;Alt+N&#34;: &#34;Alt+G&#34;}"' in page
    assert "默认 Alt+N" in (await agent.get("/me/keys")).text


async def test_somebody_elses_keys_stay_as_they_are(console: Console, agent: Browser) -> None:
    await _change(agent, "Alt+N", "Alt+G")
    page = (await (await console.signed_in("shift_leader")).get("/agent")).text
    assert "+ 新建 <kbd>Alt+N</kbd>" in page
    assert "data-hotkeys" not in page


@pytest.mark.parametrize(
    ("combination", "status", "says"),
    [
        ("K", 422, "单个字母、数字要留给打字"),
        ("Ctrl+W", 422, "Ctrl+W 是浏览器、系统或输入框自己的按键"),
        ("F5", 422, "F5 是浏览器"),
        ("F9", 409, "F9 已用于“请班长协助”，没有改动。"),
        ("F1", 422, "F1 是固定的按键"),
    ],
)
async def test_a_refusal_says_why_and_changes_nothing(
    agent: Browser, combination: str, status: int, says: str
) -> None:
    answered, rows = await _change(agent, "Alt+N", combination)
    assert answered == status
    assert says in rows
    assert "+ 新建 <kbd>Alt+N</kbd>" in (await agent.get("/agent")).text


async def test_one_key_or_all_go_back(agent: Browser) -> None:
    for name, combination in (("Alt+N", "Alt+G"), ("F9", "Alt+V"), ("Ctrl+Enter", "Ctrl+F9")):
        assert (await _change(agent, name, combination))[0] == 200
    back = await agent.post("/me/keys/reset", {"name": "Alt+N"}, headers=HX)
    rows = back.text
    assert "默认 Alt+N" not in rows
    assert "默认 F9" in rows
    await _change(agent, "Alt+N", "F9")  # free: F9 itself is Alt+V
    lent = await agent.post("/me/keys/reset", {"name": "F9"}, headers=HX)
    assert lent.status == 409
    assert "F9 已用于" in lent.text
    await agent.post("/me/keys/reset", {})
    assert "data-hotkeys" not in (await agent.get("/agent")).text


async def test_nonsense_is_refused(agent: Browser) -> None:
    assert (await _change(agent, "Alt+X", "Alt+G"))[0] == 404
    answer = await agent.post(
        "/me/keys", {"name": "Alt+N", "combination": "Alt+G", "user_id": "1"}, headers=HX
    )
    assert answer.status == 400
