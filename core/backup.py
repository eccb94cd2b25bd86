"""Backup and restore: one file that holds everything but the secrets and the recordings.

Attachments are in it, each with its digest; recordings are too many and are only listed.

The master key is never in it: without the key the personal values of a backup cannot be read.
"""

import asyncio
import errno
import gzip
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from core import migrate
from core.backup_file import (
    ATTACHMENTS,
    DUMP,
    FORMAT,
    Manifest,
    digest_of,
    fingerprints,
    list_files,
    member,
    pack,
    read,
    settings_digest,
    unpack,
)
from core.clock import Clock
from core.errors import HotlineError
from core.postgres_programs import bin_dir
from core.settings import Settings
from core.startup import address, connect

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_REVISION = "SELECT version_num FROM alembic_version"
_HEAD = (
    "SELECT link_no, encode(hash, 'hex') AS hash FROM audit_log "
    "WHERE link_no IS NOT NULL ORDER BY link_no DESC LIMIT 1"
)
_NEW_SETTING = b"SET transaction_timeout = 0;"  # written by pg_dump 17 and newer, unknown to older servers
_PREAMBLE_LINES = 60


@dataclass(frozen=True)
class RestoreReport:
    """Rows of each table as the backup says and as they are now, and what the engineer must still do."""

    manifest: Manifest
    counts: dict[str, int]
    wrong_keys: list[str] = field(default_factory=list)
    missing_files: int = 0
    damaged_files: list[str] = field(default_factory=list)

    @property
    def differences(self) -> dict[str, tuple[int, int]]:
        """Table → (in the backup, now), where they differ."""
        names = {*self.manifest.counts, *self.counts}
        pairs = {
            name: (self.manifest.counts.get(name, 0), self.counts.get(name, 0)) for name in sorted(names)
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


# -- making one -----------------------------------------------------------------


async def backup(url: str, target: Path, settings: Settings, clock: Clock) -> Manifest:
    """Write a backup of the database at `url` to `target`, which must not exist yet.

    Other people may work meanwhile: rows and counts are of one snapshot.
    Errors: backup_exists, backup_failed, disk_full, database_unreachable.
    """
    with _scratch(target) as scratch:
        async with _snapshot(url) as (connection, snapshot):
            counts = await count_rows(connection)
            head = await connection.fetchrow(_HEAD)
            revision = await connection.fetchval(_REVISION) if "alembic_version" in counts else ""
            server = str(connection.get_server_version().major)
            await _dump(url, snapshot, scratch / DUMP)
        files = await asyncio.to_thread(list_files, settings)  # after the snapshot, see core.backup_file
        manifest = Manifest(
            format=FORMAT,
            made_at=clock.now().isoformat(timespec="seconds"),
            revision=revision,
            server=server,
            counts=counts,
            audit_linked=head["link_no"] if head else 0,
            audit_head=head["hash"] if head else "",
            settings=settings_digest(settings),
            keys=fingerprints(settings),
            dump=await asyncio.to_thread(digest_of, scratch / DUMP),
            files=len(files),
        )
        folder = settings.var / ATTACHMENTS
        await asyncio.to_thread(pack, scratch / "whole", manifest, scratch / DUMP, files, folder)
        (scratch / "whole").rename(target)
    return manifest


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """A folder for half-made files on the target's disk; it vanishes whatever happens."""
    folder = target.absolute().parent
    if target.exists():
        raise HotlineError("backup_exists", file=str(target))
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=folder) as name:
            yield Path(name)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise HotlineError("disk_full", folder=str(folder)) from error
        raise HotlineError("backup_failed", why=f"{folder}: {error.strerror or error}") from error


@asynccontextmanager
async def _snapshot(url: str) -> AsyncIterator[tuple["asyncpg.Connection[asyncpg.Record]", str]]:
    connection = await connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection, await connection.fetchval("SELECT pg_export_snapshot()")
    finally:
        await connection.close()


