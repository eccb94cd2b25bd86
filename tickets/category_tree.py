"""The tree of matters as data: what may be changed in a draft, and how two trees differ. Pure.

A matter is known by its code, for good. Closing closes what lies below; merging closes a matter and
names the one that takes its place, so that old tickets keep theirs and new ones find the way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.errors import HotlineError

LEVELS = 3
MAX_NAME = 30
MAX_CODE = 20


@dataclass(frozen=True)
class Node:
    """One matter: `parent` and `into` are codes; `into` is who takes the place of a merged one."""

    code: str
    name: str
    parent: str | None = None
    sort: int = 0
    active: bool = True
    into: str | None = None


@dataclass(frozen=True)
class Difference:
    """One thing two trees do not agree on; `kind` is new, renamed, moved, closed, opened, merged or order."""

    kind: str
    code: str
    before: str
    after: str


class Tree:
    """A tree of matters that is never changed: every edit gives another one."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes: dict[str, Node] = {node.code: node for node in nodes}
        self._below: dict[str | None, list[Node]] = {}
        for node in sorted(self.nodes.values(), key=lambda one: (one.sort, one.code)):
            self._below.setdefault(node.parent, []).append(node)

    @staticmethod
    def of(rows: Iterable[Mapping[str, Any]]) -> "Tree":
        """A tree of what `rows` gave."""
        return Tree(Node(**row) for row in rows)

    def rows(self) -> list[dict[str, Any]]:
        """The tree as plain data, parents before children."""
        return [asdict(node) for node in self.walk()]

    def walk(self, parent: str | None = None) -> Iterable[Node]:
        """Every matter, parents before children, siblings in their order."""
        for node in self._below.get(parent, ()):
            yield node
            yield from self.walk(node.code)

    def below(self, code: str | None) -> list[Node]:
        """What lies right below, in order."""
        return self._below.get(code, [])

    def node(self, code: str) -> Node:
        """One matter. Raises `category_missing`."""
        found = self.nodes.get(code)
        if found is None:
            raise HotlineError("category_missing", category=code[:20])
        return found

    def chain(self, code: str) -> list[Node]:
        """The matter with those above it, from the top."""
        found: list[Node] = []
        at: str | None = code
        while at is not None:
            node = self.node(at)
            found.insert(0, node)
            at = node.parent
        return found

    def level(self, code: str) -> int:
        """1, 2 or 3."""
        return len(self.chain(code))

    def full_name(self, code: str) -> str:
        """The names from the top, as screens show them."""
        return " / ".join(node.name for node in self.chain(code))

    def successor(self, code: str) -> str:
        """The matter that takes the place of a merged one, however often that was merged again."""
        seen = {code}
        while (into := self.node(code).into) is not None and into not in seen:
            seen.add(into)
            code = into
        return code

    # ---- edits ------------------------------------------------------------------------------

    def add(self, code: str, name: str, parent: str | None) -> "Tree":
        """With one more matter, last among its siblings. Raises what `_check` does, `category_code_taken`."""
        if code in self.nodes:
            raise HotlineError("category_code_taken", category=code)
        return self._put(Node(code, name, parent, self._last(parent) + 10))

    def rename(self, code: str, name: str) -> "Tree":
        """With another name."""
        return self._put(replace(self.node(code), name=name))

    def move(self, code: str, parent: str | None) -> "Tree":
        """Under another parent, with all below. Raises `category_circle`, `category_too_deep`."""
        node = self.node(code)
        if node.parent == parent:
            return self
        if parent is not None and any(one.code == code for one in self.chain(parent)):
            raise HotlineError("category_circle", category=code)
        return self._put(replace(node, parent=parent, sort=self._last(parent) + 10))

    def order(self, code: str, *, up: bool) -> "Tree":
        """Change places with the neighbour; the same tree at the end of the row."""
        row = self.below(self.node(code).parent)
        codes = [one.code for one in row]
        place = codes.index(code)
        other = place - 1 if up else place + 1
        if not 0 <= other < len(codes):
            return self
        codes[place], codes[other] = codes[other], codes[place]
        changed = [replace(self.nodes[one], sort=10 * number) for number, one in enumerate(codes, 1)]
        return self._with(changed)

    def close(self, code: str) -> "Tree":
        """Closed with all below it. Raises `category_successor` when others were merged into one of them."""
        gone = {code, *(node.code for node in self.walk(code))}
        self.node(code)
        self._check_not_successor(gone)
        return self._with([replace(self.nodes[one], active=False, into=None) for one in gone])

    def open(self, code: str) -> "Tree":
        """Open again; what is above must be open."""
        return self._put(replace(self.node(code), active=True, into=None))

    def merge(self, code: str, into: str) -> "Tree":
        """Closed in favour of `into`.

        Raises `category_successor`, `category_has_below` (close or move those first), `category_merge`.
        """
        node, target = self.node(code), self.node(into)
        if code == into or not target.active:
            raise HotlineError("category_merge", category=code)
        if any(one.active for one in self.below(code)):
            raise HotlineError("category_has_below", category=code)
        earlier = [replace(one, into=into) for one in self.nodes.values() if one.into == code]
        return self._with([*earlier, replace(node, active=False, into=into)])

    def _check_not_successor(self, gone: set[str]) -> None:
        if any(one.into in gone for one in self.nodes.values() if one.code not in gone):
            raise HotlineError("category_successor")

    def _last(self, parent: str | None) -> int:
        return max((one.sort for one in self.below(parent)), default=0)

    def _with(self, changed: Iterable[Node]) -> "Tree":
        return Tree((self.nodes | {node.code: node for node in changed}).values())

    def _put(self, node: Node) -> "Tree":
        made = self._with([node])
        made._check(node)
        return made

    def _check(self, node: Node) -> None:
        if not node.code or len(node.code) > MAX_CODE or not node.code.isascii() or " " in node.code:
            raise HotlineError("category_code", category=node.code[:20])
        if not node.name or len(node.name) > MAX_NAME:
            raise HotlineError("category_name", category=node.code)
        chain = self.chain(node.code)
        if node.active and not all(one.active for one in chain):
            raise HotlineError("category_closed", category=node.code)
        if len(chain) + self._depth(node.code) > LEVELS:
            raise HotlineError("category_too_deep", most=LEVELS)
        twins = [one for one in self.below(node.parent) if one.name == node.name and one.active]
        if node.active and len(twins) > 1:
            raise HotlineError("category_name_taken", category=node.code)

    def _depth(self, code: str) -> int:
        return max((1 + self._depth(one.code) for one in self.below(code)), default=0)

    # ---- comparing --------------------------------------------------------------------------

    def differences(self, old: "Tree") -> list[Difference]:
        """What this tree changes in `old`, in the order of this one."""
        found: list[Difference] = []
        for node in self.walk():
            before = old.nodes.get(node.code)
            if before is None:
                found.append(Difference("new", node.code, "", self.full_name(node.code)))
                continue
            found.extend(self._changes(before, node, old))
        return found

    def _changes(self, before: Node, node: Node, old: "Tree") -> Iterable[Difference]:
        if before.name != node.name:
            yield Difference("renamed", node.code, before.name, node.name)
        if before.parent != node.parent:
            yield Difference("moved", node.code, old.full_name(node.code), self.full_name(node.code))
        if before.active and not node.active and node.into is None:
            yield Difference("closed", node.code, old.full_name(node.code), "")
        if node.into is not None and before.into != node.into:
            yield Difference("merged", node.code, old.full_name(node.code), self.full_name(node.into))
        if node.active and not before.active:
            yield Difference("opened", node.code, "", self.full_name(node.code))
        if before.sort != node.sort and before.parent == node.parent:
            yield Difference("order", node.code, str(before.sort), str(node.sort))
