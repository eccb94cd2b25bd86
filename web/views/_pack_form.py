"""The plain figures of a policy pack as a form: fields by key of the TOML text, and back."""

from __future__ import annotations

import tomllib
from typing import Any

from pydantic import Field, create_model

from sla.pack_text import with_values
from sla.packs import STAGES
from tickets.states import STAGE_LABELS, Stage
from tickets.terms import TicketType, Urgency, choices
from web.inputs import Fields

JOIN = "__"  # between the parts of a key in the name of a field
LIMIT = Field("", max_length=20)
STAGE_ROWS = [(stage.value, STAGE_LABELS[stage]) for stage in Stage if stage in STAGES]
TYPE_ROWS = choices(TicketType)
URGENCIES = choices(Urgency)
GRIDS = (("stages", "环节时限", STAGE_ROWS), ("total", "总时限", TYPE_ROWS), ("redo", "重办时限", TYPE_ROWS))
EXTENSION = (("longest", "最多延长"), ("in_all", "连同原时限不超过"))


def field_name(*path: str) -> str:
    """The name of the field of a key."""
    return JOIN.join(path)


_GRID = [(table, row, urgency) for table, _, rows in GRIDS for row, _ in rows for urgency, _ in URGENCIES]
_EXTENSION = [("extension", key) for key, _ in EXTENSION]


class PackBase(Fields):
    """The figures that are no limits of a grid."""

    name: str = Field("", max_length=80)
    source: str = Field("", max_length=400)
    office_hours: str = Field("", max_length=120)
    co_opinion__percent: str = Field("", max_length=10)
    extension__at_most_original: bool = False
    note: str = Field("", max_length=200)


_FIELDS: dict[str, Any] = {field_name(*path): (str, LIMIT) for path in (*_GRID, *_EXTENSION)}
PackForm: Any = create_model(
    "PackForm",
    __base__=PackBase,
    **_FIELDS,
)


def values_of(text: str) -> dict[str, str]:
    """What the fields show of a text."""
    told = tomllib.loads(text)
    found = {field_name(*path): str(_at(told, path) or "") for path in (*_GRID, *_EXTENSION)}
    for key in ("name", "source"):
        found[key] = str(told.get(key, ""))
    found["office_hours"] = " ".join(map(str, told.get("office_hours", [])))
    found["co_opinion__percent"] = str(_at(told, ("co_opinion", "percent")) or "")
    found["extension__at_most_original"] = "true" if _at(told, ("extension", "at_most_original")) else ""
    return found


def _at(told: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        told = told.get(name) if isinstance(told, dict) else None
    return told


def text_of(form: Any, base: str) -> str:
    """The text of `base` with what was typed; what the form does not show stays."""
    given: dict[str, Any] = form.model_dump()
    changes: dict[tuple[str, ...], Any] = {
        path: given[field_name(*path)] or None for path in (*_GRID, *_EXTENSION)
    }
    percent = given["co_opinion__percent"]
    changes["name",] = given["name"]
    changes["source",] = given["source"]
    changes["office_hours",] = given["office_hours"].split()
    changes["co_opinion", "percent"] = int(percent) if percent.isascii() and percent.isdigit() else percent
    changes["extension", "at_most_original"] = True if given["extension__at_most_original"] else None
    return with_values(base, changes)


def wrong_field(key: object) -> str:
    """The field of a dotted key a refusal names."""
    return str(key).replace(".", JOIN) if isinstance(key, str) else ""
