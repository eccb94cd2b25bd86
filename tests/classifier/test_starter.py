"""The starter corpus: whole over the tree, the same for the same seed, and nobody's."""

import csv
import io
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

import commands
from classifier.starter import COLUMNS, SEED, SIZE, Text, generate, leaves, telling, write
from classifier.starter.telling import LONGEST, SHORTEST, SLOT
from classifier.starter.vocabulary import frames, matters, places
from classifier.urgency import raised_urgency
from routing.demo.categories import nodes
from tickets.terms import TicketType, Urgency


@pytest.fixture(scope="module")
def corpus() -> list[Text]:
    return generate()


def test_every_leaf_of_the_demo_city_has_its_words_and_no_other_has() -> None:
    assert leaves() == {node.code: node.name for node in nodes() if node.level == 3}


def test_every_matter_has_enough_phrases_of_each_kind_and_none_twice() -> None:
    for matter in matters().values():
        kinds = (matter.things, matter.problems, matter.requests, matter.questions)
        enough = [len(row) >= least for row, least in zip(kinds, (6, 6, 4, 2), strict=True)]
        assert enough == [True] * 4, f"{matter.code} {matter.name}"
        for row in (*kinds, matter.urgent):
            assert len(row) == len(set(row)), f"{matter.code} {matter.name}"
            assert [one for one in row if not one or one != one.strip("，。？！ ")] == [], matter.code
        assert matter.lean in {"", *(kind.value for kind in TicketType)}


def test_no_problem_is_told_of_two_matters() -> None:
    told = Counter(one for matter in matters().values() for one in (*matter.problems, *matter.questions))
    assert [one for one, times in told.items() if times > 1] == []


def test_every_slot_of_a_shared_frame_can_be_filled() -> None:
    known = {"place", "where", "thing", "problem", "request", "question", "n", *frames("slots")}
    tables = ("openings", "leads", "more", "requests", "closings", "urgency", "titles", "slots", "asides")
    used = {
        slot
        for table in tables
        for row in frames(table).values()
        for one in row
        for slot in SLOT.findall(one)
    }
    assert used <= known
    assert {kind for _, kind in places()} <= set(frames("slots"))


def test_the_corpus_is_as_large_as_promised_and_covers_every_leaf_evenly(corpus: list[Text]) -> None:
    assert len(corpus) == SIZE >= 6000
    count = Counter(text.label for text in corpus)
    assert set(count) == set(leaves())
    assert max(count.values()) - min(count.values()) <= 1


def test_no_text_stands_twice(corpus: list[Text]) -> None:
    assert len({text.detail for text in corpus}) == len(corpus)


def test_lengths_are_varied(corpus: list[Text]) -> None:
    lengths = [len(text.detail) for text in corpus]
    assert min(lengths) >= SHORTEST
    assert max(lengths) <= LONGEST
    for low, high, share in ((20, 60, 0.1), (60, 150, 0.2), (150, 300, 0.15), (300, 601, 0.1)):
        assert sum(low <= length < high for length in lengths) / len(lengths) >= share
    assert all(text.title.strip() for text in corpus)


def test_a_group_is_of_one_leaf_and_of_one_leading_phrase(corpus: list[Text]) -> None:
    members = defaultdict(list)
    for text in corpus:
        members[text.group].append(text)
    assert all(len({text.label for text in row}) == 1 for row in members.values())
    groups_of_a_leaf = Counter(row[0].label for row in members.values())
    assert min(groups_of_a_leaf.values()) >= 5, "a cut by group leaves every leaf on both sides"


def test_a_group_names_the_phrase_that_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "roughen", lambda text, source: text)
    for text in generate(len(leaves()) * 2):
        matter = matters()[text.label]
        kind, number = text.group.removeprefix(f"{text.label}-")[0], int(text.group[len(text.label) + 2 :])
        assert (kind == "q") == (text.type == "consult")
        assert (matter.questions if kind == "q" else matter.problems)[number] in text.detail


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(corpus: list[Text]) -> None:
    def written(texts: list[Text]) -> bytes:
        stream = io.StringIO(newline="")
        write(texts, stream)
        return stream.getvalue().encode()

    assert written(generate(SIZE, SEED)) == written(corpus)
    assert generate(300, 1) == generate(500, 1)[:300], "a larger corpus begins with the smaller one"
    assert written(generate(500, 1)) != written(generate(500, 2))


def test_there_is_no_run_of_digits_that_could_be_a_number_of_a_person(corpus: list[Text]) -> None:
    run = re.compile(r"\d[\d\-－ ]{5,}\d|\d{6,}")
    assert [text for text in corpus if run.search(text.title + "\n" + text.detail)] == []
    assert not re.search(r"\d{5,}", "".join(name for name, _ in places()))


def test_no_slot_is_left_open(corpus: list[Text]) -> None:
    assert [
        text for text in corpus if "{" in text.title + text.detail or "}" in text.title + text.detail
    ] == []


def test_types_and_urgencies_are_those_of_the_form_and_all_are_there(corpus: list[Text]) -> None:
    types = Counter(text.type for text in corpus)
    assert set(types) == {"consult", "help", "complaint", "report", "suggestion", "praise"}
    assert set(types) <= {one.value for one in TicketType}
    assert {text.urgency for text in corpus} == {one.value for one in Urgency}
    assert min(types.values()) >= 200
    assert {text.urgency for text in corpus if text.type in ("consult", "suggestion", "praise")} == {"normal"}


def test_no_pressing_text_is_less_urgent_than_its_words_say(corpus: list[Text]) -> None:
    order = [one.value for one in Urgency]
    for text in corpus:
        found = raised_urgency(text.detail) if text.type in ("complaint", "help", "report") else None
        assert found is None or order.index(text.urgency) >= order.index(found.level), text


def test_dialect_and_typos_occur_at_a_low_rate(corpus: list[Text]) -> None:
    rate = sum("没得" in text.detail or "晓得" in text.detail for text in corpus) / len(corpus)
    assert 0.002 < rate < 0.08
    typos = sum(bool(re.search("反应|严中|以经|帐|尽块|付近", text.detail)) for text in corpus) / len(corpus)
    assert 0.005 < typos < 0.1


def test_a_small_corpus_is_as_small_as_asked_for_and_a_negative_one_refused() -> None:
    assert generate(0) == []
    assert len(generate(7)) == 7
    with pytest.raises(ValueError, match="negative"):
        generate(-1)


def test_the_command_writes_the_columns_that_training_reads(tmp_path: Path) -> None:
    file = tmp_path / "corpus.csv"
    done = CliRunner().invoke(commands.app, ["corpus", "--out", str(file), "--size", "300", "--seed", "5"])
    assert done.exit_code == 0, done.output
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [row["row"] for row in rows] == [str(number) for number in range(1, 301)]
    assert [(row["title"], row["detail"]) for row in rows] == [
        (one.title, one.detail) for one in generate(300, 5)
    ]


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(commands.app, ["corpus", "--out", str(tmp_path / "none" / "corpus.csv")])
    assert done.exit_code == 2
