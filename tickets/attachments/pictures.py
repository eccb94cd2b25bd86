"""Pictures are re-made from their pixels: no EXIF, no GPS, no comments, nothing behind the last byte."""

import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import HotlineError

FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP"}
THUMB = 240  # pixels of the longer side
_QUALITY = 90


def remake(source: Path, target: Path, thumb: Path, code: str, *, megapixels: int) -> None:
    """Write `source` anew to `target`, and a small JPEG to `thumb`; a moving picture keeps its first frame.

    Raises `attachment_bomb` for more than `megapixels` million pixels, `attachment_broken` for a picture
    that cannot be read to its end, `attachment_content` when it is of another kind than `code`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=[FORMATS[code]]) as opened:
                if opened.width * opened.height > megapixels * 1_000_000:
                    raise HotlineError("attachment_bomb", kind=code)
                opened.load()
                picture = _pixels(ImageOps.exif_transpose(opened), code)
        _save(picture, target, code)
        small = picture.convert("RGB") if picture.mode == "P" else _on_white(picture)
        small.thumbnail((THUMB, THUMB))
        small.save(thumb, "JPEG", quality=80)
    except HotlineError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        raise HotlineError("attachment_bomb", kind=code) from None
    except UnidentifiedImageError:
        raise HotlineError("attachment_content", kind=code) from None
    except Exception:  # a broken picture may fail anywhere in a decoder
        raise HotlineError("attachment_broken", kind=code) from None


def _pixels(picture: Image.Image, code: str) -> Image.Image:
    """The picture alone: a new one in which only its pixels are put."""
    mode = "RGB" if code == "jpg" else "RGBA" if _is_transparent(picture) else "RGB"
    plain = picture.convert(mode)
    fresh = Image.new(mode, plain.size)
    fresh.paste(plain)
    return fresh


def _is_transparent(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture.copy()
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def _save(picture: Image.Image, target: Path, code: str) -> None:
    options = {"jpg": {"quality": _QUALITY, "optimize": True}, "webp": {"quality": _QUALITY}}.get(code, {})
    picture.save(target, FORMATS[code], **options)
