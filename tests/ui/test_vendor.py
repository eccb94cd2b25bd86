"""The tool that checks accessibility is the one whose digest was written down."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

VENDOR = Path(__file__).parent / "vendor"


def test_every_vendored_test_tool_has_the_digest_written_down_for_it() -> None:
    entries = tomllib.loads((VENDOR / "VENDOR.toml").read_text("utf-8"))["file"]
    for entry in entries:
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    listed = {entry["file"] for entry in entries} | {"VENDOR.toml"}
    assert {path.name for path in VENDOR.iterdir()} == listed
