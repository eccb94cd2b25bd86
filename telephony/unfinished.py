"""A WAV whose recorder died has lengths of zero in its header: read as if it had been finished.

The file itself is the PBX's and stays as it is.
"""

import io
import struct
from typing import BinaryIO, cast

HEADER = 44  # bytes of the only header Asterisk writes: one form, then the sound
_RIFF, _DATA = 4, 40  # where the two lengths stand


def finished(file: BinaryIO, size: int) -> BinaryIO:
    """`file` of `size` bytes, with true lengths in its header where it has none; at its beginning."""
    head = file.read(HEADER)
    file.seek(0)
    plain = head[:4] == b"RIFF" and head[8:16] == b"WAVEfmt " and head[36:40] == b"data"
    if len(head) < HEADER or size <= HEADER or not plain or head[_DATA:] != bytes(4):
        return file
    mended = bytearray(head)
    struct.pack_into("<I", mended, _RIFF, size - 8)
    struct.pack_into("<I", mended, _DATA, size - HEADER)
    return cast(BinaryIO, io.BufferedReader(_Mended(file, bytes(mended))))


class _Mended(io.RawIOBase):
    """A file read behind another header."""

    def __init__(self, file: BinaryIO, head: bytes) -> None:
        self._file, self._head = file, head

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # what io gives
        at = self._file.tell()
        data = self._file.read(len(buffer))
        own = self._head[at : at + len(data)]
        buffer[: len(data)] = own + data[len(own) :]
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
