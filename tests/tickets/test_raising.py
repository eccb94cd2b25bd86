"""Which words make a matter urgent, and which are denied."""

import pytest

from core.catalog.words import Found
from tickets.raising import raised
from tickets.terms import Urgency

WORDS = (Found("爆炸", "danger"), Found("停水", "supply"), Found("集体上访", "crowd"), Found("曝光", "public"))


def level(text: str) -> Urgency | None:
    found = raised(text, [one for one in WORDS if one.word in text.replace(" ", "")])
    return found.level if found else None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("楼下煤气罐爆炸", Urgency.CRITICAL),
        ("小区停水两天", Urgency.URGENT),
        ("停 水两天", Urgency.URGENT),
        ("停水后有人说要爆炸", Urgency.CRITICAL),
        ("准备集体上访", Urgency.URGENT),
        ("再不处理就曝光", None),
        ("没有爆炸，只是声音大", None),
        ("小区不再停水", None),
        ("上次没有停水，这次又停水了", Urgency.URGENT),
        ("为避免爆炸请来检查", None),
        ("路灯不亮", None),
    ],
)
def test_a_word_raises_unless_it_is_denied(text: str, wanted: Urgency | None) -> None:
    assert level(text) is wanted


def test_it_is_told_which_words_and_why() -> None:
    found = raised("停水，怕爆炸，又爆炸", WORDS[:2])
    assert found is not None
    assert found.words == ("爆炸",)
    assert found.why == "人身与公共安全"
