"""The name a client gives its file, made harmless. Pure.

The name is data: it is shown and offered at a download, and never becomes part of a path.
"""

import unicodedata

from core import redact

MAX_NAME = 120
_DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, direction overrides, half characters
_FORBIDDEN = '<>:"|?*'


def extension_of(name: str) -> str:
    """The last extension of a name in lower case, without the dot; empty when there is none."""
    base = _base(name)
    stem, dot, extension = base.rpartition(".")
    return extension.lower() if dot and stem and extension.isascii() and extension.isalnum() else ""


def clean_name(name: str, extension: str) -> str:
    """A name of at most MAX_NAME characters that ends with `extension`, without anything that misleads.

    Path parts, NUL, control and direction characters go; phone and ID numbers in it are masked.
    """
    stem = _base(name)
    head, dot, last = stem.rpartition(".")
    stem = head if dot and (not head or last.lower() == extension_of(name)) else stem
    stem = "".join("_" if char in _FORBIDDEN else char for char in redact.masked(stem))
    stem = stem.replace("*", "_").strip(" .")
    return f"{stem[: MAX_NAME - len(extension) - 1].rstrip(' .') or '附件'}.{extension}"


def _base(name: str) -> str:
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = (char for char in last if unicodedata.category(char) not in _DROPPED)
    return " ".join("".join(kept).split())
