"""The command line of the model: train, predict, evaluate.

Imports stand inside the commands on purpose: `--help` must not load numpy.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.commands import err, out, refusals, say
from core.errors import HotlineError

if TYPE_CHECKING:
    from classifier.evaluate import Evaluated
    from classifier.examples import Labelled, Problem
    from classifier.labels import Levels
    from classifier.model import Model
    from classifier.train import Options

FONT: Path | None = None  # of pictures; the command line names the one that is shipped
_TOLD = 20
STEPS = {"texts": "texts cut", "near-duplicates": "near-duplicates", "folds": "models fitted"}

TextColumns = Annotated[str, typer.Option(help="Columns of the title and the detail; one name: no detail.")]
LabelColumns = Annotated[
    list[str] | None,
    typer.Option("--label-column", help="Column of the label; repeat it for request type, urgency."),
]
GroupColumn = Annotated[
    str, typer.Option(help="Column of near-duplicates; without: a column `group`, else they are found.")
]
Separator = Annotated[str, typer.Option(help="What stands between the levels of a label, such as /.")]
Digits = Annotated[int, typer.Option(help="Digits of one level of a code, such as 2 for 010203.")]
Folds = Annotated[int, typer.Option(help="Parts the texts are cut into.")]
Seed = Annotated[int, typer.Option(help="The same texts, options and seed: the same model, byte for byte.")]
Precision = Annotated[float, typer.Option(help="Wanted of answers that go without a person.")]


def add_to(app: typer.Typer, font: Path) -> None:
    """Make these commands part of the command line; `font` has Chinese characters."""
    global FONT
    FONT = font
    for command in (train, predict, evaluate):
        app.command()(command)


def train(
    data: Annotated[Path, typer.Option("--data", help="CSV with a line of heads.")],
    out_: Annotated[Path, typer.Option("--out", help="Folder of the model; a model there is replaced.")],
    text_columns: TextColumns = "title,detail",
    label_column: LabelColumns = None,
    group_column: GroupColumn = "",
    time_column: Annotated[str, typer.Option(help="Column of dates, for the span on the card.")] = "",
    label_separator: Separator = "",
    level_digits: Digits = 0,
    folds: Folds = 5,
    seed: Seed = 20261123,
    precision: Precision = 0.98,
    dictionary: Annotated[
        Path | None, typer.Option(help="Words of this city, instead of those shipped.")
    ] = None,
) -> None:
    """Train a model: calibrated, with thresholds for a wanted precision, near-duplicates kept together."""
    with refusals():
        from classifier import store
        from classifier.card import card
        from classifier.train import prepare
        from classifier.train import train as make

        options = _options(label_column, label_separator, level_digits, folds, seed, precision, dictionary)
        found = _labelled(data, text_columns, options.columns, group_column)
        span = _span(data, time_column) if time_column else None
        with _bars() as progress:
            parts = make(prepare(found.examples, options, progress), progress=progress)
        digest = store.save(parts, card(parts, span), out_)
        told = parts.about["figures"]
        wanted = told["coverage"][f"{precision:g}"]
        say(f"{out_}: {parts.about['texts']} texts, {len(parts.leaves.names)} labels, digest {digest[:12]}")
        say(
            f"out of fold: accuracy {told['accuracy']:.3f}, macro-F1 {told['macro_f1']:.3f}, "
            f"top-3 {told['top3']:.3f}, calibration error {told['calibration_error']:.3f}"
        )
        say(
            f"at {precision:.0%} promised: {wanted['coverage']:.3f} of the texts, "
            f"delivered {wanted['delivered'] or 0:.3f}; see {out_ / 'card.md'}"
        )


def predict(
    model: Annotated[Path, typer.Option(help="Folder of a model.")],
    input_: Annotated[Path, typer.Option("--input", help="CSV with a line of heads.")],
    output: Annotated[Path, typer.Option(help="CSV to write: the same rows and what the model says.")],
    text_columns: TextColumns = "title,detail",
    precision: Precision = 0.98,
) -> None:
    """Add label, probability, second, third, reasons and gate to every row of a file."""
    with refusals():
        from classifier import predicting
        from classifier.examples import text_columns as named
        from classifier.model import Model
        from core import csv_files

        _check_precision(precision)
        loaded = Model.load(model)
        sheet = csv_files.read(input_)
        with _bars() as progress:
            done = predicting.predict(
                loaded,
                sheet,
                input_,
                named(text_columns),
                precision,
                lambda at: progress("texts", at, len(sheet.rows)),
            )
        csv_files.write(output, done.heads, iter(done.rows))
        _say_problems(input_, done.problems)
        gates = ", ".join(f"{number} {gate}" for gate, number in done.gates.items())
        say(f"{output}: {len(done.rows)} rows; {gates or 'none judged'}")


def evaluate(
    data: Annotated[Path, typer.Option("--data", "--input", help="CSV with labels.")],
    model: Annotated[Path | None, typer.Option(help="Folder of a model; without: give --folds.")] = None,
    out_: Annotated[
        Path | None, typer.Option("--out", help="Folder for the tables, the picture and the mistakes.")
    ] = None,
    text_columns: TextColumns = "title,detail",
    label_column: LabelColumns = None,
    group_column: GroupColumn = "",
    folds: Annotated[int, typer.Option(help="Train on parts of the file, ask about the rest.")] = 0,
    label_separator: Separator = "",
    level_digits: Digits = 0,
    seed: Seed = 20261123,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Figures of a model on a file (--model), or of models trained on parts of it (--folds 5)."""
    with refusals():
        from classifier import evaluate as judge
        from classifier.model import Model

        if (model is None) == (not folds):
            raise HotlineError("evaluate_what")
        options = _options(label_column, label_separator, level_digits, folds or 5, seed, 0.98, None)
        loaded = Model.load(model) if model else None
        found = _labelled(data, text_columns, options.columns, group_column)
        if not found.examples:
            raise HotlineError("evaluate_nothing", file=str(data))
        judged = _judged(loaded, found, options, folds)
        figures = judge.figures(judged, found.examples)
        files = _write(judged, found, figures, out_) if out_ else []
        if as_json:
            print(json.dumps(figures, ensure_ascii=False, indent=1))
            return
        _say_figures(figures, judge.unknown(judged, found.examples))
        for file in files:
            say(f"written: {file}")


