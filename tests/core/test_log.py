"""Log lines are JSON, carry their ids, and show no long numbers."""

import json
import logging

import pytest

from core.log import JsonFormatter, call_id, mask_digits, request_id


def _line(message: str, **extra: object) -> dict[str, object]:
    record = logging.makeLogRecord({"name": "x", "levelname": "INFO", "msg": message, **extra})
    line: dict[str, object] = json.loads(JsonFormatter().format(record))
    return line


def test_a_line_carries_request_and_call_ids() -> None:
    tokens = request_id.set("r1"), call_id.set("c1")
    try:
        line = _line("saved", ticket_id=7)
    finally:
        request_id.reset(tokens[0])
        call_id.reset(tokens[1])
    assert (line["request_id"], line["call_id"], line["ticket_id"]) == ("r1", "c1", 7)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("caller 13807731234", "caller 138****"),
        ("+8613807731234", "+861****"),
        ("id 45030219900101123X", "id 450****X"),
        ("号码13807731234打来", "号码138****打来"),
        ("port 5038, 3 calls", "port 5038, 3 calls"),
    ],
)
def test_long_numbers_are_masked(raw: str, shown: str) -> None:
    assert mask_digits(raw) == shown
    assert _line(raw)["message"] == shown


def test_long_numbers_in_extra_fields_and_exceptions_are_masked() -> None:
    try:
        raise ValueError("13807731234")
    except ValueError as error:
        line = _line("failed", number="13807731234", exc_info=(ValueError, error, error.__traceback__))
    assert "13807731234" not in json.dumps(line)
