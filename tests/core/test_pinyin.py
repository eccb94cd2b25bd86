"""First letters of pinyin, as people type them into a list that searches as they type."""

import pytest

from core.pinyin import initials


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("路灯不亮", "ldbl"),
        ("遛狗不牵绳", "lgbqs"),
        ("公交线路调整", "gjxltz"),
        ("银行业务", "yhyw"),
        ("12345热线", "12345rx"),
        ("小区（东）门", "xqdm"),
        ("", ""),
    ],
)
def test_a_text_is_found_by_its_first_letters(text: str, letters: str) -> None:
    assert initials(text) == letters


def test_a_sign_without_pinyin_is_left_out() -> None:
    assert initials("□路\u2028口😀") == "lk"
