"""As many texts as wanted over all leaves, the same ones for the same seed."""

import random
from collections.abc import Iterator
from itertools import islice

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
    return list(islice(texts(seed), size))


def texts(seed: int = SEED) -> Iterator[Text]:
    """The same texts one by one, without an end."""
    source = random.Random(seed)
    seen: set[str] = set()
    for matter in _turns(source):
        text = tell(matter, source)
        while text.detail in seen:
            text = tell(matter, source)
        seen.add(text.detail)
        yield text


def _turns(source: random.Random) -> Iterator[Matter]:
    """Every leaf once, in any order, again and again."""
    while True:
        row = list(matters().values())
        source.shuffle(row)
        yield from row
