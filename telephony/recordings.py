"""The folders into which the PBXs put what was said, and the one way to open a file of them.

The name of a recording comes from the PBX, so it is not trusted: it is checked against a strict list
of characters, opened without following a link, and must be an ordinary file of that PBX's own folder.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import HotlineError
from core.settings import Settings

SIMULATED_PBX = "simulator"
MIMES = {"wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg"}
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,119}}\.({'|'.join(MIMES)})")
# Not every system has them; where they are missing the check of the opened file remains.
_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True)
class Sound:
    """An opened recording; `tag` changes when the file does."""

    file: BinaryIO
    size: int
    mime: str
    kind: str
    tag: str


class Recordings:
    """The folder of each PBX, by its name."""

    def __init__(self, folders: Mapping[str, Path] | None = None) -> None:
        self._folders = dict(folders or {})

    @classmethod
    def of(cls, settings: Settings) -> "Recordings":
        """The folders the settings name; the simulator's is the node's own."""
        found = {pbx.name: pbx.recordings for pbx in settings.telephony.pbx if pbx.recordings is not None}
        if settings.telephony.source == "simulator":
            found[SIMULATED_PBX] = settings.var / "recordings"
        return cls(found)

    def knows(self, pbx: str) -> bool:
        """Whether recordings of this PBX can be reached from here."""
        return pbx in self._folders

    def open(self, pbx: str, name: str) -> Sound:
        """A recording, ready to be read. Raises `recording_missing` for everything that is none."""
        folder, match = self._folders.get(pbx), _NAME.fullmatch(name)
        if folder is None or match is None:
            raise HotlineError("recording_missing")
        try:
            descriptor = os.open(folder / name, _FLAGS)
        except (OSError, ValueError):
            raise HotlineError("recording_missing") from None
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or not state.st_size:
            os.close(descriptor)
            raise HotlineError("recording_missing")
        tag = f"{state.st_size:x}-{state.st_mtime_ns:x}"
        return Sound(os.fdopen(descriptor, "rb"), state.st_size, MIMES[match[1]], match[1], tag)

    def drop(self, pbx: str, name: str) -> bool:
        """Take a recording away for ever; False when it could not be. One that is not there is gone."""
        folder = self._folders.get(pbx)
        if folder is None or _NAME.fullmatch(name) is None:
            return False
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def has(self, pbx: str, name: str) -> bool:
        """Whether there is such a recording now."""
        try:
            self.open(pbx, name).file.close()
        except HotlineError:
            return False
        return True
