"""`corpus`: writes the starter corpus as CSV.

Imports stand inside the command on purpose: `--help` must not load the matters.
"""

from pathlib import Path
from typing import Annotated

import typer

from core.commands import out, refusals, say
from core.errors import HotlineError


def corpus(
    file: Annotated[Path, typer.Option("--out", help="The CSV file to write.")],
    size: Annotated[int, typer.Option(min=1, max=100_000, help="How many texts.")] = 6000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same file, byte for byte.")] = 12345,
) -> None:
    """Write the starter corpus: synthetic texts about every matter of the demo city, for training."""
    from itertools import islice

    from rich.progress import track

    from classifier.starter import leaves, texts, write

    with refusals():
        try:
            with file.open("w", encoding="utf-8", newline="") as stream:
                made = track(islice(texts(seed), size), "corpus", total=size, console=out, transient=True)
                number = write(made, stream)
        except OSError as error:
            raise HotlineError("file_unwritable", file=str(file), why=error.strerror or str(error)) from None
    say(f"{file}: {number} synthetic texts about {len(leaves())} matters")
