"""The hand-written vocabulary: what people call about, matter by matter, and the frames all matters share.

`matters/NN.toml` holds one table per leaf of the demo city's tree, keyed by its code; `frames.toml` and
`places.txt` belong to no matter, so that they carry no sign of one.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Matter:
    """One leaf.

    `things` are nouns, `problems` clauses that stand alone, `requests` follow 请 or 希望, `questions` end
    without a mark, `urgent` are clauses that make it pressing (none: it never is critical). `lean` is the
    type of request most people have here, "" for no inclination.
    """

    code: str
    name: str
    things: tuple[str, ...]
    problems: tuple[str, ...]
    requests: tuple[str, ...]
    questions: tuple[str, ...]
    urgent: tuple[str, ...] = ()
    lean: str = ""


@cache
def matters() -> dict[str, Matter]:
    """Every leaf by its code, in the order of codes."""
    found: dict[str, Matter] = {}
    for path in sorted((FOLDER / "matters").glob("*.toml")):
        for code, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            found[code] = _matter(code, table)
    return dict(sorted(found.items()))


def _matter(code: str, table: dict[str, Any]) -> Matter:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return Matter(code=code, name=table["name"], lean=table.get("lean", ""), **lists)


@cache
def frames(table: str) -> dict[str, list[str]]:
    """The rows of one table of `frames.toml`, each a list of frames."""
    return {key: row for key, row in _shared()[table].items() if isinstance(row, list)}


@cache
def pairs(table: str) -> dict[str, str]:
    """Words and what noise puts in their place: `typos` or `dialect`."""
    return {key: word for key, word in _shared()[table].items() if isinstance(word, str)}


@cache
def _shared() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "frames.toml").read_text(encoding="utf-8"))


@cache
def places() -> tuple[tuple[str, str], ...]:
    """Every place with its kind (`area`, `road`, `sight`, `estate`), in the order of `places.txt`."""
    found, kind = [], ""
    for line in (FOLDER / "places.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            kind = line[2:]
        elif line and not line.startswith("#"):
            found.append((line, kind))
    return tuple(found)
