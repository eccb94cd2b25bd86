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
from telephony.unfinished import finished

SIMULATED_PBX = "simulator"
MESSAGE = "vm-"  # how the names of messages begin, and no recording's
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
    """The folders of each PBX, by its name: what was recorded of talks, and the messages citizens left."""

    def __init__(
        self, folders: Mapping[str, Path] | None = None, messages: Mapping[str, Path] | None = None
    ) -> None:
        self._folders = dict(folders or {})
        self._messages = dict(messages or {})

    @classmethod
    def of(cls, settings: Settings) -> "Recordings":
        """The folders the settings name; the simulator's is the node's own."""
        found = {pbx.name: pbx.recordings for pbx in settings.telephony.pbx if pbx.recordings is not None}
        left = {pbx.name: pbx.voicemails for pbx in settings.telephony.pbx if pbx.voicemails is not None}
        if settings.telephony.source == "simulator":
            found[SIMULATED_PBX] = left[SIMULATED_PBX] = settings.var / "recordings"
        return cls(found, left)

    def knows(self, pbx: str, *, message: bool = False) -> bool:
        """Whether recordings of this PBX, or the messages left on it, can be reached from here."""
        return pbx in (self._messages if message else self._folders)

    def out_of_reach(self, pbx: str, *, message: bool = False) -> bool:
        """Whether its folder is known and not there now: a share that is not mounted, say."""
        folder = (self._messages if message else self._folders).get(pbx)
        return folder is not None and not folder.is_dir()

    def _folder(self, pbx: str, name: str) -> Path | None:
        """Messages have a folder of their own, and a name that tells them."""
        return (self._messages if name.startswith(MESSAGE) else self._folders).get(pbx)

    def open(self, pbx: str, name: str) -> Sound:
        """A recording, ready to be read. Raises `recording_missing` for everything that is none."""
        folder, match = self._folder(pbx, name), _NAME.fullmatch(name)
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
        file: BinaryIO = os.fdopen(descriptor, "rb")
        if match[1] == "wav":
            file = finished(file, state.st_size)
        return Sound(file, state.st_size, MIMES[match[1]], match[1], tag)

    def drop(self, pbx: str, name: str) -> bool:
        """Take a recording away for ever; False when it could not be. One that is not there is gone."""
        folder = self._folder(pbx, name)
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
