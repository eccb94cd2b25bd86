"""The shape of a recording: what is drawn of good, broken, unfinished and huge files, and drawn once."""

import asyncio
import io
import struct
from pathlib import Path
from typing import Any

import pytest

from core.errors import HotlineError
from telephony.recordings import Recordings
from telephony.simulator.sound import sample
from telephony.waveforms import BUCKETS, Waveform, Waveforms, measure

PBX = "pbx1"


def wav(
    data: bytes,
    *,
    codec: int = 1,
    channels: int = 1,
    rate: int = 8000,
    bits: int = 16,
    claims: int | None = None,
    before: bytes = b"",
) -> bytes:
    """A file with these samples; `claims` is the length its header names, `before` other chunks."""
    form = struct.pack(
        "<HHIIHH", codec, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits
    )
    length = len(data) if claims is None else claims
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + before + b"data" + struct.pack("<I", length) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "monitor"
    made.mkdir()
    return made


@pytest.fixture
def waveforms(folder: Path, tmp_path: Path) -> Waveforms:
    return Waveforms(Recordings({PBX: folder}), tmp_path / "shapes")


def shape(folder: Path, body: bytes, name: str = "rec-1.wav") -> Waveform:
    (folder / name).write_bytes(body)
    sound = Recordings({PBX: folder}).open(PBX, name)
    with sound.file:
        return measure(sound)


def samples(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}h", *values)


def test_loud_and_quiet_parts_are_told_apart(folder: Path) -> None:
    quiet, loud = [0] * 4000, [16384, -32768] * 2000
    found = shape(folder, wav(samples(*quiet, *loud)))
    assert (found.state, found.seconds, len(found.peaks)) == ("sound", 1.0, BUCKETS)
    assert set(found.peaks[: BUCKETS // 2]) == {0}
    assert set(found.peaks[BUCKETS // 2 :]) == {100}


def test_two_channels_and_eight_bits_are_read(folder: Path) -> None:
    both = shape(folder, wav(samples(*[0, 3277] * 800), channels=2))
    assert (both.seconds, set(both.peaks)) == (0.1, {10})
    eight = shape(folder, wav(bytes([128, 192] * 400), bits=8))
    assert (eight.seconds, max(eight.peaks)) == (0.1, 50)


def test_the_simulated_sound_has_eight_seconds_with_rests(folder: Path) -> None:
    found = shape(folder, sample())
    assert found.seconds == 8.0
    assert min(found.peaks) == 0 < max(found.peaks)


@pytest.mark.parametrize("claims", [0, 0xFFFFFFFF, 10**6])
def test_a_header_that_was_never_finished_hides_no_sound(folder: Path, claims: int) -> None:
    assert shape(folder, wav(samples(*[1000] * 8000), claims=claims)).seconds == 1.0


def test_chunks_before_the_sound_are_passed_over(folder: Path) -> None:
    extra = b"LIST" + struct.pack("<I", 5) + b"abcde\0"
    assert shape(folder, wav(samples(*[1000] * 80), before=extra)).state == "sound"


BROKEN: dict[str, bytes] = {
    "one byte": b"R",
    "another format": b"OggS" + bytes(100),
    "no form": b"RIFF\x24\0\0\0WAVEdata\x10\0\0\0" + bytes(16),
    "no data": wav(b"")[:36],
    "no channel": wav(samples(1, 2), channels=0),
    "no rate": wav(samples(1, 2), rate=0),
    "chunks without end": b"RIFF\0\0\0\0WAVE" + b"junk\xff\xff\xff\x7f" * 4,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_sound_is_broken_and_raises_nothing(folder: Path, name: str) -> None:
    assert shape(folder, BROKEN[name]) == Waveform("broken")


def test_a_header_alone_is_empty(folder: Path) -> None:
    assert len(wav(b"")) == 44
    assert shape(folder, wav(b"")) == Waveform("empty")


def test_what_cannot_be_looked_into_is_left_to_the_browser(folder: Path) -> None:
    assert shape(folder, b"ID3" + bytes(100), "rec-1.mp3") == Waveform("opaque")
    assert shape(folder, wav(bytes(100), codec=49, bits=0)) == Waveform("opaque")


async def test_a_shape_is_made_once_and_anew_when_the_file_changes(
    folder: Path, waveforms: Waveforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(sound: Any) -> Waveform:
        made.append(sound.tag)
        return measure(sound)

    monkeypatch.setattr("telephony.waveforms.measure", counted)
    (folder / "rec-1.wav").write_bytes(wav(samples(*[1000] * 800)))
    shapes = await asyncio.gather(*(waveforms.of(PBX, "rec-1.wav") for _ in range(5)))
    assert len(set(shapes)) == 1
    assert await waveforms.of(PBX, "rec-1.wav") == shapes[0]
    assert len(made) == 1
    (folder / "rec-1.wav").write_bytes(wav(samples(*[1000] * 1600)))
    assert (await waveforms.of(PBX, "rec-1.wav")).seconds == 0.2
    assert len(made) == 2


async def test_a_kept_shape_that_was_spoilt_is_made_again(
    folder: Path, waveforms: Waveforms, tmp_path: Path
) -> None:
    (folder / "rec-1.wav").write_bytes(wav(samples(*[1000] * 800)))
    good = await waveforms.of(PBX, "rec-1.wav")
    (kept,) = (tmp_path / "shapes").glob("*.json")
    kept.write_text('{"state": 1')
    assert await waveforms.of(PBX, "rec-1.wav") == good


async def test_a_recording_that_is_not_there_is_missing_each_time(waveforms: Waveforms) -> None:
    for name in ("rec-1.wav", "../rec-1.wav"):
        with pytest.raises(HotlineError, match="recording_missing"):
            await waveforms.of(PBX, name)


def test_files_are_read_in_pieces(folder: Path) -> None:
    class Counting(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            Counting.largest = max(Counting.largest, size or 0)
            return super().read(size)

    (folder / "rec-1.wav").write_bytes(wav(samples(*[1000] * 8000) * 100))
    sound = Recordings({PBX: folder}).open(PBX, "rec-1.wav")
    with sound.file:
        counting = Counting(sound.file.read())
    found = measure(type(sound)(counting, sound.size, sound.mime, sound.kind, sound.tag))
    assert found.seconds == 100.0
    assert Counting.largest < sound.size / 4
