"""Suggestions: rules first, then the catalogue, a model, what was done alike; each with its reason."""

from dataclasses import replace
from datetime import date

from routing.catalogue import Catalogue, Entry, faults
from routing.matter import Matter
from routing.rules import Book
from routing.suggest import Knowledge, Label, Taken, suggest
from tests.routing.test_rules import DIRECTORY, MATTER, book, rule

DAY = date(2026, 11, 23)


def entry(ident: int, lead: str, category: str = "010101", **more: object) -> Entry:
    plain = Entry(
        ident, 1, category, "", "", lead, (), "《照明规定》", "3 个工作日", "问杆号", date(2026, 1, 1)
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # fields of an entry


def known(*entries: Entry, rules: Book | None = None) -> Knowledge:
    return Knowledge(DIRECTORY, Catalogue.of(entries, 7), rules or Book(), DAY)


def units(found: object) -> list[str]:
    return [one.unit.code for one in found.candidates]  # type: ignore[attr-defined]  # a Suggestion


def test_a_rule_comes_before_the_catalogue_and_that_before_what_was_done_alike() -> None:
    found = suggest(
        known(entry(1, "lights"), rules=book(rule("a", "water", words=("路灯",)))),
        MATTER,
        similar=[Taken(5, 3, 4)],
    )
    assert units(found) == ["water", "lights", "qixing"]
    assert [one.reasons[0].source for one in found.candidates] == ["rule", "catalogue", "similar"]
    assert found.candidates[2].reasons[0].probability == 0.75
    assert (found.rule_number, found.catalogue_version) == (1, 7)


def test_a_unit_named_twice_stands_once_with_both_reasons_and_what_the_catalogue_says() -> None:
    found = suggest(
        known(entry(1, "lights"), rules=book(rule("a", words=("路灯",)))), MATTER, similar=[Taken(2, 2, 2)]
    )
    assert units(found) == ["lights"]
    assert [why.source for why in found.candidates[0].reasons] == ["rule", "catalogue", "similar"]
    assert found.candidates[0].basis == "《照明规定》"


def test_the_nearest_row_speaks() -> None:
    rows = (
        entry(1, "water", "01"),
        entry(2, "lights"),
        entry(3, "@district", area="qixing"),
        entry(4, "@town", area="dongjiang"),
        entry(5, "water", subject="三里店"),
    )
    told = [units(suggest(known(*rows[:count]), MATTER))[0] for count in range(1, 6)]
    assert told == ["water", "lights", "qixing", "dongjiang", "water"]


def test_a_row_counts_from_its_first_to_its_last_day() -> None:
    for first, last, counts in (
        (DAY, None, True),
        (DAY, DAY, True),
        (date(2026, 11, 24), None, False),
        (date(2026, 1, 1), date(2026, 11, 22), False),
    ):
        found = suggest(known(entry(1, "lights", valid_from=first, valid_to=last)), MATTER)
        assert bool(found.candidates) is counts


def test_a_row_that_names_a_closed_unit_is_remarked_on_and_the_next_row_speaks() -> None:
    found = suggest(known(entry(1, "old"), entry(2, "lights", "01")), MATTER)
    assert units(found) == ["lights"]
    assert "已停用" in found.remarks[0]
    assert faults(entry(1, "old", category="99"), DIRECTORY) == ["分类 99 不存在或已停用", "old已停用"]


def test_a_unit_the_matter_is_about_is_never_suggested_and_that_is_said() -> None:
    found = suggest(known(entry(1, "lights")), MATTER, barred=frozenset({2}))
    assert found.candidates == ()
    assert "不作推荐" in found.remarks[0]


def test_a_models_label_leads_over_the_catalogue_to_a_unit_with_its_words() -> None:
    label = Label("010101", 0.93, ("路灯", "不亮"), "m1")
    found = suggest(known(entry(1, "lights", co=("water",))), Matter("路灯不亮"), labels=[label])
    assert units(found) == ["lights"]
    why = found.candidates[0].reasons[0]
    assert (why.source, why.ref, why.probability) == ("model", "m1", 0.93)
    assert "路灯、不亮" in why.text
    assert [one.code for one in found.candidates[0].co] == ["water"]


def test_another_district_is_not_suggested_because_it_took_such_matters_at_home() -> None:
    elsewhere = replace(MATTER, areas=("xiangshan",))
    assert units(suggest(known(), elsewhere, similar=[Taken(5, 9, 10), Taken(3, 1, 10)])) == ["water"]
    assert units(suggest(known(), MATTER, similar=[Taken(5, 9, 10)])) == ["qixing"]


def test_a_rule_that_would_decide_but_fails_is_remarked_on_and_one_that_would_not_is_no_news() -> None:
    failing = book(rule("a", "old", words=("路灯",)), rule("b", "old", words=("停水",)))
    found = suggest(known(entry(1, "lights"), rules=failing), MATTER)
    assert units(found) == ["lights"]
    assert found.remarks == ("规则“规则a”符合但出错，已跳过：old已停用",)


def test_a_label_outside_the_tree_is_remarked_on() -> None:
    assert "不在现行分类中" in suggest(known(), MATTER, labels=[Label("777", 0.9)]).remarks[0]
