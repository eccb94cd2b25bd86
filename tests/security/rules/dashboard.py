"""Figures and the tickets behind them: who watches over the whole."""

from core.people.permissions import Role

WATCHING = frozenset({Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER, Role.INSPECTOR})

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/dashboard"): WATCHING,
    ("GET", "/dashboard/panels/{panel}"): WATCHING,
    ("GET", "/measures/{code}/tickets"): WATCHING,
}
