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
    ("POST", r"/rota/swaps/{swap_id:\d+}"): LEADERS,
    ("GET", "/rota/import"): LEADERS,
    ("POST", "/rota/import"): LEADERS,
    ("POST", "/rota/import/take"): LEADERS,
    ("GET", "/attendance"): READERS,
    ("GET", r"/attendance/people/{user_id:\d+}"): READERS,
    ("GET", "/handover"): READERS,
    ("POST", "/handover"): LEADERS,
    ("POST", r"/handover/{note_id:\d+}/take"): LEADERS,
    ("POST", r"/handover/items/{item_id:\d+}/done"): LEADERS,
    ("GET", "/me/rota"): WRITERS,
    ("POST", "/me/swaps"): WRITERS,
    ("POST", r"/me/swaps/{swap_id:\d+}/answer"): WRITERS,
    ("POST", r"/me/swaps/{swap_id:\d+}/withdraw"): WRITERS,
}
