"""Every error code a person can meet has a sentence of its own."""

from __future__ import annotations

import ast
import asyncio
import errno
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from core import metrics
from core.errors import HotlineError
from tests.helpers import eventually
from web.access import storage_code
from web.app import make_app
from web.context import WebContext
from web.errors import problem_of
from web.sentences import PROBLEMS

ROOT = Path(__file__).parents[2]
# What runs on behalf of a person at a screen; settings and start-up speak on the command line instead.
ROOMS = ("tickets", "web", "core/people")
FILES = ("core/privacy.py", "core/outbox.py", "core/leadership.py")
# Mistakes of ours or of an administrator's command line, answered as `internal`.
NOT_ON_SCREENS = {
    "value_unreadable",
    "unit_kind_unknown",
    "login_taken",
    "extension_taken",
    "user_not_found",
    "role_unknown",
    "table_columns_unclear",
    "table_column_missing",
    "table_unreadable",
    "table_unwritable",
    "table_empty",
    "certificate_lines",
}


def _sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from (ROOT / room).rglob("*.py")
    yield from (ROOT / name for name in FILES)


def _values(node: ast.expr) -> Iterator[ast.AST]:
    """What an expression may be: of a choice both sides, not what is asked."""
    if isinstance(node, ast.IfExp):
        yield from _values(node.body)
        yield from _values(node.orelse)
    else:
        yield from ast.walk(node)


def _raised(path: Path) -> Iterator[str]:
    """The codes written as text in HotlineError(...), both branches of a conditional included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "HotlineError" and node.args:
            for part in _values(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_every_code_raised_for_a_person_at_a_screen_has_a_sentence() -> None:
    raised = {code for path in _sources() for code in _raised(path)}
    assert len(raised) > 30
    assert raised - set(PROBLEMS) - NOT_ON_SCREENS == set()


def test_every_sentence_says_what_happened_and_what_to_do() -> None:
    for code, problem in PROBLEMS.items():
        assert 400 <= problem.status < 600, code
        assert problem.title, code
        assert problem.sentence.endswith(("。", "！")), code
        assert "," not in problem.sentence, f"{code}: Chinese punctuation"


def test_an_unknown_code_is_a_mistake_of_ours_and_says_nothing_of_it() -> None:
    code, problem = problem_of(HotlineError("never_heard_of", detail="4711"))
    assert (code, problem.status) == ("internal", 500)
    assert "4711" not in problem.sentence


def test_a_full_disk_is_told_as_what_it_is_whoever_was_writing() -> None:
    assert storage_code(OSError(errno.ENOSPC, "No space left on device")) == "disk_full"
    assert storage_code(ConnectionRefusedError(111, "refused")) == "unavailable"


async def test_a_page_left_in_mid_request_is_no_failure(
    ctx: WebContext, caplog: pytest.LogCaptureFixture
) -> None:
    """A beacon is often cut off by the next page: nobody is to be told, and no log to be filled."""
    runner = web.AppRunner(make_app(ctx))  # the server of the other tests ends whoever is left
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(
        b"POST /login HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 100\r\n\r\nlogin="
    )
    await writer.drain()
    labels = {"method": "POST", "route": "/login", "status": "499"}

    def left() -> float:
        return metrics.REGISTRY.get_sample_value("hotline_http_requests_total", labels) or 0

    before = left()
    writer.close()

    async def noticed() -> bool:
        return left() == before + 1

    await eventually(noticed, what="the request is over")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    await runner.cleanup()
