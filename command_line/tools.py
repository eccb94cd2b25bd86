"""`test` and `bench`: what an engineer runs beside the product, each in a Python of its own."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.commands import out

ROOT = Path(__file__).resolve().parent.parent


def test(context: typer.Context) -> None:
    """Run every test this machine can run; further words go to pytest."""
    from tests.abilities import ABILITIES

    os.chdir(ROOT)
    missing = [ability for ability in ABILITIES if not ability.present()]
    arguments = [sys.executable, "-m", "pytest", *(context.args or [])]
    status = os.spawnve(os.P_WAIT, sys.executable, arguments, {**os.environ, "PYTHONPATH": str(ROOT)})  # noqa: S606 - our own interpreter
    for ability in missing:
        out.print(
            f"skipped: {ability.tests} ({ability.name}). Enable: {ability.enable}",
            markup=False,
            soft_wrap=True,
        )
    raise typer.Exit(status)


def bench(context: typer.Context, name: Annotated[str, typer.Argument()] = "") -> None:
    """Run a measurement of the folder bench; without a name, list them."""
    found = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem[0] != "_")
    if name not in found:
        out.print("measurements: " + ", ".join(found))
        raise typer.Exit(2 if name else 0)
    arguments = [sys.executable, "-m", f"bench.{name}", *context.args]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    raise typer.Exit(os.spawnve(os.P_WAIT, sys.executable, arguments, environment))  # noqa: S606 - our own interpreter
