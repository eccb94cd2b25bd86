"""What a keyboard and a dialect do to a text: words of Guilin, homophones, lost punctuation.

Spared is every character of a number, so that noise never makes a new one.
"""

import random
from collections.abc import Mapping

from classifier.starter.vocabulary import pairs

DIALECT_SHARE = 0.06
TYPO_SHARE = 0.10
LOST_SHARE = 0.12


def roughen(text: str, source: random.Random) -> str:
    """`text`, mostly as it is; at a low rate with dialect, one or two typos, or sparse punctuation."""
    if source.random() < DIALECT_SHARE:
        text = _replaced(text, pairs("dialect"), source, most=4)
    if source.random() < TYPO_SHARE:
        text = _replaced(text, pairs("typos"), source, most=source.choice((1, 1, 2)))
    if source.random() < LOST_SHARE:
        text = _lost(text, source)
    return text


def _replaced(text: str, words: Mapping[str, str], source: random.Random, most: int) -> str:
    """`text` with up to `most` of the words that occur in it exchanged, each once."""
    there = [word for word in words if word in text]
    for word in source.sample(there, min(most, len(there))):
        text = text.replace(word, words[word], 1)
    return text


def _lost(text: str, source: random.Random) -> str:
    """`text` typed in a hurry: marks dropped, or spaces or half-width ones in their place."""
    other = source.choice((" ", "", ",", " "))
    return "".join(other if mark in "，。；" and source.random() < 0.6 else mark for mark in text).strip(" ,")
