"""Makes the row of a new ticket, from a complete form or from an earlier ticket (申诉)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.db import UnitOfWork
from core.errors import HotlineError
from core.ids import digits
from core.people.actor import Actor
from core.privacy import Kind, Vault
from tickets import beforehand, flags, history
from tickets.beforehand import REFERENCES, References
from tickets.counting import Measures
from tickets.events import TicketCreated
from tickets.flow import TicketStage
from tickets.forms import TicketForm
from tickets.limits import Clock, Limits, Matter
from tickets.measures import Move, Seen
from tickets.models import Ticket, table_of
from tickets.numbers import city_day, next_number
from tickets.personal import put_all
from tickets.search import index
from tickets.states import STAGE_OF, Action, State
from tickets.terms import Channel, Confidentiality
from tickets.visibility import is_system

_ticket = table_of(Ticket)
_stage = table_of(TicketStage)
QUERY_CODE_DIGITS = 6  # a telephone keypad can enter them
# Where the channel itself reaches the citizen, or he takes number and code away with him.
REACHED_OTHERWISE = frozenset(
    {Channel.WECHAT, Channel.WEIBO, Channel.EMAIL, Channel.KIOSK, Channel.PLATFORM, Channel.VOICEMAIL}
)
# What an agent took down was accepted on the line; what came by itself waits to be accepted (待受理).
ACCEPTED_CHANNELS = frozenset({Channel.PHONE.value, Channel.PLATFORM.value, Channel.TEXT.value})


@dataclass(frozen=True)
class NewTicket:
    """What the agent reads out: the number, and the code the citizen follows the matter with."""

    id: int
    number: str
    query_code: str
    version: int


async def from_form(
    uow: UnitOfWork,
    actor: Actor,
    vault: Vault,
    limits: Limits,
    measures: Measures,
    area: str,
    form: TicketForm,
    *,
    caller_ref: int | None,
    call_session_id: int | None,
) -> NewTicket:
    """A ticket of a complete form; without a typed phone the caller's number is the contact."""
    _check_contact(form, caller_ref)
    code, numbered = digits(QUERY_CODE_DIGITS), None
    personal = _personal_values(form, code)
    if uow.hopeful:
        known = await beforehand.ask(uow, vault, form, area, personal)
        _check_references(form, known.references)
        refs, numbered = known.refs, known.numbered
    else:
        _check_references(form, await _references(uow, form))
        refs = await put_all(uow, vault, personal)
    values = _columns(form) | {
        "query_code_ref": refs["code"],
        "name_ref": refs.get("name"),
        "phone_ref": refs.get("phone", caller_ref),
        "phone2_ref": refs.get("phone2"),
        "id_number_ref": refs.get("id_number"),
        "call_session_id": call_session_id,
    }
    return await insert(uow, actor, limits, measures, area, values, code, numbered=numbered)


async def insert(
    uow: UnitOfWork,
    actor: Actor,
    limits: Limits,
    measures: Measures,
    area: str,
    values: dict[str, Any],
    code: str,
    *,
    numbered: tuple[int, str] | None = None,
) -> NewTicket:
    """Write the ticket, its first stage and its first history row; tell it.

    `numbered` is its id and number, where they were asked for beforehand.
    """
    state = State.WAITING_DISPATCH if values["channel"] in ACCEPTED_CHANNELS else State.WAITING_ACCEPT
    matter = Matter(values["type"], values["urgency"], values["category_id"])
    clock = limits.clock(STAGE_OF[state], matter, uow.now)
    row = values | BLANK | _first(state, clock, actor, uow.now)
    ident, number = numbered or await next_number(uow, area=area, day=city_day(uow.now))
    await uow.put(_ticket, row | {"id": ident, "number": number})
    await uow.put(_stage, _opened(ident, row, clock))
    await _note(uow, actor, measures, ident, row)
    await uow.emit(
        TicketCreated(
            ident, number, 1, row["type"], row["urgency"], row["channel"], actor.user_id, state.value
        )
    )
    return NewTicket(ident, number, code, 1)


def _first(state: State, clock: Clock | None, actor: Actor, now: datetime) -> dict[str, Any]:
    """Where the ticket stands as it begins, and who made it."""
    return {
        "state": state.value,
        "stage": STAGE_OF[state].value,
        "stage_since": now,
        "stage_due_at": clock.due if clock else None,
        "created_by": actor.user_id,
        "created_at": now,
        "updated_at": now,
    }


