"""The file of a city's own days: taken as a whole, or refused with the line."""

import json
from datetime import date
from pathlib import Path

import pytest

from core.errors import HotlineError
from core.settings import ROOT, City
from core.startup import explain
from sla.calendar import DayKind, Exceptional
from sla.city_days import read_days
from sla.sources import city_calendar, file_calendar

HEAD = "date,kind,hours,reason\n"


def read(tmp_path: Path, text: str, name: str = "days.csv") -> dict[date, Exceptional]:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return read_days(file, first=2001, last=2050)


GOOD = HEAD + '2026-04-20,rest,,三月三\n2026-04-25,work,09:00-12:00 14:00-17:00,"补班，下午两点起"\n'


def test_a_file_holds_rest_and_working_days_with_hours(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert found[date(2026, 4, 20)].kind is DayKind.CITY_REST
    worked = found[date(2026, 4, 25)]
    assert (worked.kind, worked.spans) == (DayKind.CITY_WORK, ((540, 720), (840, 1020)))
    assert worked.reason == "补班，下午两点起"


def test_json_says_the_same(tmp_path: Path) -> None:
    days = [
        {"date": "2026-04-20", "kind": "rest", "reason": "三月三"},
        {
            "date": "2026-04-25",
            "kind": "work",
            "hours": ["09:00-12:00", "14:00-17:00"],
            "reason": "补班，下午两点起",
        },
    ]
    wanted = read(tmp_path, GOOD)
    assert read(tmp_path, json.dumps(days), "days.json") == wanted
    assert read(tmp_path, json.dumps({"years": [2026, 2026], "days": days}), "days.json") == wanted


def test_what_a_spreadsheet_adds_does_no_harm(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + GOOD.replace("\n", "\r\n") + "\r\n") == read(tmp_path, GOOD)


def test_a_year_without_days_is_one_line(tmp_path: Path) -> None:
    text = HEAD + "2024-04-11,rest,,\n2025,none,,没有\n2026-04-20,rest,,\n"
    assert sorted(day.year for day in read(tmp_path, text)) == [2024, 2026]


BAD = [
    ("date;kind\n", "calendar_file_columns", None),
    ("", "calendar_file_columns", None),
    (HEAD + "2026-04-20,rest,\n", "calendar_line_cells", "line 2"),
    (HEAD + "2026-04-20,rest,," + "x" * 200_000, "calendar_line_cells", "line 2"),
    (HEAD + ",rest,,x\n", "calendar_line_date", "line 2"),
    (HEAD + "# why\n\n2026-02-30,rest,,x\n", "calendar_line_date", "line 4"),
    (HEAD + "20260420,rest,,x\n", "calendar_line_date", "line 2"),
    (HEAD + "2026,rest,,x\n", "calendar_line_date", "line 2"),
    (HEAD + "2026-01-01,none,,x\n", "calendar_line_date", "line 2"),
    (HEAD + "1926-04-20,rest,,x\n", "calendar_line_year", "line 2"),
    ("# years: 2026-2026\n" + HEAD + "2025-04-20,rest,,x\n", "calendar_line_year", "line 3"),
    (HEAD + "2026-04-20,holiday,,x\n", "calendar_line_kind", "line 2"),
    (HEAD + "2026-04-20,,,x\n", "calendar_line_kind", "line 2"),
    (HEAD + "2026-04-20,rest,09:00-12:00,x\n", "calendar_line_hours", "line 2"),
    (HEAD + "2026-04-20,rest,,x\n2026-04-20,work,,y\n", "calendar_line_twice", "line 3"),
    (HEAD + "2026-04-25,work,09:00-12:00 11:00-13:00,x\n", "spans_overlap", "line 2"),
    (HEAD + "2026-04-25,work,12:00-09:00,x\n", "spans_reversed", "line 2"),
    (HEAD + "2026-04-25,work,morning,x\n", "span_unreadable", "line 2"),
    (HEAD + "2024-04-11,rest,,x\n2026-04-20,rest,,x\n", "calendar_file_gap", None),
    ("# years: 2025-2026\n" + HEAD + "2025-04-11,rest,,x\n", "calendar_file_gap", None),
    ("# years: 1990-2026\n" + HEAD, "calendar_file_years", None),
]


@pytest.mark.parametrize(("text", "code", "where"), BAD)
def test_a_bad_file_is_refused_with_the_line(tmp_path: Path, text: str, code: str, where: str | None) -> None:
    with pytest.raises(HotlineError) as caught:
        read(tmp_path, text)
    assert caught.value.code == code
    sentence, help_ = explain(caught.value)
    assert "days.csv" in sentence
    assert where is None or where in sentence
    assert "<" not in sentence + help_  # every value the sentence needs is there


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "calendar_file_unreadable"),
        ("[" * 100_000, "calendar_file_unreadable"),
        ("7", "calendar_file_columns"),
        ('["2026-04-20"]', "calendar_file_columns"),
        ('[{"date": "2026-04-20", "type": "rest"}]', "calendar_file_columns"),
        ('{"years": "2026", "days": []}', "calendar_file_unreadable"),
        ('[{"kind": "rest"}]', "calendar_line_date"),
        ('[{"date": 20260420, "kind": "rest"}]', "calendar_line_date"),
    ],
)
def test_a_bad_json_file_is_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(HotlineError) as caught:
        read(tmp_path, text, "days.json")
    assert caught.value.code == code


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00date")
    for name in ("a.csv", "missing.csv", "."):
        with pytest.raises(HotlineError) as caught:
            read_days(tmp_path / name, first=2001, last=2050)
        assert caught.value.code == "calendar_file_unreadable"


def test_the_shipped_file_is_good_and_gives_its_source() -> None:
    file = ROOT / City().calendar
    assert len(read_days(file, first=2001, last=2050)) == 31
    assert "第98号" in file.read_text(encoding="utf-8")


def test_a_city_without_a_file_lives_by_the_national_days() -> None:
    plain = city_calendar(City(calendar=""))
    assert plain.works(date(2025, 3, 31))
    assert not city_calendar(City()).works(date(2025, 3, 31))


def test_a_file_given_by_hand_stands_in_the_place_of_the_citys(tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    file.write_text(HEAD + "2025-06-03,rest,,x\n", encoding="utf-8")
    made = file_calendar(City(), file)
    assert not made.works(date(2025, 6, 3))
    assert made.works(date(2025, 3, 31))
