"""智能分类: models and figures are shown, a person promotes; advice beside the form is one fragment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestServer

from classifier import registry
from classifier.advice import Advice, Gate, Reason, Why
from classifier.advisor import Advisor, Loaded
from classifier.registry import Trained
from core.people.actor import Actor
from tests.web.conftest import Browser, Console
from web.app import make_app

SYSTEM = Actor.system("classifier")


class Oracle:
    """Names two categories for everything, the second of which the city does not have."""

    def __init__(self, code: str, gate: Gate = Gate.SUGGEST) -> None:
        self.code, self.gate = code, gate

    def suggest(self, title: str, detail: str) -> Advice:
        top = ((self.code, 0.8), ("990000", 0.15), ("0", 0.01))
        return Advice(self.code, 0.8, top, (Reason("路灯", 1.0),), self.gate, Why.BELOW_THRESHOLD)


async def kept(console: Console, digest: str) -> int:
    trained = Trained(
        digest * 64, {"model.json": b"{}"}, "starter", 6000, None, None, {"accuracy": 0.91, "macro_f1": 0.9}
    )
    async with console.ctx.db.begin() as uow:
        return await registry.keep(uow, SYSTEM, trained)


async def advised(console: Console, tmp_path: Path, gate: Gate = Gate.SUGGEST) -> AsyncIterator[Console]:
    """The console with a model that knows the city's category."""
    advisor = Advisor(console.ctx.db, tmp_path)
    await console.category()
    async with console.ctx.db.read() as session:
        from sqlalchemy import text

        code = (
            await session.execute(text("SELECT code FROM category ORDER BY id DESC LIMIT 1"))
        ).scalar_one()
    advisor.active = Loaded(await kept(console, "a"), "a" * 64, cast(Any, Oracle(code, gate)))
    server = TestServer(make_app(replace(console.ctx, advisor=advisor)))
    await server.start_server()
    yield replace(console, base=str(server.make_url("")).rstrip("/"), server=server)
    await server.close()
    advisor.close()


@pytest.fixture
async def wise(console: Console, tmp_path: Path) -> AsyncIterator[Console]:
    async for one in advised(console, tmp_path):
        yield one


@pytest.fixture
async def unsure(console: Console, tmp_path: Path) -> AsyncIterator[Console]:
    async for one in advised(console, tmp_path, Gate.MANUAL):
        yield one


async def asked(browser: Browser, title: str, narrative: str = "") -> str:
    answer = await browser.post("/agent/advice", {"title": title, "narrative": narrative})
    assert answer.status == 200
    return answer.text


async def test_a_category_is_offered_with_one_key_and_what_the_city_does_not_have_is_not(
    wise: Console,
) -> None:
    shown = await asked(await wise.signed_in("agent"), "路灯不亮")
    assert shown.count('data-take="category_id"') == 1
    assert 'data-hotkey="Alt+1"' in shown
    assert "80%" in shown
    assert "依据：路灯" in shown
    assert 'data-take="urgency"' not in shown


async def test_what_is_unlike_anything_seen_is_said_to_be_so(unsure: Console) -> None:
    assert "请人工判断" in await asked(await unsure.signed_in("agent"), "某件从未有过的事")


async def test_words_that_make_it_urgent_are_told_with_one_key(wise: Console) -> None:
    shown = await asked(await wise.signed_in("agent"), "小区燃气泄漏", "楼道里有很重的燃气味，怕爆炸")
    assert 'data-take="urgency"' in shown
    assert 'data-hotkey="Alt+4"' in shown


async def test_without_a_model_or_a_text_there_is_no_advice(console: Console, wise: Console) -> None:
    assert "data-take" not in await asked(await console.signed_in("agent"), "路灯不亮")
    assert "data-take" not in await asked(await wise.signed_in("agent"), "  ")


async def test_only_who_writes_drafts_is_advised(wise: Console) -> None:
    officer = await wise.signed_in("dept_officer")
    assert (await officer.post("/agent/advice", {"title": "路灯"})).status == 403


async def test_a_text_that_is_too_long_is_refused(wise: Console) -> None:
    agent = await wise.signed_in("agent")
    assert (await agent.post("/agent/advice", {"title": "路" * 1001})).status == 400


async def test_a_person_promotes_the_challenger_with_a_reason(console: Console) -> None:
    first, second = await kept(console, "a"), await kept(console, "b")
    boss = await console.signed_in("supervision_officer")
    page = (await boss.get("/admin/classifier")).text
    assert "候选模型" in page
    assert "0.910" in page
    path = f"/admin/classifier/models/{second}/promote"
    assert (await boss.post(path, {"reason": ""})).status == 422
    assert (await boss.post(path, {"reason": "指标更好"})).status == 303
    async with console.ctx.db.read() as session:
        assert (await registry.in_state(session))["active"][0] == second
    assert (await boss.post("/admin/classifier/off", {"reason": "暂停使用"})).status == 303
    async with console.ctx.db.read() as session:
        assert await registry.in_state(session) == {}
    assert first


async def test_a_category_without_evidence_is_not_opened(console: Console) -> None:
    await kept(console, "a")
    boss = await console.signed_in("supervision_officer")
    path = f"/admin/classifier/categories/{await console.category()}"
    assert (await boss.post(path, {"automatic": "true"})).status == 409
    assert (await boss.post(path, {"automatic": "false"})).status == 303


@pytest.mark.parametrize("login", ["agent", "dept_officer", "dispatcher"])
async def test_others_do_not_see_the_models(console: Console, login: str) -> None:
    browser = await console.signed_in(login)
    assert (await browser.get("/admin/classifier")).status == 403


async def test_the_page_says_what_will_be_there(console: Console) -> None:
    boss = await console.signed_in("supervision_officer")
    page = (await boss.get("/admin/classifier")).text
    assert "还没有模型" in page
