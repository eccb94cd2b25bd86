"""A model suggests, says how sure it is and why, and knows when it does not know."""

import subprocess
import sys
from dataclasses import replace

import pytest

from classifier.advice import Gate, Why
from classifier.calibration import PRECISIONS
from classifier.examples import Example
from classifier.many import ManyEncoder
from classifier.model import Model
from classifier.parts import Parts
from classifier.train import Options, prepare, train
from core.settings import ROOT
from tests.classifier.texts import examples, of_category


def test_texts_it_was_not_trained_with_are_told_apart(model: Model) -> None:
    found = of_category(examples(50, seed=99))
    answers = model.suggest_many((one.title, one.detail) for one in found)
    right = sum(answer.label == one.labels[0] for answer, one in zip(answers, found, strict=True))
    assert right >= 48


def test_one_matrix_says_what_views_and_calibration_say_one_after_the_other(
    model: Model, joint: Model
) -> None:
    for one in examples(20, seed=8):
        for asked in (model, joint):
            vector = asked.encode(one.title, one.detail)
            leaves = asked.parts.calibration.probabilities(asked.scores(vector))
            classes = asked.parts.leaves.classes(leaves)
            answer = asked.suggest(one.title, one.detail)
            assert answer.probability == pytest.approx(classes.max(), abs=1e-3)
            place = asked.labels.index(answer.label)
            assert answer.cosine == pytest.approx(asked.cosines(vector)[place], abs=1e-3)


ODD = [("", ""), ("😀", "😀😀"), ("\x00\ud800", "\ufeff"), ("A", "路"), ("", "路灯路灯 路灯"), ("龘", "")]


def test_many_texts_are_seen_together_as_each_is_alone(model: Model, joint: Model) -> None:
    texts = [(one.title, one.detail) for one in examples(300, seed=8)] + ODD
    texts += [("占道经营", ""), ("", "占道经营"), *ODD]
    for asked in (model, joint):
        together = list(ManyEncoder(asked.cutter, asked.parts.encoder).encode(texts))
        for (title, detail), seen in zip(texts, together, strict=True):
            alone = asked.encode(title, detail)
            assert seen.ends == alone.ends
            assert seen.rows.tolist() == alone.rows.tolist()
            assert seen.values == pytest.approx(alone.values, rel=1e-5)
        for (title, detail), answer in zip(texts, asked.suggest_many(texts), strict=True):
            single = asked.suggest(title, detail)
            assert (answer.label, answer.gate, answer.reasons) == (single.label, single.gate, single.reasons)
            assert answer.probability == pytest.approx(single.probability, abs=1e-5)


def test_an_answer_carries_the_likeliest_three_its_words_and_its_levels(model: Model) -> None:
    answer = model.suggest("餐馆油烟直排", "楼下烧烤油烟呛人，严重影响生活")
    assert answer.label == "010206"
    assert answer.top[0] == (answer.label, answer.probability)
    assert [value for _, value in answer.top] == sorted((value for _, value in answer.top), reverse=True)
    assert len(answer.top) == 3
    words = [reason.word for reason in answer.reasons]
    assert any(word in "餐馆油烟直排烧烤呛人" for word in words)
    assert [reason.weight for reason in answer.reasons] == sorted(
        (reason.weight for reason in answer.reasons), reverse=True
    )
    assert [name for name, _ in answer.levels] == ["01", "0102", "010206"]
    values = [value for _, value in answer.levels]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(
    ("title", "detail"),
    [("", ""), (" ", "\n"), ("😀😀", ""), ("\x00\ud800", "\ufeff"), ("龘", "")],
)
def test_of_a_text_without_a_known_word_nothing_is_known(model: Model, title: str, detail: str) -> None:
    answer = model.suggest(title, detail)
    assert (answer.gate, answer.why) == (Gate.MANUAL, Why.EMPTY)
    assert answer.reasons == ()


@pytest.mark.parametrize(
    ("title", "detail"),
    [
        ("Street light broken", "the lamp in front of my house does not work since Monday"),
        ("量子纠缠", "请教薛定谔方程与希尔伯特空间的自伴算符"),
        ("a", "b" * 1_000_000),
    ],
)
def test_what_is_unlike_everything_seen_never_goes_without_a_person(
    model: Model, title: str, detail: str
) -> None:
    assert model.suggest(title, detail).gate is not Gate.AUTOMATIC


def test_a_long_text_and_traditional_characters_are_judged(model: Model) -> None:
    long = model.suggest("餐馆油烟直排", "烧烤油烟呛人。" * 150_000)
    assert long.label == "010206"
    assert model.suggest("餐館油煙直排", "燒烤油煙嗆人").label == "010206"


def test_a_higher_precision_never_lets_more_go_without_a_person(model: Model) -> None:
    texts = of_category(examples(60, seed=5))
    numbers = []
    for precision in PRECISIONS:
        answers = model.suggest_many(((one.title, one.detail) for one in texts), precision)
        numbers.append(sum(answer.gate is Gate.AUTOMATIC for answer in answers))
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] > 0


def test_type_and_urgency_are_answered_with_the_category(joint: Model) -> None:
    answer = joint.suggest(
        "解放桥流动摊贩怎么办理", "昨天菜市场占道，夜市摊，请有关部门核实。有人受伤十分危险！"
    )
    assert answer.label == "010203"
    assert answer.others["type"][0] == "咨询"
    assert answer.others["urgency"][0] == "紧急"
    assert set(joint.labels) == {value[0] for value in joint.parts.leaves.values}


def test_suggesting_needs_neither_scikit_learn_nor_scipy() -> None:
    code = (
        "import sys, classifier.model, classifier.predicting; "
        "print([name for name in ('sklearn', 'scipy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_thresholds_are_kept_for_every_precision(parts: Parts) -> None:
    assert sorted(parts.thresholds.automatic, key=float) == [f"{one:g}" for one in PRECISIONS]
    assert parts.about["figures"]["accuracy"] > 0.9


def test_what_was_taken_for_something_else_counts_more_against_it() -> None:
    told = [Example(f"{word}一事{n}", f"{word}，请核实{n}", (label,), f"{word}{n}")
            for label, word in (("01", "路灯不亮"), ("02", "水管漏水")) for n in range(20)]  # fmt: skip
    between = [Example("路灯下水管漏水", "路灯不亮", ("02",), str(n)) for n in range(2)]
    plain = Model(train(prepare(told + between, Options(folds=2))))
    strict = Model(train(prepare(told + [replace(one, hard=True) for one in between], Options(folds=2))))
    vectors = [asked.scores(asked.encode("路灯下水管漏水", "路灯不亮"))[0] for asked in (plain, strict)]
    place = plain.labels.index("01")
    assert vectors[1][place] < vectors[0][place]  # further from what it is not
    assert vectors[1][1 - place] > vectors[0][1 - place]
