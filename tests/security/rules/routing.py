"""The responsibility catalogue, the rules, the gazetteer, the box to try, the figures of dispatch."""

from core.people.permissions import Role

WRITERS = frozenset({Role.SYSTEM_ADMIN, Role.SUPERVISION_OFFICER})
READERS = WRITERS | {Role.DISPATCHER, Role.SHIFT_LEADER, Role.INSPECTOR}
SEATS = READERS | {Role.AGENT, Role.CALLBACK_OFFICER}
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/routing/catalogue"): READERS,
    ("POST", "/routing/catalogue"): WRITERS,
    ("GET", "/routing/catalogue/list.csv"): READERS,
    ("GET", "/routing/catalogue/new"): WRITERS,
    ("GET", r"/routing/catalogue/{row_id}"): READERS,
    ("POST", r"/routing/catalogue/{row_id}"): WRITERS,
    ("POST", r"/routing/catalogue/{row_id}/end"): WRITERS,
    ("GET", "/routing/catalogue/import"): WRITERS,
    ("POST", "/routing/catalogue/import"): WRITERS,
    ("GET", "/routing/places"): READERS,
    ("POST", "/routing/places"): WRITERS,
    ("POST", r"/routing/places/{place_id}/remove"): WRITERS,
    ("GET", "/routing/places/list.csv"): READERS,
    ("GET", "/routing/places/import"): WRITERS,
    ("POST", "/routing/places/import"): WRITERS,
    ("GET", "/routing/try"): READERS,
    ("POST", "/routing/try"): READERS,
    ("POST", "/routing/advise"): SEATS,
    ("GET", "/routing/rules"): READERS,
    ("POST", "/routing/rules/draft"): WRITERS,
    ("POST", "/routing/rules/drop"): WRITERS,
    ("POST", "/routing/rules/rule"): WRITERS,
    ("POST", "/routing/rules/move"): WRITERS,
    ("POST", r"/routing/rules/versions/{version_id}/restore"): WRITERS,
    ("POST", r"/routing/rules/versions/{version_id}/trial"): WRITERS,
    ("GET", r"/routing/rules/trials/{trial_id}"): READERS,
    ("GET", r"/routing/rules/trials/{trial_id}/progress"): READERS,
    ("POST", "/routing/rules/promote"): WRITERS,
    ("GET", "/routing/figures"): READERS,
    ("GET", "/routing/figures/tickets"): READERS,
}
FORMS: dict[str, dict[str, str]] = {
    r"/routing/catalogue/{row_id}/end": {"version": "1"},
    r"/routing/catalogue/{row_id}": {
        "version": "1",
        "category": "01",
        "lead": "water",
        "valid_from": "2026-01-01",
    },
}
