"""`python3 hotline.py measures verify`: what is kept is what history tells, or what differs and status 1."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.settings import ROOT
from tests.sla.measures_rig import fold
from tests.sla.test_measures import clock_of
from tests.tickets.conftest import City
from tests.tickets.life import life


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"HOTLINE_DATABASE__URL": database_url, "HOTLINE_PATHS__VAR": str(tmp_path / "var")}


def measures(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "commands.py"), "measures", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def told(environment: dict[str, str], *words: str) -> tuple[int, dict[str, Any]]:
    done = measures(environment, "verify", "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


async def test_what_is_right_and_what_went_wrong_is_said(city: City, environment: dict[str, str]) -> None:
    one = await life(city)
    await one.to_handling()
    await fold(city.db)
    clock_of(city).advance(86_400 * 3)
    await life(city, phone="13800000009")  # waits to be folded: right all the same
    status, found = told(environment)
    assert (status, found["right"], found["tickets"]) == (0, True, 2)

    async with city.db.begin() as uow:
        await uow.fetch("DELETE FROM measure_fact WHERE code = 'sent'")
        await uow.fetch("UPDATE measure_sum SET n = n + 1 WHERE code = 'signed' AND scope = 'all'")
    status, found = told(environment)
    assert (status, found["right"], found["facts_that_differ"]) == (1, False, 1)
    assert [(fact["ticket"], fact["code"], fact["kept"]) for fact in found["facts"]] == [
        (one.id, "sent", None)
    ]
    assert {(s["code"], s["kept"] - s["told"]) for s in found["sums"]} == {("signed", 1), ("sent", 1)}
    words = measures(environment, "verify")
    assert words.returncode == 1
    assert f"ticket {one.id}: sent 2 is missing, history says 2026-11-23" in words.stdout
    assert "1 facts" in words.stdout.splitlines()[-1]

    status, found = told(environment, "--from", "2026-11-26")
    assert (status, found["right"]) == (0, True)
    status, found = told(environment, "--to", "2026-11-23")
    assert (status, found["tickets"]) == (1, 1)


def test_days_that_are_none_are_refused(environment: dict[str, str]) -> None:
    for words in (
        ("--from", "yesterday"),
        ("--from", "2026-02-30"),
        ("--from", "2026-02-02", "--to", "2026-02-01"),
    ):
        done = measures(environment, "verify", *words)
        assert done.returncode == 2, words
        assert "is no day" in done.stderr + done.stdout
