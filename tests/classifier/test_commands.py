"""The three commands on files as people have them: every problem is told, nothing is lost."""

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from commands import app
from tests.classifier.texts import examples

RUNNER = CliRunner()
HEADS = ("title", "detail", "label")


def write(
    file: Path, rows: Sequence[Sequence[str]], encoding: str = "utf-8", heads: Sequence[str] = HEADS
) -> Path:
    with file.open("w", encoding=encoding, newline="") as target:
        csv.writer(target).writerows([heads, *rows])
    return file


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source))


def texts(number: int = 60, seed: int = 7) -> list[list[str]]:
    return [[one.title, one.detail, one.labels[0]] for one in examples(number, seed)]


def run(*words: object) -> tuple[int, str]:
    """Exit status and everything that was said, lines joined."""
    done = RUNNER.invoke(app, [str(word) for word in words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_model_is_trained_and_judges_a_file_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    data = write(tmp_path / "data.csv", texts(), encoding)
    assert run("train", "--data", data, "--out", tmp_path / "m", "--folds", 2)[0] == 0
    asked = write(tmp_path / "in.csv", [row[:2] for row in texts(10, 3)], encoding, HEADS[:2])
    status, told = run(
        "predict", "--model", tmp_path / "m", "--input", asked, "--output", tmp_path / "out.csv"
    )
    assert (status, "10 rows" in told) == (0, True)
    rows = read(tmp_path / "out.csv")
    assert list(rows[0])[:7] == ["title", "detail", "label", "probability", "second", "third", "reasons"]
    assert [row["title"] for row in rows] == [row[0] for row in texts(10, 3)]
    assert sum(row["label"] == wanted[2] for row, wanted in zip(rows, texts(10, 3), strict=True)) >= 9
    assert all(0 < float(row["probability"]) <= 1 for row in rows)


def test_bad_rows_are_told_by_line_and_come_back_unjudged(tmp_path: Path, folder: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(
        'title,detail\n油烟扰民,餐馆油烟直排\n,\n"两行\n标题",占道\n一,二,三\n只有标题\n"😀",""\n',
        encoding="utf-8",
    )
    status, told = run("predict", "--model", folder, "--input", file, "--output", tmp_path / "out.csv")
    assert status == 0
    assert "line 3: there is no text" in told
    assert "line 6: 3 cells instead of 2" in told
    assert "line 7: 1 cells instead of 2" in told
    rows = read(tmp_path / "out.csv")
    assert [bool(row["label"]) for row in rows] == [True, False, True, False, False, True]
    assert rows[2]["title"] == "两行\n标题"
    assert rows[5]["gate"].startswith("manual")


def test_a_cell_of_a_megabyte_is_judged(tmp_path: Path, folder: Path) -> None:
    file = write(tmp_path / "in.csv", [["油烟", "餐馆油烟直排。" * 150_000]], heads=HEADS[:2])
    assert run("predict", "--model", folder, "--input", file, "--output", tmp_path / "out.csv")[0] == 0


def test_training_passes_over_rows_without_text_or_label(tmp_path: Path) -> None:
    rows = [*texts(), ["有标题", "没有类别", ""], ["", "", "010203"]]
    status, told = run(
        "train", "--data", write(tmp_path / "d.csv", rows), "--out", tmp_path / "m", "--folds", 2
    )
    assert status == 0
    assert "line 62: label is empty" in told
    assert "line 63: there is no text" in told
    assert "60 texts" in told


@pytest.mark.parametrize(
    ("rows", "options", "sentence"),
    [
        ([[a, b, "one"] for a, b, _ in texts()], (), 'Every text has the label "one"'),
        (texts(4), (), "4 usable texts are too few"),
        (texts(), ("--label-column", "kind"), "has no column kind"),
        (texts(), ("--group-column", "twin"), "has no column twin"),
        (texts(), ("--text-columns", "a,b,c"), "does not name the text columns"),
        (texts(), ("--folds", "1"), "not a number of folds"),
        (texts(), ("--precision", "98"), "not a precision"),
        (texts(), ("--level-digits", "11"), "cannot be a level"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence_and_status_2(
    tmp_path: Path, rows: list[list[str]], options: tuple[str, ...], sentence: str
) -> None:
    data = write(tmp_path / "d.csv", rows)
    status, told = run("train", "--data", data, "--out", tmp_path / "m", *options)
    assert (status, sentence in told) == (2, True), told
    assert "Help:" in told
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "holds no rows"),
        (b"\x81\xff\xff\x00\x99", "neither UTF-8 nor GB18030"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(
    tmp_path: Path, folder: Path, raw: bytes | None, sentence: str
) -> None:
    file = tmp_path / "in.csv"
    if raw is not None:
        file.write_bytes(raw)
    status, told = run("predict", "--model", folder, "--input", file, "--output", tmp_path / "o.csv")
    assert (status, sentence in told) == (2, True), told


def test_a_tampered_model_is_refused_with_a_sentence(tmp_path: Path, folder: Path) -> None:
    raw = bytearray((folder / "arrays.npz").read_bytes())
    raw[-200] ^= 1
    (folder / "arrays.npz").write_bytes(raw)
    file = write(tmp_path / "in.csv", texts(3))
    status, told = run("predict", "--model", folder, "--input", file, "--output", tmp_path / "o.csv")
    assert (status, "was changed after it was made (arrays.npz); it is refused" in told) == (2, True), told


def test_a_model_is_evaluated_with_labels_it_does_not_know(tmp_path: Path, folder: Path) -> None:
    rows = [*texts(40, 11), ["天空", "飞碟降落", "990101"]]
    out = tmp_path / "figures"
    status, told = run("evaluate", "--model", folder, "--data", write(tmp_path / "d.csv", rows), "--out", out)
    assert status == 0
    assert "does not know the label 990101 (1 texts)" in told
    figures = json.loads((out / "figures.json").read_text())
    assert figures["unknown_labels"] == 1
    assert figures["accuracy"] < 1 <= figures["levels"]["3"] + 0.1
    counts = read(out / "confusion.csv")
    assert counts[-1]["right \\ predicted"] == "(unknown)"
    assert sum(int(value) for row in counts for value in list(row.values())[1:]) == 41
    mistakes = read(out / "mistakes.csv")
    assert [row["line"] for row in mistakes if row["label"] == "990101"] == ["42"]
    with Image.open(out / "confusion.png") as picture:
        assert picture.width > 300
    assert {row["label"] for row in read(out / "classes.csv")} == {one.labels[0] for one in examples()}


def test_folds_of_a_file_are_evaluated_without_a_model(tmp_path: Path) -> None:
    data = write(tmp_path / "d.csv", texts(90))
    status, told = run("evaluate", "--data", data, "--folds", 3, "--json")
    assert status == 0
    figures = json.loads(told[told.index("{") :])
    assert figures["texts"] == 90
    assert figures["accuracy"] > 0.9
    assert run("evaluate", "--data", data)[0] == 2
    assert run("evaluate", "--data", data, "--folds", 3, "--model", tmp_path)[0] == 2


def test_several_label_columns_are_one_decision(tmp_path: Path) -> None:
    rows = [[one.title, one.detail, *one.labels] for one in examples(80)]
    heads = ("title", "detail", "category", "type", "urgency")
    data = write(tmp_path / "d.csv", rows, heads=heads)
    columns = [word for name in heads[2:] for word in ("--label-column", name)]
    model = tmp_path / "m"
    assert run("train", "--data", data, "--out", model, "--folds", 2, "--level-digits", 2, *columns)[0] == 0
    assert run("predict", "--model", model, "--input", data, "--output", tmp_path / "o.csv")[0] == 0
    judged = read(tmp_path / "o.csv")
    assert {row["label type"] for row in judged} == {"咨询", "投诉"}
    status, told = run("evaluate", "--model", model, "--data", data, *columns)
    assert status == 0
    assert "accuracy of type" in told
    assert "accuracy by level: 1:" in told


@pytest.mark.skipif(
    not Path(os.environ.get("HOTLINE_TEXTS") or os.devnull).is_dir(),
    reason="HOTLINE_TEXTS names no folder of texts",
)
def test_a_part_of_the_real_texts_is_learnt(tmp_path: Path) -> None:
    with (Path(os.environ["HOTLINE_TEXTS"]) / "messages7.csv").open(
        encoding="utf-8-sig", newline=""
    ) as source:
        rows = list(csv.DictReader(source))
    parts: list[list[list[str]]] = [[], []]
    for row in rows:
        if int(row["group"]) % 4 == 0:  # a quarter of the groups
            cells = [row["title"], row["detail"], row["label"]]
            parts[int(row["group"]) % 12 == 0].append(cells)
    train, test = (write(tmp_path / f"{place}.csv", part) for place, part in enumerate(parts))
    assert run("train", "--data", train, "--out", tmp_path / "m", "--folds", 3)[0] == 0
    status, told = run("evaluate", "--model", tmp_path / "m", "--data", test, "--json")
    figures = json.loads(told[told.index("{") :])
    assert status == 0
    assert figures["macro_f1"] > 0.8
    assert figures["top3"] > 0.95
