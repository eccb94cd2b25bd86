"""A sheet as PDF on A4, with the font inside: it shows the same on every machine and every printer."""

import io
import threading
from typing import Any, Protocol
from xml.sax.saxutils import escape

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from tickets.export.fonts import FONT

_NAME = "Hei"
_LOCK = threading.Lock()  # the library keeps the letters in use per font, not per thread
_INK, _SOFT, _LINE, _SHADE = (HexColor(code) for code in ("#1c2530", "#566273", "#8994a2", "#f3f5f8"))
_WIDTH = A4[0] - 36 * mm
_MARK_COLOUR = HexColor("#1c2530")


def _style(size: float, **more: Any) -> ParagraphStyle:
    options = {"fontName": _NAME, "fontSize": size, "leading": size * 1.55, "textColor": _INK} | more
    return ParagraphStyle("text", wordWrap="CJK", **options)


_BODY = _style(10.5)
_LABEL = _style(10.5, textColor=_SOFT)
_TITLE = _style(22, alignment=TA_CENTER, leading=30)
_HOUSE = _style(11, alignment=TA_CENTER, textColor=_SOFT)


class Paper(Protocol):
    """What can be set: pairs in a table, then texts under headings, then lines to sign."""

    @property
    def title(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def facts(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def texts(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def signatures(self) -> tuple[str, ...]: ...
    @property
    def mark(self) -> str: ...
    @property
    def printed(self) -> str: ...


class _Code(Flowable):  # type: ignore[misc]  # the library has no types
    """The number as a QR code."""

    def __init__(self, text: str, side: float) -> None:
        super().__init__()
        self.width = self.height = side
        self._rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix]

    def draw(self) -> None:
        dot = self.width / len(self._rows)
        self.canv.setFillColor(_INK)
        for y, row in enumerate(self._rows):
            for x, dark in enumerate(row):
                if dark:
                    self.canv.rect(x * dot, self.height - (y + 1) * dot, dot, dot, stroke=0, fill=1)


def pdf(sheet: Paper) -> bytes:
    """The sheet as a PDF file."""
    out = io.BytesIO()
    with _LOCK:
        if _NAME not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(_NAME, str(FONT), subfontIndex=0))
        document = SimpleDocTemplate(
            out,
            pagesize=A4,
            leftMargin=18 * mm,
            rightMargin=18 * mm,
            topMargin=14 * mm,
            bottomMargin=18 * mm,
            title=f"{sheet.title} {sheet.number}",
            author=f"{sheet.city} 12345",
        )

        def dress(canvas: Any, page: Any) -> None:
            _dress(canvas, page, sheet)

        document.build(_story(sheet), onFirstPage=dress, onLaterPages=dress)
    return out.getvalue()


def _story(sheet: Paper) -> list[Flowable]:
    head = Table(
        [
            [
                "",
                [
                    Paragraph(f"{escape(sheet.city)} 12345 政务服务便民热线", _HOUSE),
                    Paragraph(escape(sheet.title), _TITLE),
                ],
                _Code(sheet.number, 20 * mm),
            ]
        ],
        colWidths=[24 * mm, _WIDTH - 48 * mm, 24 * mm],
        style=TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("ALIGN", (2, 0), (2, 0), "RIGHT")]),
    )
    return [head, Spacer(1, 4 * mm), _facts(sheet), *_texts(sheet), _signatures(sheet)]


_GRID = [
    ("GRID", (0, 0), (-1, -1), 0.6, _LINE),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("TOPPADDING", (0, 0), (-1, -1), 5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
]


def _facts(sheet: Paper) -> Table:
    """Two pairs in a line."""
    pairs = list(sheet.facts)
    lines, spans = [], []
    while pairs:
        first = pairs.pop(0)
        second = pairs.pop(0) if pairs else ("", "")
        lines.append([_label(first[0]), _text(first[1]), _label(second[0]), _text(second[1])])
        if not second[0]:
            spans.append(("SPAN", (1, len(lines) - 1), (3, len(lines) - 1)))
    shade = [("BACKGROUND", (column, 0), (column, -1), _SHADE) for column in (0, 2)]
    widths = [24 * mm, _WIDTH / 2 - 24 * mm] * 2
    return Table(lines, colWidths=widths, style=TableStyle(_GRID + shade + spans))


def _texts(sheet: Paper) -> list[Table]:
    """A heading beside its text; each its own table, so that long ones go on over the page."""
    style = TableStyle(
        [*_GRID, ("BACKGROUND", (0, 0), (0, -1), _SHADE), ("LINEABOVE", (0, 0), (-1, 0), 0, None)]
    )
    return [
        Table(
            [[_label(heading) if not part else "", _text(piece)]],
            colWidths=[24 * mm, _WIDTH - 24 * mm],
            style=style,
        )
        for heading, text in sheet.texts
        for part, piece in enumerate(_pieces(text))
    ]


LINES = 30


def _pieces(text: str, most: int = 900) -> list[str]:
    """A long text in parts that fit on a page: not too many characters, not too many lines."""
    found: list[str] = []
    lines = text.split("\n")
    for start in range(0, len(lines), LINES):
        part = "\n".join(lines[start : start + LINES])
        found += [part[at : at + most] for at in range(0, len(part), most)]
    return found or ["—"]


def _signatures(sheet: Paper) -> Table:
    cells = [_label(name) for name in sheet.signatures]
    return Table(
        [cells, [""] * len(cells)],
        colWidths=[_WIDTH / len(cells)] * len(cells),
        rowHeights=[None, 22 * mm],
        style=TableStyle([*_GRID, ("BACKGROUND", (0, 0), (-1, 0), _SHADE)]),
    )


def _label(text: str) -> Paragraph:
    return Paragraph(escape(text), _LABEL)


def _text(text: str) -> Paragraph:
    return Paragraph(escape(text).replace("\n", "<br/>"), _BODY)


def _dress(canvas: Any, page: Any, sheet: Paper) -> None:
    """The watermark behind and the line below, on every page."""
    canvas.saveState()
    canvas.setFillColor(_MARK_COLOUR, alpha=0.07)
    canvas.setFont(_NAME, 13)
    for y in range(60, int(A4[1]), 150):
        for x in (20, 300):
            canvas.saveState()
            canvas.translate(x + (y // 150 % 2) * 60, y)
            canvas.rotate(24)
            canvas.drawString(0, 0, sheet.mark)
            canvas.restoreState()
    canvas.setFillColor(_SOFT)
    canvas.setFont(_NAME, 8.5)
    canvas.drawString(18 * mm, 10 * mm, f"{sheet.printed}　仅限工作使用，请妥善保管。")
    canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, f"{sheet.number}　第 {page.page} 页")
    canvas.restoreState()
