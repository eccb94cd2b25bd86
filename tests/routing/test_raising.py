"""The city's own words raise the urgency beside the shipped ones, unless they are denied."""

import pytest

from core.catalog.words import Found
from routing.raising import raised

OWN = Found("龙船坪塌方", "danger")


@pytest.mark.parametrize(
    ("text", "found", "level"),
    [
        ("龙船坪塌方，有人被困", [OWN], "critical"),
        ("并未发生龙船坪塌方", [OWN], None),
        ("小区停水两天", [Found("停水", "supply")], "urgent"),
        ("再不处理就曝光", [Found("曝光", "public")], None),
        ("路灯不亮", [], None),
    ],
)
def test_a_word_raises_by_its_kind_unless_it_is_denied(
    text: str, found: list[Found], level: str | None
) -> None:
    told = raised(text, found)
    assert (told.level if told else None) == level


def test_it_is_told_which_words_and_why() -> None:
    told = raised("听说龙船坪塌方", [OWN])
    assert told is not None
    assert told.words == ("龙船坪塌方",)
    assert told.why == "人身与公共安全"
