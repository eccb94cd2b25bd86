"""What this machine can test, and how to enable what it cannot: one line each for `hotline.py test`."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ability:
    """Something some tests need; `enable` is the command or variable that brings it."""

    name: str
    tests: str
    enable: str
    present: Callable[[], bool]


def _chromium() -> bool:
    names = (os.environ.get("HOTLINE_TEST_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return any(name and shutil.which(name) for name in names)


def _asterisk() -> bool:
    named = os.environ.get("HOTLINE_ASTERISK_ROOT")
    roots = (
        [Path(named)]
        if named
        else [Path("/var/cache/hotline/asterisk-22"), Path("/var/cache/hotline/asterisk-16")]
    )
    return os.geteuid() == 0 and any((root / "usr/sbin/asterisk").exists() for root in roots)


def _folder(variable: str) -> Callable[[], bool]:
    return lambda: Path(os.environ.get(variable) or os.devnull).is_dir()


ABILITIES = (
    Ability(
        "Chromium",
        "the console in a browser",
        "sudo apt-get install chromium libatomic1 (or HOTLINE_TEST_CHROMIUM=/path/to/chromium)",
        _chromium,
    ),
    Ability(
        "sipp",
        "calls by real telephones",
        "sudo apt-get install sip-tester",
        lambda: bool(shutil.which("sipp")),
    ),
    Ability(
        "Asterisk",
        "the story on a real Asterisk",
        "as root: .ci/asterisk.sh (or HOTLINE_ASTERISK_ROOT=/its/root)",
        _asterisk,
    ),
    Ability(
        "recordings",
        "recorded AMI streams of real calls",
        "HOTLINE_RECORDINGS=/folder/of/recordings",
        _folder("HOTLINE_RECORDINGS"),
    ),
    Ability("texts", "real ticket texts", "HOTLINE_TEXTS=/folder/of/texts", _folder("HOTLINE_TEXTS")),
    Ability(
        "another PostgreSQL",
        "the same tests on a server of yours instead of the embedded one",
        "HOTLINE_TEST_DATABASE_URL=postgresql+asyncpg://superuser@host/postgres",
        lambda: bool(os.environ.get("HOTLINE_TEST_DATABASE_URL")),
    ),
)
