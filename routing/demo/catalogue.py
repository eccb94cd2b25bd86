"""The demo city's responsibility catalogue, made of its tree of matters, its units and one file of lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from routing.catalogue_service import Said
from routing.demo import categories, places
from routing.matter import DISTRICT, TOWN

LINES = Path(__file__).resolve().parent / "responsibilities.txt"
SINCE = date(2026, 1, 1)
LOCAL = {"D": DISTRICT, "T": TOWN}
IN_COUNTIES = "/县"


@dataclass(frozen=True)
class Line:
    """A line of the file; `code` is of two or three levels."""

    code: str
    subject: str
    lead: str
    in_counties: bool
    co: tuple[str, ...]
    basis: str
    clock: str
    script: str


def lines() -> list[Line]:
    """Every line of the file."""
    text = LINES.read_text(encoding="utf-8")
    return [_line(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _line(text: str) -> Line:
    what, lead, co, basis, clock, script = (part.strip() for part in text.split("|"))
    code, _, subject = what.partition(":")
    name = lead.removesuffix(IN_COUNTIES)
    return Line(
        code,
        subject,
        LOCAL.get(name, name),
        lead.endswith(IN_COUNTIES),
        tuple(LOCAL.get(one, one) for one in co.split()),
        basis,
        clock,
        script,
    )


def rows() -> Iterator[Said]:
    """A row for every matter of the third level, for each county that leads its own, and for subjects."""
    known = lines()
    plain = {line.code: line for line in known if not line.subject}
    for node in categories.nodes():
        if node.level == 3:
            line = plain.get(node.code) or plain[node.code[:4]]
            yield from _rows(line, node.code)
            for one in known:
                if one.subject and one.code == node.code:
                    yield from _rows(one, node.code)


def _rows(line: Line, code: str) -> Iterator[Said]:
    yield _said(line, code, "", line.lead, line.co)
    if line.in_counties:
        helpers = (line.lead, *(name for name in line.co if name not in LOCAL.values()))
        for district in places.DISTRICTS:
            if district.rural:
                yield _said(line, code, district.code, district.code, helpers)


def _said(line: Line, code: str, area: str, lead: str, co: tuple[str, ...]) -> Said:
    return Said(
        category=code,
        area=area,
        subject=line.subject,
        lead=lead,
        co=co,
        basis=line.basis,
        clock=line.clock,
        script=line.script,
        valid_from=SINCE,
    )
