"""Policy packs: the figures of the rules, what an override reaches, and every bad file refused."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from core.errors import HotlineError
from core.settings import ROOT, City, Settings
from core.startup import explain
from sla.calendar import parse_spans
from sla.pack import Extension, Pack
from sla.packs import SHIPPED, named_pack, read_pack
from sla.plain import CityLimits
from tests.sla.rig import NATIONAL, at, shown
from tickets.limits import Matter
from tickets.states import Stage
from tickets.terms import LABELS, TicketType, Urgency

GUILIN, SICHUAN, SHANGHAI = map(named_pack, ("guilin", "sichuan", "shanghai"))
EVERY = ("normal", "urgent", "critical")

# The rules' own table, in its words: what, then the limit by urgency (一般, 紧急, 特急).
STAGES = {
    "dispatch": ("24h", "2h", "1h"),
    "sign": ("1wd", "1h", "15m"),
    "contact": ("1wd", "2h", "30m"),
    "return_window": ("1wd", "1wd", "1wd"),
    "return_ruling": ("4wh", "4wh", "4wh"),
    "check": ("1wd", "1wd", "1wd"),
    "call_back": ("2wd", "2wd", "2wd"),
    "decision": ("1wd", "1wd", "1wd"),  # of an extension and of a suspension
    "exclusion": ("2wd", "2wd", "2wd"),
    "suspension": ("720h", "720h", "720h"),  # the review, after 30 days at most
}
TOTALS = {
    "咨询": "2wd",
    "求助": "3wd",
    "建议": "5wd",
    "表扬": "5wd",
    "其他": "5wd",
    "投诉": "10wd",
    "申诉": "10wd",
    "举报": "15wd",
}
CO_OPINIONS = {"咨询": "1wd", "求助": "1wd", "建议": "2wd", "投诉": "5wd", "举报": "7wd"}
EXTENSIONS = {"咨询": 2, "求助": 3, "建议": 5, "投诉": 10, "申诉": 10, "举报": 10}
OF_WORD = {word: TicketType(code) for code, word in LABELS[TicketType].items()}


def limit(
    pack: Pack,
    stage: Stage,
    kind: str = "投诉",
    urgency: str = "normal",
    codes: Sequence[str] = (),
) -> str:
    return str(pack.limit(stage, OF_WORD[kind], Urgency(urgency), codes))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_the_limits_of_the_rules_whatever_the_type(stage: str) -> None:
    for kind in OF_WORD:
        assert tuple(limit(GUILIN, Stage(stage), kind, one) for one in EVERY) == STAGES[stage]


def test_the_total_is_the_rules_by_type_and_a_day_when_it_is_urgent() -> None:
    assert set(TOTALS) == set(OF_WORD)
    for kind, total in TOTALS.items():
        assert tuple(limit(GUILIN, Stage.TOTAL, kind, one) for one in EVERY) == (total, "24h", "24h")


def test_redone_work_has_three_days_and_a_report_five() -> None:
    assert {kind: limit(GUILIN, Stage.REDO, kind) for kind in OF_WORD} == {
        kind: "5wd" if kind == "举报" else "3wd" for kind in OF_WORD
    }
    assert limit(GUILIN, Stage.REDO, "举报", "urgent") == "24h"


def test_a_co_handler_has_half_of_the_total_and_a_day_at_least() -> None:
    assert {kind: limit(GUILIN, Stage.CO_OPINION, kind) for kind in CO_OPINIONS} == CO_OPINIONS
    assert limit(GUILIN, Stage.CO_OPINION, urgency="critical") == "12h"


def test_an_extension_is_at_most_the_original_limit_and_ten_days() -> None:
    assert {kind: GUILIN.longest_extension(OF_WORD[kind]) for kind in EXTENSIONS} == EXTENSIONS


def test_handling_and_waiting_for_the_citizen_have_no_limit_of_their_own() -> None:
    for stage in (Stage.HANDLE, Stage.SUPPLEMENT):
        assert GUILIN.limit(stage, TicketType.HELP, Urgency.NORMAL) is None


def test_statutory_clocks_override_for_a_category_and_everything_below_it() -> None:
    consumer, food, disclosure = ("100105", "1001", "10"), ("100202", "1002", "10"), ("1506", "15")
    total = Stage.TOTAL
    assert limit(GUILIN, total, "投诉", codes=consumer) == "7wd"
    assert limit(GUILIN, total, "投诉", codes=("1001", "10")) == "7wd"
    assert limit(GUILIN, total, "投诉", codes=food) == "45wd"
    assert limit(GUILIN, total, "举报", codes=food) == "15wd"
    assert limit(GUILIN, total, "举报", codes=consumer) == "15wd"  # from the category above
    assert limit(GUILIN, total, "咨询", codes=consumer) == "2wd"  # a type no statute names
    assert limit(GUILIN, total, "投诉", "urgent", food) == "24h"
    assert {limit(GUILIN, total, kind, codes=disclosure) for kind in OF_WORD} == {"20wd"}
    assert limit(GUILIN, total, "投诉", codes=("0101", "01")) == "10wd"
    assert limit(GUILIN, Stage.CO_OPINION, "投诉", codes=consumer) == "3wd"
    assert limit(GUILIN, Stage.SIGN, "投诉", codes=consumer) == "1wd"


def test_an_extension_follows_the_statute() -> None:
    assert GUILIN.longest_extension(TicketType.HELP, ("1506", "15")) == 20
    assert GUILIN.longest_extension(TicketType.COMPLAINT, ("1001", "10")) == 7
    assert GUILIN.longest_extension(TicketType.COMPLAINT, ("1002", "10")) == 10


def test_the_examples_differ_where_their_rules_do() -> None:
    rules = {
        "sichuan": {"咨询": "3wd", "求助": "7wd", "建议": "7wd", "投诉": "15wd", "举报": "15wd"},
        "shanghai": {"咨询": "1wd", "求助": "5wd", "建议": "1wd", "投诉": "5wd"},
    }
    for pack, own in ((SICHUAN, rules["sichuan"]), (SHANGHAI, rules["shanghai"])):
        assert {kind: limit(pack, Stage.TOTAL, kind) for kind in OF_WORD} == {**TOTALS, **own}
        assert {limit(pack, Stage.TOTAL, kind, "urgent") for kind in OF_WORD} == {"24h"}
        assert pack.stages == GUILIN.stages
    assert {limit(SHANGHAI, Stage.REDO, kind) for kind in OF_WORD} == {"3wd"}
    assert SICHUAN.redo == GUILIN.redo


def test_in_shanghai_an_extension_reaches_to_fifteen_days_in_all() -> None:
    assert SHANGHAI.longest_extension(TicketType.COMPLAINT) == 10
    assert SHANGHAI.longest_extension(TicketType.CONSULT) == 14
    assert SHANGHAI.longest_extension(TicketType.REPORT) == 0


def test_an_extension_is_the_least_of_its_bounds() -> None:
    assert Extension(longest=10, in_all=15, at_most_original=True).of(7) == 7
    assert Extension(longest=10, in_all=15).of(7) == 8
    assert Extension(in_all=15).of(20) == 0


def test_every_pack_that_is_shipped_is_made_for_the_hours_that_are_shipped() -> None:
    hours = parse_spans(City().office_hours, where="test")
    names = [file.stem for file in SHIPPED.glob("*.toml")]
    assert sorted(names) == ["guilin", "shanghai", "sichuan"]
    for pack in map(named_pack, names):
        assert pack.office_hours == hours
        assert pack.source
        assert isinstance(pack.effective, date)


def test_guilins_pack_is_the_default() -> None:
    assert named_pack(Settings().sla.pack) == GUILIN == CityLimits().pack


# ---- the limits in force ------------------------------------------------------------------------


def test_the_limits_in_force_are_those_of_the_pack_and_of_the_matters_category() -> None:
    codes = {1: ("0101", "01"), 2: ("100105", "1001", "10")}
    start = at("2026-09-28 10:00")

    def total(pack: Pack, category: int) -> str:
        limits = CityLimits(NATIONAL, pack, lambda ident: codes.get(ident, ()))
        due = limits.due(Stage.TOTAL, Matter("complaint", "normal", category), start)
        assert due is not None
        return shown(due)

    assert total(GUILIN, 1) == "2026-10-16 18:00"
    assert total(GUILIN, 2) == "2026-10-13 18:00"
    assert total(GUILIN, 3) == "2026-10-16 18:00"  # a category nobody read yet
    assert total(SICHUAN, 1) == "2026-10-23 18:00"
    assert total(SHANGHAI, 2) == "2026-10-10 18:00"


def test_a_reason_says_when_and_why() -> None:
    limits, start = CityLimits(NATIONAL), at("2026-09-28 10:00")
    matter = Matter("complaint", "normal", 1)
    reason = limits.reason(Stage.TOTAL, matter, start)
    assert reason is not None
    assert reason.due == limits.due(Stage.TOTAL, matter, start)
    assert reason.sentence.startswith("自 2026 年 9 月 28 日（周一）10:00 起 10 个工作日")
    assert limits.reason(Stage.HANDLE, matter, start) is None


# ---- where packs come from ----------------------------------------------------------------------

TEXT = (SHIPPED / "guilin.toml").read_text(encoding="utf-8")


def test_a_pack_can_be_a_file_of_the_city(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(TEXT.replace('complaint = { normal = "10wd"', 'complaint = { normal = "6wd"'), "utf-8")
    assert limit(named_pack(str(file)), Stage.TOTAL) == "6wd"
    assert named_pack("sla/packs/sichuan.toml") == SICHUAN
    assert (ROOT / "sla/packs/sichuan.toml").exists()


def test_a_pack_that_is_not_there_is_told_with_the_nearest() -> None:
    for name, nearest in (("giulin", "guilin"), ("x", "guilin, shanghai, sichuan")):
        with pytest.raises(HotlineError) as caught:
            named_pack(name)
        assert caught.value.code == "pack_unknown"
        assert nearest in explain(caught.value)[1]


SIGN = 'sign = { normal = "1wd", urgent = "1h", critical = "15m" }'
HELP = 'help = { normal = "3wd", urgent = "24h", critical = "24h" }'
# What is replaced, by what, the code, the key the sentence must name, and what must help.
BAD = [
    ("[stages]", "[stagse]", "pack_key_unknown", "stagse", "stages"),
    ("percent = 50", "persent = 50", "pack_key_unknown", "co_opinion.persent", "co_opinion.percent"),
    ("percent = 50", "", "pack_key_missing", "co_opinion.percent", "1 to 100"),
    ("percent = 50", "percent = 0", "pack_key_kind", "co_opinion.percent", "1 to 100"),
    ("percent = 50", "percent = true", "pack_key_kind", "co_opinion.percent", "1 to 100"),
    ('longest = "10wd"', "longest = 10", "pack_key_kind", "extension.longest", "10wd"),
    ('longest = "10wd"', 'longest = "240h"', "pack_limit_not_days", "extension.longest", "10wd"),
    ('longest = "10wd"', "", "pack_key_missing", "extension.longest", "10wd"),
    ("at_most_original = true", 'at_most_original = "no"', "pack_key_kind", "at_most_original", "true"),
    ("effective = 2026-01-01", "effective = 2026", "pack_key_kind", "effective", "2026-01-01"),
    ("effective = 2026-01-01", "effective = 2026-01-01T00:00:00", "pack_key_kind", "effective", "2026-01-01"),
    ("effective = 2026-01-01", "effective = 2026-02-30", "pack_unreadable", "own.toml", "guilin.toml"),
    ("effective = 2026-01-01", "", "pack_key_missing", "effective", "2026-01-01"),
    ('name = "桂林市（默认）"', 'name = " "', "pack_key_kind", "name", "text"),
    ('["09:00-12:00", "13:00-18:00"]', "[]", "pack_key_kind", "office_hours", "09:00-12:00"),
    ('["09:00-12:00", "13:00-18:00"]', "[9, 18]", "pack_key_kind", "office_hours", "09:00-12:00"),
    ('"13:00-18:00"', '"11:00-18:00"', "spans_overlap", "office_hours", "one of them"),
    (SIGN, SIGN.replace("sign", "singing"), "pack_word_unknown", "stages.singing", "sign"),
    (SIGN, SIGN + "\nhandle = { normal = '1wd' }", "pack_word_unknown", "stages.handle", "dispatch"),
    (SIGN, SIGN.replace("normal", "usual"), "pack_word_unknown", "stages.sign.usual", "critical"),
    (SIGN, 'sign = { urgent = "1h" }', "pack_key_missing", "stages.sign.normal", "10wd"),
    (SIGN, 'sign = "1wd"', "pack_key_kind", "stages.sign", "a table"),
    (SIGN, "", "pack_key_missing", "stages.sign", "10wd"),
    (SIGN, SIGN + "\n" + SIGN, "pack_unreadable", "own.toml", "guilin.toml"),
    ('"4wh"', '"4 hours"', "pack_limit", "stages.return_ruling.normal", "10wd"),
    ('"4wh"', '"0wh"', "pack_limit", "stages.return_ruling.normal", "10wd"),
    ('"4wh"', '"-4wh"', "pack_limit", "stages.return_ruling.normal", "10wd"),
    ('"4wh"', '"10000wd"', "pack_limit", "stages.return_ruling.normal", "10wd"),
    ('"4wh"', "4", "pack_key_kind", "stages.return_ruling.normal", "10wd"),
    (HELP, "", "pack_total_missing", "total.help.normal", "every type"),
    (HELP, 'help = { normal = "3wd", urgent = "24h" }', "pack_total_missing", "total.help.critical", "every"),
    (HELP, HELP.replace("help", "helpp"), "pack_word_unknown", "total.helpp", "help"),
    (HELP, HELP.replace("3wd", "72h"), "pack_limit_not_days", "total.help.normal", "working days"),
    ("[category.1506]", '[category."15 06"]', "pack_category_code", "category.15 06", "letters"),
    ("total.any", "total.every", "pack_word_unknown", "category.1506.total.every", "report"),
    (
        'total.any = { normal = "20wd" }',
        "total.any = {}",
        "pack_key_missing",
        "category.1506.total.any",
        "wd",
    ),
    (
        'total.any = { normal = "20wd" }',
        "total = {}",
        "pack_total_missing",
        "category.1506.total",
        "one type",
    ),
    ('total.any = { normal = "20wd" }', "", "pack_key_missing", "category.1506.total", "a table"),
    ('extension = "20wd"', 'extension = "20h"', "pack_limit_not_days", "category.1506.extension", "wd"),
    ('extension = "20wd"', 'extention = "20wd"', "pack_key_unknown", "category.1506.extention", "extension"),
]


@pytest.mark.parametrize(("found", "put", "code", "key", "help_says"), BAD)
def test_a_bad_pack_is_refused_with_the_key(
    tmp_path: Path, found: str, put: str, code: str, key: str, help_says: str
) -> None:
    assert found in TEXT
    file = tmp_path / "own.toml"
    file.write_text(TEXT.replace(found, put, 1), "utf-8")
    with pytest.raises(HotlineError) as caught:
        read_pack(file)
    assert caught.value.code == code
    sentence, help_ = explain(caught.value)
    assert "own.toml" in sentence
    assert key in sentence
    assert help_says in help_
    assert "<" not in sentence + help_  # every value the sentence needs is there


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name", b"x = " + b"[" * 100_000, b"#" * 1_000_001, None])
def test_a_file_that_is_no_pack_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "own.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(HotlineError) as caught:
        named_pack(str(file))
    assert caught.value.code == "pack_unreadable"
    assert "<" not in "".join(explain(caught.value))


def test_an_empty_file_misses_the_first_key(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("", "utf-8")
    with pytest.raises(HotlineError) as caught:
        read_pack(file)
    assert (caught.value.code, caught.value.params["key"]) == ("pack_key_missing", "name")
