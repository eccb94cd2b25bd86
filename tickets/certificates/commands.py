"""The command line of the embedded registry: a list is looked at, then taken whole or not at all.

Imports stand inside the command on purpose: `--help` must not load a database driver.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.commands import err, read_settings, refusals, say
from core.errors import HotlineError

if TYPE_CHECKING:
    from rich.progress import Progress

    from core.settings import Settings
    from tickets.certificates.lists import Record

certificates_app = typer.Typer(no_args_is_help=True, help="The embedded registry of certificates.")
SHOWN = 20  # lines that are wrong


@certificates_app.callback()
def _group() -> None:
    """Keeps `import` a word of its own while it is the only command."""


@certificates_app.command("import")
def certificates_import(
    file: Annotated[Path, typer.Argument(help="CSV with 身份证号, 证照种类, 签发机关 (docs/operations.md).")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
) -> None:
    """Take a list into the embedded registry: added or changed, all of it or nothing."""
    from rich.progress import Progress

    with refusals():
        settings = read_settings()
        with Progress(console=err, transient=True) as bar:
            records = _read(file, bar)
            counts = asyncio.run(_take(settings, records, bar, dry_run=dry_run))
    words = f"{counts['new']} new, {counts['changed']} changed, {counts['same']} as they were"
    say(f"{file}: {words}{'; nothing was written (--dry-run)' if dry_run else ''}")
    if settings.certificates.registry != "embedded":
        say(f'certificates.registry is "{settings.certificates.registry}": nothing asks this registry now')


def _read(file: Path, bar: "Progress") -> "list[Record]":
    """The records of a file. Raises `certificate_lines` when a line is wrong; each is named before."""
    from core import csv_files
    from tickets.certificates import lists

    sheet = csv_files.read(file)
    task = bar.add_task("lines", total=len(sheet.rows))
    records, wrong = [], 0
    for said in lists.said(sheet.heads, sheet.rows):
        bar.advance(task)
        if said.record is not None:
            records.append(said.record)
            continue
        wrong += 1
        if wrong <= SHOWN:
            err.print(f"line {said.line}: {lists.WRONG[said.wrong][1]}", markup=False, soft_wrap=True)
    if wrong:
        raise HotlineError("certificate_lines", file=str(file), wrong=wrong)
    if not records:
        raise HotlineError("table_empty", file=str(file))
    return records


async def _take(
    settings: "Settings", records: "list[Record]", bar: "Progress", *, dry_run: bool
) -> Counter[str]:
    from core.clock import SystemClock
    from core.db import Database
    from core.events import EventBus
    from core.privacy import Vault
    from core.startup import database, prepare
    from tickets.certificates import register

    task = bar.add_task("certificates", total=len(records))
    vault = Vault(settings)
    async with database(settings) as url:
        await prepare(url)
        db = Database(url, clock=SystemClock(), bus=EventBus())
        try:
            if dry_run:
                async with db.read() as session:
                    return Counter(
                        await register.effects(
                            session, vault, records, lambda n: bar.update(task, completed=n)
                        )
                    )
            async with db.begin() as uow:
                return await register.take(uow, None, vault, records, lambda n: bar.update(task, completed=n))
        finally:
            await db.close()
