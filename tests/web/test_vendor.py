"""The third-party assets are exactly the files that were taken in, and their licences are kept."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parents[2] / "web" / "static" / "vendor"


def _files() -> list[dict[str, Any]]:
    return list(tomllib.loads((VENDOR / "VENDOR.toml").read_text("utf-8"))["file"])


def test_every_vendored_file_has_the_digest_written_down_for_it() -> None:
    for entry in _files():
        digest = hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest()
        assert digest == entry["sha256"], entry["file"]


def test_no_file_lies_in_the_vendor_folder_without_an_entry() -> None:
    listed = {entry["file"] for entry in _files()} | {"VENDOR.toml"}
    found = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert found == listed


def test_every_vendored_package_keeps_its_licence_and_names_version_and_licence() -> None:
    entries = _files()
    names = {entry["name"] for entry in entries}
    assert names == {entry["name"] for entry in entries if entry["file"].endswith("LICENSE")}
    assert all(entry["version"] and entry["licence"] for entry in entries)
