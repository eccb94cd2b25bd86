"""Files of a list, written line by line: Excel and CSV. Who exported and when stands in all of them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import xlsxwriter
from PIL import Image, ImageDraw, ImageFont

from tickets.export.cells import guarded
from tickets.export.fonts import FONT

_TILE = (460, 260)  # pixels of the watermark behind the sheet


class Writer(Protocol):
    """A list on its way into a file."""

    def rows(self, lines: Sequence[Sequence[str]]) -> None:
        """Add lines of guarded cells."""

    def close(self, last: str) -> None:
        """Write the closing line and finish the file."""


class CsvFile:
    """CSV in UTF-8 with the mark that makes Excel read it as such."""

    def __init__(self, path: Path, mark: str, note: str, heads: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_ALL)
        self._writer.writerows([[guarded(mark)], [guarded(note)], heads])

    def rows(self, lines: Sequence[Sequence[str]]) -> None:
        self._writer.writerows(lines)

    def close(self, last: str) -> None:
        self._writer.writerow([guarded(last)])
        self._file.close()


class XlsxFile:
    """An Excel sheet in constant memory: each line leaves for the disk when the next one comes."""

    def __init__(
        self, path: Path, mark: str, note: str, heads: Sequence[str], widths: Sequence[float]
    ) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": str(path.parent),
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._sheet = self._book.add_worksheet("工单")
        self._next = 0
        self._shape(mark, widths, len(heads))
        soft = self._book.add_format({"font_color": "#566273", "italic": True})
        head = self._book.add_format({"bold": True, "bg_color": "#E8F0FB", "border": 1})
        self._cell = self._book.add_format({"valign": "top", "border": 1, "border_color": "#DDE2E9"})
        self._soft = soft
        self._line([mark], soft)
        self._line([note], soft)
        self._line(heads, head)

    def _shape(self, mark: str, widths: Sequence[float], columns: int) -> None:
        sheet = self._sheet
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(3, 1)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(2)
        sheet.print_area(0, 0, 1_048_575, columns - 1)
        sheet.set_footer("&L" + mark.replace("&", "&&")[:180] + "&R第 &P 页，共 &N 页")
        sheet.set_background(io.BytesIO(tile(mark)))

    def _line(self, values: Sequence[str], form: object) -> None:
        for column, value in enumerate(values):
            self._sheet.write_string(self._next, column, guarded(value), form)
        self._next += 1

    def rows(self, lines: Sequence[Sequence[str]]) -> None:
        for line in lines:
            for column, value in enumerate(line):
                self._sheet.write_string(self._next, column, value, self._cell)
            self._next += 1

    def close(self, last: str) -> None:
        self._line([last], self._soft)
        self._book.close()


def tile(mark: str) -> bytes:
    """A faint PNG with `mark` at a slant, which Excel repeats behind the whole sheet."""
    paper = Image.new("RGB", _TILE, "white")
    ink = Image.new("RGBA", (_TILE[0], 60), (255, 255, 255, 0))
    font = ImageFont.truetype(str(FONT), 15)
    half = mark.find("  ") if "  " in mark else len(mark)
    draw = ImageDraw.Draw(ink)
    for place, line in enumerate((mark[:half], mark[half:].strip())):
        draw.text((8, 4 + 26 * place), line[:40], font=font, fill=(30, 40, 60, 30))
    turned = ink.rotate(18, expand=True)
    paper.paste(turned, (0, 20), turned)
    out = io.BytesIO()
    paper.save(out, "PNG", optimize=True)
    return out.getvalue()
