"""What of a text is looked at: its form, and its terms in seven blocks. Pure."""

from dataclasses import dataclass
from itertools import pairwise
from operator import add
from pathlib import Path

from core.cutter import Cutter
from core.text import searchable

BLOCKS = (
    *("phrases", "words", "characters", "title words", "title characters"),
    *("detail words", "detail characters"),
)


@dataclass(frozen=True)
class View:
    """One way to look at a text, with an opinion of its own: neighbouring blocks and what each weighs."""

    name: str
    first: int
    weights: tuple[float, ...]

    @property
    def end(self) -> int:
        return self.first + len(self.weights)


# A title says what a matter is about, so it counts again in the whole, with less weight. Where the opinions
# on title and detail alone agree, an answer is surer than the whole alone can know.
VIEWS = (
    View("whole", 0, (1.0, 1.0, 1.0, 0.7, 0.7)),
    View("title", 3, (1.0, 1.0)),
    View("detail", 5, (1.0, 1.0)),
)
# Blocks of the whole, the title and the detail that are made of the same terms: words, characters.
SHARED = ((1, 3, 5), (2, 4, 6))
WHOLE = 0  # the view that margins and centroids are about
LONGEST = 20_000  # characters looked at; the rest of a longer text says nothing new
_SIMPLIFIED = Path(__file__).with_name("simplified.txt")


def _pairs() -> dict[int, str]:
    """Traditional character → simplified one."""
    lines = _SIMPLIFIED.read_text(encoding="utf-8").splitlines()
    text = "".join(line for line in lines if not line.startswith("#")).split()
    return {ord(pair[0]): pair[1] for pair in text}


_TO_SIMPLIFIED = _pairs()


def prepare(text: str) -> str:
    """The form that is cut: half-width, small letters, simplified characters, blanks as one blank.

    A run of seven or more digits (a telephone or identity number) becomes one mark: numbers of persons can
    never become terms of a model.
    """
    return searchable(text[:LONGEST]).translate(_TO_SIMPLIFIED)


def _characters(text: str) -> list[str]:
    """Single characters and pairs of neighbours."""
    return [*text, *map(add, text, text[1:])]


def _phrases(words: list[str]) -> list[str]:
    """Pairs of neighbouring words; a blank stands between them, which no word has."""
    return [f"{one} {other}" for one, other in pairwise(words)]


@dataclass(frozen=True)
class Pieces:
    """The terms of title and detail, each once: `words` with the shorter ones within them."""

    phrases: list[str]
    title_words: list[str]
    title_marks: list[str]
    detail_words: list[str]
    detail_marks: list[str]


def pieces(cutter: Cutter, title: str, detail: str) -> Pieces:
    """What a text is made of. A text without title or without detail is a text all the same."""
    title, detail = prepare(title), prepare(detail)
    of_title, of_detail = cutter.words(title), cutter.words(detail)
    return Pieces(
        of_title + of_detail + _phrases(of_title) + _phrases(of_detail),
        cutter.finer(of_title),
        _characters(title),
        cutter.finer(of_detail),
        _characters(detail),
    )


def terms(cutter: Cutter, title: str, detail: str) -> tuple[list[str], ...]:
    """The terms of one text, a list for each of `BLOCKS`, with repetitions."""
    told = pieces(cutter, title, detail)
    return (
        told.phrases,
        told.title_words + told.detail_words,
        told.title_marks + told.detail_marks,
        told.title_words,
        told.title_marks,
        told.detail_words,
        told.detail_marks,
    )
