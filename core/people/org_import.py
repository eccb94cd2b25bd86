"""A list of units read from CSV: what it would change, line by line, and then the change itself.

A unit is known by its code. Columns and units the list does not name stay as they are; nothing is
closed by a list.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import tables
from core.catalog.tables import Line
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people import org
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission

COLUMNS = {
    "code": "编码",
    "name": "名称",
    "short_name": "简称",
    "kind": "类型",
    "parent_code": "上级编码",
}
NEEDED = ("code", "name", "kind", "parent_code")
CODE = r"[A-Za-z0-9_.-]{1,40}"
LIMITS = {"code": 40, "name": 60, "short_name": 20}


@dataclass(frozen=True)
class Wanted:
    """A unit as a line of the list wants it."""

    code: str
    name: str
    short_name: str
    kind: str
    parent_code: str


@dataclass(frozen=True)
class Step:
    """What a line does: `new`, `changed` (with field → old and new), `same` or `wrong` (with a code)."""

    number: int
    wanted: Wanted
    effect: str
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    problem: str = ""


def export(units: Sequence[Unit]) -> str:
    """The open units as a list that can be changed and read back."""
    codes = {unit.id: unit.code for unit in units}
    rows = (
        (unit.code, unit.name, unit.short_name, org.KIND_WORDS[unit.kind], codes.get(unit.parent_id or 0, ""))
        for unit in units
        if unit.active
    )
    return tables.write(list(COLUMNS.values()), rows)


async def plan(session: AsyncSession, text: str) -> list[Step]:
    """What the list would do; lines may name units of earlier lines as their parent."""
    lines = tables.read(text, COLUMNS, needed=NEEDED)
    every = await org.every_unit(session)
    codes = {unit.id: unit.code for unit in every}
    known = {
        unit.code: Wanted(
            unit.code, unit.name, unit.short_name, unit.kind, codes.get(unit.parent_id or 0, "")
        )
        for unit in every
    }
    closed = {unit.code for unit in every if not unit.active}
    seen: set[str] = set()
    steps = []
    for line in lines:
        step = _step(line, known, closed, seen)
        seen.add(step.wanted.code)
        if step.effect != "wrong":
            known[step.wanted.code] = step.wanted
        steps.append(step)
    return steps


def _wanted(line: Line, before: Wanted | None) -> Wanted:
    kinds = {word: kind for kind, word in org.KIND_WORDS.items()}
    kind, short = line["kind"], line["short_name"] or line["name"][:20]
    if before is not None and "short_name" in line.absent:
        short = before.short_name
    return Wanted(line["code"], line["name"], short, kinds.get(kind, kind), line["parent_code"])


def _step(line: Line, known: dict[str, Wanted], closed: set[str], seen: set[str]) -> Step:
    before = known.get(line["code"])
    wanted = _wanted(line, before)
    problem = "cells" if line.odd else _problem(wanted, known, closed, seen)
    if problem:
        return Step(line.number, wanted, "wrong", problem=problem)
    if before is None:
        return Step(line.number, wanted, "new")
    changes = {
        name: (old, new)
        for name, old in vars(before).items()
        if (new := getattr(wanted, name)) != old and name in ("name", "short_name", "parent_code")
    }
    return Step(line.number, wanted, "changed" if changes else "same", changes)


def _problem(wanted: Wanted, known: dict[str, Wanted], closed: set[str], seen: set[str]) -> str:
    """The code of what is wrong with a line, empty when nothing is."""
    if any(len(getattr(wanted, name)) > most for name, most in LIMITS.items()):
        return "too_long"
    if not wanted.code or not wanted.name:
        return "required"
    if wanted.code not in known and not re.fullmatch(CODE, wanted.code):
        return "code"
    if wanted.code in seen:
        return "twice"
    if wanted.code in closed:
        return "closed"
    if wanted.kind not in org.KINDS:
        return "kind"
    before = known.get(wanted.code)
    if before is not None and before.kind != wanted.kind:
        return "other_kind"
    if wanted.kind == "city":
        return "" if before is not None and not wanted.parent_code else "city"
    parent = known.get(wanted.parent_code)
    if parent is None or wanted.parent_code in closed:
        return "parent"
    if wanted.kind not in org.BELOW[parent.kind]:
        return "misplaced"
    if _is_below(wanted.parent_code, wanted.code, known):
        return "circle"
    if any(
        (other.parent_code, other.name) == (wanted.parent_code, wanted.name)
        for code, other in known.items()
        if code != wanted.code and code not in closed
    ):
        return "name_taken"
    return ""


def _is_below(code: str, above: str, known: dict[str, Wanted]) -> bool:
    while code:
        if code == above:
            return True
        code = known[code].parent_code if code in known else ""
    return False


async def apply(uow: UnitOfWork, actor: Actor, text: str) -> dict[str, int]:
    """Carry the list out, all or nothing; returns how many lines of each effect.

    Raises `list_wrong` (wrong: how many) when a line cannot be done, and what `plan` raises.
    """
    actor.require(Permission.ORG_MANAGE)
    await org.lock_tree(uow)
    steps = await plan(uow.session, text)
    wrong = sum(step.effect == "wrong" for step in steps)
    if wrong:
        raise HotlineError("list_wrong", wrong=wrong)
    ids = {unit.code: unit.id for unit in await org.every_unit(uow.session)}
    uow.session.expunge_all()
    for step in steps:
        await _carry_out(uow, actor, step, ids)
    return {effect: sum(step.effect == effect for step in steps) for effect in ("new", "changed", "same")}


async def _carry_out(uow: UnitOfWork, actor: Actor, step: Step, ids: dict[str, int]) -> None:
    wanted = step.wanted
    if step.effect == "new":
        made = await org.add(
            uow, actor, parent_id=ids[wanted.parent_code], kind=wanted.kind, name=wanted.name,
            code=wanted.code, short_name=wanted.short_name,
        )  # fmt: skip
        ids[wanted.code] = made.id
    if "name" in step.changes or "short_name" in step.changes:
        await org.rename(uow, actor, ids[wanted.code], name=wanted.name, short_name=wanted.short_name)
    if "parent_code" in step.changes:
        await org.move(uow, actor, ids[wanted.code], ids[wanted.parent_code])
    uow.session.expunge_all()


__all__ = ["COLUMNS", "Step", "Wanted", "apply", "export", "plan"]
