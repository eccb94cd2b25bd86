"""The commands of the kernel: migrations, audit log, backup and restore, the first administrator.

Imports stand inside the commands on purpose: `--help` must not load a database driver.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from core.settings import Settings

audit_app = typer.Typer(no_args_is_help=True, help="The append-only audit log.")
admin_app = typer.Typer(no_args_is_help=True, help="Accounts of administrators.")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def add_to(app: typer.Typer) -> None:
    """Make the kernel's commands part of the command line."""
    for command in (migrate, backup, restore):
        app.command()(command)
    app.add_typer(audit_app, name="audit")
    app.add_typer(admin_app, name="admin")


@contextmanager
def refusals() -> Iterator[None]:
    """A problem an engineer can mend is one sentence and what helps, and the exit status 2."""
    from core.errors import HotlineError

    try:
        yield
    except HotlineError as error:
        from core.startup import explain

        sentence, help_ = explain(error)
        err.print(sentence, style="bold red", markup=False, soft_wrap=True)
        err.print(f"  Help: {help_}", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None


def say(line: str) -> None:
    """One line, as it is, however long."""
    out.print(line, markup=False, soft_wrap=True)


def log_to_a_file(settings: "Settings") -> None:
    """At a terminal the JSON lines go to a file, so that what `run` says to a person stays readable."""
    from core.log import configure_logging

    if not settings.log.file and sys.stderr.isatty():
        log = settings.log.model_copy(update={"file": str(settings.var / "hotline.log")})
        settings = settings.model_copy(update={"log": log})
        out.print(f"logs: {settings.log.file}", style="dim", markup=False)
    configure_logging(settings)


def read_settings() -> "Settings":
    """The settings, and a folder to write to."""
    from core.settings import load_settings
    from core.startup import check_var

    settings = load_settings()
    check_var(settings)
    return settings


def migrate() -> None:
    """Bring the database to this release's tables; changes nothing when it is there."""
    from core import migrate as migrations
    from core.startup import database, prepare

    async def work() -> None:
        async with database(settings) as url:
            before = await migrations.current(url)
            await prepare(url)
            say(f"database: {before or 'empty'} → {await migrations.current(url)}")

    with refusals():
        settings = read_settings()
        asyncio.run(work())


@audit_app.command("verify")
def audit_verify() -> None:
    """Recompute the hash chain of the audit log; status 1 when a row does not fit."""
    from core.startup import database

    async def work() -> bool:
        async with database(settings) as url:
            return await _verify(url)

    with refusals():
        settings = read_settings()
        whole = asyncio.run(work())
    raise typer.Exit(0 if whole else 1)


async def _verify(url: str) -> bool:
    from core import audit
    from core.clock import SystemClock
    from core.db import Database
    from core.events import EventBus

    db = Database(url, clock=SystemClock(), bus=EventBus())
    try:
        async with db.read() as session:
            report = await audit.verify(session)
    finally:
        await db.close()
    if report.ok:
        say(f"audit log: {report.linked} rows linked, {report.unlinked} not yet, head {report.head}")
    else:
        err.print(f"audit log: row {report.broken_at} does not fit the chain", style="bold red")
    return report.ok


def backup(file: Annotated[Path, typer.Argument(help="A new file.")]) -> None:
    """Write the whole database to one file; people may go on working."""
    from core.backup import backup as make
    from core.clock import SystemClock
    from core.startup import database

    async def work() -> None:
        async with database(settings) as url:
            made = await make(url, file, settings, SystemClock())
        size = file.stat().st_size / 1024**2
        say(f"{file}: {sum(made.counts.values())} rows of {len(made.counts)} tables, {size:.1f} MB")
        say("Not in it: the master keys (without them personal values cannot be read) and config files;")
        say("nor the recordings: copy their folders as well. Attachments are in it.")

    with refusals():
        settings = read_settings()
        asyncio.run(work())


def restore(file: Annotated[Path, typer.Argument(help="A backup.")]) -> None:
    """Put a backup into an empty database, compare every table's rows, verify the audit log."""
    from core.backup import restore as put
    from core.startup import database

    async def work() -> bool:
        async with database(settings) as url:
            report = await put(url, file, settings)
            table = Table("table", "backup", "now")
            for name, number in report.manifest.counts.items():
                style = "bold red" if name in report.differences else None
                table.add_row(name, str(number), str(report.counts.get(name, 0)), style=style)
            out.print(table)
            for name in report.wrong_keys:
                err.print(
                    f"{name} key is not the one of the backup: set it before you start", style="bold red"
                )
            for name in report.damaged_files:
                err.print(
                    f"attachment {name} is not what it was: take it from another backup", style="bold red"
                )
            if report.missing_files:
                out.print(f"{report.missing_files} recordings are not here: copy their folders")
            same_chain = await _verify(url)
            whole = not report.differences and not report.wrong_keys and not report.damaged_files
            return same_chain and whole

    with refusals():
        settings = read_settings()
        whole = asyncio.run(work())
    raise typer.Exit(0 if whole else 1)


@admin_app.command("create")
def admin_create(
    login: Annotated[str, typer.Option(prompt=True)],
    name: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    role: Annotated[str, typer.Option(help="system_admin, security_admin or audit_admin.")] = "system_admin",
) -> None:
    """Create the first administrator of a production install (and its city, when there is none)."""
    from core.startup import database, prepare

    async def work() -> None:
        from core.people.first import create_administrator

        async with database(settings) as url:
            await prepare(url)
            user_id = await create_administrator(
                settings, url, login=login, name=name, password=password, role=role
            )
            say(
                f"account {login} ({role}), number {user_id}; its password must be changed at the first login"
            )

    with refusals():
        settings = read_settings()
        asyncio.run(work())
