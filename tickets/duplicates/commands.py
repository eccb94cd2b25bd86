"""The command line of clusters: a file of messages in, the same with a column `cluster` out.

Imports stand inside the command on purpose: `--help` must not load numpy.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.commands import err, refusals, say
from core.errors import HotlineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tickets.duplicates.ranking import Ranked
    from tickets.duplicates.table import Problem, Sheet

MOST_PROBLEMS = 20
_SENTENCES = {
    "too_many_fields": "more fields than the header names; kept as it is, without a cluster",
    "no_text": "no text; kept as it is, without a cluster",
    "time_unreadable": "the time cannot be read; grouped without it",
}


def clusters(
    source: Annotated[Path, typer.Option("--input", help="CSV of messages, UTF-8 or GB18030.")],
    target: Annotated[Path, typer.Option("--output", help="Where to write it, with a column `cluster`.")],
    columns: Annotated[
        str,
        typer.Option(help="What an unusually named column has: title=主题,detail=正文,user=号码,time=…,up=…"),
    ] = "",
    top: Annotated[int, typer.Option(min=1, help="How many clusters to print.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ranking as JSON.")] = False,
) -> None:
    """Group messages about the same matter (群诉) and rank the groups by how many people wrote."""
    from tickets.duplicates import table

    with refusals():
        if not target.parent.is_dir():
            raise HotlineError("table_unwritable", file=str(target), why="there is no such folder")
        sheet = table.read(source, _named(columns))
        order = _grouped(sheet, target)
    for problem in sheet.problems[:MOST_PROBLEMS]:
        err.print(_sentence(problem), markup=False, soft_wrap=True)
    if len(sheet.problems) > MOST_PROBLEMS:
        err.print(f"… and {len(sheet.problems) - MOST_PROBLEMS} more lines like these", markup=False)
    if as_json:
        from tickets.duplicates.ranking import as_data

        print(json.dumps(as_data(order, top), ensure_ascii=False, indent=1))
        return
    _show(order[:top])
    say(
        f"{len(sheet.messages)} of {len(sheet.given.rows)} rows in {len(order)} clusters; written to {target}"
    )


def _grouped(sheet: "Sheet", target: Path) -> "list[Ranked]":
    from rich.progress import Progress

    from tickets.duplicates import table
    from tickets.duplicates.clustering import clusters as group
    from tickets.duplicates.features import features
    from tickets.duplicates.ranking import ranked, renumbered

    many = len(sheet.messages)
    with Progress(console=err, transient=True) as bar:
        reading = bar.add_task("words", total=many)
        texts = []
        for one in sheet.messages:
            texts.append(features(one.title, one.detail))
            bar.advance(reading)
        grouping = bar.add_task("groups", total=many)
        labels = group(texts, lambda done: bar.update(grouping, completed=done))
        bar.update(grouping, completed=many)
    order = ranked(sheet.messages, labels)
    places = renumbered(order)
    numbers = {one.row: places[label] for one, label in zip(sheet.messages, labels, strict=True)}
    table.write(target, sheet, numbers)
    return order


def _named(columns: str) -> dict[str, str]:
    """`title=主题,user=号码` as a mapping. Raises `table_columns_unclear`."""
    named: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in columns.split(","))):
        what, sign, name = (part.strip() for part in pair.partition("="))
        if not (what and sign and name):
            raise HotlineError("table_columns_unclear", given=pair)
        named[what] = name
    return named


def _sentence(problem: "Problem") -> str:
    return f"line {problem.line}: {_SENTENCES[problem.code]}"


def _show(order: "Sequence[Ranked]") -> None:
    say("cluster  users  messages   heat  from        to          up/down      place, example")
    for number, one in enumerate(order, 1):
        first, last = (f"{at:%Y-%m-%d}" if at else "-" for at in (one.first, one.last))
        figures = f"{number:7d}  {one.users:5d}  {one.messages:8d}  {one.heat:5.1f}"
        said = f"+{one.up} -{one.down}"
        say(f"{figures}  {first:10}  {last:10}  {said:11}  {one.place or '-'}  {one.example}")
