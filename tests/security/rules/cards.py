"""Cards of the ladder: the list, what waits for one's acknowledgement, those of a ticket."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS, DISPATCHERS

ACKNOWLEDGING = DEPARTMENTS | DISPATCHERS | {Role.CALLBACK_OFFICER}
READING = ACKNOWLEDGING | {Role.INSPECTOR}
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/cards"): READING,
    ("GET", "/cards/waiting"): ACKNOWLEDGING,
    ("GET", "/tickets/{ticket_id}/cards"): READING,
    ("POST", "/cards/{card_id}/acknowledge"): ACKNOWLEDGING,
}
FORMS: dict[str, dict[str, str]] = {"/cards/{card_id}/acknowledge": {}}
