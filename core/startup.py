"""What must be true before a node starts, and the sentence an engineer reads when it is not.

Every problem is one sentence and one command or place that helps; never a traceback.
"""

import asyncio
import errno
import logging
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from core import migrate
from core.classifier_sentences import CLASSIFIER_SENTENCES
from core.deadline_sentences import DEADLINE_SENTENCES
from core.errors import HotlineError
from core.postgres import EmbeddedPostgres
from core.settings import Settings

log = logging.getLogger(__name__)
OLDEST_POSTGRES = 15
CONNECT_SECONDS = 10
NEIGHBOUR_SECONDS = 20

# code: what is wrong, what helps
SENTENCES: dict[str, tuple[str, str]] = {
    "config_unreadable": (
        "The settings file {file} cannot be read: {reason}",
        "correct that line of the file",
    ),
    "config_unknown": (
        "There is no setting {name}.",
        "did you mean {nearest}? All settings: docs/settings.md",
    ),
    "config_invalid": ("The setting {name} is not valid: {reason}", "its meaning is in docs/settings.md"),
    "config_secret_in_file": (
        "{file} holds secrets, and that file is not secret.",
        "move the table [secrets] to config.local.toml or to the environment (docs/settings.md)",
    ),
    "config_default_secret": (
        "In production {name} needs a secret of its own, of 16 characters or more.",
        "openssl rand -base64 32, into [secrets] of config.local.toml (docs/operations.md)",
    ),
    "config_simulator_in_production": (
        "In production {name} cannot be the simulator.",
        'set telephony.source = "asterisk" and a [[telephony.pbx]] block (docs/asterisk.md)',
    ),
    "folder_unwritable": (
        "The folder {folder} cannot be written by the user {user}: {why}.",
        "sudo chown -R {user} '{folder}', or name another: HOTLINE_PATHS__VAR=/some/folder",
    ),
    "file_unwritable": ("{file} cannot be written: {why}.", "name a file in a folder that can be written"),
    "port_used": (
        "Port {port} of {host} is already used, perhaps by a node that runs.",
        "HOTLINE_HTTP__PORT={other} python3 hotline.py run, or stop the other program (ss -ltnp)",
    ),
    "port_taken": ("Port {port} of {host} was taken by another program just now: {why}.", "start again"),
    "port_refused": (
        "Listening on {host}:{port} is not possible: {why}.",
        "correct http.host and http.port; ports below 1024 belong behind nginx (docs/operations.md)",
    ),
    "database_url": (
        "database.url is not an address such as postgresql+asyncpg://user@host/name.",
        "correct it in config.local.toml, or leave it empty for the embedded PostgreSQL",
    ),
    "database_unreachable": (
        "The database {url} cannot be reached: {why}.",
        "check database.url and that the server runs (pg_isready -h {host}); empty url: the embedded one",
    ),
    "database_old": (
        "The database server is PostgreSQL {found}; {wanted} or newer is needed.",
        "upgrade the server, or leave database.url empty for the embedded PostgreSQL",
    ),
    "database_newer": (
        "The database was written by a newer release (revision {found}; this one knows {known}).",
        "start the newer release, or restore a backup of before the upgrade",
    ),
    "database_behind": (
        "The database stands at revision {found}, this release needs {wanted}.",
        "python3 hotline.py backup before.backup && python3 hotline.py migrate",
    ),
    "disk_full": ("The disk of {folder} is full.", "df -h '{folder}', then free some space and start again"),
    "postgres_missing": (
        "The embedded PostgreSQL is not available for this machine.",
        "set database.url to a PostgreSQL 15 or newer (docs/operations.md)",
    ),
    "postgres_folder": (
        "The database folder {folder} cannot be used: {why}.",
        "run as the user who owns it, or: sudo chown -R $USER '{folder}'",
    ),
    "postgres_foreign": (
        "The folder {folder} holds something that is not our database.",
        "move it away, or set paths.var to another folder",
    ),
    "postgres_version": (
        "The database in {folder} is of PostgreSQL {found}, this release carries {wanted}.",
        "back up with the old release, then restore with this one (docs/operations.md)",
    ),
    "postgres_start": (
        "The embedded PostgreSQL did not start: {why}",
        "read the newest file in {folder}/log, and {folder}/start.log",
    ),
    "backup_exists": ("{file} exists already.", "choose another name; a backup never overwrites"),
    "backup_failed": ("The backup failed: {why}", "nothing was written; mend that and try again"),
    "backup_unreadable": ("{file} is not a whole backup: {why}.", "take another backup file"),
    "restore_not_empty": (
        "The database holds {tables} tables already; a restore needs an empty one.",
        "choose another folder (HOTLINE_PATHS__VAR=FOLDER) or a new database, or move the old one away",
    ),
    "restore_failed": ("The restore failed: {why}", "nothing was changed; mend that and try again"),
    "development_only": ("This is for development only; it would add demo data.", 'set mode = "development"'),
    "role_unknown": ("There is no administrator's role {role}.", "choose one of {known}"),
    "login_taken": ("The login {login} exists already.", "choose another"),
    "password_too_short": ("The password is too short.", "use {minimum} characters or more"),
    "password_too_long": ("The password is too long.", "use fewer than {maximum} characters"),
    **DEADLINE_SENTENCES,
    **CLASSIFIER_SENTENCES,
    "recording_unreadable": ("{file} cannot be read: {why}.", "name a recorded AMI stream"),
    "table_unreadable": ("{file} cannot be read: {why}.", "name a CSV file, UTF-8 or GB18030"),
    "table_unwritable": ("{file} cannot be written: {why}.", "name a file in a folder you may write to"),
    "table_column_missing": (
        "There is no column {column} (known: {known}).",
        "say which column has it: --columns title=…,detail=…,user=…,time=…",
    ),
    "certificate_columns": (
        "The columns do not fit: missing {missing}, not wanted or twice {beside}.",
        "columns 身份证号, 证照种类, 签发机关, if known 有效期自, 有效期至, 状态; no other, never an image",
    ),
    "certificate_lines": (
        "{wrong} lines of {file} are wrong; nothing was imported.",
        "correct the lines named above and start again (--dry-run only looks)",
    ),
    "table_columns_unclear": ("--columns cannot be understood: {given}.", "write title=主题,detail=正文"),
}


