"""The catalogue and the gazetteer as lists: what a line says, and what is wrong with it, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from core.catalog import tables
from routing import catalogue_service, places
from routing.catalogue_service import KEY, Said, key_of
from routing.gazetteer import KINDS, Place
from routing.matter import LOCAL, Directory

COLUMNS = {
    "category": "分类编码",
    "area": "区域编码",
    "subject": "对象",
    "lead": "主办单位编码",
    "co": "协办单位编码",
    "basis": "依据",
    "clock": "时限",
    "script": "口径",
    "valid_from": "生效日期",
    "valid_to": "截止日期",
}
NEEDED = ("category", "lead")
PLACE_COLUMNS = {"name": "名称", "kind": "类别", "unit": "所属单位编码", "community": "社区（村）"}
WRONG = {
    "category": "分类编码不存在或已停用",
    "area": "区域编码不是启用的区县或街道",
    "subject": "对象超过 60 字",
    "lead": "主办单位编码不存在、已停用或不是承办单位",
    "co": "协办单位编码不存在、已停用或不是承办单位",
    "basis": "依据超过 300 字",
    "clock": "时限超过 60 字",
    "script": "口径超过 500 字",
    "valid_from": "日期须写作 2026-01-31",
    "valid_to": "截止日期早于生效日期，或不是 2026-01-31 的写法",
}
WRONG_PLACE = {
    "name": "名称须为 2 至 60 字",
    "kind": "类别须为：" + "、".join(KINDS.values()),
    "unit": "所属单位编码不是启用的区县、街道或村（社区）",
    "community": "社区（村）超过 60 字",
}
ODD = "单元格多于列名，可能错列；含逗号的内容请加引号"
_BY_WORD = {word: name for name, word in LOCAL.items()}


@dataclass(frozen=True)
class Step:
    """What a line of the catalogue does: new, changed, same, or wrong (`why` in words)."""

    number: int
    effect: str
    said: Said | None
    why: str = ""


@dataclass(frozen=True)
class PlaceStep:
    """What a line of the gazetteer does."""

    number: int
    effect: str
    place: Place
    why: str = ""


def steps(text: str, known: Directory, rows: Mapping[tuple[Any, ...], Any], today: date) -> list[Step]:
    """What every line would do. Raises what `core.catalog.tables.read` raises.

    A line without a day counts from `today`, or from the day of the row it says the same key of.
    """
    found: list[Step] = []
    seen: set[tuple[Any, ...]] = set()
    undated = {key[:-1]: key[-1] for key in rows}
    for line in tables.read(text, COLUMNS, needed=NEEDED):
        step = _step(line, known, rows, undated, today)
        key = key_of(step.said.values()) if step.said else None
        if key is not None and key in seen:
            step = Step(line.number, "wrong", step.said, "与前面的一行重复")
        if key is not None:
            seen.add(key)
        found.append(step)
    return found


def _step(
    line: tables.Line, known: Directory, rows: Mapping[tuple[Any, ...], Any], undated: Any, today: date
) -> Step:
    if line.odd:
        return Step(line.number, "wrong", None, ODD)
    days: dict[str, date | None] = {}
    for name in ("valid_from", "valid_to"):
        try:
            days[name] = date.fromisoformat(line[name]) if line[name] else None
        except ValueError:
            return Step(line.number, "wrong", None, WRONG[name])
    start = days["valid_from"] or undated.get((line["category"], line["area"], line["subject"]), today)
    said = Said(
        line["category"],
        _BY_WORD.get(line["lead"], line["lead"]),
        start,
        line["area"],
        line["subject"],
        tuple(_BY_WORD.get(one, one) for one in line["co"].replace("、", " ").split()),
        line["basis"],
        line["clock"],
        line["script"],
        days["valid_to"],
    )
    row = rows.get(key_of(said.values()))
    if row is not None:  # what the list does not say stays as it is
        kept: dict[str, Any] = {name: getattr(row, name) for name in line.absent - set(KEY)}
        said = replace(said, **kept | ({"co": tuple(kept["co"])} if "co" in kept else {}))
    wrong = catalogue_service.problems(said, known)
    if wrong:
        return Step(line.number, "wrong", said, "；".join(WRONG[name] for name in wrong))
    if row is None:
        return Step(line.number, "new", said)
    same = all(getattr(row, name) == value for name, value in said.values().items())
    return Step(line.number, "same" if same else "changed", said)


def as_list(rows: Iterable[Any]) -> str:
    """Rows of the catalogue as CSV."""
    lines = (
        (
            *(row.category, row.area, row.subject, LOCAL.get(row.lead, row.lead)),
            " ".join(LOCAL.get(name, name) for name in row.co),
            *(row.basis, row.clock, row.script, row.valid_from, row.valid_to),
        )
        for row in rows
    )
    return tables.write(list(COLUMNS.values()), lines)


def place_steps(text: str, known: Directory, rows: Mapping[tuple[str, str], Any]) -> list[PlaceStep]:
    """What every line of a gazetteer would do. Raises what `core.catalog.tables.read` raises."""
    kinds = {word: kind for kind, word in KINDS.items()}
    found: list[PlaceStep] = []
    for line in tables.read(text, PLACE_COLUMNS, needed=("name", "unit")):
        row = rows.get((line["name"], line["unit"]))
        kept = {name: getattr(row, name) for name in line.absent} if row is not None else {}
        kind = kinds.get(line["kind"], line["kind"] or "other")
        place = replace(Place(line["name"], line["unit"], kind, line["community"]), **kept)
        wrong = places.problem(place, known)
        if line.odd or wrong:
            found.append(PlaceStep(line.number, "wrong", place, ODD if line.odd else WRONG_PLACE[wrong]))
        elif row is None:
            found.append(PlaceStep(line.number, "new", place))
        else:
            same = (row.kind, row.community) == (place.kind, place.community)
            found.append(PlaceStep(line.number, "same" if same else "changed", place))
    return found


def places_as_list(rows: Iterable[Any]) -> str:
    """Places as CSV."""
    lines = ((row.name, KINDS.get(row.kind, row.kind), row.unit, row.community) for row in rows)
    return tables.write(list(PLACE_COLUMNS.values()), lines)
