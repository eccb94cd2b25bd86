"""The shape of a recording, drawn once from its file: peaks for the player, and whether there is sound.

A recorder that got no media leaves a header and nothing else (44 bytes); one that was cut off leaves
lengths of zero in it, and what follows is sound all the same. Files are read in pieces and in a thread.
The shapes are kept as small files beside the node's other data and made again when they are gone.
"""

import asyncio
import hashlib
import json
import os
import struct
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from core.errors import HotlineError
from core.ids import new_token
from telephony.recordings import Recordings, Sound

State = Literal["sound", "empty", "broken", "opaque"]
BUCKETS = 600  # as many as a screen shows
BLOCK = 1 << 16  # samples read at once
HEADER = 64 * 1024  # bytes in which the sound must begin
AT_ONCE = 2  # files read at the same time
FORGOTTEN_AFTER = 30 * 86400  # seconds
PCM = 1
Heights = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True)
class Waveform:
    """`seconds` of sound with `peaks` from 0 to 100, evenly spread; none unless the state is `sound`.

    `opaque` is a file we cannot look into (mp3, ogg, a codec): the browser may play it.
    """

    state: State
    seconds: float = 0.0
    peaks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Layout:
    """Where the samples of a WAV lie: byte offset, number of frames, channels, bytes of a sample, rate."""

    start: int
    frames: int
    channels: int
    width: int
    rate: int


def measure(sound: Sound) -> Waveform:
    """The shape of an opened recording. Never raises for what is in the file."""
    if sound.kind != "wav":
        return Waveform("opaque")
    found = layout_of(sound.file, sound.size)
    if not isinstance(found, Layout):
        return Waveform(found)
    if not found.frames:
        return Waveform("empty")
    return Waveform("sound", round(found.frames / found.rate, 2), tuple(_peaks(sound.file, found)))


def layout_of(file: BinaryIO, size: int) -> Layout | State:
    """What the header says, or why there is nothing to draw."""
    file.seek(0)
    head = file.read(HEADER)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return "broken"
    at, form = 12, None
    while at + 8 <= len(head):
        name, length = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        if name == b"fmt " and at + 24 <= len(head):
            form = struct.unpack_from("<HHIIHH", head, at + 8)
        elif name == b"data":
            return _layout(form, at + 8, length, size)
        at += 8 + length + length % 2
    return "broken"


def _layout(form: tuple[int, ...] | None, start: int, length: int, size: int) -> Layout | State:
    if form is None:
        return "broken"
    codec, channels, rate, _, _, bits = form
    if codec != PCM or bits not in (8, 16):
        return "opaque"
    if not (1 <= channels <= 8 and 1000 <= rate <= 192_000):
        return "broken"
    there = max(size - start, 0)
    if not 0 < length <= there:  # never finished: what is there is sound
        length = there
    return Layout(start, length // (channels * bits // 8), channels, bits // 8, rate)


def _peaks(file: BinaryIO, layout: Layout) -> list[int]:
    """The highest sample of each part, in hundredths of the loudest possible."""
    count = min(BUCKETS, layout.frames)
    tops = np.zeros(count, dtype=np.int64)
    file.seek(layout.start)
    frame, done = layout.channels * layout.width, 0
    while done < layout.frames:
        raw = file.read(min(BLOCK, layout.frames - done) * frame)
        frames = len(raw) // frame
        if not frames:
            break
        heights = _heights(raw[: frames * frame], layout)
        places = (np.arange(done, done + frames, dtype=np.int64) * count) // layout.frames
        np.maximum.at(tops, places, heights)
        done += frames
    full = 128 if layout.width == 1 else 32768
    return [int(top) for top in np.minimum(100, tops * 100 // full)]


def _heights(raw: bytes, layout: Layout) -> Heights:
    if layout.width == 1:
        values = np.frombuffer(raw, dtype=np.uint8).astype(np.int64) - 128
    else:
        values = np.frombuffer(raw, dtype="<i2").astype(np.int64)
    tops: Heights = np.abs(values).reshape(-1, layout.channels).max(axis=1)
    return tops


class Waveforms:
    """Shapes of recordings, each made once."""

    def __init__(self, recordings: Recordings, folder: Path) -> None:
        self._recordings = recordings
        self._folder = folder
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._making: dict[str, asyncio.Future[Waveform]] = {}

    async def of(self, pbx: str, name: str) -> Waveform:
        """The shape of a recording. Raises `recording_missing`."""
        key = hashlib.sha256(f"{pbx}\0{name}".encode()).hexdigest()[:32]
        making = self._making.get(key)
        if making is None:
            making = asyncio.ensure_future(self._made(pbx, name, key))
            self._making[key] = making
            making.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(making)  # somebody who leaves does not stop the work others wait for

    def _done(self, key: str, done: asyncio.Future[Waveform]) -> None:
        self._making.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever asked has seen it, or has left

    async def _made(self, pbx: str, name: str, key: str) -> Waveform:
        async with self._gate:
            return await asyncio.to_thread(self._make, pbx, name, key)

    def _make(self, pbx: str, name: str, key: str) -> Waveform:
        sound = self._recordings.open(pbx, name)
        with sound.file:
            path = self._folder / f"{key}-{sound.tag}.json"
            known = _load(path)
            if known is not None:
                return known
            made = measure(sound)
        _keep(path, made)
        return made

    def sweep(self) -> int:
        """Throw away shapes nobody has made lately; returns how many. For a thread."""
        gone = 0
        for path in self._folder.glob("*.json"):
            if time.time() - path.stat().st_mtime > FORGOTTEN_AFTER:
                path.unlink(missing_ok=True)
                gone += 1
        return gone


def _load(path: Path) -> Waveform | None:
    try:
        found = json.loads(path.read_text("utf-8"))
        return Waveform(found["state"], float(found["seconds"]), tuple(int(one) for one in found["peaks"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(path: Path, made: Waveform) -> None:
    """A disk that is full costs the work, not the player."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{new_token(6)}")
        aside.write_text(json.dumps(asdict(made)), "utf-8")
        os.replace(aside, path)  # noqa: PTH105 - atomic, whoever reads meanwhile
    except OSError:
        return


def refuse_silence(state: State) -> None:
    """Raise `recording_empty` or `recording_broken` for a file without sound."""
    if state in ("empty", "broken"):
        raise HotlineError(f"recording_{state}")
