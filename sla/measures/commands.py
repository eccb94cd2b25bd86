"""The command line of the figures: verify, recount.

Imports stand inside the commands on purpose: `--help` must not load a database driver.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from core.commands import err, read_settings, refusals, say
from core.errors import HotlineError

if TYPE_CHECKING:
    from sla.measures.periods import Period
    from sla.measures.replay import Fact
    from sla.measures.verify import Verdict

measures_app = typer.Typer(no_args_is_help=True, help="Figures, their facts and their sums.")


@measures_app.command("verify")
def measures_verify(
    first: Annotated[
        str, typer.Option("--from", help="First day, as 2026-09-01; without: from the start.")
    ] = "",
    last: Annotated[str, typer.Option("--to", help="Last day; without: to the end.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Recount figures from raw history and say what is kept otherwise; exit status 1 if anything is."""
    from rich.progress import Progress

    from core.clock import SystemClock
    from core.db import Database
    from core.events import EventBus
    from core.startup import database, prepare
    from sla.measures import verify

    async def work() -> verify.Verdict:
        async with database(settings) as url:
            await prepare(url)
            db = Database(url, clock=SystemClock(), bus=EventBus())
            try:
                with Progress(console=err, transient=True) as bar:
                    task = bar.add_task("figures", total=None)
                    return await verify.verify(
                        db, period, lambda done, most: bar.update(task, completed=done, total=most)
                    )
            finally:
                await db.close()

    with refusals():
        period = _period(first, last)
        settings = read_settings()
        found = asyncio.run(work())
    if as_json:
        print(json.dumps(verify.as_data(found), ensure_ascii=False, indent=1))
    else:
        _say_verdict(found)
    raise typer.Exit(0 if found.right else 1)


def _period(first: str, last: str) -> "Period":
    """The days asked for; raises `bad_day`."""
    from datetime import date

    from sla.measures.periods import FIRST_DAY, LAST_DAY, Period

    days = []
    for text, default in ((first, FIRST_DAY), (last, LAST_DAY)):
        try:
            days.append(date.fromisoformat(text) if text else default)
        except ValueError:
            raise HotlineError("bad_day", day=text[:40]) from None
    if days[1] < days[0]:
        raise HotlineError("bad_day", day=f"{days[0]} – {days[1]}")
    return Period(*days)


def _say_verdict(found: "Verdict") -> None:
    """The first differences and how many there are."""
    for one in found.first[:20]:
        what = "record" if one.record else "ticket"
        say(
            f"{what} {one.ref_id}: {one.key[0]} {one.key[1]} is {_told(one.kept)}, "
            f"history says {_told(one.told)}"
        )
    for sum_ in found.sums[:20]:
        where = f"{sum_.day} {sum_.code} {sum_.scope} {sum_.key}".rstrip()
        say(f"sum {where}: {sum_.kept} is kept, {sum_.told} facts")
    say(
        f"figures: {found.tickets} tickets and {found.records} records recounted, "
        f"{found.facts} facts and {len(found.sums)} sums differ"
    )


def _told(fact: "Fact | None") -> str:
    if fact is None:
        return "missing"
    return f"{fact.day} unit {fact.unit_id} category {fact.category_id}{' left out' if fact.left_out else ''}"


@measures_app.command("recount")
def measures_recount() -> None:
    """Have the leader count everything anew from history, beside its work; what is right stays untouched."""
    from core.clock import SystemClock
    from core.db import Database
    from core.events import EventBus
    from core.startup import database, prepare
    from sla.measures.recount import start_over

    async def work() -> None:
        async with database(settings) as url:
            await prepare(url)
            db = Database(url, clock=SystemClock(), bus=EventBus())
            try:
                async with db.begin() as uow:
                    await start_over(uow)
            finally:
                await db.close()

    with refusals():
        settings = read_settings()
        asyncio.run(work())
    say("figures: counted anew by the running node; until then pages say so")
