"""The responsibility catalogue (责任清单): which row speaks for a matter, and why. Pure.

The nearest row wins: of the matter's own category before those above it, about its subject before one
about everything, of its street before its district before the whole city.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from routing.matter import Directory, Matter, normal_word


@dataclass(frozen=True)
class Entry:
    """A row of the catalogue; `lead` and `co` are codes of units, `@district` or `@town`."""

    id: int
    version: int
    category: str
    area: str
    subject: str
    lead: str
    co: tuple[str, ...]
    basis: str
    clock: str
    script: str
    valid_from: date
    valid_to: date | None = None

    def valid(self, day: date) -> bool:
        """Whether it counts on a day of the city."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Hit:
    """A row that speaks for a matter, and in words why."""

    entry: Entry
    why: str


@dataclass(frozen=True)
class Catalogue:
    """The rows by category. `version` moves with every change."""

    version: int
    rows: Mapping[str, tuple[Entry, ...]]

    @staticmethod
    def of(entries: Iterable[Entry], version: int = 0) -> "Catalogue":
        """A catalogue of these rows."""
        rows: dict[str, list[Entry]] = {}
        for entry in entries:
            rows.setdefault(entry.category, []).append(entry)
        return Catalogue(version, {code: tuple(found) for code, found in rows.items()})

    def find(self, matter: Matter, day: date, directory: Directory) -> list[Hit]:
        """Every row that speaks for the matter on a day, the nearest first."""
        found: list[tuple[tuple[int, bool, int], Hit]] = []
        for distance, category in enumerate(matter.categories):
            for entry in self.rows.get(category, ()):
                place = _place(entry, matter)
                if place is None or not entry.valid(day) or not _about(entry, matter):
                    continue
                hit = Hit(entry, _why(entry, directory))
                found.append(((distance, not entry.subject, place), hit))
        return [hit for _, hit in sorted(found, key=lambda one: (one[0], one[1].entry.id))]


def _place(entry: Entry, matter: Matter) -> int | None:
    """How near the row's area is; None when the matter lies elsewhere."""
    if not entry.area:
        return len(matter.areas)
    return matter.areas.index(entry.area) if entry.area in matter.areas else None


def _about(entry: Entry, matter: Matter) -> bool:
    return not entry.subject or normal_word(entry.subject) in matter.about


def _why(entry: Entry, directory: Directory) -> str:
    parts = [f"分类“{directory.category(entry.category).rsplit(' / ', 1)[-1]}”"]
    if entry.subject:
        parts.append(f"对象“{entry.subject}”")
    parts.append(f"区域“{directory.label(entry.area)}”" if entry.area else "全市")
    return "，".join(parts)


def faults(entry: Entry, directory: Directory) -> list[str]:
    """What is wrong with a row, in words: names that stand for nobody, a category that is closed."""
    found = []
    if entry.category not in directory.categories:
        found.append(f"分类 {entry.category} 不存在或已停用")
    if entry.area and (entry.area not in directory.units or not directory.units[entry.area].active):
        found.append(f"区域 {entry.area} 不存在或已停用")
    for name in (entry.lead, *entry.co):
        if not name.startswith("@"):
            why = directory.resolve(name).why
            if why:
                found.append(why)
    return found
