"""`python3 hotline.py due`: the deadline and its reasons, or one sentence and status 2."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.settings import ROOT

NOTHING = ROOT / "no" / "such" / "folder"  # no database runs there


def due(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "commands.py"), "due", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOTLINE_PATHS__VAR": str(NOTHING), **environment},
    )


def told(*words: str, **environment: str) -> dict[str, Any]:
    done = due(*words, "--json", **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_prints_the_deadline_and_why() -> None:
    done = due("--start", "2026-09-28T10:00+08:00", "--limit", "10wd")
    assert done.returncode == 0
    first, chinese, english, source = done.stdout.splitlines()
    assert source == "calendar: the file sla/calendars/guilin.csv"
    assert first == "due 2026-10-16 18:00"
    assert "跳过 10-01 至 10-07" in chinese
    assert "counted Sat 10 Oct (make-up day)" in english


def test_by_default_the_citys_calendar_counts_and_national_leaves_its_days_out() -> None:
    words = ("--start", "2025-03-28T10:00", "--limit", "1wd")
    city, national = told(*words), told(*words, "--calendar", "national")
    assert (city["due"], national["due"]) == ("2025-04-02T18:00:00+08:00", "2025-03-31T18:00:00+08:00")
    assert [day["kind"] for day in city["skipped"]] == ["weekend", "weekend", "city_rest", "city_rest"]
    assert told(*words, HOTLINE_CITY__CALENDAR="")["due"] == national["due"]


def test_a_file_of_days_stands_in_the_place_of_the_citys(tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    file.write_text("date,kind,hours,reason\n2025-03-31,rest,,停电\n", encoding="utf-8")
    found = told("--start", "2025-03-28T10:00", "--limit", "1wd", "--calendar", str(file))
    assert found["due"] == "2025-04-01T18:00:00+08:00"
    assert "停电" in found["explanation"]


def test_a_start_without_a_zone_is_the_citys_time_wherever_the_server_stands() -> None:
    words = ("--limit", "3wh", "--start")
    wanted = "2026-11-25T12:00:00+08:00"
    for zone in ("UTC", "America/New_York"):
        assert told(*words, "2026-11-25T09:00", TZ=zone)["due"] == wanted
        assert told(*words, "2026-11-25T01:00Z", TZ=zone)["due"] == wanted


BAD_FILE = "date,kind,hours,reason\n2025-03-31,rest,,停电\n2025-04-31,rest,,\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--start", "2026-09-28T10:00", "--limit", "0wd"), "0wd leaves no time"),
        (("--start", "2026-09-28T10:00", "--limit", "-5wd"), "-5wd leaves no time"),
        (("--start", "2026-09-28T10:00", "--limit", "10000wd"), "too long"),
        (("--start", "2026-09-28T10:00", "--limit", "10d"), "no unit d"),
        (("--start", "2026-09-28T10:00", "--limit", "ten"), "not a limit"),
        (("--start", "tomorrow", "--limit", "1wd"), "not an instant"),
        (("--start", "1066-10-14T09:00", "--limit", "1wd"), "from 2001 to 2050 only"),
        (("--start", "2050-12-30T10:00", "--limit", "9wd"), "from 2001 to 2050 only"),
        (("--start", "2026-09-28T10:00", "--limit", "1wd", "--calendar", "days.csv"), "line 3"),
        (("--start", "2026-09-28T10:00", "--limit", "1wd", "--calendar", "none.csv"), "cannot be read"),
        (("--start", "2026-09-28T10:00"), "--limit"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_status_2(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    (tmp_path / "days.csv").write_text(BAD_FILE, encoding="utf-8")
    done = due(*(str(tmp_path / word) if word.endswith(".csv") else word for word in words))
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
