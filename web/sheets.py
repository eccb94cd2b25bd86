"""A table as a file to be saved: CSV that spreadsheet programs know, or Excel."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

import xlsxwriter
from aiohttp import web

from core.catalog import tables

Form = Literal["csv", "xlsx"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Cell = str | int | float | None


async def table_file(
    name: str, form: Form, heads: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> web.Response:
    """The table as `name`.csv or `name`.xlsx; browsers never open it in place."""
    if form == "csv":
        body, kind = tables.write(heads, rows).encode(), "text/csv; charset=utf-8"
    else:
        body, kind = await asyncio.to_thread(_book, heads, rows), XLSX
    disposition = f"attachment; filename=\"table.{form}\"; filename*=UTF-8''{quote(f'{name}.{form}')}"
    headers = {"Content-Type": kind, "Content-Disposition": disposition, "Cache-Control": "no-store"}
    return web.Response(body=body, headers=headers)


def _book(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    out = io.BytesIO()
    # What was typed by people is text: never a formula, a link or a number.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    head = book.add_format({"bold": True, "bottom": 1})
    for column, word in enumerate(heads):
        sheet.write_string(0, column, word, head)
        longest = max((len(str(row[column] or "")) for row in rows[:200]), default=0)
        sheet.set_column(column, column, min(40, max(8, 2 * len(word), longest + 2)))
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, column, cell)
            elif cell is not None:
                sheet.write_number(number, column, cell)
    book.close()
    return out.getvalue()
