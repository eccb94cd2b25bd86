"""The keys of the console and a person's own for them. Pure.

Every key is named by the combination it is shipped with, such as `Alt+1`; a person's own keys are a mapping
from these names to combinations, written `Ctrl+Alt+Shift+K` in this order. Only function keys and
combinations with Ctrl or Alt: a letter alone belongs to what is typed, and to the input method.
"""

import re
from collections.abc import Mapping

from core.errors import HotlineError

FIXED = ("F1", "Escape")  # how one finds back: never given away
SHIPPED = (
    "F2", "Alt+PageDown", "Alt+PageUp", "Alt+N", "Ctrl+Enter", "Alt+Z", "Alt+J", "Alt+H", "Alt+U", "Alt+A",
    "Alt+R", "Alt+C", "F4", "Alt+K", "F8", "F9", "Alt+L", "Alt+Y", "Alt+B", "Alt+T", "Alt+0", "Alt+W",
    "Alt+Q", "Alt+P", "Alt+1", "Alt+2", "Alt+3", "Alt+4", "Alt+5", "Alt+6", "Alt+7", "Alt+8", "Alt+9",
    "Alt+M", "Alt+S",
)  # fmt: skip
LONGEST = 40
_LAST = (
    r"(F(?:[1-9]|1[0-2])|[A-Z]|[0-9]|Enter|Insert|Delete|Home|End|PageUp|PageDown"
    r"|Arrow(?:Up|Down|Left|Right))"
)
_COMBINATION = re.compile(r"(Ctrl\+)?(Alt\+)?(Shift\+)?" + _LAST)
_FUNCTION = re.compile(r"F[0-9]+")

# What Chromium, Edge, Firefox and Windows keep, or what edits text: the page gets these late or never.
_WITH_CTRL = "ACDEFGHJKLNOPRSTUVWXYZ0123456789"
_EDITING = ("Insert", "Delete", "Home", "End", "PageUp", "PageDown", "F4", "F5")
_ARROWS = ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight")
_WITH_SHIFT = "ABCDEGIJKMNOPRSTVWZ"
BROWSERS = frozenset(
    [f"Ctrl+{last}" for last in (*_WITH_CTRL, *_EDITING, *_ARROWS)]
    + [f"Ctrl+Shift+{last}" for last in (*_WITH_SHIFT, *_EDITING, *_ARROWS)]
    + [f"Alt+{last}" for last in ("D", "E", "F", "F4", "Home", *_ARROWS)]
    + ["F3", "F5", "F6", "F7", "F10", "F11", "F12", "Shift+F3", "Shift+F5", "Shift+F10"]
    + ["Ctrl+F6", "Ctrl+F10", "Ctrl+Alt+Delete"]
)


def own_of(kept: Mapping[str, str]) -> dict[str, str]:
    """What is kept of a person's keys, without keys that the product no longer has."""
    return {name: kept[name] for name in SHIPPED if name in kept}


def assigned(own: Mapping[str, str], name: str, combination: str) -> dict[str, str]:
    """A person's own keys after giving key `name` the combination; its shipped one again is no own key.

    Raises `hotkey_unknown`, `hotkey_plain` (not a function key, neither Ctrl nor Alt in it),
    `hotkey_browser` (kept by browser, system or text fields) and `hotkey_taken` (`by`: the key that has it).
    """
    if name not in SHIPPED:
        raise HotlineError("hotkey_unknown")
    check(combination)
    now = own_of(own)
    for other in SHIPPED:
        if other != name and now.get(other, other) == combination:
            raise HotlineError("hotkey_taken", combination=combination, by=other)
    rest = {key: value for key, value in now.items() if key != name}
    return rest if combination == name else {**rest, name: combination}


def check(combination: str) -> None:
    """Whether a combination may be somebody's key; raises what `assigned` names."""
    found = _COMBINATION.fullmatch(combination) if len(combination) <= LONGEST else None
    if combination in FIXED:
        raise HotlineError("hotkey_fixed", combination=combination)
    if combination in BROWSERS:
        raise HotlineError("hotkey_browser", combination=combination)
    plain = found and not found[1] and not found[2] and not _FUNCTION.fullmatch(found[4])
    if found is None or plain:
        raise HotlineError("hotkey_plain", combination=combination[:LONGEST])
