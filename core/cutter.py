"""Chinese text into words: jieba's dictionary and its result, cut faster, from a dictionary of our own as
well.

jieba's `Tokenizer` keeps a cache file in the common temporary folder, which anybody may have put there, and
takes a logarithm for every path. Here its word list is read directly, logarithms are taken once, and the
words that its hidden Markov model finds are remembered by fragment. What comes out is what jieba gives for
the same dictionaries; a test compares them.
"""

import hashlib
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from math import exp, log
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # jieba is of 2020: escapes in its patterns, pkg_resources
    from jieba import finalseg

DICTIONARY = Path(__file__).with_name("dictionary.txt")
_HAN = re.compile(r"([\u4E00-\u9FD5a-zA-Z0-9+#&\._%\-]+)")
_ONLY_HAN = re.compile(r"[\u4E00-\u9FD5]+")
_START = finalseg.start_P
_EMIT = tuple(finalseg.emit_P[state].get for state in "BMES")
_EB, _SB, _MM, _BM, _BE, _ME, _SS, _ES = (
    finalseg.trans_P[pair[0]].get(pair[1], finalseg.MIN_FLOAT)
    for pair in ("EB", "SB", "MM", "BM", "BE", "ME", "SS", "ES")
)
_ONE_LETTER = re.compile(r"[a-zA-Z0-9]")
_BEGINNING = 1.0  # instead of a logarithm, which is below zero: no word, but words begin so
_REMEMBERED = 20_000  # fragments of the hidden Markov model, a few characters each


@lru_cache(_REMEMBERED)
def _unknown(fragment: str) -> tuple[str, ...]:
    """The words of a run of characters that no dictionary joins."""
    if not _ONLY_HAN.fullmatch(fragment):
        return tuple(finalseg.cut(fragment))
    words, begin = [], 0
    for at, state in enumerate(_states(fragment)):
        if state == "B":
            begin = at
        elif state == "E":
            words.append(fragment[begin : at + 1])
        elif state == "S":
            words.append(fragment[at])
    return tuple(words)


def _states(text: str) -> str:
    """jieba's hidden Markov model: each character begins (B), goes on in (M), ends (E) or is (S) a word.

    Of equals the later letter wins, as in jieba.
    """
    begins, middles, ends, singles = _EMIT
    least = finalseg.MIN_FLOAT
    first = text[0]
    b, m, e, s = (_START[state] + emit(first, least) for state, emit in zip("BMES", _EMIT, strict=True))
    paths = {"B": "B", "M": "M", "E": "E", "S": "S"}
    for char in text[1:]:
        emit = begins(char, least)
        of_e, of_s = e + _EB + emit, s + _SB + emit
        new_b, from_b = (of_s, "S") if of_s >= of_e else (of_e, "E")
        emit = middles(char, least)
        of_m, of_b = m + _MM + emit, b + _BM + emit
        new_m, from_m = (of_m, "M") if of_m >= of_b else (of_b, "B")
        emit = ends(char, least)
        of_b, of_m = b + _BE + emit, m + _ME + emit
        new_e, from_e = (of_m, "M") if of_m >= of_b else (of_b, "B")
        emit = singles(char, least)
        of_s, of_e = s + _SS + emit, e + _ES + emit
        new_s, from_s = (of_s, "S") if of_s >= of_e else (of_e, "E")
        b, m, e, s = new_b, new_m, new_e, new_s
        paths = {
            "B": paths[from_b] + "B",
            "M": paths[from_m] + "M",
            "E": paths[from_e] + "E",
            "S": paths[from_s] + "S",
        }
    return paths["S"] if s >= e else paths["E"]


