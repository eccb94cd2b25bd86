"""The live floor, help calls, broadcasts, languages, one's own work."""

from core.people.permissions import Role
from tests.security.rules.roles import EVERYBODY, SEATS

LEADERS = frozenset({Role.SHIFT_LEADER})
OVERSEERS = LEADERS | {Role.SUPERVISION_OFFICER, Role.INSPECTOR, Role.SYSTEM_ADMIN}
KEEPERS = LEADERS | {Role.SYSTEM_ADMIN}

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/floor"): OVERSEERS,
    ("GET", "/floor/changes"): OVERSEERS,
    ("GET", "/floor/agents/{user_id}"): OVERSEERS,
    ("GET", "/floor/agents/{user_id}/now"): OVERSEERS,
    ("GET", "/floor/help"): OVERSEERS,
    ("GET", "/floor/help/banner"): LEADERS,
    ("GET", "/floor/help/{help_id}"): OVERSEERS | SEATS,  # an agent finds the own one only: 404
    ("GET", "/floor/help/{help_id}/said"): OVERSEERS | SEATS,
    ("POST", "/floor/help/{help_id}/answer"): LEADERS,
    ("POST", "/floor/help/{help_id}/say"): SEATS,
    ("POST", "/floor/help/{help_id}/end"): LEADERS,
    ("GET", "/seat/help"): SEATS,
    ("POST", "/seat/help"): SEATS,
    ("POST", "/seat/help/end"): SEATS,
    ("GET", "/floor/broadcasts"): LEADERS,
    ("POST", "/floor/broadcasts"): LEADERS,
    ("GET", "/floor/broadcasts/{notice_id}/readers"): LEADERS,
    ("POST", "/floor/broadcasts/{notice_id}/withdraw"): LEADERS,
    ("GET", "/notices/strip"): EVERYBODY,
    ("GET", "/floor/languages"): KEEPERS,
    ("POST", "/floor/languages/people/{user_id}"): KEEPERS,
    ("POST", "/floor/languages/interpreters"): KEEPERS,
    ("POST", "/floor/languages/interpreters/{interpreter_id}"): KEEPERS,
    ("GET", "/seat/language"): SEATS,
    ("GET", "/seat/calls/{session_id}/language"): SEATS,  # of a call one takes part in, else 404
    ("POST", "/seat/calls/{session_id}/language"): SEATS,
    ("POST", "/seat/calls/{session_id}/hand-over"): SEATS,
    ("GET", "/me/figures"): SEATS,
}
FORMS = {
    "/floor/help/{help_id}/answer": {"text": "x"},
    "/floor/help/{help_id}/say": {"text": "x"},
    "/floor/help/{help_id}/end": {},
    "/floor/broadcasts/{notice_id}/withdraw": {},
    "/floor/languages/people/{user_id}": {"languages": "zhuang"},
    "/floor/languages/interpreters/{interpreter_id}": {"version": "1", "name": "x"},
    "/seat/calls/{session_id}/language": {"language": "zhuang"},
    "/seat/calls/{session_id}/hand-over": {"token": "abcdefgh", "to": "seat:1002"},
}
