"""The intake form: cleaned, complete, and refused field by field."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import HotlineError
from tickets.checks import is_id_number, is_uscc
from tickets.forms import clean, pack_draft, parse_form, unpack_draft

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def _form(**over: Any) -> dict[str, Any]:
    return {"type": "help", "category_id": "3", "title": "路灯不亮", "narrative": "三晚不亮"} | over


def _problem(**over: Any) -> dict[str, str]:
    with pytest.raises(HotlineError) as caught:
        parse_form(_form(**over), now=NOW)
    assert caught.value.code == "form_invalid"
    fields: dict[str, str] = caught.value.params["fields"]
    return fields


def test_a_form_as_browsers_send_it_becomes_typed_values() -> None:
    form = parse_form(
        _form(phone="+86 138-0000-0001", occurred_at="2026-11-22T20:15", wants_reply="on", district_id=""),
        now=NOW,
    )
    assert form.category_id == 3
    assert form.phone == "13800000001"
    assert form.occurred_at == datetime(2026, 11, 22, 12, 15, tzinfo=UTC)
    assert form.wants_reply is True
    assert form.district_id is None


def test_a_landline_gets_the_citys_code() -> None:
    assert parse_form(_form(phone="2823456"), now=NOW, phone_area="0773").phone == "07732823456"


@pytest.mark.parametrize(
    ("over", "fields"),
    [
        ({"title": "  "}, {"title": "required"}),
        ({"title": "长" * 121}, {"title": "too_long"}),
        ({"narrative": "长" * 8001}, {"narrative": "too_long"}),
        ({"type": ""}, {"type": "required"}),
        ({"type": "lunch"}, {"type": "unknown_choice"}),
        ({"category_id": ""}, {"category_id": "required"}),
        ({"category_id": "x"}, {"category_id": "bad_value"}),
        ({"category_id": str(2**70)}, {"category_id": "bad_value"}),
        ({"phone": "12"}, {"phone": "bad_phone"}),
        ({"phone": "anonymous"}, {"phone": "bad_phone"}),
        ({"phone": "1" * 60}, {"phone": "too_long"}),
        ({"id_number": "450302199001011234"}, {"id_number": "bad_id_number"}),
        ({"subject_uscc": "91450300MA5K000000"}, {"subject_uscc": "bad_uscc"}),
        ({"occurred_at": "yesterday"}, {"occurred_at": "bad_time"}),
        ({"occurred_at": "2026-11-23T10:01"}, {"occurred_at": "in_future"}),
        ({"title": ["a"]}, {"title": "bad_value"}),
        ({"title": "", "phone": "12"}, {"title": "required", "phone": "bad_phone"}),
    ],
)
def test_each_wrong_value_is_named_with_its_reason(over: dict[str, Any], fields: dict[str, str]) -> None:
    assert _problem(**over) == fields


def test_a_missing_field_is_required() -> None:
    with pytest.raises(HotlineError) as caught:
        parse_form({}, now=NOW)
    assert caught.value.params["fields"] == dict.fromkeys(
        ("type", "category_id", "title", "narrative"), "required"
    )


def test_unknown_keys_are_named_and_cut() -> None:
    with pytest.raises(HotlineError) as caught:
        parse_form(_form(state="closed", **{"x" * 100: 1}), now=NOW)
    assert caught.value.code == "unknown_field"
    assert caught.value.params["fields"] == ["state", "x" * 40]


def test_control_and_format_characters_vanish_and_lines_stay() -> None:
    assert clean("a\0b\x1bc\u202ed\ue000\u2028e\tf\r\ng") == "abcd e f g"
    assert clean("一\r\n二\n\u200b三", lines=True) == "一\n二\n三"
    assert parse_form(_form(title="路灯\n不亮\0"), now=NOW).title == "路灯 不亮"


def test_citizen_numbers_are_checked_by_their_last_digit() -> None:
    assert is_id_number("11010519491231002X")
    assert not is_id_number("110105194912310021")
    assert not is_id_number("１１０１０５１９４９１２３１００２X")


def test_credit_codes_are_checked_by_their_last_sign() -> None:
    assert is_uscc("91350100M000100Y43")
    assert not is_uscc("91350100M000100Y44")
    assert not is_uscc("91350100I000100Y43")


@settings(deadline=None)  # a busy machine is not a fault
@given(st.dictionaries(st.sampled_from(["title", "phone", "narrative", "address"]), st.text(max_size=200)))
def test_whatever_is_typed_comes_back_from_a_draft(form: dict[str, str]) -> None:
    kept = unpack_draft(pack_draft(form))
    assert set(kept) == set(form)
    for key, value in form.items():
        if not any("\ud800" <= char <= "\udfff" for char in value):
            assert kept[key] == value


@settings(deadline=None)  # a busy machine is not a fault
@given(st.dictionaries(st.sampled_from(sorted(_form() | {"phone": 1, "occurred_at": 1})), st.text()))
def test_no_text_whatever_breaks_the_form(form: dict[str, str]) -> None:
    try:
        parse_form(form, now=NOW)
    except HotlineError as error:
        assert error.code == "form_invalid"  # noqa: PT017 - any other exception fails the test by itself


def test_a_draft_holds_plain_values_only() -> None:
    with pytest.raises(HotlineError):
        pack_draft({"title": {"$gt": ""}})
