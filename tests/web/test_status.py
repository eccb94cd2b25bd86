"""The status line, /healthz and what people are told when the database is away."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.leadership import LeaseRow
from telephony.models import PbxState
from tests.web.conftest import Console
from web.access import storage_code
from web.context import FRAME
from web.sentences import PROBLEMS


async def _pbx(console: Console, name: str = "pbx1", **state: Any) -> None:
    now = console.ctx.clock.now()
    async with console.ctx.db.begin() as uow:
        values: dict[str, Any] = {"connected": True, "generation": 1, "updated_at": now, **state}
        uow.session.add(PbxState(pbx=name, **values))


async def _lease(console: Console, *, held: bool) -> None:
    async with console.ctx.db.begin() as uow:
        real = await console.ctx.db.ping()
        until = real + timedelta(seconds=60 if held else -60)
        uow.session.add(LeaseRow(role="telephony", owner="node", epoch=1, until=until))


async def _line(console: Console) -> str:
    browser = await console.signed_in("agent")
    return (await browser.get("/status/line")).text


async def test_a_pbx_that_answers_is_said_to_be_well(console: Console) -> None:
    await _lease(console, held=True)
    await _pbx(console)
    line = await _line(console)
    assert "电话系统正常" in line
    assert 'data-state="good"' in line


async def test_a_lost_pbx_is_named_with_the_time_since_when(console: Console) -> None:
    await _lease(console, held=True)
    await _pbx(console, connected=False, silent_since=console.ctx.clock.now())
    await _pbx(console, "pbx2")
    line = await _line(console)
    assert "电话系统 pbx1：连接中断（自 10:00:00）" in line
    assert "电话系统 pbx2正常" in line
    assert 'data-state="bad"' in line


async def test_an_open_gap_is_shown_until_it_is_closed(console: Console) -> None:
    await _lease(console, held=True)
    await _pbx(console, gap_since=console.ctx.clock.now())
    assert "有缺口（自 10:00:00）" in await _line(console)


async def test_a_pbx_nobody_minds_is_not_said_to_be_well(console: Console) -> None:
    await _lease(console, held=False)
    await _pbx(console)
    line = await _line(console)
    assert "正常" not in line
    assert "接入服务未运行" in line


async def test_every_page_carries_the_line_from_the_start(console: Console) -> None:
    await _lease(console, held=True)
    await _pbx(console)
    browser = await console.signed_in("nobody")
    assert "电话系统正常" in (await browser.get("/welcome")).text


async def test_healthz_tells_degraded_from_well(console: Console) -> None:
    await _lease(console, held=True)
    await _pbx(console)
    well = json.loads((await console.browser().get("/healthz")).text)
    assert (well["status"], well["database"]) == ("ok", True)
    assert well["leases"][0]["role"] == "telephony"
    await _pbx(console, "pbx2", connected=False)
    worse = json.loads((await console.browser().get("/healthz")).text)
    assert worse["status"] == "degraded"


async def test_a_database_out_of_reach_is_a_sentence_and_healthz_says_down(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await console.signed_in("nobody")
    await console.ctx.db.close()
    monkeypatch.setattr(console.ctx.db, "read", _no_database)
    monkeypatch.setattr(console.ctx.db, "ping", _no_database)
    answer = await browser.get("/welcome")
    assert answer.status == 503
    assert PROBLEMS["unavailable"].sentence in answer.text
    health = await console.browser().get("/healthz")
    assert (health.status, json.loads(health.text)["status"]) == (503, "down")


def _no_database() -> None:
    raise ConnectionRefusedError("nobody listens")


class _Refusal(Exception):
    def __init__(self, state: str | None) -> None:
        super().__init__(state)
        self.sqlstate = state


@pytest.mark.parametrize(
    ("state", "code"),
    [("53100", "disk_full"), ("57P01", "unavailable"), ("08006", "unavailable"), ("40001", "unavailable"),
     (None, "unavailable"), ("42703", "internal"), ("23505", "internal")],
)  # fmt: skip
def test_a_storage_failure_gets_the_sentence_that_fits(state: str | None, code: str) -> None:
    assert storage_code(DBAPIError("select", {}, _Refusal(state))) == code


def test_an_empty_pool_means_busy_and_a_wrong_query_means_a_mistake_of_ours() -> None:
    assert storage_code(PoolTimeout("pool")) == "unavailable"
    assert storage_code(ProgrammingError("select", {}, _Refusal("42601"))) == "internal"


async def test_a_frame_that_cannot_be_filled_still_leaves_a_page_with_a_sentence(console: Console) -> None:
    async def broken(_request: object) -> dict[str, Any]:
        raise ConnectionRefusedError("nobody listens")

    browser = await console.signed_in("nobody")
    console.server.app[FRAME].parts.append(broken)
    answer = await browser.get("/welcome")
    assert answer.status == 503
    assert PROBLEMS["unavailable"].sentence in answer.text
    assert "状态未知" in answer.text
