"""`due`: when a limit is over, and why.

Imports stand inside the commands on purpose: `--help` must not load a database driver.
"""

import asyncio
import json
from typing import Annotated

import typer

from core.commands import refusals, say


def due(
    start: Annotated[str, typer.Option(help="2026-09-28T10:00+08:00; without a zone: the city's time.")],
    limit: Annotated[str, typer.Option(help="10wd, 4wh (working hours), 24h, 15m.")],
    calendar: Annotated[
        str, typer.Option(help="city: as in force; national: no days of the city; or a file of days.")
    ] = "city",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """When a limit is over, and why: every day skipped, every make-up day counted."""
    from core.clock import to_city
    from core.settings import load_settings
    from sla import clocks, explain, sources
    from sla.stored import in_use

    with refusals():
        begin, length, settings = clocks.parse_start(start), clocks.parse_limit(limit), load_settings()
        if calendar == "city":
            used = asyncio.run(in_use(settings))
            days, source = used.calendar, used.calendar_from
        else:
            days, source = sources.named_calendar(settings.city, calendar), calendar
        told = explain.explain(days, begin, length)
    if as_json:
        data = {"calendar": calendar, "calendar_from": source, **explain.as_data(told)}
        print(json.dumps(data, ensure_ascii=False, indent=1))
        return
    say(f"due {to_city(told.due):%Y-%m-%d %H:%M}")
    say(explain.in_chinese(told))
    say(explain.in_english(told))
    say(f"calendar: {source}")
