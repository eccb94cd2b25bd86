"""Many texts → their vectors, worked out together: what `Encoder.encode` gives for each, in less time.

Characters are looked up as numbers instead of strings, what a word stands for is found once and remembered,
and the terms of a whole batch are counted by one sort.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.encoder import DAMPED, Encoder, Floats, Rows, Shared, Vector
from classifier.texts import prepare
from core.cutter import Cutter

_TEXT = 8  # bits of the place of a text in its batch
BATCH = 1 << _TEXT  # texts: enough for one sort to pay, a few megabytes
_KEPT = 100_000  # words that are remembered
_CODE = 21  # bits of a character; a pair of characters is one number of twice as many
Keys = NDArray[np.int64]
Text = tuple[str, str]  # title, detail


class _Word(NamedTuple):
    """What a word stands for: its number among words of phrases, and those of the terms within it."""

    phrase: int
    terms: tuple[int, ...]


class _Words(dict[str, _Word]):
    """Words as they are met."""

    def __init__(self, cutter: Cutter, numbers: dict[str, int], shared: Shared) -> None:
        super().__init__()
        self._cutter, self._numbers, self._ids = cutter, numbers, shared.ids

    def __missing__(self, word: str) -> _Word:
        if len(self) >= _KEPT:
            self.clear()
        terms = (self._ids.get(term) for term in self._cutter.finer([word]))
        found = self[word] = _Word(
            self._numbers.get(word, -1), tuple(term for term in terms if term is not None)
        )
        return found


class _Sorted:
    """Numbers that stand for terms → what is kept of each, or -1."""

    def __init__(self, found: dict[int, int]) -> None:
        keys = np.fromiter(found, np.int64, len(found))
        order = np.argsort(keys)
        self._keys = keys[order]
        self._values = np.fromiter(found.values(), np.int32, len(found))[order]

    def of(self, keys: Keys, texts: Rows) -> tuple[Rows, Rows]:
        """What is kept of those that are known, each with its text; in the order of the keys.

        Sorted, because a search that goes on where the last one ended finds its place in memory.
        """
        both = keys << _TEXT | texts
        both.sort()
        keys, texts = both >> _TEXT, (both & BATCH - 1).astype(np.int32)
        at = np.searchsorted(self._keys, keys)
        at[at == len(self._keys)] = 0
        known = self._keys[at] == keys if len(self._keys) else np.zeros(len(keys), np.bool_)
        return texts[known], self._values[at[known]]


class ManyEncoder:
    """An encoder for batches; remembers words, so one thread at a time."""

    def __init__(self, cutter: Cutter, encoder: Encoder) -> None:
        self._cutter, self._encoder = cutter, encoder
        self._of_words, self._of_marks = encoder.shared
        alone = [(term, row) for term, row in encoder.phrases.items() if " " not in term]
        pairs = [(term.split(" "), row) for term, row in encoder.phrases.items() if " " in term]
        every = dict.fromkeys(chain((term for term, _ in alone), *(two for two, _ in pairs)))
        numbers = {word: number for number, word in enumerate(every)}
        self._size = len(numbers)
        self._alone = np.full(self._size + 1, -1, np.int32)  # the last is that of an unknown word
        self._alone[[numbers[term] for term, _ in alone]] = [row for _, row in alone]
        self._pairs = _Sorted({numbers[one] * self._size + numbers[two]: row for (one, two), row in pairs})
        self._words = _Words(cutter, numbers, self._of_words)
        self._marks = _Sorted({_key(term): number for term, number in self._of_marks.ids.items()})

    def encode(self, texts: Iterable[Text]) -> Iterator[Vector]:
        """The vectors of (title, detail), in order."""
        left = iter(texts)
        while batch := list(islice(left, BATCH)):
            yield from self._batch([(prepare(title), prepare(detail)) for title, detail in batch])

    def _batch(self, texts: Sequence[Text]) -> Iterator[Vector]:
        titles, details = [title for title, _ in texts], [detail for _, detail in texts]
        words = [self._cut(part) for part in (titles, details)]
        marks = [self._marked(part) for part in (titles, details)]
        found = [*(phrases for phrases, _ in words)]
        found += _of_blocks(self._of_words, *(terms for _, terms in words))
        found += _of_blocks(self._of_marks, *marks)
        keys = np.concatenate([text * np.int64(self._encoder.size) + row for text, row in found])
        return self._vectors(keys, len(texts))

    def _cut(self, parts: Sequence[str]) -> tuple[tuple[Rows, Rows], tuple[Rows, Rows]]:
        """Rows of phrases, and numbers of words' terms, each with the place of its text."""
        numbers: list[int] = []
        terms: list[int] = []
        sizes, lengths = [], []
        for part in parts:
            known = [self._words[word] for word in self._cutter.words(part)]
            numbers += [word.phrase for word in known]
            before = len(terms)
            terms.extend(chain.from_iterable([word.terms for word in known]))
            sizes.append(len(known))
            lengths.append(len(terms) - before)
        return self._phrases(np.array(numbers, np.int64), _owners(sizes)), (
            _owners(lengths),
            np.array(terms, np.int32),
        )

    def _phrases(self, numbers: Keys, owners: Rows) -> tuple[Rows, Rows]:
        """Rows of single words and of neighbours that belong to one text."""
        single = self._alone[numbers]
        one, two = numbers[:-1], numbers[1:]
        both = np.flatnonzero((one >= 0) & (two >= 0) & (owners[:-1] == owners[1:]))
        texts, joined = self._pairs.of(one[both] * self._size + two[both], owners[both])
        known = single >= 0
        return np.concatenate((owners[known], texts)), np.concatenate((single[known], joined))

    def _marked(self, parts: Sequence[str]) -> tuple[Rows, Rows]:
        """Numbers of characters and of pairs of neighbours, each with the place of its text."""
        codes = np.frombuffer("".join(parts).encode("utf-32-le"), np.uint32).astype(np.int64)
        owners = _owners([len(part) for part in parts])
        within = np.flatnonzero(owners[:-1] == owners[1:])
        keys = np.concatenate((codes, (codes[:-1] << _CODE | codes[1:])[within]))
        return self._marks.of(keys, np.concatenate((owners, owners[within])))

    def _vectors(self, keys: Keys, number: int) -> Iterator[Vector]:
        """Counted, weighted, each block of each text of length 1."""
        encoder, blocks = self._encoder, len(self._encoder.starts) - 1
        keys.sort()
        first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else keys
        often = np.diff(first, append=len(keys))
        texts, rows = np.divmod(keys[first], encoder.size)
        values = DAMPED[np.minimum(often, len(DAMPED)) - 1] * encoder.idf[rows]
        groups = texts * blocks + np.searchsorted(encoder.starts, rows, side="right") - 1
        squares = np.bincount(groups, values * values, number * blocks)
        values /= np.sqrt(squares[groups]).astype(np.float32)
        ends = np.searchsorted(groups, np.arange(number * blocks), side="right").reshape(number, blocks)
        return self._split(rows.astype(np.int32), values, ends)

    def _split(self, rows: Rows, values: Floats, ends: NDArray[np.int64]) -> Iterator[Vector]:
        begin = 0
        for own in ends.tolist():
            end = own[-1]
            yield Vector(rows[begin:end], values[begin:end], tuple(one - begin for one in own))
            begin = end


def _key(term: str) -> int:
    """One or two characters as one number."""
    return ord(term) if len(term) == 1 else ord(term[0]) << _CODE | ord(term[1])


def _owners(sizes: Sequence[int]) -> Rows:
    """The place of its text for each of the terms of several texts."""
    return np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)


def _of_blocks(
    shared: Shared, title: tuple[Rows, Rows], detail: tuple[Rows, Rows]
) -> list[tuple[Rows, Rows]]:
    """Terms of titles and details → rows in the block of both, of the title, of the detail."""
    found = []
    for (texts, ids), blocks in ((title, (0, 1)), (detail, (0, 2))):
        for block in blocks:
            rows = shared.table[block, ids]
            known = rows >= 0
            found.append((texts[known], rows[known]))
    return found
