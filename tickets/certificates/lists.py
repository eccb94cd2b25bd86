"""The embedded registry as a list: what a line says, and what is wrong with it, in words; pure.

A list holds who has a certificate, of which kind, by whom and for how long; a column beside these (a name, an
image, a number of the certificate) is refused with the whole list, so that nothing of it is ever kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from core.catalog.tables import plain
from core.csv_files import Row
from core.errors import HotlineError
from tickets.certificates.terms import KINDS
from tickets.checks import is_id_number

COLUMNS = {
    "number": "身份证号",
    "kind": "证照种类",
    "issuer": "签发机关",
    "valid_from": "有效期自",
    "valid_to": "有效期至",
    "state": "状态",
}
NEEDED = ("number", "kind", "issuer")
LONGEST_ISSUER = 60
STATES = {"": False, "有效": False, "valid": False, "注销": True, "revoked": True}
# What is wrong with a line: for the page, for the command.
WRONG: dict[str, tuple[str, str]] = {
    "cells": ("单元格数与列名不符，含逗号的内容请加引号", "it has another number of cells than the heading"),
    "number": (
        "身份证号不是 18 位，或校验位不对（用电子表格时请把该列设为文本）",
        "the ID number is not one of 18 signs with a right check digit (in a spreadsheet, make it text)",
    ),
    "kind": (
        f"证照种类不认识，须为：{'、'.join(KINDS.values())}",
        f"the kind of certificate is not known; there are {', '.join(KINDS)}",
    ),
    "issuer": (f"签发机关须为 1 至 {LONGEST_ISSUER} 字", f"the issuer has 1 to {LONGEST_ISSUER} characters"),
    "day": ("日期须写作 2026-01-31", "a day is written 2026-01-31"),
    "order": ("有效期至早于有效期自", "it ends before it begins"),
    "state": ("状态须为“有效”或“注销”，可以空着", "the state is 有效 or 注销, or nothing"),
    "twice": ("与前面的一行是同一人的同一种证照", "an earlier line is about the same certificate"),
}
_KIND_OF = {word: kind for kind, word in KINDS.items()} | {kind: kind for kind in KINDS}


@dataclass(frozen=True)
class Record:
    """A certificate of a person; the ID number is for the blind index and is never kept."""

    number: str = field(repr=False)
    kind: str
    issuer: str
    valid_from: date | None
    valid_to: date | None
    revoked: bool


@dataclass(frozen=True)
class Said:
    """What a line of a list says, or what is wrong with it (a key of WRONG, "" for nothing)."""

    line: int
    record: Record | None
    wrong: str = ""


def columns(heads: Sequence[str]) -> list[str]:
    """The names of the columns of a list, in its order.

    Raises `certificate_columns` (missing, beside) when one is missing, unknown, or there twice.
    """
    by_word = {word: name for name, word in COLUMNS.items()}
    names = [by_word.get(head.strip(), head.strip().lower()) for head in heads]
    missing = [COLUMNS[name] for name in NEEDED if name not in names]
    again = [COLUMNS[name] for name in COLUMNS if names.count(name) > 1]
    beside = [
        head.strip()[:20] or "?" for head, name in zip(heads, names, strict=True) if name not in COLUMNS
    ]
    if missing or beside or again:
        told = {"missing": "、".join(missing) or "—", "beside": "、".join(beside + again) or "—"}
        raise HotlineError("certificate_columns", **told)
    return names


def said(heads: Sequence[str], rows: Iterable[Row]) -> Iterator[Said]:
    """What every line says, in order; empty lines are passed over. Raises what `columns` raises."""
    names = columns(heads)
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if not row.problem and not any(cell.strip() for cell in row.cells):
            continue
        found = _line(row, names)
        if found.record is not None:
            key = (found.record.number, found.record.kind)
            found = Said(found.line, None, "twice") if key in seen else found
            seen.add(key)
        yield found


def _line(row: Row, names: Sequence[str]) -> Said:
    if row.problem:
        return Said(row.line, None, "cells")
    cells = dict.fromkeys(COLUMNS, "") | dict(zip(names, map(plain, row.cells), strict=True))
    number, kind = cells["number"].upper(), _KIND_OF.get(cells["kind"], "")
    try:
        days = [
            date.fromisoformat(cells[name]) if cells[name] else None for name in ("valid_from", "valid_to")
        ]
    except ValueError:
        return Said(row.line, None, "day")
    wrong = _wrong(number, kind, cells["issuer"], days, cells["state"])
    if wrong:
        return Said(row.line, None, wrong)
    record = Record(number, kind, cells["issuer"], days[0], days[1], STATES[cells["state"]])
    return Said(row.line, record)


def _wrong(number: str, kind: str, issuer: str, days: Sequence[date | None], state: str) -> str:
    """The first thing that is wrong with a line, as a key of WRONG."""
    first, last = days
    checks = {
        "number": is_id_number(number),
        "kind": bool(kind),
        "issuer": 0 < len(issuer) <= LONGEST_ISSUER and issuer.isprintable(),
        "order": first is None or last is None or first <= last,
        "state": state in STATES,
    }
    return next((code for code, right in checks.items() if not right), "")
