"""A full disk and a database that dies under us: people are told, nothing half stays, work goes on."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core import startup
from core.clock import SystemClock
from core.db import Database
from core.events import EventBus
from core.postgres import EmbeddedPostgres
from core.settings import Settings
from tests.helpers import eventually
from web.access import storage_code


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """A disk with room for a database and little more."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a disk of our own needs root")
    disk = place / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(disk)], check=False
    ).returncode:
        pytest.skip("this machine does not let us mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
async def crowded(small_disk: Path) -> AsyncIterator[tuple[Database, Path]]:
    """A node's database on the small disk, kept alive as `run` keeps it."""
    settings = Settings.model_validate({"paths": {"var": small_disk}})
    async with startup.database(settings) as url:
        db = Database(url, clock=SystemClock(), bus=EventBus(), pool_size=2)
        async with db.begin() as uow:
            await uow.session.execute(text("CREATE TABLE kept (n int, filler text)"))
        yield db, small_disk
        await db.close()


async def write(db: Database, number: int, size: int = 0) -> None:
    statement = text(
        "INSERT INTO kept SELECT :n, string_agg(md5(i::text), '') FROM generate_series(0, :size) i"
    )
    async with db.begin() as uow:
        await uow.session.execute(statement, {"n": number, "size": size})


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 65536):
                pass
        except OSError:
            return filler
    return filler


async def numbers(db: Database) -> list[int]:
    async with db.read() as session:
        return list((await session.execute(text("SELECT n FROM kept ORDER BY n"))).scalars())


async def test_a_full_disk_refuses_with_its_own_code_keeps_the_rest_and_heals(
    crowded: tuple[Database, Path],
) -> None:
    db, disk = crowded
    await write(db, 1)
    filler = fill(disk)
    codes, acknowledged = set(), [1]
    for number in range(2, 40):
        try:
            await write(db, number, size=30_000)
            acknowledged.append(number)
        except (SQLAlchemyError, OSError) as error:
            codes.add(storage_code(error))
    assert codes, "the disk never became full"
    assert codes <= {"disk_full", "unavailable"}

    filler.unlink()

    async def works() -> bool:
        try:
            await write(db, 100)
        except (SQLAlchemyError, OSError):
            return False
        return True

    await eventually(works, within=60, what="the database works again without anybody's help")
    assert set(acknowledged) | {100} <= set(await numbers(db))


async def test_a_database_server_that_is_killed_is_started_again(place: Path) -> None:
    embedded = EmbeddedPostgres(place / "postgres", durable=False)
    embedded.start()
    pid = int((embedded.data_dir / "postmaster.pid").read_text().splitlines()[0])
    keeper = asyncio.create_task(startup.keep_alive(embedded, every=0.05))
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: not embedded.is_running(), what="it is gone")
    await eventually(embedded.is_running, within=30, what="it is back")
    keeper.cancel()
    await asyncio.wait([keeper])
    await eventually(lambda: embedded.start(), within=30, what="it takes connections")
    assert embedded.stop() is True
