"""`doctor`: looks at this machine and installation.

Imports stand inside on purpose: `--help` must not load a database driver.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from core.commands import out, read_settings, refusals

if TYPE_CHECKING:
    from core.doctor import Check, Level
    from core.settings import Settings

MARKS: "dict[Level, str]" = {
    "ok": "[green]ok  [/green]",
    "warn": "[yellow]warn[/yellow]",
    "fail": "[bold red]fail[/bold red]",
}


def doctor() -> None:
    """Look at this machine and installation; say what is wrong and what helps."""
    with refusals():
        levels = asyncio.run(_examine(read_settings()))
    raise typer.Exit(1 if "fail" in levels else 0)


async def _examine(settings: "Settings") -> "set[Level]":
    from core.doctor import database_checks, machine_checks
    from core.startup import database
    from sla.doctor import calendar_check, pack_check
    from telephony.doctor import pbx_checks

    own = [calendar_check(settings), pack_check(settings), *pbx_checks(settings)]
    levels = await _show([*machine_checks(settings), *own])
    async with database(settings) as url:
        return levels | await _show(database_checks(url))


async def _show(checks: "Sequence[Check]") -> "set[Level]":
    """Ask one after the other, each told as soon as it is known."""
    from core.doctor import examine

    levels = set()
    async for finding in examine(checks):
        levels.add(finding.level)
        out.print(f"{MARKS[finding.level]} {finding.name}: {escape(finding.text)}", soft_wrap=True)
        if finding.help:
            out.print(f"     {finding.help}", markup=False, soft_wrap=True)
    return levels
