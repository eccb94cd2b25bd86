"""Groups of posts the tables of this folder speak of."""

from core.people.permissions import Role

ANYBODY = "anybody"
MACHINES = "machines"  # a token with a scope; no person at all
EVERYBODY = frozenset(Role)
SEATS = frozenset({Role.AGENT, Role.SHIFT_LEADER})
WRITERS = SEATS | {Role.CALLBACK_OFFICER}
HOTLINE = WRITERS | {Role.DISPATCHER, Role.SUPERVISION_OFFICER}
READERS = HOTLINE | {Role.INSPECTOR}
DEPARTMENTS = frozenset({Role.DEPT_OFFICER, Role.DEPT_HEAD})
DISPATCHERS = frozenset({Role.DISPATCHER, Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER})
CALL_READERS = SEATS | {Role.SUPERVISION_OFFICER, Role.INSPECTOR, Role.SYSTEM_ADMIN}
