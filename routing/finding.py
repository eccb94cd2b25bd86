"""Places found while they are typed: by Chinese, by initials of pinyin, or by the address so far. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.pinyin import initials
from core.text import normalise
from routing.gazetteer import KINDS, Place
from routing.matter import Directory, UnitInfo

MOST = 8
LONGEST_WORDS = 60
UNLIKE = 9


@dataclass(frozen=True)
class Spot:
    """A name on the map of the city and the area it lies in; without a `town` only the district is known."""

    name: str
    kind: str
    district: UnitInfo
    town: UnitInfo | None = None
    community: str = ""

    @property
    def area(self) -> str:
        """The area as forms carry it: `district` or `district.town`, by id."""
        return area_of(self.district, self.town)

    @property
    def path(self) -> str:
        """The area as people read it."""
        return path_of(self.district, self.town, self.community)


def area_of(district: UnitInfo, town: UnitInfo | None) -> str:
    """`district` or `district.town`, by id."""
    return f"{district.id}.{town.id}" if town else str(district.id)


def path_of(district: UnitInfo, town: UnitInfo | None, community: str = "") -> str:
    """District, street and community, as far as they are known."""
    return " / ".join(part for part in (district.short, town.short if town else "", community) if part)


@dataclass(frozen=True)
class PlaceIndex:
    """Every place and village of the city with the two forms it is looked for in."""

    entries: Sequence[tuple[str, str, Spot]] = ()  # normalised name, initials, where it is

    @staticmethod
    def of(places: Iterable[Place], directory: Directory) -> "PlaceIndex":
        """The places, and the villages of the tree; what lies in no district is left out."""
        spots = [
            _spot(one.name, KINDS.get(one.kind, ""), one.unit, one.community, directory) for one in places
        ]
        villages = (unit for unit in directory.units.values() if unit.kind == "village" and unit.active)
        spots += [_spot(unit.short, KINDS["community"], unit.code, "", directory) for unit in villages]
        known = dict.fromkeys(spot for spot in spots if spot is not None)
        return PlaceIndex([(normalise(spot.name), initials(spot.name), spot) for spot in known])

    def find(self, words: str, limit: int = MOST) -> list[Spot]:
        """The best `limit` places for what is typed; of those that fit as well the shorter name first."""
        form = normalise(words[:LONGEST_WORDS])
        if not form:
            return []
        ranked = (
            (_rank(form, name, letters), len(name), at) for at, (name, letters, _) in enumerate(self.entries)
        )
        best = sorted(one for one in ranked if one[0] < UNLIKE)[:limit]
        return [self.entries[at][2] for _, _, at in best]


def _spot(name: str, kind: str, unit: str, community: str, directory: Directory) -> Spot | None:
    info = directory.units.get(unit)
    if info is None or not info.active:
        return None
    above = {directory.units[code].kind: directory.units[code] for code in info.chain}
    district, town = above.get("district"), above.get("town")
    village = above.get("village")
    if district is None:
        return None
    return Spot(name, kind, district, town, community or (village.short if village else ""))


def _rank(form: str, name: str, letters: str) -> int:
    """0 is best: the name begins so, its initials do, the address begins with it, it stands within."""
    if name.startswith(form):
        return 0
    if letters.startswith(form):
        return 1
    if form.startswith(name):
        return 2
    if form in name:
        return 3
    return 4 if len(form) > 1 and form in letters else UNLIKE
