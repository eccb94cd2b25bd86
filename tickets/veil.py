"""Takes a sealed reporter out of what people wrote: the name, the numbers, whatever looks like one. Pure.

The reporter of a 举报, and whoever asked for secrecy, is hidden from the units that handle the matter. But
people name themselves while they tell, and agents write it down. What is known of the reporter (sealed in
the vault) is looked for in every text a unit is shown and masked there, as 王** and 138****1234.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from core import redact

# What people put behind a name; the name is known without it.
_TITLES = re.compile(
    r"(?:先生|女士|小姐|同志|老师|师傅|阿姨|大妈|大姐|大哥|大爷|叔叔|老人家?|[（(].*[)）])\s*$"
)
_AREA = re.compile(r"0(?:10|2\d|[3-9]\d{2})(?=\d{7,8}$)")


@dataclass(frozen=True)
class Veil:
    """What is known of one reporter, in the clear. It stays within a read and is never shown."""

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def over(self, text: str) -> str:
        """`text` without the reporter and without anything that looks like a number of anybody."""
        return redact.masked(text, names=self.names, numbers=self.numbers)

    def __repr__(self) -> str:
        return "Veil(…)"  # logs and error pages show what objects say of themselves


def veil_of(names: Iterable[str], numbers: Iterable[str]) -> Veil:
    """The veil over a person of these names, as they were typed, and of these phones and ID numbers."""
    found: dict[str, None] = {}
    for name in names:
        whole = name.strip()
        found |= dict.fromkeys((whole, _TITLES.sub("", whole).strip()))
    digits: dict[str, None] = {}
    for number in numbers:
        digits |= dict.fromkeys((number, _AREA.sub("", number)))
    return Veil(tuple(name for name in found if len(name) > 1), tuple(number for number in digits if number))


def covered(veil: Veil | None, text: str) -> str:
    """`text` under the veil, or as it is where there is none."""
    return text if veil is None else veil.over(text)


def covered_in(veil: Veil | None, values: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """`values` with the texts called `names` under the veil."""
    if veil is None:
        return values
    return values | {name: veil.over(values[name]) for name in names if values[name]}
