"""Which event of a ticket is told to its citizen, and what keeps a message back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from core.clock import CITY_ZONE, to_city
from tickets.events import TicketChanged, TicketCreated, TicketDispatched
from tickets.messages.kinds import MessageEvent
from tickets.states import Action, State
from tickets.terms import TicketType
from tickets.visibility import SEALED_DEGREES

OUTBOX_KIND = "citizen.message"
E = MessageEvent
_SENT_ANEW = {Action.DISPATCH.value, Action.REDISPATCH.value, Action.ACCEPT_RETURN.value, Action.RULE.value}
_BY_ACTION = {
    Action.ASK_CITIZEN.value: E.SUPPLEMENT,
    Action.APPROVE_EXTENSION.value: E.EXTENSION,
    Action.ANSWER.value: E.CLOSING,
    Action.INFORM.value: E.CLOSING,
    Action.PASS_CHECK.value: E.CLOSING,
    Action.CLOSE_MEMBER.value: E.CLOSING,
}


@dataclass(frozen=True)
class Letter:
    """A row for the outbox; `payload` holds ids and codes."""

    dedup: str
    payload: dict[str, Any]
    kind: str = OUTBOX_KIND


def letter(ticket_id: int, event: MessageEvent, once: str = "", **more: Any) -> Letter:
    """One message of a ticket; equal `once` is the same message."""
    dedup = f"sms:{ticket_id}:{event.value}" + (f":{once}" if once else "")
    return Letter(dedup, {"ticket_id": ticket_id, "event": event.value, **more})


def letters_of(told: TicketCreated | TicketDispatched | TicketChanged) -> list[Letter]:
    """What the citizen is told because of this event; nothing of most."""
    if isinstance(told, TicketCreated):
        return [letter(told.ticket_id, E.RECEIPT)]
    version = {"version": told.version}
    if isinstance(told, TicketDispatched):
        # The first dispatch and later ones have different wordings; which it is shows when it is sent.
        anew = told.action in _SENT_ANEW
        return [letter(told.ticket_id, E.PROMISE, str(told.version), **version)] if anew else []
    if told.action == Action.MERGE.value and told.state == State.MERGED.value:
        return [letter(told.ticket_id, E.MERGE, str(told.version))]
    found = []
    event = _BY_ACTION.get(told.action)
    if event is not None:
        found.append(letter(told.ticket_id, event, str(told.version), **version))
    closes = told.action in (Action.PASS_CHECK.value, Action.REVISIT.value)
    if closes and told.state == State.CLOSED.value:
        found.append(letter(told.ticket_id, E.SURVEY, str(told.version)))
    return found


@dataclass(frozen=True)
class Rules:
    """What the wording says about when it may be kept back."""

    mandatory: bool
    at_once: bool
    enabled: bool


def kept_back(event: MessageEvent, rules: Rules, ticket: Mapping[str, Any]) -> str | None:
    """The code of what forbids a message about `ticket`, None when it may go.

    Who stays unknown and wants no contact is never written to, not even by a mandatory message.
    """
    if not rules.enabled:
        return "template_off"
    hidden = ticket["type"] == TicketType.REPORT.value or ticket["confidentiality"] in SEALED_DEGREES
    if hidden and not ticket["wants_reply"]:
        return "sealed"
    if ticket["phone_ref"] is None and ticket["phone2_ref"] is None:
        return "no_phone"
    if event is MessageEvent.SURVEY and ticket["responded"] is not None:
        return "answered"
    if not rules.mandatory and not ticket["wants_reply"]:
        return "not_wanted"
    return None


def quiet_until(now: datetime, span: str) -> datetime | None:
    """The end of the quiet hours `span` (`22:00-07:30`, city time) if `now` lies in them, in UTC."""
    if not span:
        return None
    begin, end = (time.fromisoformat(part) for part in span.split("-"))
    here = to_city(now)
    clock = here.time()
    inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not inside:
        return None
    day = here.date() + timedelta(days=1 if clock >= end else 0)
    return datetime.combine(day, end, CITY_ZONE).astimezone(now.tzinfo)
