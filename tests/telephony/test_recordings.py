"""Opening a recording: nothing but an ordinary file of the PBX's own folder, whatever name it was given."""

import os
import wave
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import HotlineError
from core.settings import load_settings
from telephony.recordings import SIMULATED_PBX, Recordings
from telephony.simulator import sound
from telephony.simulator.simulator import Simulator
from tests.conftest import MONDAY

ODD = (
    "",
    "../secret.wav",
    "..",
    "sub/inside.wav",
    "..\\secret.wav",
    "/etc/passwd",
    ".hidden.wav",
    "rec.wav\n",
    "rec.wav\0",
    "rec.WAV",
    "rec.wav.exe",
    "rec.txt",
    "录音.wav",
    "rec 1.wav",
    "a" * 200 + ".wav",
    "-rf.wav",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of recordings, and around it what must never be heard."""
    made = tmp_path / "monitor"
    (made / "sub").mkdir(parents=True)
    (tmp_path / "secret.wav").write_bytes(b"secret")
    for name in ("sub/inside.wav", ".hidden.wav", "rec.txt", "rec 1.wav", "录音.wav", "-rf.wav"):
        (made / name).write_bytes(b"secret")
    (made / "rec-1.2.wav").write_bytes(b"RIFF")
    return made


def test_a_recording_is_opened_with_its_size_and_kind(folder: Path) -> None:
    recordings = Recordings({"pbx1": folder})
    found = recordings.open("pbx1", "rec-1.2.wav")
    with found.file as file:
        assert (file.read(), found.size, found.mime) == (b"RIFF", 4, "audio/wav")
    assert recordings.has("pbx1", "rec-1.2.wav")


@pytest.mark.parametrize("name", ODD)
def test_a_name_outside_the_list_opens_nothing(folder: Path, name: str) -> None:
    with pytest.raises(HotlineError, match="recording_missing"):
        Recordings({"pbx1": folder}).open("pbx1", name)


def test_links_folders_pipes_and_empty_files_are_no_recordings(folder: Path) -> None:
    recordings = Recordings({"pbx1": folder})
    (folder / "link.wav").symlink_to(folder.parent / "secret.wav")
    (folder / "inner.wav").symlink_to(folder / "rec-1.2.wav")
    (folder / "folder.wav").mkdir()
    (folder / "empty.wav").touch()
    os.mkfifo(folder / "pipe.wav")
    for name in ("link", "inner", "folder", "empty", "pipe", "absent"):
        assert not recordings.has("pbx1", f"{name}.wav"), name


def test_a_pbx_without_a_folder_has_no_recordings(folder: Path) -> None:
    recordings = Recordings({"pbx1": folder})
    assert recordings.knows("pbx1")
    assert not recordings.knows("pbx2")
    assert not recordings.has("pbx2", "rec-1.2.wav")


def test_the_settings_name_the_folder_of_each_pbx(tmp_path: Path) -> None:
    pbx = f'[{{"name": "a", "recordings": "{tmp_path}"}}, {{"name": "b"}}]'
    environ = {"HOTLINE_TELEPHONY__SOURCE": "asterisk", "HOTLINE_TELEPHONY__PBX": pbx}
    found = Recordings.of(load_settings(environ=environ))
    assert [found.knows(name) for name in ("a", "b", SIMULATED_PBX)] == [True, False, False]
    assert Recordings.of(load_settings(environ={})).knows(SIMULATED_PBX)


def test_the_simulator_keeps_a_sound_under_the_name_of_each_recording(tmp_path: Path) -> None:
    tape = sound.Tape(tmp_path)
    tape.prepare()
    tape.record("1700000000.1")
    tape.record("1700000000.1")
    with wave.open(str(tmp_path / "rec-1700000000.1.wav"), "rb") as file:
        assert file.getnframes() == sound.RATE * sound.SECONDS
    assert Recordings({"pbx": tmp_path}).has("pbx", sound.SAMPLE)


def test_the_simulator_keeps_no_more_recordings_than_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound, "KEPT", 2)
    for _run in range(2):
        tape = sound.Tape(tmp_path)
        tape.prepare()
        for number in range(4):
            tape.record(f"170000000{number}.1")
    names = sorted(path.name for path in tmp_path.glob("rec-*"))
    assert names == ["rec-1700000002.1.wav", "rec-1700000003.1.wav"]


def test_a_simulated_call_leaves_its_recording(tmp_path: Path) -> None:
    simulator = Simulator(clock=ManualClock(MONDAY), agents=2, recordings=tmp_path)
    simulator._tape.prepare()
    call = simulator.place_call(agent="1001", talk=5)
    name = f"rec-{call.citizen.uniqueid}.wav"
    simulator.advance(60)
    assert Recordings({"pbx": tmp_path}).has("pbx", name)
