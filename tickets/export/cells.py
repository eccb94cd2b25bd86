"""What a cell of an exported list may hold. Pure.

A spreadsheet takes text that begins with one of a few signs for a formula, which may fetch, send or run
something on the desk of whoever opens the file; a quote in front keeps it text.
"""

from collections.abc import Iterable
from datetime import datetime

from core import redact
from core.clock import to_city

_SIGNS = "=+-@＝＋－＠\t\r\n|%"
MAX_CELL = 2000  # characters; Excel ends at 32,767


def guarded(text: str) -> str:
    """`text` as a cell that stays text in every spreadsheet."""
    plain = "".join(char if char >= " " or char == "\t" else " " for char in text[:MAX_CELL])
    risky = text[:1] in _SIGNS or plain.strip()[:1] in _SIGNS
    return f"'{plain}" if plain.strip() and risky else plain


def free_text(text: str) -> str:
    """What somebody wrote: phones, ID numbers and their like are masked, then guarded."""
    return guarded(redact.masked(text))


def instant(at: datetime | None) -> str:
    """An instant as people in the city read it."""
    return to_city(at).strftime("%Y-%m-%d %H:%M") if at is not None else ""


def row(values: Iterable[str | int | None]) -> list[str]:
    """A line of guarded cells."""
    return ["" if value is None else guarded(str(value)) for value in values]