def _judged(loaded: "Model | None", found: "Labelled", options: "Options", folds: int) -> "Evaluated":
    """What the model says of each text; without one, models trained on the other parts."""
    from classifier import evaluate as judge
    from classifier.train import prepare

    with _bars() as progress:
        if loaded:
            return judge.of_model(
                loaded, found.examples, lambda at: progress("texts", at, len(found.examples))
            )
        return judge.of_folds(prepare(found.examples, options, progress), folds, progress)


def _options(
    labels: Sequence[str] | None,
    separator: str,
    digits: int,
    folds: int,
    seed: int,
    precision: float,
    dictionary: Path | None,
) -> "Options":
    from classifier.calibration import PRECISIONS
    from classifier.train import Options

    _check_precision(precision)
    if not 2 <= folds <= 20:
        raise HotlineError("folds_range", given=folds)
    try:
        words = dictionary.read_text(encoding="utf-8-sig") if dictionary else None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise HotlineError("table_unreadable", file=str(dictionary), why=why) from None
    return Options(
        columns=tuple(labels or ("label",)),
        levels=_levels(separator, digits),
        folds=folds,
        seed=seed,
        precisions=tuple(sorted({*PRECISIONS, precision})),
        dictionary=words,
    )


def _levels(separator: str, digits: int) -> "Levels":
    from classifier.labels import Levels

    if not 0 <= digits <= 9:
        raise HotlineError("levels_width", given=digits)
    return Levels(separator, digits)


def _check_precision(precision: float) -> None:
    if not 0.5 <= precision <= 0.999:
        raise HotlineError("precision_range", given=precision)


def _labelled(file: Path, text_columns: str, labels: Sequence[str], group: str) -> "Labelled":
    """The usable rows; what is wrong with others is told. A column `group` is used when nothing else is
    named.
    """
    from classifier.examples import labelled
    from classifier.examples import text_columns as named
    from core import csv_files

    sheet = csv_files.read(file)
    group = group or ("group" if "group" in sheet.heads else "")
    found = labelled(sheet, file, named(text_columns), labels, group or None)
    _say_problems(file, found.problems)
    return found


def _span(file: Path, column: str) -> tuple[str, str] | None:
    """First and last value of a column of dates that are written year first."""
    from core import csv_files

    sheet = csv_files.read(file)
    place = sheet.place(column, file)
    days = sorted(cell for row in sheet.rows if (cell := row.cells[place].strip()))
    return (days[0][:10], days[-1][:10]) if days else None


def _say_problems(file: Path, problems: "Sequence[Problem]") -> None:
    for problem in problems[:_TOLD]:
        err.print(f"{file}: line {problem.line}: {problem.what}; passed over", markup=False, soft_wrap=True)
    if len(problems) > _TOLD:
        err.print(f"{file}: {len(problems) - _TOLD} more rows passed over", markup=False, soft_wrap=True)


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for each step that tells of itself."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=err, transient=True) as bars:

        def tell(step: str, done: int, most: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(STEPS[step], total=most)
            bars.update(tasks[step], completed=done, total=most)

        yield tell


def _write(judged: "Evaluated", found: "Labelled", figures: dict[str, Any], folder: Path) -> list[Path]:
    from classifier import evaluate as judge
    from classifier import measure, picture

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HotlineError("table_unwritable", file=str(folder), why=error.strerror or "?") from None
    files = judge.write(judged, found.examples, found.lines, folder)
    names, counts = measure.confusion(judged.answers)
    assert FONT is not None
    picture.draw(names, judged.answers.names, counts, FONT, folder / "confusion.png")
    told = json.dumps(figures, ensure_ascii=False, indent=1) + "\n"
    (folder / "figures.json").write_text(told, encoding="utf-8")
    return [*files, folder / "confusion.png", folder / "figures.json"]


def _say_figures(figures: dict[str, Any], unknown: dict[str, int]) -> None:
    from rich.table import Table

    for name in ("texts", "accuracy", "macro_f1", "top3", "calibration_error"):
        say(f"{name.replace('_', ' ')}: {figures[name]}")
    for promised, one in figures["coverage"].items():
        delivered = "nothing" if one["delivered"] is None else f"{one['delivered']:.4f}"
        say(f"at {float(promised):.0%} promised: coverage {one['coverage']:.4f}, delivered {delivered}")
    if len(figures["levels"]) > 1:
        say("accuracy by level: " + ", ".join(f"{key}: {value}" for key, value in figures["levels"].items()))
    for column, share in figures["others"].items():
        say(f"accuracy of {column}: {share}")
    table = Table(
        "label", "texts", "precision", "recall", "F1", "auto 98 %", "delivered", box=None, pad_edge=False
    )
    for row in figures["classes"]:
        delivered = row["delivered_0.98"]
        cells = (row["texts"], row["precision"], row["recall"], row["f1"], row["automatic_0.98"])
        table.add_row(row["label"], *map(str, cells), "-" if delivered is None else str(delivered))
    out.print(table)
    for label, number in sorted(unknown.items(), key=lambda one: -one[1])[:_TOLD]:
        err.print(f"the model does not know the label {label} ({number} texts)", markup=False, soft_wrap=True)
