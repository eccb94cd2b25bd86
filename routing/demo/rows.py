"""Turns contacts into rows of the tables, with ids reserved beforehand. No database here."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.demo.contacts import Call, Contact
from routing.demo.life import SYSTEM_NAME, Life, Step
from routing.demo.making import Row, Values
from routing.demo.people import Person
from telephony.recordings import SIMULATED_PBX as PBX
from telephony.simulator.callers import citizen
from telephony.simulator.sound import SAMPLE
from tickets.making import QUERY_CODE_DIGITS
from tickets.workflow import Action

KEY = "demo-"  # begins the session keys of invented calls
QUEUE = "hotline"


def session_row(ident: int, caller: int, queued: datetime, waited: int) -> Row:
    """An inbound call that entered the queue at `queued` and waited so many seconds."""
    return {
        "id": ident,
        "pbx": PBX,
        "session_key": f"{KEY}{ident}",
        "direction": "inbound",
        "caller_ref": caller,
        "caller_name_ref": None,
        "caller_kind": "mobile",
        "did": "12345",
        "state": "ended",
        "outcome": "abandoned",
        "queues": [QUEUE],
        "wait_seconds": float(waited),
        "transfers": [],
        "linkedids": [f"{KEY}{ident}"],
        "recording": None,
        "survey": None,
        "first_extension": None,
        "started_at": queued - timedelta(seconds=6),
        "queued_at": queued,
        "answered_at": None,
        "ended_at": queued + timedelta(seconds=waited),
        "version": 3,
    }


def answered_rows(
    ident: int, leg: int, caller: int, at: datetime, call: Call, agent: Person
) -> tuple[Row, Row]:
    """A session that ended shortly before `at`, and its one leg."""
    ended = at - timedelta(seconds=15)
    answered = ended - timedelta(seconds=call.talked)
    session = session_row(ident, caller, answered - timedelta(seconds=call.waited), call.waited) | {
        "outcome": "answered",
        "recording": SAMPLE,
        "first_extension": agent.extension,
        "answered_at": answered,
        "ended_at": ended,
    }
    return session, {
        "id": leg,
        "session_id": ident,
        "leg_key": agent.extension,
        "extension": agent.extension,
        "user_id": agent.id,
        "state": "ended",
        "ring_seconds": float(min(call.rang, call.waited)),
        "talk_seconds": float(call.talked),
        "hold_seconds": 0.0,
        "ended_by": "citizen",
        "rang_at": answered - timedelta(seconds=min(call.rang, call.waited)),
        "answered_at": answered,
        "ended_at": ended,
    }


@dataclass(frozen=True)
class TicketIds:
    """What a ticket row refers to."""

    id: int
    number: str
    category: int
    district: int
    street: int
    phone: int
    session: int | None


class TicketRows:
    """Makes ticket and history rows."""

    def __init__(self, draw: random.Random, values: Values) -> None:
        self._draw = draw
        self._values = values

    def ticket(self, ids: TicketIds, contact: Contact, life: Life, columns: Row) -> Row:
        """The row of the ticket as it stands now; `columns` is what its steps made of it."""
        who = citizen(contact.citizen)
        named = contact.confidentiality != "anonymous" and self._draw.random() < 0.85
        code = f"{self._draw.randrange(10**QUERY_CODE_DIGITS):0{QUERY_CODE_DIGITS}d}"
        return {
            "id": ids.id,
            "number": ids.number,
            "query_code_ref": self._values.new("code", code, contact.at),
            "version": len(life.steps),
            "state": life.state.value,
            "channel": contact.channel,
            "type": contact.matter.type,
            "urgency": contact.urgency,
            "confidentiality": contact.confidentiality,
            "category_id": ids.category,
            "title": contact.story.title,
            "narrative": contact.story.narrative,
            "expected": contact.story.expected,
            "occurred_at": None,
            "address": contact.story.address,
            "district_id": ids.district,
            "street_id": ids.street,
            "subject_name": contact.story.subject,
            "subject_uscc": None,
            "name_ref": self._values.new("name", who.name, contact.at) if named else None,
            "phone_ref": ids.phone,
            "phone2_ref": None,
            "id_number_ref": None,
            "wants_reply": True,
            "wants_public": self._draw.random() < 0.2,
            "urges": life.count(Action.URGE),
            "call_session_id": ids.session,
            "created_by": contact.agent.id,
            "created_at": contact.at,
            "updated_at": life.steps[-1].at,
        } | columns

    def history(self, ids: TicketIds, life: Life, changes: list[Row]) -> list[Row]:
        """One row per step; `changes` are what each step changed."""
        before = (None, *(step.state.value for step in life.steps))
        return [
            self._history_row(ids, step, version, before[version - 1], changes[version - 1])
            for version, step in enumerate(life.steps, 1)
        ]

    def _history_row(self, ids: TicketIds, step: Step, version: int, before: str | None, changes: Row) -> Row:
        return {
            "ticket_id": ids.id,
            "at": step.at,
            "actor_id": step.person.id if step.person else None,
            "actor_name": step.person.name if step.person else SYSTEM_NAME,
            "role": step.person.role.value if step.person else "system",
            "unit_id": step.person.unit_id if step.person else None,
            "action": step.action.value,
            "reason_code": None,
            "note": step.note,
            "from_state": before,
            "to_state": step.state.value,
            "version": version,
            "call_session_id": ids.session if step.action is Action.CREATE else None,
            "changes": changes,
        }


def record_row(ident: int, number: str, category: int, contact: Contact, phone: int, session: int) -> Row:
    """A numbered record; wrong numbers and the like have neither matter nor words."""
    spoken = contact.record in {"direct_answer", "informed", "explained"}
    return {
        "id": ident,
        "number": number,
        "code": contact.record,
        "channel": contact.channel,
        "type": contact.matter.type if spoken else None,
        "category_id": category if spoken else None,
        "title": contact.story.title if spoken else "",
        "note": contact.story.answer if spoken else "",
        "phone_ref": phone,
        "call_session_id": session,
        "created_by": contact.agent.id,
        "created_at": contact.at,
    }
