"""How a ticket stands, asked by the keys of a telephone: the words, the locks, the same answer."""

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from routing.phone_status import WORDS, PhoneStatus, answer_of
from telephony.asterisk.prompts import ANSWERS, SENTENCES
from telephony.enquiries import Answer, Enquiry
from tests.tickets.conftest import City
from tickets.states import State

UNKNOWN = "9" * 18


@pytest.fixture
def status(city: City) -> PhoneStatus:
    return PhoneStatus(city.db, city.vault, "0773")


def asked(number: str, code: str, attempt: int = 1, **over: Any) -> Enquiry:
    values = {"pbx": "pbx1", "channel": "PJSIP/trunk-1", "session_key": "1.1", "caller": "13800000001"}
    return Enquiry(**values | over, attempt=attempt, number=number, code=code)


def test_every_state_has_a_word_and_every_word_a_sentence() -> None:
    assert set(WORDS) == set(State)
    assert set(WORDS.values()) | {"wrong", "locked", "away"} == set(ANSWERS)
    assert all(f"answer-{word}" in SENTENCES for word in WORDS.values())


def test_the_promised_day_is_the_city_s_and_only_said_while_it_means_something() -> None:
    late = datetime.fromisoformat("2026-12-03T17:30:00+00:00")  # the 4th in the city
    assert answer_of("handling", late) == Answer("handling", "1204")
    assert answer_of("handling", None) == Answer("handling")
    assert answer_of("closed", late) == Answer("closed")
    assert answer_of("waiting_accept", late) == Answer("accepting")


async def test_number_and_code_tell_how_it_stands_and_the_call_is_joined_to_the_ticket(
    city: City, status: PhoneStatus
) -> None:
    made = await city.ticket()
    question = asked(made.number, made.query_code)
    told = await status.answer(question)
    assert told.word == "accepted"
    assert await status.answer(question) == told  # a node that died in between
    query = "SELECT ticket_id FROM phone_enquiry WHERE session_key = '1.1' AND attempt = 1"
    assert await city.scalar(query) == made.id


async def test_five_wrong_codes_lock_that_caller_and_an_unknown_number_is_answered_alike(
    city: City, status: PhoneStatus
) -> None:
    made = await city.ticket()
    wrong = "000000" if made.query_code != "000000" else "111111"
    heard: dict[str, list[str]] = {made.number: [], UNKNOWN: []}
    for number in heard:
        for attempt in range(1, 6):
            told = await status.answer(asked(number, wrong, attempt, session_key=number))
            heard[number].append(told.word)
        heard[number].append(
            (await status.answer(asked(number, made.query_code, 6, session_key=number))).word
        )
    assert heard[made.number] == ["wrong"] * 5 + ["locked"]
    assert heard[UNKNOWN] == heard[made.number]
    other = asked(made.number, made.query_code, session_key="2.2", caller="13900000009")
    assert (await status.answer(other)).word == "accepted"


async def test_a_question_told_twice_is_one_try(city: City, status: PhoneStatus) -> None:
    made = await city.ticket()
    wrong = "000000" if made.query_code != "000000" else "111111"
    for _ in range(7):
        assert (await status.answer(asked(made.number, wrong))).word == "wrong"
    right = asked(made.number, made.query_code, 2)
    assert (await status.answer(right)).word == "accepted"


async def test_nothing_of_number_or_code_is_kept_or_shown(city: City, status: PhoneStatus) -> None:
    made = await city.ticket()
    question = asked(made.number, made.query_code)
    assert made.number not in repr(question)
    assert made.query_code not in repr(question)
    await status.answer(question)
    async with city.db.read() as session:
        row = (await session.execute(sa.text("SELECT * FROM phone_enquiry"))).one()
    assert made.query_code not in str(row)
