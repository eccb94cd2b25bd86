"""What the simulator lets people hear: one short sound under the name of every recording.

No words are spoken in it, so nobody can take it for a call; it is long enough to seek in.
"""

import io
import math
import os
import struct
import wave
from pathlib import Path

SAMPLE = "demo.wav"  # also the recording of the invented calls of the demo city
RATE = 8000  # samples per second, as on a telephone line
SECONDS = 8
KEPT = 500  # recordings of simulated calls that stay
_TONES = (392.0, 440.0, 523.0, 440.0)  # Hz, one after the other


def sample() -> bytes:
    """A WAV of soft tones, one half of a second each, with rests between."""
    values = (int(4000 * _height(place / RATE)) for place in range(RATE * SECONDS))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(struct.pack("<h", value) for value in values))
    return out.getvalue()


def _height(at: float) -> float:
    """The wave at an instant; each tone swells and fades, so that none begins with a click."""
    within = at % 1.0
    if within > 0.5:
        return 0.0
    return math.sin(2 * math.pi * _TONES[int(at) % len(_TONES)] * at) * math.sin(2 * math.pi * within)


class Tape:
    """The folder of the simulated PBX's recordings."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._names: list[str] = []

    def prepare(self) -> None:
        """Make the folder and the sound, and take up what an earlier run left."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / SAMPLE).write_bytes(sample())
        self._names = sorted(path.name for path in self._folder.glob("*-*.wav"))

    def record(self, uniqueid: str) -> None:
        """The recording of a call begins: it is the one sound under one more name."""
        self.keep(f"rec-{uniqueid}.wav")

    def keep(self, name: str) -> None:
        """A recording or a message is there from now on."""
        if self._folder is None or name in self._names:
            return
        try:
            os.link(self._folder / SAMPLE, self._folder / name)
        except OSError:  # a file system without hard links, or with too many already
            (self._folder / name).write_bytes(sample())
        self._names.append(name)
        while len(self._names) > KEPT:
            (self._folder / self._names.pop(0)).unlink(missing_ok=True)
