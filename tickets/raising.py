"""Words of the list that make a matter more urgent than it was written down; pure.

The list is the editable one of sensitive words (`core/catalog/words.py`); its kinds say how urgent. A word
that is denied just before it, as in “没有爆炸” or “不再停水”, raises nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from core.catalog.words import KINDS, Found, shape
from tickets.terms import Urgency

LEVELS: dict[str, Urgency] = {
    "danger": Urgency.CRITICAL,
    "crowd": Urgency.URGENT,
    "supply": Urgency.URGENT,
}
DENIALS = ("没有", "并未", "未曾", "不再", "不会", "不是", "无", "未", "没", "避免", "防止", "以免")
REACH = 4  # characters before the word in which a denial speaks of it


@dataclass(frozen=True)
class Raised:
    """How urgent the words make it, which words, and what kind of matter that is."""

    level: Urgency
    words: tuple[str, ...]
    why: str


def raised(text: str, found: Iterable[Found]) -> Raised | None:
    """The most urgent of what `found` calls for in `text`; None when nothing does."""
    form = shape(text)
    meant = [one for one in found if one.kind in LEVELS and _is_meant(form, shape(one.word))]
    for level in (Urgency.CRITICAL, Urgency.URGENT):
        words = [one for one in meant if LEVELS[one.kind] is level]
        if words:
            why = "、".join(dict.fromkeys(KINDS[one.kind] for one in words))
            return Raised(level, tuple(dict.fromkeys(one.word for one in words)), why)
    return None


def _is_meant(form: str, word: str) -> bool:
    """Whether the word stands somewhere without a denial before it."""
    at = form.find(word)
    while at >= 0:
        before = form[max(0, at - REACH) : at]
        if not any(before.endswith(denial) or f"{denial}再" in before for denial in DENIALS):
            return True
        at = form.find(word, at + 1)
    return False
