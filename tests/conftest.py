"""Fixtures for everybody: a PostgreSQL of the tests' own, a fresh migrated database per test."""

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web_app
from sqlalchemy.engine import make_url
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it tells no types

from core import migrate
from core.clock import ManualClock
from core.db import Database
from core.events import EventBus
from core.people.passwords import Passwords
from core.people.service import PeopleService
from core.postgres import EmbeddedPostgres
from core.privacy import Vault
from core.settings import Settings, load_settings

# Training takes a core for half a minute: only the tests of it ask for it.
os.environ.setdefault("HOTLINE_CLASSIFIER__STARTER", "false")

# A Monday at work: 10:00 in the city.
ROOM = 4 * 1024**3  # bytes
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def pytest_configure() -> None:
    """Thousands of tests in one process: Python's own pace of full searches costs a quarter of their time."""
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a database is marked so, to be tried on another server with `-m database`."""
    for item in items:
        if "admin_url" in getattr(item, "fixturenames", ()):
            item.add_marker("database")


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # the plugin tells no types
    """A file of tests to a worker that has nothing to do; all tests of the one Asterisk to the same."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/e2e" if nodeid.startswith("tests/e2e/") else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    """How `-n` spreads the tests."""
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def _forget_applications() -> Iterator[None]:
    """aiohttp remembers a thousand pairs of handler and application: in tests, hundreds of applications."""
    yield
    web_app._cached_build_middleware.cache_clear()


@pytest.fixture(scope="session")
def admin_url() -> Iterator[str]:
    """A superuser's URL: HOTLINE_TEST_DATABASE_URL, or the embedded server in a folder of its own.

    Not in pytest's own folder: another run of pytest closes that one to the server's user.
    """
    external = os.environ.get("HOTLINE_TEST_DATABASE_URL")
    if external:
        yield external
        return
    with tempfile.TemporaryDirectory(
        prefix="hotline-postgres-", dir=_in_memory(), ignore_cleanup_errors=True
    ) as folder:
        server = EmbeddedPostgres(Path(folder) / "data", durable=False)
        server.start()
        yield server.url("postgres", superuser=True)
        server.stop()


def _in_memory() -> str | None:
    """The folder that lies in memory, where there is one with room: a test's database is 400 files."""
    room = Path("/dev/shm")
    enough = room.is_dir() and os.access(room, os.W_OK) and shutil.disk_usage(room).free > ROOM
    return str(room) if enough else None


async def _execute(url: str, statement: str) -> None:
    parts = make_url(url)
    host = parts.query.get("host", parts.host)
    connection = await asyncpg.connect(
        host=host,
        port=parts.port or parts.query.get("port"),
        user=parts.username,
        password=parts.password,
        database=parts.database,
    )
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template(admin_url: str) -> str:
    """The name of a migrated, empty database that others are cloned from."""
    name = f"template_{uuid4().hex[:12]}"

    async def make() -> None:
        await _execute(admin_url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        await migrate.upgrade(with_database(admin_url, name))

    asyncio.run(make())
    return name


@pytest.fixture
async def empty_database_url(admin_url: str) -> AsyncIterator[str]:
    """The URL of a database without any table."""
    name = f"test_{uuid4().hex[:12]}"
    await _execute(admin_url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    yield with_database(admin_url, name)
    await _execute(admin_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
async def database_url(admin_url: str, template: str) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database."""
    name = f"test_{uuid4().hex[:12]}"
    await _execute(admin_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield with_database(admin_url, name)
    await _execute(admin_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def clock() -> ManualClock:
    """Monday 2026-11-23, 10:00 in the city, standing still."""
    return ManualClock(MONDAY)


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
async def database(
    database_url: str, clock: ManualClock, bus: EventBus, vault: Vault
) -> AsyncIterator[Database]:
    """A fresh database behind the product's own unit of work."""
    db = Database(database_url, clock=clock, bus=bus, pool_size=5)
    vault.lend(db)
    yield db
    await db.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The shipped settings, writing to a folder of the test's own."""
    return load_settings(environ={"HOTLINE_PATHS__VAR": str(tmp_path / "var"), "HOTLINE_HTTP__PORT": "0"})


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(settings)


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    hasher = Passwords(cheap=True)
    yield hasher
    hasher.close()


@pytest.fixture
def people(database: Database, clock: ManualClock, settings: Settings, passwords: Passwords) -> PeopleService:
    return PeopleService(database, clock, settings, passwords)
