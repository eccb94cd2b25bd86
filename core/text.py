"""Text as the full-text index sees it: one form for what is stored and what is typed. Pure.

Chinese has no blanks between words, and segmenting finds half of what people look for. So texts are
indexed by pairs of neighbouring characters, and a phrase is found where all its pairs are and the
text really contains it. Normalising works character by character, which keeps this true: every
substring of a text is, normalised, a substring of the normalised text.
"""

import re
import unicodedata
from collections.abc import Iterator

RUN = "\x1f"  # stands for a run of digits that is not indexed
BREAK = "\x1e"  # stands between the parts of one indexed text; no phrase reaches across it
LONG_RUN = 7  # digits: telephone, identity and ticket numbers have look-ups of their own
MAX_PHRASE = 60  # characters, as typed
PIECE = 8192  # characters of a piece; a tsvector ends at 1 MB
OVERLAP = 1024  # one typed character becomes at most 18, so this is more than any phrase
_DROPPED = frozenset({"Cf", "Cs"})  # invisible marks and halves of characters
_BLANKS = frozenset({"Cc", "Zs", "Zl", "Zp"})
_SPACES = re.compile(" {2,}")
_DIGITS = re.compile(rf"\d{{{LONG_RUN},}}")


class _Forms(dict[int, str]):
    """Code point → its form, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        form = self[code] = _form(chr(code))
        return form


def _form(char: str) -> str:
    """Compatibility form, decomposed and without case; a mark stays behind its letter."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    kept = []
    for one in decomposed:
        category = unicodedata.category(one)
        if category in _BLANKS:
            kept.append(" ")
        elif category not in _DROPPED:
            kept.append(one)
    return "".join(kept)


_FORMS = _Forms()


def normalise(text: str) -> str:
    """`text` in the form it is compared in: full-width as half-width, no case, blanks as one blank."""
    return _SPACES.sub(" ", text.translate(_FORMS)).strip()


def searchable(text: str) -> str:
    """Normalised and without runs of seven or more digits; each leaves one mark in its place."""
    return _DIGITS.sub(RUN, normalise(text))


def joined(*parts: str) -> str:
    """Several texts as one body to index; a phrase is found within a part, never across two."""
    return BREAK.join(filter(None, map(searchable, parts)))


def pieces(body: str) -> Iterator[str]:
    """Cut a body into overlapping pieces; whatever phrase is in the body is in one of them whole."""
    for start in range(0, max(len(body) - OVERLAP, 1), PIECE - OVERLAP):
        yield body[start : start + PIECE]


def bigrams(body: str) -> set[str]:
    """Every pair of neighbouring characters, and each part's last character, which begins no pair."""
    found = set(map(str.__add__, body, body[1:]))
    if BREAK in body:
        found = {pair for pair in found if BREAK not in pair}
    found.update(part[-1] for part in body.split(BREAK) if part)
    return found


def phrase_pairs(phrase: str) -> list[str]:
    """The pairs a normalised phrase of two or more characters consists of, without repetition."""
    return list(dict.fromkeys(map(str.__add__, phrase, phrase[1:])))


def spans(text: str, phrase: str) -> list[tuple[int, int]]:
    """Where `text`, as written, contains the normalised `phrase`: half-open, without overlaps."""
    if not phrase:
        return []
    form, origins = _with_origins(text)
    found, start = [], form.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        found.append((origins[start], origins[end - 1] + 1))
        start = form.find(phrase, end)
    return found


def _with_origins(text: str) -> tuple[str, list[int]]:
    """The searchable form, and for each of its characters the index in `text` it came from."""
    chars: list[str] = []
    origins: list[int] = []
    for index, char in enumerate(text):
        for one in _FORMS[ord(char)]:
            if one != " " or (chars and chars[-1] != " "):
                chars.append(one)
                origins.append(index)
    form = "".join(chars)
    if not _DIGITS.search(form):
        return form, origins
    body, kept, last = [], [], 0
    for run in _DIGITS.finditer(form):
        body += [form[last : run.start()], RUN]
        kept += [*origins[last : run.start()], origins[run.start()]]
        last = run.end()
    return "".join([*body, form[last:]]), [*kept, *origins[last:]]
