"""`doctor` in front of a real Asterisk, as docs/asterisk.md tells a site to use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.rig.asterisk import Asterisk
from tests.e2e.rig.product import environment_for

pytestmark = pytest.mark.asterisk
COMMANDS = Path(__file__).parents[2] / "commands.py"


def doctor(environment: dict[str, str], database_url: str) -> str:
    """What doctor says of the PBX."""
    known = {**os.environ, **environment, "HOTLINE_DATABASE__URL": database_url, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, str(COMMANDS), "doctor"], env=known, capture_output=True, text=True, check=False
    )
    (line,) = [line for line in done.stdout.splitlines() if "PBX pbx1" in line] or [done.stdout + done.stderr]
    return line


async def test_doctor_names_the_version_of_the_pbx(pbx: Asterisk, database_url: str, tmp_path: Path) -> None:
    line = doctor(environment_for(pbx, tmp_path), database_url)
    assert line.startswith("ok")
    assert pbx.version().split(".")[0] in line


async def test_doctor_says_that_the_password_is_wrong(
    pbx: Asterisk, database_url: str, tmp_path: Path
) -> None:
    environment = environment_for(pbx, tmp_path)
    environment["HOTLINE_SECRETS__PBX_PASSWORDS"] = json.dumps({"pbx1": "wrong"})
    line = doctor(environment, database_url)
    assert line.startswith("fail")
    assert "refused" in line