async def count_rows(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, int]:
    """Rows of every table of ours."""
    names = [row["tablename"] for row in await connection.fetch(_TABLES)]
    return {name: await connection.fetchval(f'SELECT count(*) FROM "{name}"') for name in names}  # noqa: S608 - names from the catalogue


async def _dump(url: str, snapshot: str, target: Path) -> None:
    command = [_program("pg_dump"), "--no-owner", "--no-privileges", "--compress=gzip:6"]
    done = await asyncio.to_thread(
        subprocess.run,
        [*command, f"--snapshot={snapshot}", f"--file={target}"],
        env=_libpq(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if "No space left on device" in done.stderr:
        raise HotlineError("disk_full", folder=str(target.parent.parent))
    if done.returncode:
        raise HotlineError("backup_failed", why=_last_line(done.stderr))


def _program(name: str) -> str:
    """PostgreSQL's tools from the wheel, which are the newest, else those of the machine."""
    try:
        return str(bin_dir() / name)
    except HotlineError:
        found = shutil.which(name)
        if found is None:
            raise
        return found


def _libpq(url: str) -> dict[str, str]:
    """The database's address as libpq's environment: a password never stands in a process list."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    where = address(url)
    given = {variable: str(where[key]) for key, variable in names.items() if where[key] is not None}
    base = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return base | given | {"PGDATABASE": str(where["database"]), "LC_ALL": "C"}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it gave no reason"])[-1]


# -- taking one back --------------------------------------------------------------


async def restore(url: str, source: Path, settings: Settings) -> RestoreReport:
    """Put the backup `source` into the empty database at `url`, then bring it to this release.

    All or nothing: one transaction. Rows are counted before the migrations of this release run.
    Errors: backup_unreadable, restore_not_empty, restore_failed, database_newer.
    """
    manifest, files = await asyncio.to_thread(read, source)
    connection = await connect(url)
    try:
        if tables := len(await connection.fetch(_TABLES)):
            raise HotlineError("restore_not_empty", tables=tables)
        if manifest.revision not in migrate.revisions():
            raise HotlineError("database_newer", found=manifest.revision, known=migrate.head())
        old = connection.get_server_version().major < 17
        await asyncio.to_thread(_load, url, source, skip=_NEW_SETTING if old else b"")
        counts = await count_rows(connection)
    finally:
        await connection.close()
    await migrate.upgrade(url)
    damaged = await asyncio.to_thread(unpack, source, files, settings.var / ATTACHMENTS)
    here = {(entry["folder"], entry["path"]) for entry in await asyncio.to_thread(list_files, settings)}
    mine = fingerprints(settings)
    return RestoreReport(
        manifest=manifest,
        counts=counts,
        wrong_keys=[name for name, known in manifest.keys.items() if mine.get(name) != known],
        missing_files=sum((entry["folder"], entry["path"]) not in here for entry in files),
        damaged_files=damaged,
    )


def _load(url: str, source: Path, *, skip: bytes) -> None:
    """Run the dump's SQL in one transaction; lines equal to `skip` at its beginning are left out."""
    options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "--output=/dev/null", "--file=-"]
    with tempfile.TemporaryFile() as errors, tarfile.open(source) as archive:
        psql = subprocess.Popen(  # noqa: S603 - PostgreSQL's own tool
            [_program("psql"), *options], env=_libpq(url), stdin=subprocess.PIPE, stderr=errors
        )
        assert psql.stdin is not None
        try:
            with psql.stdin, gzip.open(member(archive, DUMP)) as script:
                for _ in range(_PREAMBLE_LINES):
                    line = script.readline()
                    psql.stdin.write(b"" if skip and line.strip() == skip else line)
                shutil.copyfileobj(script, psql.stdin, 1 << 20)
        except BrokenPipeError:
            pass  # psql gave up; it says why below
        if psql.wait():
            errors.seek(0)
            raise HotlineError("restore_failed", why=_last_line(errors.read().decode(errors="replace")))
