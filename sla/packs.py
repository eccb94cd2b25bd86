"""Policy packs from TOML files: checked as a whole, taken as a whole or refused with the key that is wrong.

`sla/packs/guilin.toml` is the default and explains every key. A name is a pack that is shipped, anything
else the path of a file. Pure but for reading the file.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from core.deadline_sentences import DEADLINE_SENTENCES
from core.errors import HotlineError
from core.settings import ROOT
from sla.calendar import Spans, parse_spans
from sla.clocks import Limit, Unit, parse_limit
from sla.ladders import read_ladder
from sla.pack import ByType, ByUrgency, Extension, Override, Pack
from sla.score_rules import read_rules
from tickets.states import Stage
from tickets.terms import TicketType, Urgency

SHIPPED = Path(__file__).resolve().with_name("packs")
DEFAULT = "guilin"
LONGEST_FILE = 1_000_000  # bytes
LONGEST_CODE = 20
ANY = "any"
KEYS = frozenset({"name", "source", "effective", "office_hours", "stages", "total", "redo", "co_opinion"})
KEYS |= {"extension", "ladder", "category", "score"}
# The total, redone work and a co-handler's opinion have tables of their own; handling ends with the total.
STAGES = frozenset(Stage) - {Stage.TOTAL, Stage.REDO, Stage.CO_OPINION, Stage.HANDLE}
NEEDED_STAGES = STAGES - {Stage.SUPPLEMENT}  # waiting for the citizen needs no limit
LIMIT = "a limit such as 10wd, 4wh, 24h or 15m"
DATE = "a date such as 2026-01-01"
HOURS = 'a list such as ["09:00-12:00", "13:00-18:00"]'
PERCENT = "a whole number from 1 to 100"
Word = TypeVar("Word", bound=StrEnum)


def named_pack(name: str) -> Pack:
    """One that is shipped, else the pack of a file. Errors: pack_unknown, those of `read_pack`."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        known = sorted(file.stem for file in SHIPPED.glob("*.toml"))
        if name not in known:
            raise HotlineError("pack_unknown", pack=name, nearest=_nearest(name, known))
        return read_pack(SHIPPED / f"{name}.toml")
    return read_pack(ROOT / name)


@lru_cache(maxsize=1)
def shipped_pack() -> Pack:
    """The pack of the settings as they are shipped."""
    return named_pack(DEFAULT)


def read_pack(file: Path) -> Pack:
    """The pack of a file. Errors: pack_unreadable, those of `parse_pack`."""
    return parse_pack(str(file), pack_text(file))


def parse_pack(file: str, text: str) -> Pack:
    """The pack of a TOML text; `file` is how refusals call it.

    Errors: pack_unreadable, pack_key_unknown, pack_key_missing, pack_key_kind, pack_word_unknown,
    pack_limit, pack_limit_not_days, pack_total_missing, pack_category_code, those of `read_ladder` and of
    `parse_spans`; each names the file and the key.
    """
    top = _Table(file, "", _toml(file, text))
    top.allow(KEYS)
    return Pack(
        top.text("name"),
        top.text("source"),
        _effective(top),
        _office_hours(top),
        _stages(top.table("stages")),
        _by_type(top.table("total"), days=True),
        _by_type(top.table("redo"), days=False),
        _percent(top.table("co_opinion")),
        _extension(top.table("extension")),
        read_ladder(top.table("ladder")),
        _categories(top),
        read_rules(top.table("score")) if "score" in top.values else (),
    )


def pack_text(file: Path) -> str:
    """The text of a pack's file. Errors: pack_unreadable."""
    try:
        if file.stat().st_size > LONGEST_FILE:
            raise HotlineError("pack_unreadable", file=str(file), why="it is too large")
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise HotlineError("pack_unreadable", file=str(file), why=why) from None


def named_text(name: str) -> str:
    """The text of the pack of that name, as `named_pack` finds it. Errors: pack_unreadable."""
    shipped = re.fullmatch(r"[A-Za-z0-9_-]+", name)
    return pack_text(SHIPPED / f"{name}.toml" if shipped else ROOT / name)


def _toml(file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise HotlineError("pack_unreadable", file=file, why=str(error)) from None


# ---- one table of the file --------------------------------------------------------------------


@dataclass(frozen=True)
class _Table:
    """A table with where it stands, so that every refusal can say so."""

    file: str
    key: str  # dotted; empty for the file itself
    values: Mapping[str, Any]

    def at(self, name: str) -> str:
        """The dotted key of `name`."""
        return f"{self.key}.{name}" if self.key else name

    def allow(self, names: Collection[str]) -> None:
        """Refuse what is not among `names`. Errors: pack_key_unknown."""
        for name in self.values:
            if name not in names:
                near = self.at(_nearest(name, names)) if _near(name, names) else ", ".join(sorted(names))
                raise HotlineError("pack_key_unknown", file=self.file, key=self.at(name), nearest=near)

    def get(self, name: str, kind: type, wanted: str) -> Any:
        """What must be there. Errors: pack_key_missing, pack_key_kind."""
        if name not in self.values:
            raise HotlineError("pack_key_missing", file=self.file, key=self.at(name), wanted=wanted)
        value = self.values[name]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(name, wanted)
        return value

    def wrong(self, name: str, wanted: str) -> HotlineError:
        """The value of `name` is not what it must be."""
        return HotlineError(
            "pack_key_kind",
            file=self.file,
            key=self.at(name),
            value=str(self.values[name])[:80],
            wanted=wanted,
        )

    def text(self, name: str) -> str:
        """Words, not empty."""
        found = str(self.get(name, str, "text"))
        if not found.strip():
            raise self.wrong(name, "text")
        return found

    def table(self, name: str) -> "_Table":
        """The table below."""
        return _Table(self.file, self.at(name), self.get(name, dict, "a table"))

    def word(self, name: str, known: Iterable[Word], what: str) -> Word:
        """A key that is a word of the trade. Errors: pack_word_unknown."""
        for one in known:
            if one.value == name:
                return one
        values = sorted(one.value for one in known)
        raise HotlineError(
            "pack_word_unknown",
            file=self.file,
            key=self.at(name),
            what=what,
            word=name,
            nearest=_nearest(name, values),
        )

    def limit(self, name: str) -> Limit:
        """A limit as people write it. Errors: pack_limit."""
        text = self.get(name, str, LIMIT)
        try:
            return parse_limit(text)
        except HotlineError as error:
            raise HotlineError(
                "pack_limit", file=self.file, key=self.at(name), limit=text, why=_why(error)
            ) from None

    def days(self, name: str) -> Limit:
        """A limit of working days. Errors: pack_limit, pack_limit_not_days."""
        found = self.limit(name)
        if found.unit is not Unit.WORKING_DAY:
            raise HotlineError("pack_limit_not_days", file=self.file, key=self.at(name), limit=str(found))
        return found


def _why(error: HotlineError) -> str:
    """What is wrong with a limit, as the command line says it of one that is typed."""
    return DEADLINE_SENTENCES[error.code][0].format_map(error.params)


def _near(name: str, known: Collection[str]) -> list[str]:
    return difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)


