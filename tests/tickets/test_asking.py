"""What an agent asks for, type by type."""

from tickets.asking import ASKED, PLACE, types_asking, types_once
from tickets.forms import FIELDS
from tickets.terms import TicketType


def test_every_type_says_what_it_asks_for_in_fields_of_the_form() -> None:
    assert set(ASKED) == set(TicketType)
    for asked in ASKED.values():
        assert {name for name in asked.every if name != PLACE} <= FIELDS
        assert len(set(asked.every)) == len(asked.every)


def test_a_name_is_never_asked_for() -> None:
    assert types_asking("citizen_name") == types_asking("id_number") == ""


def test_who_is_complained_of_is_asked_once_more_before_it_is_saved() -> None:
    assert types_once("subject_name").split() == ["complaint", "report", "praise"]
    assert types_once("appeal_of") == "appeal"
    assert types_asking(PLACE).split() == ["help", "complaint", "report"]
