"""From the words of an address to district and street, with the reason; what is ambiguous is told. Pure.

Names of units count before names of places, longer names before shorter ones, and what two finds have in
common before what only one of them says. A name that lies in several districts decides nothing alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.text import normalise
from routing.matter import Directory, UnitInfo

KINDS: dict[str, str] = {
    "road": "道路",
    "estate": "小区",
    "community": "社区（村）",
    "landmark": "地标",
    "school": "学校医院",
    "other": "其他",
}
MOST_TEXT = 1_000
SHORTEST = 2


@dataclass(frozen=True)
class Place:
    """A name and the code of the unit (district, street, village) it lies in."""

    name: str
    unit: str
    kind: str = "road"
    community: str = ""


@dataclass(frozen=True)
class Found:
    """A name that stands in the text, and where it may lie."""

    name: str
    units: tuple[UnitInfo, ...]
    is_unit: bool
    communities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resolution:
    """District and street if they are known; `reasons` say how, `candidates` what else it may be."""

    district: UnitInfo | None = None
    town: UnitInfo | None = None
    community: str = ""
    reasons: tuple[str, ...] = ()
    candidates: tuple[UnitInfo, ...] = ()

    @property
    def areas(self) -> tuple[str, ...]:
        """The codes, the smallest first."""
        return tuple(unit.code for unit in (self.town, self.district) if unit is not None)

    @property
    def ambiguous(self) -> bool:
        """Whether the words fit several districts."""
        return self.district is None and len(self.candidates) > 1


@dataclass(frozen=True)
class Gazetteer:
    """The names of a city, found in texts without looking at each of them."""

    directory: Directory = field(default_factory=Directory)
    names: Mapping[str, Found] = field(default_factory=dict)  # normalised
    heads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # first two characters → names

    @staticmethod
    def of(places: Iterable[Place], directory: Directory) -> "Gazetteer":
        """The names of these places and of the units themselves."""
        names: dict[str, Found] = {}
        for place in places:
            unit = directory.units.get(place.unit)
            if unit is not None and unit.active:
                _add(names, place.name, unit, is_unit=False, community=place.community)
        for unit in directory.units.values():
            if unit.active and unit.kind in ("district", "town", "village"):
                for name in dict.fromkeys((unit.name, unit.short)):
                    _add(names, name, unit, is_unit=True)
        heads: dict[str, list[str]] = {}
        for name in sorted(names, key=len, reverse=True):
            heads.setdefault(name[:SHORTEST], []).append(name)
        return Gazetteer(directory, names, {head: tuple(found) for head, found in heads.items()})

    def find(self, text: str) -> list[Found]:
        """The names in a text in their order; within a longer name a shorter one is not looked for."""
        form, at, found = normalise(text[:MOST_TEXT]), 0, []
        while at < len(form):
            names = self.heads.get(form[at : at + SHORTEST], ())
            name = next((one for one in names if form.startswith(one, at)), None)
            if name is None:
                at += 1
                continue
            found.append(self.names[name])
            at += len(name)
        return list(dict.fromkeys(found))

    def resolve(self, *texts: str) -> Resolution:
        """Where it is: the first of `texts` (address, title, detail) that says it. Never raises."""
        best = Resolution()
        for text in texts:
            one = self._resolve(text)
            if one.district is not None:
                return one
            if one.reasons and not best.reasons:
                best = one
        return best

    def _resolve(self, text: str) -> Resolution:
        found = self.find(text)
        ranked = sorted(found, key=lambda one: (not one.is_unit, -len(one.name)))
        districts: list[UnitInfo] = []
        reasons: list[str] = []
        for one in ranked:
            mine = self._above(one.units, "district")
            both = [unit for unit in districts if unit in mine] if districts else mine
            if not mine:
                continue
            if districts and not both:
                reasons.append(f"“{one.name}”在{_names(mine)}，与前面不一致，未采用")
                continue
            if len(districts) != 1 or one.is_unit:
                reasons.append(f"“{one.name}” → {_names(mine)}")
            districts = both
        if len(districts) != 1:
            if len(districts) > 1:
                reasons.append("以上名称在几个区县都有，请补充区县、街道或门牌")
            return Resolution(None, None, "", tuple(reasons), tuple(districts))
        return self._within(districts[0], ranked, reasons)

    def _within(self, district: UnitInfo, ranked: Sequence[Found], reasons: list[str]) -> Resolution:
        """Street and community, once the district is known."""
        towns: list[UnitInfo] = []
        community = ""
        for one in ranked:
            mine = [unit for unit in self._above(one.units, "town") if district.code in unit.chain]
            if len(mine) == 1 and not towns:
                towns = mine
                reasons.append(f"“{one.name}” → {mine[0].short}")
            villages = [unit for unit in one.units if unit.kind == "village" and district.code in unit.chain]
            named = [*one.communities, *(unit.short for unit in villages)]
            community = community or (named[0] if len(named) == 1 else "")
        return Resolution(district, towns[0] if towns else None, community, tuple(reasons), (district,))

    def _above(self, units: Iterable[UnitInfo], kind: str) -> list[UnitInfo]:
        """The units of a kind among these and those above them, each once."""
        every = (self.directory.units[code] for unit in units for code in unit.chain)
        return list(dict.fromkeys(unit for unit in every if unit.kind == kind))


def _add(names: dict[str, Found], name: str, unit: UnitInfo, *, is_unit: bool, community: str = "") -> None:
    form = normalise(name)
    if len(form) < SHORTEST:
        return
    before = names.get(form)
    units = tuple(dict.fromkeys((*(before.units if before else ()), unit)))
    known = before.communities if before else ()
    communities = tuple(dict.fromkeys((*known, community))) if community else known
    names[form] = Found(name, units, is_unit or bool(before and before.is_unit), communities)


def _names(units: Sequence[UnitInfo]) -> str:
    return "、".join(unit.short for unit in units[:5])
