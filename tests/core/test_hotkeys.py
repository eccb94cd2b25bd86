"""A person's own keys: what may be one, what may not, and why."""

from __future__ import annotations

import pytest

from core.errors import HotlineError
from core.people import hotkeys


def _refused(code: str, name: str, combination: str, own: dict[str, str] | None = None) -> HotlineError:
    with pytest.raises(HotlineError) as caught:
        hotkeys.assigned(own or {}, name, combination)
    assert caught.value.code == code, combination
    return caught.value


@pytest.mark.parametrize("combination", ["F8", "Shift+F8", "Alt+G", "Ctrl+Alt+K", "Alt+Shift+7"])
def test_function_keys_and_combinations_may_be_keys(combination: str) -> None:
    own = hotkeys.assigned({}, "F8", combination)
    assert own == ({} if combination == "F8" else {"F8": combination})


@pytest.mark.parametrize(
    "combination",
    [
        "a",
        "A",
        "7",
        "Shift+A",
        "Enter",
        "Shift+Enter",
        "ArrowUp",
        "Home",
        "",
        "Alt",
        "Alt+",
        "Ctrl+Meta+A",
        "Alt+Ctrl+A",
        "Alt+ ",
        "Alt+ß",
        "F13",
        "Alt+K\n",
        "K" * 300,
        "Process",
        "Alt+<b>",
    ],
)
def test_what_is_typed_and_what_is_no_key_is_refused(combination: str) -> None:
    _refused("hotkey_plain", "F8", combination)


@pytest.mark.parametrize(
    "combination",
    [
        "Ctrl+W",
        "Ctrl+T",
        "Ctrl+N",
        "F5",
        "Ctrl+F5",
        "Ctrl+Shift+N",
        "Alt+F4",
        "F11",
        "F12",
        "Ctrl+C",
        "Ctrl+V",
        "Ctrl+A",
        "Ctrl+Z",
        "Ctrl+1",
        "Alt+ArrowLeft",
        "Alt+D",
        "Ctrl+PageDown",
        "F3",
    ],
)
def test_what_the_browser_keeps_is_refused(combination: str) -> None:
    _refused("hotkey_browser", "F8", combination)


@pytest.mark.parametrize("combination", ["F1", "Escape"])
def test_the_way_back_is_never_given_away(combination: str) -> None:
    _refused("hotkey_fixed", "F8", combination)
    _refused("hotkey_unknown", combination, "Alt+G")


def test_one_combination_has_one_meaning() -> None:
    assert _refused("hotkey_taken", "F8", "F9").params["by"] == "F9"
    own = hotkeys.assigned({}, "F9", "Alt+G")
    assert hotkeys.assigned(own, "F8", "F9") == {"F9": "Alt+G", "F8": "F9"}  # free by now
    assert _refused("hotkey_taken", "F2", "Alt+G", own).params["by"] == "F9"
    taken = {"F9": "Alt+G", "F8": "F9"}
    assert _refused("hotkey_taken", "F9", "F9", taken).params["by"] == "F8"  # no way back while it is lent


def test_the_shipped_key_again_is_no_own_key_and_unknown_ones_are_dropped() -> None:
    assert hotkeys.assigned({"F8": "Alt+G", "Alt+X": "Alt+V"}, "F8", "F8") == {}
    assert hotkeys.own_of({"Alt+X": "Alt+V", "F9": "Alt+G"}) == {"F9": "Alt+G"}


def test_no_shipped_key_is_one_that_is_refused() -> None:
    assert len(set(hotkeys.SHIPPED)) == len(hotkeys.SHIPPED)
    for name in hotkeys.SHIPPED:
        hotkeys.check(name)
