"""What routing looks at: a matter in its own words, its place in two trees, and the units there are. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from core.text import normalise

DISTRICT, TOWN = "@district", "@town"
LOCAL = {DISTRICT: "属地区县", TOWN: "属地街道（乡镇）"}
HANDLING = ("bureau", "district", "town")
# Words of rules and of the catalogue are few and asked for with every matter.
normal_word = lru_cache(maxsize=20_000)(normalise)
MOST_TEXT = 4_000  # characters that are looked at; what a matter is about stands at its beginning


@dataclass(frozen=True)
class Matter:
    """A citizen's matter. `categories` and `areas` are codes: its own first, then those above."""

    title: str = ""
    detail: str = ""
    categories: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    subject: str = ""
    type: str = ""
    urgency: str = ""
    channel: str = ""

    @cached_property
    def text(self) -> str:
        """Title and detail in the form words are looked for in."""
        return normalise(f"{self.title} {self.detail}"[:MOST_TEXT])

    @cached_property
    def about(self) -> str:
        """The subject and the text: where the name of a firm or a thing may stand."""
        return f"{normalise(self.subject)} {self.text}"


@dataclass(frozen=True)
class UnitInfo:
    """A unit as routing needs it; `chain` are the codes from itself up to the city."""

    id: int
    code: str
    name: str
    short: str
    kind: str
    active: bool
    path: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resolved:
    """The unit a name in a rule or in the catalogue stands for, or in `why` what is wrong with it."""

    unit: UnitInfo | None
    why: str = ""


@dataclass(frozen=True)
class Directory:
    """The units and categories of the city, by code."""

    units: Mapping[str, UnitInfo] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)  # code → full name, active ones
    chains: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # category id → codes, nearest first

    @cached_property
    def by_id(self) -> Mapping[int, UnitInfo]:
        """The units by id."""
        return {unit.id: unit for unit in self.units.values()}

    @cached_property
    def chain_of(self) -> Mapping[str, tuple[str, ...]]:
        """A category's code → its codes, nearest first."""
        return {codes[0]: codes for codes in self.chains.values() if codes}

    def resolve(self, name: str, areas: Sequence[str] = ()) -> Resolved:
        """Who `name` (a code, `@district`, `@town`) is for a matter in `areas`."""
        if name in LOCAL:
            return self._local(name, areas)
        unit = self.units.get(name)
        if unit is None:
            return Resolved(None, f"没有编码为“{name}”的单位")
        if not unit.active:
            return Resolved(None, f"{unit.short}已停用")
        if unit.kind not in HANDLING:
            return Resolved(None, f"{unit.short}不是承办单位")
        return Resolved(unit)

    def _local(self, name: str, areas: Sequence[str]) -> Resolved:
        kind = name.removeprefix("@")
        for code in areas:
            unit = self.units.get(code)
            if unit is not None and unit.kind == kind:
                return Resolved(unit) if unit.active else Resolved(None, f"{unit.short}已停用")
        return Resolved(None, f"地点不明，无法确定{LOCAL[name]}")

    def label(self, name: str) -> str:
        """A name as people read it; an unknown code stands for itself."""
        unit = self.units.get(name)
        return LOCAL.get(name) or (unit.short if unit else name)

    def labels(self, names: Iterable[str]) -> str:
        """Several of them."""
        return "、".join(self.label(name) for name in names)

    def category(self, code: str) -> str:
        """A category's full name; an unknown code stands for itself."""
        return self.categories.get(code, code)

    def areas_of(self, *unit_ids: int | None) -> tuple[str, ...]:
        """The codes of the smallest of these units and of all above it, but for the city's own."""
        found = [self.by_id[ident] for ident in unit_ids if ident is not None and ident in self.by_id]
        chain = max((unit.chain for unit in found), key=len, default=())
        return tuple(code for code in chain if self.units[code].kind != "city")

    def below(self, unit_id: int | None) -> frozenset[int]:
        """The ids of a unit and of everything below it; none for no unit."""
        if unit_id is None:
            return frozenset()
        return frozenset(unit.id for unit in self.units.values() if f".{unit_id}." in unit.path)
