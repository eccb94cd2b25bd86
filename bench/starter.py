"""How far the starter corpus alone carries: a model trained on synthetic texts, asked about real ones.

Trained on the leaves of the demo city's tree with nothing but `classifier.starter`; asked about the real
texts of HOTLINE_TEXTS, `messages7.csv`, whose seven classes are met by a map from the codes
(`starter_classes.csv`: the longest prefix counts). Figures are given twice: *forced*, where only leaves
of the seven classes may answer, and *free*, where an answer outside of them is simply wrong. For
comparison: leaves and first levels on synthetic texts whose leading phrase was never seen.

    HOTLINE_TEXTS=FOLDER python -m bench.starter [--size 6000] [--seed 12345]
"""

import argparse
import csv
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jieba
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, classification_report, f1_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC

from bench._report import console, finish, machine
from classifier.starter import SEED, SIZE, generate

jieba.setLogLevel("WARNING")
CLASSES = Path(__file__).with_name("starter_classes.csv")
TARGET = 0.65
Scores = np.ndarray[Any, np.dtype[np.float64]]


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV with a heading."""
    csv.field_size_limit(2**24)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def class_of(code: str, prefixes: dict[str, str]) -> str | None:
    """The class of a leaf by the longest prefix that has one; None: outside of them."""
    return next((prefixes[code[:n]] for n in range(len(code), 0, -1) if code[:n] in prefixes), None)


def joined(title: str, detail: str) -> str:
    """What the model reads: the title counts twice."""
    return f"{title}\n{title}\n{detail}"


def words(text: str) -> Iterator[str]:
    """The words of `text` as a search engine would cut them."""
    return (word for word in jieba.cut_for_search(text) if word.strip())


def model() -> Pipeline:
    """Search-mode words and characters 1–2, a linear separator with balanced classes."""
    word = TfidfVectorizer(analyzer=words, sublinear_tf=True)
    character = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
    features = FeatureUnion([("words", word), ("characters", character)])
    return Pipeline([("features", features), ("svc", LinearSVC(C=0.5, class_weight="balanced"))])


def by_class(
    scores: Scores, leaves: Sequence[str], of: Callable[[str], str | None]
) -> tuple[list[str], Scores]:
    """The best leaf's score for each class: the classes in order, and (texts × classes)."""
    classes = sorted({name for code in leaves if (name := of(code)) is not None})
    columns = [[i for i, code in enumerate(leaves) if of(code) == name] for name in classes]
    return classes, np.stack([scores[:, one].max(axis=1) for one in columns], axis=1)


def synthetic(texts: list[str], labels: list[str], groups: list[str]) -> tuple[float, float]:
    """Accuracy of leaves and of first levels where no leading phrase stands on both sides."""
    train, test = next(GroupKFold(5).split(texts, labels, groups))
    fitted = model().fit([texts[i] for i in train], [labels[i] for i in train])
    told = fitted.predict([texts[i] for i in test])
    wanted = [labels[i] for i in test]
    return (
        accuracy_score(wanted, told),
        accuracy_score([code[:2] for code in wanted], [code[:2] for code in told]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.starter", description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    folder = os.environ.get("HOTLINE_TEXTS")
    if not folder:
        console.print("skipped: set HOTLINE_TEXTS to the folder of real texts (messages7.csv)")
        sys.exit(2)
    about = machine()
    prefixes = {row["prefix"]: row["class"] for row in read(CLASSES)}
    corpus = generate(options.size, options.seed)
    texts, labels = [joined(one.title, one.detail) for one in corpus], [one.label for one in corpus]
    leaf, first = synthetic(texts, labels, [one.group for one in corpus])

    fitted = model().fit(texts, labels)
    rows = read(Path(folder) / "messages7.csv")
    wanted = np.array([row["label"] for row in rows])
    scores = fitted.decision_function([joined(row["title"], row["detail"]) for row in rows])
    leaves: list[str] = list(fitted.classes_)
    classes, best = by_class(scores, leaves, lambda code: class_of(code, prefixes))
    order = np.argsort(-best, axis=1)
    forced = np.array(classes)[order[:, 0]]
    free = np.array([class_of(leaves[i], prefixes) or "outside" for i in scores.argmax(axis=1)])
    place = np.array([classes.index(name) for name in wanted])
    figures = {
        "accuracy": accuracy_score(wanted, forced),
        "macro_f1": f1_score(wanted, forced, average="macro"),
        "top3": float((order[:, :3] == place[:, None]).any(axis=1).mean()),
        "free_accuracy": accuracy_score(wanted, free),
        "free_macro_f1": f1_score(wanted, free, average="macro", labels=classes),
        "outside": float((free == "outside").mean()),
        "synthetic_leaf": leaf,
        "synthetic_first_level": first,
    }
    console.print(classification_report(wanted, forced, digits=3), markup=False)
    aims = {"macro_f1": f"≥ {TARGET}"}
    shown = [(name, f"{value:.3f}", aims.get(name, "")) for name, value in figures.items()]
    shown.insert(0, ("synthetic texts · real texts", f"{len(texts):,} · {len(rows):,}", ""))
    finish("starter", "starter corpus, real texts", shown, {"machine": about, **figures})
    sys.exit(0 if figures["macro_f1"] >= TARGET else 1)


if __name__ == "__main__":
    main()
