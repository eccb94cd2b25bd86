"""Administration: organisation, categories, catalogue, notices, settings, audit, deletions."""

from core.people.permissions import Role
from tests.security.rules.roles import EVERYBODY

SYSTEM = frozenset({Role.SYSTEM_ADMIN})
WRITERS = frozenset({Role.SYSTEM_ADMIN, Role.SHIFT_LEADER})
ASKERS = frozenset({Role.SECURITY_ADMIN, Role.SHIFT_LEADER})
DELETERS = ASKERS | {Role.AUDIT_ADMIN}

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/admin/units"): SYSTEM,
    ("POST", "/admin/units"): SYSTEM,
    ("POST", "/admin/units/{unit_id}/rename"): SYSTEM,
    ("POST", "/admin/units/{unit_id}/move"): SYSTEM,
    ("POST", "/admin/units/{unit_id}/order"): SYSTEM,
    ("POST", "/admin/units/{unit_id}/open"): SYSTEM,
    ("GET", "/admin/units/{unit_id}/close"): SYSTEM,
    ("POST", "/admin/units/{unit_id}/close"): SYSTEM,
    ("GET", "/admin/units/handovers/{handover_id}"): SYSTEM,
    ("POST", "/admin/units/handovers/{handover_id}/retry"): SYSTEM,
    ("GET", "/admin/units/list.csv"): SYSTEM,
    ("GET", "/admin/units/import"): SYSTEM,
    ("POST", "/admin/units/import"): SYSTEM,
    ("GET", "/admin/categories"): SYSTEM,
    ("GET", "/admin/categories/versions/{version_id}"): SYSTEM,
    ("POST", "/admin/categories/draft"): SYSTEM,
    ("POST", "/admin/categories/drop"): SYSTEM,
    ("POST", "/admin/categories/edit"): SYSTEM,
    ("POST", "/admin/categories/publish"): SYSTEM,
    ("GET", "/admin/categories/list.csv"): SYSTEM,
    ("GET", "/admin/categories/import"): SYSTEM,
    ("POST", "/admin/categories/import"): SYSTEM,
    ("GET", "/admin/catalog"): SYSTEM,
    ("POST", "/admin/catalog/reasons"): SYSTEM,
    ("GET", "/admin/catalog/reasons.csv"): SYSTEM,
    ("GET", "/admin/catalog/reasons/import"): SYSTEM,
    ("POST", "/admin/catalog/reasons/import"): SYSTEM,
    ("GET", "/admin/catalog/words"): SYSTEM,
    ("POST", "/admin/catalog/words"): SYSTEM,
    ("POST", "/admin/catalog/words/{word_id}/remove"): SYSTEM,
    ("POST", "/admin/catalog/words/try"): SYSTEM,
    ("GET", "/admin/catalog/queues"): SYSTEM,
    ("POST", "/admin/catalog/queues"): SYSTEM,
    ("POST", "/admin/catalog/queues/{queue_id}/members"): SYSTEM,
    ("GET", "/admin/catalog/templates"): SYSTEM,
    ("POST", "/admin/catalog/templates/{event}"): SYSTEM,
    ("POST", "/admin/catalog/templates/{event}/preview"): SYSTEM,
    ("GET", "/admin/notices"): WRITERS,
    ("POST", "/admin/notices"): WRITERS,
    ("POST", "/admin/notices/{notice_id}/change"): WRITERS,
    ("POST", "/admin/notices/{notice_id}/withdraw"): WRITERS,
    ("POST", "/admin/notices/audience"): WRITERS,
    ("GET", "/notices"): EVERYBODY,
    ("POST", "/notices/{notice_id}/read"): EVERYBODY,
    ("GET", "/admin/settings"): frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}),
    ("GET", "/admin/deletions"): DELETERS,
    ("POST", "/admin/deletions/find"): ASKERS,
    ("POST", "/admin/deletions/{citizen_id}/request"): ASKERS,
    ("POST", "/admin/deletions/holds"): DELETERS,
    ("POST", "/admin/deletions/holds/{hold_id}/lift"): frozenset({Role.AUDIT_ADMIN}),
    ("POST", "/admin/outbox"): SYSTEM,
    ("POST", "/admin/audit/export"): frozenset({Role.AUDIT_ADMIN, Role.INSPECTOR}),
}
