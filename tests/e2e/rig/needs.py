"""What the end-to-end tests need from the machine, and what to say when it is missing.

HOTLINE_REQUIRE=asterisk,browser turns "skipped" into "failed": continuous integration must not be
green because nothing ran.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

DEFAULT_ROOT = Path("/var/cache/hotline/asterisk-22")
FALLBACK_ROOT = Path("/var/cache/hotline/asterisk-16")
HOW_ASTERISK = "run .ci/asterisk.sh as root (it makes a chroot), or point HOTLINE_ASTERISK_ROOT to one"
HOW_SIPP = "apt-get install sip-tester"
HOW_BROWSER = "apt-get install chromium libatomic1, or point HOTLINE_TEST_CHROMIUM to one"


def missing(what: str, why: str, how: str) -> NoReturn:
    """Skip the running test, or fail it when HOTLINE_REQUIRE names `what`."""
    message = f"{what}: {why}; to enable: {how}"
    if what in os.environ.get("HOTLINE_REQUIRE", "").split(","):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def asterisk_root() -> Path:
    """The root directory that holds an installed Asterisk; skips or fails the test without one."""
    named = os.environ.get("HOTLINE_ASTERISK_ROOT")
    for root in [Path(named)] if named else [DEFAULT_ROOT, FALLBACK_ROOT]:
        if (root / "usr/sbin/asterisk").exists():
            if root != Path("/") and os.geteuid() != 0:
                missing("asterisk", f"the chroot {root} needs root", HOW_ASTERISK)
            return root
    missing("asterisk", "no Asterisk found", HOW_ASTERISK)


def sipp_program() -> str:
    """The path of sipp; skips or fails the test without it."""
    found = shutil.which("sipp")
    if found is None:
        missing("asterisk", "no sipp found", HOW_SIPP)
    return found


def chromium_program() -> str:
    """The path of a Chromium; skips or fails the test without it."""
    for name in (os.environ.get("HOTLINE_TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    missing("browser", "no Chromium found", HOW_BROWSER)
