"""The demo city's tree of matters: `categories.txt` holds code (two digits a level) and name."""

from dataclasses import dataclass
from pathlib import Path

from core.pinyin import initials

TREE = Path(__file__).resolve().with_suffix(".txt")


@dataclass(frozen=True)
class Node:
    """One matter; the code of the one above is the code without its last two digits."""

    code: str
    name: str

    @property
    def initials(self) -> str:
        return initials(self.name)

    @property
    def level(self) -> int:
        return len(self.code) // 2

    @property
    def parent(self) -> str | None:
        return self.code[:-2] or None


def nodes() -> list[Node]:
    """The whole tree, parents before children."""
    return [Node(*line.split()) for line in TREE.read_text(encoding="utf-8").split("\n") if line.strip()]