def explain(error: HotlineError) -> tuple[str, str]:
    """Sentence and help for an error that ended a command."""
    sentence, help_ = SENTENCES.get(error.code, ("{code}: {details}", "docs/reference.md says what it means"))
    if error.code == "config_unknown" and not error.params.get("nearest"):
        help_ = "all settings are in docs/settings.md"
    values = {"code": error.code, "details": error.params or "no details", **error.params}
    return sentence.format_map(_Forgiving(values)), help_.format_map(_Forgiving(values))


class _Forgiving(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def check_var(settings: Settings) -> None:
    """The folder we write to exists and takes a file.

    Errors: folder_unwritable, disk_full.
    """
    folder = settings.var
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"\0" * 4096)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise HotlineError("disk_full", folder=str(folder)) from error
        raise HotlineError(
            "folder_unwritable", folder=str(folder), user=_user(), why=error.strerror or str(error)
        ) from error
    finally:
        if folder.is_dir() and os.access(folder, os.W_OK):
            probe.unlink(missing_ok=True)


def _user() -> str:
    return os.environ.get("USER") or str(os.getuid())


def check_port(settings: Settings) -> None:
    """The console's port can be listened on.

    Errors: port_used, port_refused.
    """
    host, port = settings.http.host, settings.http.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise HotlineError("port_used", host=host, port=port, other=port + 1) from error
            raise HotlineError("port_refused", host=host, port=port, why=error.strerror) from error


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The URL of a database that answers; an embedded server runs as long as the block.

    Errors: those of EmbeddedPostgres.start and `check_database`.
    """
    if settings.database.url:
        await check_database(settings.database.url)
        yield settings.database.url
        return
    embedded = EmbeddedPostgres(embedded_folder(settings))
    starting = asyncio.ensure_future(asyncio.to_thread(embedded.start))
    keeper: asyncio.Task[None] | None = None
    try:
        url = await asyncio.shield(starting)
        keeper = asyncio.create_task(keep_alive(embedded))
        yield url
    finally:
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        await asyncio.wait([starting])  # a Ctrl-C meanwhile must not leave a server behind
        await asyncio.to_thread(embedded.stop)


async def keep_alive(embedded: EmbeddedPostgres, *, every: float = 2.0) -> None:
    """Start the embedded server again when it dies under us: a full disk and a lack of memory end it."""
    while True:
        await asyncio.sleep(every)
        if embedded.is_running():
            continue
        log.critical("the embedded PostgreSQL is gone, starting it again")
        try:
            await asyncio.to_thread(embedded.start)
        except HotlineError as error:
            log.critical(
                "the embedded PostgreSQL does not start", extra={"code": error.code, "why": str(error)}
            )


async def prepare(url: str) -> None:
    """Bring the database to this release; nodes that start at once do it one after the other.

    Errors: database_newer.
    """
    found = await migrate.current(url)
    if found == migrate.head():
        return
    if found is not None and found not in migrate.revisions():
        raise HotlineError("database_newer", found=found, known=migrate.head())
    try:
        await migrate.upgrade(url)
    except DBAPIError:
        # a neighbour that started in the same second may have made the tables before us
        deadline = time.monotonic() + NEIGHBOUR_SECONDS
        while await migrate.current(url) != migrate.head():
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)


def embedded_folder(settings: Settings) -> Path:
    """Where the embedded PostgreSQL keeps its data."""
    return settings.var / "postgres"


async def check_database(url: str) -> str:
    """Connect once; the server's version, such as 18.4.

    Errors: database_url, database_unreachable, database_old.
    """
    connection = await connect(url)
    try:
        found = connection.get_server_version()
    finally:
        await connection.close()
    if found.major < OLDEST_POSTGRES:
        raise HotlineError("database_old", found=str(found.major), wanted=OLDEST_POSTGRES)
    return f"{found.major}.{found.micro}"


async def connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A plain connection for the few things that need no session.

    Errors: database_url, database_unreachable.
    """
    where = address(url)
    try:
        return await asyncpg.connect(
            **where,
            timeout=CONNECT_SECONDS,
            server_settings={"timezone": "UTC", "application_name": "hotline"},
        )
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        why = (str(error) or type(error).__name__).splitlines()[0]
        shown = make_url(url).set(query={}).render_as_string(hide_password=True)
        raise HotlineError("database_unreachable", url=shown, host=where["host"], why=why) from error


def address(url: str) -> dict[str, Any]:
    """Host, port, user, password and database of an SQLAlchemy URL.

    Errors: database_url.
    """
    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise HotlineError("database_url") from error
    if parts.get_backend_name() != "postgresql" or not parts.database:
        raise HotlineError("database_url")
    query = {key: value for key, value in parts.query.items() if isinstance(value, str)}
    host = query.get("host") or parts.host or "localhost"
    return {
        "host": host,
        "port": int(query.get("port") or parts.port or 5432),
        "user": parts.username,
        "password": parts.password,
        "database": parts.database,
    }
