"""The live floor as one node holds it for all who watch with the same rights (ADR 0024).

A board is made of small pieces of HTML, each with the number of the change it came with. However many
leaders watch, a burst of changes is read from the database once and only what changed is rendered; each
watcher is sent the pieces that are newer than what he has. Times are instants in the pieces, and tick in
the browser, so that a second that passes changes nothing.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from core.event_log import EventTail, LoggedEvent
from core.ids import new_token
from core.kept import Kept

TOPICS = frozenset({"agent", "call", "pbx", "help", "language"})
SETTLE_SECONDS = 0.2  # a burst is one reading
OLDEST_SECONDS = 2.0  # without any change: what takes too long stands out within so long
RIGHTS = 16  # boards kept; who oversees what is the same for nearly everybody


@dataclass
class Piece:
    """One row or panel: what it was made from, its HTML, and the change it came with."""

    source: Any
    html: str
    version: int


@dataclass
class Board:
    """All pieces, and the order of those that stand in lists."""

    name: str = field(default_factory=lambda: new_token(6))
    version: int = 0
    pieces: dict[str, Piece] = field(default_factory=dict)
    lists: dict[str, tuple[list[str], int]] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _changed: bool = False

    def begin(self) -> None:
        """A new reading follows: `put` and `order` everything, then `end`."""
        self._seen.clear()
        self._changed = False
        self.version += 1

    def put(self, key: str, source: Any, render: Callable[[], str]) -> None:
        """A piece as it is now; rendered only when its source is another."""
        self._seen.add(key)
        found = self.pieces.get(key)
        if found is not None and found.source == source:
            return
        self._changed = True
        self.pieces[key] = Piece(source, render(), self.version)

    def order(self, name: str, keys: Sequence[str]) -> None:
        """Which pieces stand in a list, in this order."""
        wanted = list(keys)
        if name not in self.lists or self.lists[name][0] != wanted:
            self._changed = True
            self.lists[name] = (wanted, self.version)

    def end(self) -> None:
        """Forget what was not put; a reading without any change had no number."""
        for key in self.pieces.keys() - self._seen:
            del self.pieces[key]
            self._changed = True
        if self._changed:
            self.answers.clear()
        else:
            self.version -= 1

    def html(self, key: str) -> str:
        """A piece for the first rendering of the page."""
        return self.pieces[key].html

    @property
    def mark(self) -> str:
        """What a browser hands back to be told of what came since."""
        return f"{self.name}.{self.version}"

    def since(self, mark: str) -> str:
        """As JSON without its outer braces what is newer than `mark`; all of it for another board's mark."""
        name, _, number = mark.partition(".")
        known = name == self.name and number.isdigit() and len(number) < 16
        after = int(number) if known and int(number) <= self.version else 0
        if after not in self.answers:
            pieces = {key: piece.html for key, piece in self.pieces.items() if piece.version > after}
            lists = {key: order for key, (order, version) in self.lists.items() if version > after}
            found = {"mark": self.mark, "pieces": pieces, "lists": lists}
            self.answers[after] = json.dumps(found, ensure_ascii=False, separators=(",", ":"))[1:-1]
        return self.answers[after]


Build = Callable[[Board], Awaitable[None]]


@dataclass
class _Held:
    board: Board = field(default_factory=Board)
    kept: Kept[Board] = field(default_factory=Kept)
    changes: int = -1  # of the log, when it was last read


class FloorBoards:
    """The boards of one application, by what their watchers may see."""

    def __init__(self, tail: EventTail) -> None:
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self.changes = 0
        self.readings = 0
        tail.listen(self.heard)

    async def heard(self, batch: Sequence[LoggedEvent]) -> None:
        """Something on the floor changed: what is held is out of date."""
        self.changes += sum(event.topic in TOPICS for event in batch)

    async def board(self, rights: str, build: Build, *, at_once: bool = False) -> Board:
        """The board of these rights, read again when something changed or it has grown old."""
        held = self._of(rights)

        def good(age: float) -> bool:
            return not at_once and held.changes == self.changes and age < OLDEST_SECONDS

        async def again() -> Board:
            changes = self.changes
            self.readings += 1
            held.board.begin()
            await build(held.board)
            held.board.end()
            held.changes = changes
            return held.board

        return await held.kept.get(again, good, apart=0.0 if at_once else SETTLE_SECONDS)

    def _of(self, rights: str) -> _Held:
        held = self._held.setdefault(rights, _Held())
        self._held.move_to_end(rights)
        while len(self._held) > RIGHTS:
            self._held.popitem(last=False)
        return held


FLOOR = web.AppKey("floor", FloorBoards)