def _opened(ident: int, row: Mapping[str, Any], clock: Clock | None) -> dict[str, Any]:
    """The row of the stage that begins with the ticket."""
    opened = {
        "ticket_id": ident,
        "stage": row["stage"],
        "round": 1,
        "started_at": row["stage_since"],
        "due_at": row["stage_due_at"],
    }
    if clock is not None:
        opened |= {"limit": clock.limit, "policy": clock.policy, "alarm_at": clock.alarm}
    return opened


async def _note(
    uow: UnitOfWork, actor: Actor, measures: Measures, ident: int, row: Mapping[str, Any]
) -> None:
    """What is written with every new ticket: history, the index of texts, figures, flags."""
    state, call, changes = State(row["state"]), row["call_session_id"], history.first_changes(row)
    entry = history.Entry(ident, Action.CREATE, None, state, 1, call_session_id=call, changes=changes)
    await history.append(uow, actor, [entry])
    await index.put(uow, index.matter(ident, uow.now, row))
    after = Seen(
        row["state"],
        row["type"],
        row["category_id"],
        row["district_id"],
        stage=row["stage"],
        stage_since=row["stage_since"],
        stage_due_at=row["stage_due_at"],
    )
    made = Move(ident, 1, uow.now, Action.CREATE.value, is_system(actor), None, after)
    await measures.moved(uow, made)
    await flags.note(uow, ident, row["title"], row["narrative"], row["expected"])


BLANK: dict[str, Any] = {
    "version": 1,
    "urges": 0,
    "round": 1,
    "returns": 0,
    "extensions": 0,
    "supervised": False,
    "ruled": False,
    "excluded": False,
}


def _columns(form: TicketForm) -> dict[str, Any]:
    """The columns a form fills directly."""
    return {
        "channel": form.channel.value,
        "type": form.type.value,
        "urgency": form.urgency.value,
        "confidentiality": form.confidentiality.value,
        "category_id": form.category_id,
        "title": form.title,
        "narrative": form.narrative,
        "expected": form.expected,
        "occurred_at": form.occurred_at,
        "address": form.address,
        "district_id": form.district_id,
        "street_id": form.street_id,
        "subject_name": form.subject_name,
        "subject_uscc": form.subject_uscc,
        "subject_unit_id": form.subject_unit_id,
        "wants_reply": form.wants_reply,
        "wants_public": form.wants_public,
    }


def _personal_values(form: TicketForm, code: str) -> dict[str, tuple[Kind, str]]:
    values: dict[str, tuple[Kind, str]] = {"code": ("code", code)}
    if form.citizen_name:
        values["name"] = ("name", form.citizen_name)
    if form.phone:
        values["phone"] = ("phone", form.phone)
    if form.phone2:
        values["phone2"] = ("phone", form.phone2)
    if form.id_number:
        values["id_number"] = ("id_number", form.id_number)
    return values


def _check_contact(form: TicketForm, caller_ref: int | None) -> None:
    """A name is not required, a way to reach the citizen is, unless anonymity was asked for."""
    if form.phone or caller_ref or form.confidentiality is Confidentiality.ANONYMOUS:
        return
    if form.channel in REACHED_OTHERWISE:
        return
    raise HotlineError("form_invalid", fields={"phone": "required"})


async def _references(uow: UnitOfWork, form: TicketForm) -> References:
    """Category, district, street and the unit complained about in one look."""
    asked = (form.category_id, form.district_id, form.street_id, form.subject_unit_id)
    return References(*(await uow.look(f"SELECT {REFERENCES}", *asked))[0])


def _check_references(form: TicketForm, found: References) -> None:
    """Raise `category_unknown`, `place_unknown` or `unit_not_found`."""
    if not found.category:
        raise HotlineError("category_unknown", category_id=form.category_id)
    street, district = found.street, found.district
    wrong = (form.district_id is not None and district is None) or (
        form.street_id is not None
        and (street is None or (district is not None and not street.startswith(district)))
    )
    if wrong:
        raise HotlineError("place_unknown", district_id=form.district_id, street_id=form.street_id)
    if form.subject_unit_id is not None and found.subject is None:
        raise HotlineError("unit_not_found", unit_id=form.subject_unit_id)