class Cutter:
    """A dictionary in memory (about 70 MB, read in a second); stateless, any number of threads."""

    def __init__(self, own: str) -> None:
        """`own`: lines of `word [frequency]`; a word without one gets what keeps it whole, as in jieba."""
        self.version = hashlib.sha256(own.encode()).hexdigest()
        self._frequency, self._total = _jieba_words()
        for word, frequency in own_words(own):
            self._add(word, frequency)
        whole = log(self._total)
        self._cost = {
            word: log(number) - whole if number else _BEGINNING for word, number in self._frequency.items()
        }
        self._nothing = -whole
        del self._frequency

    def _add(self, word: str, frequency: int | None) -> None:
        if frequency is None:
            frequency = self._keeps_whole(word)
        self._frequency[word] = frequency
        self._total += frequency
        for end in range(1, len(word)):
            self._frequency.setdefault(word[:end], 0)

    def _keeps_whole(self, word: str) -> int:
        """The frequency with which the word is likelier than its parts."""
        whole = log(self._total)
        share = 1.0
        for part in self._parts(word, whole):
            share *= self._frequency.get(part, 1) / self._total
        return max(int(share * self._total) + 1, self._frequency.get(word, 0))

    def _parts(self, word: str, whole: float) -> Iterator[str]:
        """The likeliest parts of a word by the dictionary as it stands; single letters stay together."""
        frequency, size = self._frequency, len(word)
        route: list[tuple[float, int]] = [(0.0, 0)] * (size + 1)
        for start in range(size - 1, -1, -1):
            ends = [end for end in range(start + 1, size + 1) if frequency.get(word[start:end])] or [
                start + 1
            ]
            route[start] = max(
                (log(frequency.get(word[start:end]) or 1) - whole + route[end][0], end) for end in ends
            )
        at, letters = 0, ""
        while at < size:
            end = route[at][1]
            part = word[at:end]
            if len(part) == 1 and _ONE_LETTER.match(part):
                letters += part
            else:
                if letters:
                    yield letters
                letters = ""
                yield part
            at = end
        if letters:
            yield letters

    def words(self, text: str) -> list[str]:
        """The words of a text in order; marks one by one, blanks left out."""
        found: list[str] = []
        for number, piece in enumerate(_HAN.split(text)):
            if number % 2:
                self._cut(piece, found)
            else:
                found.extend(char for char in piece if not char.isspace())
        return found

    def finer(self, words: Iterable[str]) -> list[str]:
        """The words and the shorter words within them, as a search engine keeps them."""
        cost, found = self._cost, []
        for word in words:
            size = len(word)
            if size > 2:
                for length in range(2, min(size, 4)):
                    parts = (word[at : at + length] for at in range(size - length + 1))
                    found += [part for part in parts if cost.get(part, _BEGINNING) < 0]
            found.append(word)
        return found

    def share(self, word: str) -> float:
        """The share of all words of plain Chinese that are this one; 0 for one nobody knows."""
        cost = self._cost.get(word, _BEGINNING)
        return exp(cost) if cost < 0 else 0.0

    def _best_ends(self, text: str) -> list[int]:
        """For every place where the likeliest word that begins there ends."""
        cost, nothing = self._cost.get, self._nothing
        size = len(text)
        ends, value = [0] * size, [0.0] * (size + 1)
        for start in range(size - 1, -1, -1):
            best, best_end = -1e300, 0
            end = start + 1
            while end <= size and (this := cost(text[start:end])) is not None:
                if this < 0 and (this := this + value[end]) >= best:  # of equals the longer, as jieba does
                    best, best_end = this, end
                end += 1
            if not best_end:
                best, best_end = nothing + value[start + 1], start + 1
            value[start], ends[start] = best, best_end
        return ends

    def _cut(self, text: str, found: list[str]) -> None:
        ends = self._best_ends(text)
        at, loose, size = 0, 0, len(text)
        while at < size:
            end = ends[at]
            if end - at > 1:
                if at > loose:
                    self._loose(text[loose:at], found)
                found.append(text[at:end])
                loose = end
            at = end
        if size > loose:
            self._loose(text[loose:size], found)

    def _loose(self, run: str, found: list[str]) -> None:
        """Single characters in a row: unknown words may be among them."""
        if len(run) == 1 or self._cost.get(run, _BEGINNING) < 0:
            found.extend(run)
        else:
            found.extend(_unknown(run))


def own_words(text: str) -> Iterator[tuple[str, int | None]]:
    """Words and frequencies of a dictionary file; `#` begins a remark."""
    for line in text.splitlines():
        word, _, frequency = line.partition("#")[0].strip().partition(" ")
        if word:
            number = frequency.split()[0] if frequency.split() else ""
            yield word, int(number) if number.isdecimal() else None


def _jieba_words() -> tuple[dict[str, int], int]:
    """Word or beginning of a word → frequency (0: only a beginning), and the sum of frequencies."""
    found: dict[str, int] = {}
    total = 0
    for line in files("jieba").joinpath("dict.txt").read_text(encoding="utf-8").splitlines():
        word, frequency, _ = line.split(" ", 2)
        number = int(frequency)
        found[word] = number
        total += number
        for end in range(1, len(word)):
            found.setdefault(word[:end], 0)
    return found, total


@lru_cache(1)
def shipped_words() -> str:
    """The dictionary of the city and of the hotline that is shipped."""
    return DICTIONARY.read_text(encoding="utf-8")


@lru_cache(2)
def cutter_of(own: str) -> Cutter:
    """The cutter of a model's dictionary; models with the same one share it."""
    return Cutter(own)
