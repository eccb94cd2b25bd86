"""A confusion matrix as a picture: counts, shaded by the share of their row."""

from collections.abc import Sequence
from pathlib import Path

from numpy import int64
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.errors import HotlineError

_CELL, _MARGIN, _SIZE = 64, 24, 16
_INK, _PALE, _PAPER = (28, 36, 48), (96, 108, 122), (255, 255, 255)
_RIGHT, _WRONG = (
    (31, 95, 191),
    (192, 86, 33),
)  # blue where the answer was right, orange where not: apart in grey too
_SMALL_FROM = 40  # classes; more of them get smaller cells and no figures


def draw(rows: Sequence[str], columns: Sequence[str], counts: NDArray[int64], font: Path, file: Path) -> None:
    """Write a PNG; `counts` right × predicted, `font` a TrueType font that has the labels' characters.

    Raises table_unwritable.
    """
    small = len(columns) > _SMALL_FROM
    cell, size = (14, 11) if small else (_CELL, _SIZE)
    letters = ImageFont.truetype(str(font), size)
    left = _MARGIN + int(max(letters.getlength(name) for name in rows)) + 12
    top = _MARGIN + size + 12 + int(max(letters.getlength(name) for name in columns)) + 12
    image = Image.new("RGB", (left + cell * len(columns) + _MARGIN, top + cell * len(rows) + _MARGIN), _PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((_MARGIN, _MARGIN), "行：正确类别　列：模型判断", font=letters, fill=_PALE)
    for place, name in enumerate(columns):
        _upright(image, name, letters, left + place * cell + cell // 2, top - 8)
    for line, name in enumerate(rows):
        y = top + line * cell
        pen.text((left - 12, y + cell // 2), name, font=letters, fill=_INK, anchor="rm")
        whole = int(counts[line].sum()) or 1
        for place in range(len(columns)):
            number, right = int(counts[line, place]), name == columns[place]
            x = left + place * cell
            share = number / whole
            pen.rectangle((x, y, x + cell - 2, y + cell - 2), fill=_shade(share, _RIGHT if right else _WRONG))
            if number and not small:
                ink = _PAPER if share > 0.55 else _INK
                pen.text((x + cell // 2 - 1, y + cell // 2), str(number), font=letters, fill=ink, anchor="mm")
    try:
        image.save(file, format="PNG", optimize=True)
    except OSError as error:
        raise HotlineError("table_unwritable", file=str(file), why=error.strerror or "?") from None


def _shade(share: float, colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """From nearly white to the colour; small shares are lifted so that they can be seen."""
    strength = 0.0 if share == 0 else 0.08 + 0.92 * share**0.6
    base = 246
    red, green, blue = (round(base + (one - base) * strength) for one in colour)
    return red, green, blue


def _upright(image: Image.Image, text: str, letters: ImageFont.FreeTypeFont, x: int, bottom: int) -> None:
    """A column's name, read from below, ending above its column."""
    width, height = int(letters.getlength(text)) + 2, int(letters.size) + 6
    strip = Image.new("RGB", (width, height), _PAPER)
    ImageDraw.Draw(strip).text((0, 1), text, font=letters, fill=_INK)
    turned = strip.rotate(90, expand=True)
    image.paste(turned, (x - height // 2, bottom - turned.height))
