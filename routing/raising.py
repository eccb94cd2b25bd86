"""Words that make a matter more urgent than it was written down: the city's list beside the shipped one.

The city edits its list on the page of basic data (`core/catalog/words.py`): its kinds say how urgent.
How a word is denied or taken back is the business of `classifier.urgency`.
"""

from collections.abc import Iterable

from classifier.urgency import Raised, Rule, WordList, shipped_rules
from core.catalog.words import KINDS, Found

LEVELS: dict[str, str] = {"danger": "critical", "crowd": "urgent", "supply": "urgent"}


def raised(text: str, found: Iterable[Found]) -> Raised | None:
    """How urgent `text` is by its words; `found`: those of the city's list that stand in it."""
    shipped = shipped_rules()
    known = {word for rule in shipped for word in rule.words}
    own = [
        Rule(LEVELS[one.kind], KINDS[one.kind], (one.word,))
        for one in found
        if one.kind in LEVELS and one.word not in known
    ]
    return WordList([*shipped, *own]).raised(text)