def _nearest(name: str, known: Collection[str]) -> str:
    """The nearest of the known words, or all of them."""
    return next(iter(_near(name, known)), ", ".join(sorted(known)))


# ---- what the tables hold ---------------------------------------------------------------------


def _effective(top: _Table) -> date:
    found = top.get("effective", date, DATE)
    if isinstance(found, datetime):  # TOML has both, and one is a kind of the other
        raise top.wrong("effective", DATE)
    return date(found.year, found.month, found.day)


def _office_hours(top: _Table) -> Spans:
    texts = top.get("office_hours", list, HOURS)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise top.wrong("office_hours", HOURS)
    return parse_spans(texts, where=f"{top.file}: office_hours")


def _stages(table: _Table) -> dict[Stage, ByUrgency]:
    found = {}
    for name in table.values:
        stage = table.word(name, STAGES, "stage")
        limits = _urgencies(table.table(name), days=False)
        if Urgency.NORMAL not in limits:
            raise HotlineError(
                "pack_key_missing", file=table.file, key=f"{table.at(name)}.normal", wanted=LIMIT
            )
        found[stage] = limits
    for stage in Stage:
        if stage in NEEDED_STAGES and stage not in found:
            raise HotlineError("pack_key_missing", file=table.file, key=table.at(stage), wanted=LIMIT)
    return found


def _by_type(table: _Table, *, days: bool) -> ByType:
    """Every type and every urgency; normal totals (`days`) in working days, which extensions count by."""
    found = {table.word(name, TicketType, "type"): table.table(name) for name in table.values}
    limits = {kind: _urgencies(inner, days=days) for kind, inner in found.items()}
    for kind in TicketType:
        for urgency in Urgency:
            if urgency not in limits.get(kind, {}):
                raise HotlineError(
                    "pack_total_missing", file=table.file, key=table.at(f"{kind}.{urgency}"), wanted=LIMIT
                )
    return limits


def _urgencies(table: _Table, *, days: bool) -> ByUrgency:
    found = {}
    for name in table.values:
        urgency = table.word(name, Urgency, "urgency")
        found[urgency] = table.days(name) if days and urgency is Urgency.NORMAL else table.limit(name)
    return found


def _percent(table: _Table) -> int:
    table.allow(("percent",))
    found = int(table.get("percent", int, PERCENT))
    if not 1 <= found <= 100:
        raise table.wrong("percent", PERCENT)
    return found


def _extension(table: _Table) -> Extension:
    table.allow(("longest", "in_all", "at_most_original"))
    if "longest" not in table.values and "in_all" not in table.values:
        raise HotlineError(
            "pack_key_missing", file=table.file, key=table.at("longest"), wanted="such as 10wd"
        )
    bound = {name: table.days(name).amount for name in ("longest", "in_all") if name in table.values}
    original = "at_most_original" in table.values and table.get("at_most_original", bool, "true or false")
    return Extension(bound.get("longest"), bound.get("in_all"), bool(original))


def _categories(top: _Table) -> dict[str, Override]:
    if "category" not in top.values:
        return {}
    table = top.table("category")
    for code in table.values:
        if not re.fullmatch(rf"[0-9A-Za-z_-]{{1,{LONGEST_CODE}}}", code):
            raise HotlineError(
                "pack_category_code", file=table.file, key=table.at(code), longest=LONGEST_CODE
            )
    return {code: _override(table.table(code)) for code in table.values}


def _override(table: _Table) -> Override:
    table.allow(("name", "basis", "total", "extension"))
    total = table.table("total")
    limits: dict[TicketType, ByUrgency] = {}
    any_type: ByUrgency = {}
    for name in total.values:
        found = _urgencies(total.table(name), days=True)
        if not found:
            raise HotlineError(
                "pack_key_missing", file=total.file, key=f"{total.at(name)}.normal", wanted=LIMIT
            )
        if name == ANY:
            any_type = found
        else:
            limits[total.word(name, TicketType, "type")] = found
    if not total.values:
        raise HotlineError("pack_total_missing", file=table.file, key=total.at(ANY), wanted=LIMIT)
    extension = table.days("extension").amount if "extension" in table.values else None
    return Override(table.text("name"), table.text("basis"), limits, any_type, extension)
