"""A list as people save it (CSV in UTF-8, with a mark, UTF-16 or GB18030; Excel) as text for `tables.read`.

Of an Excel file the first sheet is read, values only: no formula is computed, nothing outside is fetched.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from xml.etree import ElementTree

from core.errors import HotlineError

LARGEST = 2 * 1024 * 1024  # bytes of a file
MAX_PART = 16 * 1024 * 1024  # bytes of an unpacked part
MAX_CELLS = 60_000
MAX_COLUMN = 100
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_WHOLE = re.compile(r"(-?[0-9]+)\.0+")
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, KeyError)


def text_of(raw: bytes) -> str:
    """The list in a file as text, lines as in the file.

    Raises `list_file_large` (2 MB), `list_file_kind` (neither text nor .xlsx), `list_file_broken`.
    """
    if len(raw) > LARGEST:
        raise HotlineError("list_file_large", most=LARGEST // 1024 // 1024)
    if raw.startswith(b"PK\x03\x04"):
        return _sheet(raw)
    if raw.startswith(b"\xd0\xcf\x11\xe0"):  # Excel before 2007
        raise HotlineError("list_file_kind")
    marked = [name for mark, name in _MARKS if raw.startswith(mark)]
    for encoding in (*marked, "utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.lstrip("\ufeff")
    raise HotlineError("list_file_kind")


def day_of_serial(number: int) -> date:
    """The day Excel means by a number of a date cell."""
    return date(1899, 12, 30) + timedelta(days=number)


def _sheet(raw: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            strings = _strings(archive)
            rows = list(_rows(_part(archive, _first_sheet(archive)), strings))
    except _BROKEN:
        raise HotlineError("list_file_broken") from None
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        writer.writerow(row)
    return out.getvalue()


def _first_sheet(archive: zipfile.ZipFile) -> str:
    sheets = sorted(
        (name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet[0-9]+\.xml", name)),
        key=lambda name: (len(name), name),
    )
    if not sheets:
        raise HotlineError("list_file_kind")
    return sheets[0]


def _part(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    """A part as a tree; never one that declares entities or unpacks without measure."""
    with archive.open(name) as part:
        data = part.read(MAX_PART + 1)
    if len(data) > MAX_PART:
        raise HotlineError("list_file_large", most=LARGEST // 1024 // 1024)
    if b"\0" in data or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise HotlineError("list_file_broken")
    try:
        return ElementTree.fromstring(data)  # noqa: S314 - without a document type nothing expands
    except ElementTree.ParseError:
        raise HotlineError("list_file_broken") from None


def _strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_words(one) for one in _part(archive, "xl/sharedStrings.xml").iter(f"{_MAIN}si")]


def _words(node: ElementTree.Element) -> str:
    """The text of a cell without what stands above it as a reading aid."""
    found = [part.text or "" for part in node.iterfind(f"{_MAIN}t")]
    found += [part.text or "" for run in node.iterfind(f"{_MAIN}r") for part in run.iterfind(f"{_MAIN}t")]
    return " ".join("".join(found).split("\n"))


def _rows(sheet: ElementTree.Element, strings: list[str]) -> Iterator[list[str]]:
    """The rows with the blank ones between them, so that a line has the number it has in Excel."""
    expected, seen = 1, 0
    for row in sheet.iter(f"{_MAIN}row"):
        number = _number(row.get("r"), expected)
        if not expected <= number <= expected + MAX_CELLS:
            raise HotlineError("list_file_broken")
        yield from ([] for _ in range(number - expected))
        cells: dict[int, str] = {}
        for place, cell in enumerate(row.iterfind(f"{_MAIN}c")):
            column = _column(cell.get("r")) if cell.get("r") else place
            if column < MAX_COLUMN:
                cells[column] = _value(cell, strings)
        seen += len(cells) + 1
        if seen > MAX_CELLS:
            raise HotlineError("list_too_long", most=5000)
        last = max((place for place, text in cells.items() if text), default=-1)
        yield [cells.get(place, "") for place in range(last + 1)]
        expected = number + 1


def _number(text: str | None, expected: int) -> int:
    if text is None:
        return expected
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise HotlineError("list_file_broken")
    return int(text)


def _column(name: str | None) -> int:
    match = _CELL.fullmatch(name or "")
    if match is None:
        raise HotlineError("list_file_broken")
    found = 0
    for letter in match[1]:
        found = found * 26 + ord(letter) - 64
    return found - 1


def _value(cell: ElementTree.Element, strings: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find(f"{_MAIN}is")
        return _words(inline) if inline is not None else ""
    text = (cell.findtext(f"{_MAIN}v") or "").strip()
    if kind == "s":
        place = int(text) if text.isdigit() else -1
        return strings[place] if 0 <= place < len(strings) else ""
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text
