"""A file of texts judged row by row; every row comes back, in order, also those that could not be judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.advice import Advice
from classifier.examples import Problem, texts
from classifier.model import Model
from core.csv_files import Sheet

ADDED = ("label", "probability", "second", "third", "reasons", "gate")


@dataclass(frozen=True)
class Predicted:
    """Heads and rows of the file to write, what could not be judged, how many rows took which gate."""

    heads: list[str]
    rows: list[list[str]]
    problems: list[Problem]
    gates: dict[str, int]


def predict(
    model: Model,
    sheet: Sheet,
    file: Path,
    columns: Sequence[str],
    precision: float,
    progress: Callable[[int], None],
) -> Predicted:
    """Judge each row. Columns of the same name as ours in the file are kept as `given …`. Raises
    table_column.
    """
    others = model.parts.leaves.columns[1:]
    added = [*ADDED, *(name for other in others for name in (f"label {other}", f"probability {other}"))]
    heads = [f"given {head}" if head in added else head for head in sheet.heads]
    rows, problems = [], []
    gates: dict[str, int] = {}
    for done, (row, text, problem) in enumerate(texts(sheet, file, columns), 1):
        if problem:
            problems.append(Problem(row.line, problem))
            rows.append([*row.cells, *[""] * len(added)])
            continue
        advice = model.suggest(text.title, text.detail, precision)
        gates[advice.gate] = gates.get(advice.gate, 0) + 1
        rows.append([*row.cells, *_told(advice, others)])
        progress(done)
    return Predicted([*heads, *added], rows, problems, gates)


def _told(advice: Advice, others: Sequence[str]) -> list[str]:
    second, third = ([label for label, _ in advice.top[1:]] + ["", ""])[:2]
    reasons = " ".join(f"{reason.word}:{reason.weight:.2f}" for reason in advice.reasons)
    gate = f"{advice.gate} ({advice.why})"
    told = [advice.label, f"{advice.probability:.4f}", second, third, reasons, gate]
    for other in others:
        label, probability = advice.others[other]
        told += [label, f"{probability:.4f}"]
    return told
