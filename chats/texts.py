"""What people write, made fit to be kept and shown: plain text of a bounded length. Pure.

Nothing is taken for markup anywhere, so nothing is escaped here. Control characters and invisible marks
go, among them those that turn the direction of what follows; line breaks stay, at most two in a row.
"""

import re
import unicodedata

from core.errors import HotlineError

LONGEST = 500  # characters of one message
MOST = 400  # messages of one conversation, both sides
_KEPT = {"\n", "\t"}
_DROPPED = {"Cc", "Cf", "Cs", "Co"}
_JOINER = "\u200d"  # holds emoji together
_LINES = re.compile(r"\n{3,}")


def cleaned(text: str, *, longest: int = LONGEST) -> str:
    """The message as it is kept. Raises HotlineError `chat_empty`, `chat_too_long` (limit)."""
    unified = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(
        char
        for char in unified
        if char in _KEPT or char == _JOINER or unicodedata.category(char) not in _DROPPED
    )
    found = _LINES.sub("\n\n", kept.replace("\t", " ")).strip()
    if not found.replace(_JOINER, ""):
        raise HotlineError("chat_empty")
    if len(found) > longest:
        raise HotlineError("chat_too_long", limit=longest)
    return found
