"""As many texts as wanted over all leaves, the same ones for the same seed."""

import random
from collections.abc import Iterator

from classifier.starter.telling import Text, tell
from classifier.starter.vocabulary import Matter, matters

SIZE = 6000
SEED = 12345


def leaves() -> dict[str, str]:
    """The code and name of every leaf the corpus has words for, in the order of codes."""
    return {code: matter.name for code, matter in matters().items()}


def generate(size: int = SIZE, seed: int = SEED) -> list[Text]:
    """`size` synthetic texts, no two alike, the leaves as often as one another (give or take one).

    The same size and seed give the same texts byte for byte. Raises ValueError for a negative size.
    """
    if size < 0:
        raise ValueError("size must not be negative")
    source = random.Random(seed)
    told: list[Text] = []
    seen: set[str] = set()
    turns = _turns(source)
    while len(told) < size:
        matter = next(turns)
        text = tell(matter, source)
        while text.detail in seen:
            text = tell(matter, source)
        seen.add(text.detail)
        told.append(text)
    return told


def _turns(source: random.Random) -> Iterator[Matter]:
    """Every leaf once, in any order, again and again."""
    while True:
        row = list(matters().values())
        source.shuffle(row)
        yield from row
