"""How long one suggestion takes, and how many texts a second beside plain jieba, TF-IDF and a LinearSVC.

Both are trained with the same texts and asked about the same texts in the same run, in turns; what counts is
the ratio. The batch leaves out the reasons, since the plain way gives none. The single suggestion, with
reasons, is asked about texts of 400 characters.

    python -m bench.suggestion [--texts 600] [--rounds 3]
"""

import argparse
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bench import _texts
from bench._report import finish, machine, percentile, progress, rss_mb
from classifier.examples import Example
from classifier.model import Model
from classifier.train import Options, prepare, train

LENGTH = 400  # characters
TARGET_MS = 10.0


def of_length(examples: Sequence[Example], number: int) -> list[tuple[str, str]]:
    """Texts of 400 characters in all: details cut, or put together from several."""
    found: list[tuple[str, str]] = []
    at = 0
    while len(found) < number:
        one = examples[at % len(examples)]
        detail, room = one.detail, LENGTH - len(one.title)
        while len(detail) < room:
            at += 1
            detail += examples[at % len(examples)].detail
        found.append((one.title, detail[:room]))
        at += 1
    return found


def plain(examples: Sequence[Example]) -> Callable[[Sequence[tuple[str, str]]], Any]:
    """jieba's own cutter, scikit-learn's TF-IDF of words, a LinearSVC: trained, ready to be asked."""
    import jieba
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    jieba.setLogLevel(logging.ERROR)
    cutter = jieba.Tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        cutter.tmp_dir = folder
        cutter.initialize()
    words = TfidfVectorizer(tokenizer=cutter.lcut, token_pattern=None, min_df=2, sublinear_tf=True)
    pipeline = make_pipeline(words, LinearSVC(C=0.5, class_weight="balanced"))
    pipeline.fit([f"{one.title}\n{one.detail}" for one in examples], [one.labels[0] for one in examples])
    return lambda texts: pipeline.predict([f"{title}\n{detail}" for title, detail in texts])


def rate(work: Callable[[], object], number: int) -> float:
    """Texts a second of this process."""
    began = time.process_time()
    work()
    return number / (time.process_time() - began)


def single(model: Model, texts: Sequence[tuple[str, str]]) -> list[float]:
    """Milliseconds of each suggestion."""
    took = []
    for title, detail in texts:
        began = time.perf_counter()
        model.suggest(title, detail)
        took.append(1000 * (time.perf_counter() - began))
    return took


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.suggestion", description=__doc__)
    parser.add_argument("--texts", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    about = machine()
    examples = _texts.real() or _texts.demo(3000)
    before = rss_mb()
    with progress() as bar:
        task = bar.add_task("trained, then rounds", total=options.rounds + 2)
        model = Model(train(prepare(examples, Options(folds=2))))
        bar.advance(task)
        other = plain(examples)
        bar.advance(task)
        every = of_length(examples, options.texts * options.rounds + 20)
        single(model, every[-20:])
        other(every[-20:])
        ratios, took, ours, theirs = [], [], [], []
        for turn in range(options.rounds):
            asked = every[turn * options.texts :][: options.texts]  # of each text the first time counts
            ours.append(rate(partial(model.suggest_many, asked, reasons=False), len(asked)))
            theirs.append(rate(partial(other, asked), len(asked)))
            ratios.append(ours[-1] / theirs[-1])
            took += single(model, asked)
            bar.advance(task)
    ratio, slowest = statistics.median(ratios), percentile(took, 0.95)
    rows = [
        ("one suggestion, 400 characters: p50", f"{percentile(took, 0.5):.2f} ms", ""),
        ("one suggestion, 400 characters: p95", f"{slowest:.2f} ms", f"≤ {TARGET_MS:.0f} ms"),
        ("texts a second, without reasons", f"{statistics.median(ours):,.0f}", ""),
        ("texts a second, plain", f"{statistics.median(theirs):,.0f}", ""),
        ("ratio", f"{ratio:.2f}", "≥ 1"),
    ]
    figures = {
        "machine": about,
        "texts": "real" if _texts.real() else "demo city",
        "p50_ms": percentile(took, 0.5),
        "p95_ms": slowest,
        "per_second": statistics.median(ours),
        "plain_per_second": statistics.median(theirs),
        "ratio": ratio,
        "trained_mb": rss_mb() - before,
    }
    finish("suggestion", "suggestions of the classifier", rows, figures)
    return 0 if ratio >= 1 and slowest <= TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
