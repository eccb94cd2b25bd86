"""Call control: who takes calls orders about his own, who leads the floor about any."""

from core.people.permissions import Role

TAKERS = frozenset({Role.AGENT, Role.SHIFT_LEADER})
LEADERS = frozenset({Role.SHIFT_LEADER})

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/seat/calls/{session_id}/targets"): TAKERS,
    ("GET", "/seat/calls/{session_id}/emergency"): TAKERS,
    ("GET", "/seat/calls/{session_id}/abuse"): TAKERS,
    ("POST", "/seat/calls/{session_id}/{act}"): TAKERS,
    ("POST", "/seat/calls/{session_id}/abuse"): TAKERS,
    ("POST", "/seat/calls/{session_id}/list"): TAKERS,
    ("POST", "/floor/calls/{session_id}/{act}"): LEADERS,
    ("GET", "/floor/orders/{order_id}"): LEADERS,
    ("GET", "/floor/abuse"): LEADERS,
    ("POST", "/floor/abuse/{report_id}/close"): LEADERS,
    ("GET", "/numbers"): LEADERS,
    ("GET", "/numbers/rows"): LEADERS,
    ("POST", "/numbers/{listing_id}/decide"): LEADERS,
    ("POST", "/numbers/{listing_id}/lift"): LEADERS,
}
