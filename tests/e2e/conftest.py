"""Fixtures of the end-to-end tests: one real Asterisk for all of them, phones and a manager for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.rig import needs
from tests.e2e.rig.asterisk import Asterisk, running
from tests.e2e.rig.manager import Manager, manager
from tests.e2e.rig.phones import Phones, phones
from tests.e2e.rig.product import Product, running_product
from tests.e2e.rig.situations import Stage
from tests.helpers import eventually

RING_SECONDS = 3
QUEUE_SECONDS = 8
NIGHT = "00:00-00:00,mon,1,jan"  # hours of opening that never are


@pytest.fixture(scope="session")
def real_asterisk() -> Iterator[Asterisk]:
    """The shipped configuration on a real Asterisk; only addresses, secrets and waiting times differ."""
    needs.sipp_program()
    root = needs.asterisk_root()
    with running(root, ring_seconds=RING_SECONDS, queue_seconds=QUEUE_SECONDS) as pbx:
        yield pbx


@pytest.fixture
def pbx(real_asterisk: Asterisk) -> Asterisk:
    """The Asterisk of all tests, without any call left from an earlier one."""
    real_asterisk.hang_up_all()
    return real_asterisk


@pytest.fixture
def night(pbx: Asterisk) -> Iterator[Asterisk]:
    """Nobody is on duty; the PBX is as it was afterwards."""
    pbx.set_global("OPEN_HOURS", NIGHT)
    try:
        yield pbx
    finally:
        pbx.set_global("OPEN_HOURS", str(pbx.site["open_hours"]))


@pytest.fixture
def sip(pbx: Asterisk) -> Iterator[Phones]:
    """Agents' phones and citizens."""
    with phones(needs.sipp_program(), pbx) as several:
        yield several


@pytest.fixture
def ami(pbx: Asterisk) -> Iterator[Manager]:
    """A manager connection that is not the product's."""
    with manager(pbx) as connection:
        yield connection


@pytest.fixture
def stage(pbx: Asterisk, sip: Phones, ami: Manager) -> Stage:
    """All three together, for situations."""
    return Stage(pbx, sip, ami)


@pytest.fixture
async def product(pbx: Asterisk, database_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    """A node of the product on a fresh database, in touch with the PBX."""
    async with running_product(pbx, database_url, tmp_path) as made:
        await eventually(made.connected, within=20, what="the node connects to the PBX")
        yield made
