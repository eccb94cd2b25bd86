"""The rota, attendance, handover notes, one's own rota and swaps."""

from core.people.permissions import Role
from tests.security.rules.roles import WRITERS

LEADERS = frozenset({Role.SHIFT_LEADER})
READERS = LEADERS | {Role.SUPERVISION_OFFICER, Role.INSPECTOR}
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/rota"): READERS,
    ("POST", "/rota"): LEADERS,
    ("POST", "/rota/copy"): LEADERS,
    ("GET", "/rota/export"): READERS,
    ("GET", "/rota/history"): READERS,
    ("POST", "/rota/restore"): LEADERS,
    ("GET", "/rota/kinds"): READERS,
    ("POST", "/rota/kinds"): LEADERS,
    ("GET", "/rota/swaps"): READERS,
    ("POST", "/rota/swaps/{swap_id}"): LEADERS,
    ("GET", "/rota/import"): LEADERS,
    ("POST", "/rota/import"): LEADERS,
    ("POST", "/rota/import/take"): LEADERS,
    ("GET", "/attendance"): READERS,
    ("GET", "/attendance/people/{user_id}"): READERS,
    ("GET", "/handover"): READERS,
    ("POST", "/handover"): LEADERS,
    ("POST", "/handover/{note_id}/take"): LEADERS,
    ("POST", "/handover/items/{item_id}/done"): LEADERS,
    ("GET", "/me/rota"): WRITERS,
    ("POST", "/me/swaps"): WRITERS,
    ("POST", "/me/swaps/{swap_id}/answer"): WRITERS,
    ("POST", "/me/swaps/{swap_id}/withdraw"): WRITERS,
}
