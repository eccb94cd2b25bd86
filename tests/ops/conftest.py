"""A folder that the user of an embedded server can reach."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of the test's own that is not below pytest's.

    Every pytest that starts closes the folder above all tmp_paths again, under the feet of a server
    that runs as a user of its own.
    """
    with tempfile.TemporaryDirectory(prefix="hotline-test-") as folder:
        yield Path(folder)
