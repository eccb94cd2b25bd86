"""The register as a list, one line per qualification: what a line says, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.catalog import tables
from tickets.intermediaries.register import Licence, Said, cleaned, licence_problems, problems

COLUMNS = {
    "uscc": "统一社会信用代码",
    "name": "机构名称",
    "trade": "行业",
    "unit": "主管部门编码",
    "address": "地址",
    "phone": "联系电话",
    "licence": "资质名称",
    "number": "资质编号",
    "valid_from": "资质有效期起",
    "valid_to": "资质有效期止",
}
NEEDED = ("uscc", "name", "trade", "unit")
WRONG = {
    "uscc": "统一社会信用代码不正确（18 位，含校验位）",
    "name": "机构名称或资质名称须为 2 至 100 字",
    "trade": "行业须为 2 至 40 字",
    "unit": "主管部门编码不是启用的承办单位",
    "address": "地址超过 200 字",
    "phone": "联系电话超过 40 字",
    "number": "资质编号须为 1 至 60 字",
    "valid_to": "资质有效期止早于有效期起",
    "date": "日期须写作 2026-01-31",
    "odd": "单元格多于列名，可能错列；含逗号的内容请加引号",
    "differs": "与前面同一机构的行不一致",
}


@dataclass(frozen=True)
class Step:
    """What a line does: new, changed, same, or wrong (`why` in words)."""

    number: int
    effect: str
    said: Said | None = None
    licence: Licence | None = None
    why: str = ""


Register = Mapping[str, Any]  # USCC → row of the register
Licences = Mapping[tuple[str, str], Any]  # USCC and number → row of a qualification


def steps(text: str, units: Mapping[str, int], rows: Register, licences: Licences) -> list[Step]:
    """What every line would do; `units` are codes of units that can take matters.

    Raises what `core.catalog.tables.read` raises.
    """
    found: list[Step] = []
    seen: dict[str, Said] = {}
    for line in tables.read(text, COLUMNS, needed=NEEDED):
        step = _step(line, units, rows, licences)
        said = step.said
        right = said is not None and step.effect != "wrong"
        if said is not None and right and seen.setdefault(said.uscc, said) != said:
            step = Step(line.number, "wrong", said, step.licence, WRONG["differs"])
        found.append(step)
    return found


def _step(line: tables.Line, units: Mapping[str, int], rows: Register, licences: Licences) -> Step:
    if line.odd:
        return Step(line.number, "wrong", why=WRONG["odd"])
    days: dict[str, date | None] = {}
    for name in ("valid_from", "valid_to"):
        try:
            days[name] = date.fromisoformat(line[name]) if line[name] else None
        except ValueError:
            return Step(line.number, "wrong", why=WRONG["date"])
    unit_id = units.get(line["unit"])
    named = (line["uscc"], line["name"], line["trade"])
    said = cleaned(Said(*named, unit_id=unit_id or 0, address=line["address"], phone=line["phone"]))
    licence = None
    if line["licence"] or line["number"]:
        licence = Licence(line["licence"], line["number"], **days)
    wrong = [*problems(said), *(["unit"] if unit_id is None else [])]
    wrong += licence_problems(licence) if licence is not None else ()
    if wrong:
        told = "；".join(WRONG[name] for name in dict.fromkeys(wrong))
        return Step(line.number, "wrong", said, licence, told)
    return Step(line.number, _effect(said, licence, rows, licences), said, licence)


def _effect(said: Said, licence: Licence | None, rows: Register, licences: Licences) -> str:
    row = rows.get(said.uscc)
    if row is None:
        return "new"
    same = all(getattr(row, name) == value for name, value in vars(said).items())
    if licence is None:
        return "same" if same else "changed"
    old = licences.get((said.uscc, licence.number))
    if old is None:
        return "new"
    kept = all(getattr(old, name) == value for name, value in vars(licence).items())
    return "same" if same and kept else "changed"


def entries(found: Iterable[Step]) -> dict[str, tuple[Said, list[Licence]]]:
    """The lines by intermediary, to be taken."""
    taken: dict[str, tuple[Said, list[Licence]]] = {}
    for step in found:
        if step.said is None:
            continue
        _, licences = taken.setdefault(step.said.uscc, (step.said, []))
        if step.licence is not None:
            licences.append(step.licence)
    return taken


def as_list(rows: Iterable[Any]) -> str:
    """Rows (intermediary, code of its department, one qualification or none) as CSV."""
    names = (
        "uscc",
        "name",
        "trade",
        "unit",
        "address",
        "phone",
        "licence",
        "number",
        "valid_from",
        "valid_to",
    )
    return tables.write(list(COLUMNS.values()), ([getattr(row, name) for name in names] for row in rows))
