"""What a list may be asked for, and the mark that says where the next page begins."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from core.clock import CITY_ZONE
from core.errors import HotlineError
from core.people.actor import Actor
from tickets.forms import clean
from tickets.models import Category, Ticket, table_of
from tickets.terms import Channel, Confidentiality, TicketType, Urgency
from tickets.workflow import FINAL, State

T = TypeVar("T")
_ticket = table_of(Ticket)
_category = table_of(Category)
MAX_PAGE = 100
_CODES: dict[str, type[StrEnum]] = {
    "state": State,
    "type": TicketType,
    "urgency": Urgency,
    "channel": Channel,
    "confidentiality": Confidentiality,
}
_IDS = ("category_id", "district_id", "unit_id")
_DAYS = ("created_from", "created_to")
_FLAGS = ("open", "mine")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list; `next_cursor` is None on the last one."""

    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class TicketFilters:
    """What narrows a list of tickets; None and False narrow nothing. Days are the city's, inclusive."""

    state: str | None = None
    type: str | None = None
    urgency: str | None = None
    channel: str | None = None
    confidentiality: str | None = None
    category_id: int | None = None
    district_id: int | None = None
    unit_id: int | None = None
    created_from: date | None = None
    created_to: date | None = None
    open: bool = False
    mine: bool = False
    text: str | None = None


FILTERS = frozenset(TicketFilters.__dataclass_fields__)


def parse_filters(query: Mapping[str, str]) -> TicketFilters:
    """The filters of a request; empty values narrow nothing.

    Raises HotlineError `unknown_filter` (fields) or `bad_filter` (field): a filter that is not
    understood is never left out silently, since that would show more than was asked for.
    """
    unknown = sorted(str(key)[:40] for key in set(query) - FILTERS)
    if unknown:
        raise HotlineError("unknown_filter", fields=unknown[:10])
    found: dict[str, Any] = {}
    for name, raw in query.items():
        value = clean(raw)
        if value:
            found[name] = _parsed(name, value)
    return TicketFilters(**found)


def _parsed(name: str, value: str) -> Any:
    try:
        if name in _CODES:
            return _CODES[name](value).value
        if name in _DAYS:
            return date.fromisoformat(value)
    except ValueError:
        raise HotlineError("bad_filter", field=name) from None
    if name in _IDS:
        if not value.isascii() or not value.isdecimal() or len(value) > 18:
            raise HotlineError("bad_filter", field=name)
        return int(value)
    if name in _FLAGS:
        return value in {"1", "true", "on", "yes"}
    return value[:40]


def conditions(filters: TicketFilters, actor: Actor) -> list[sa.ColumnElement[bool]]:
    """The WHERE of a list, without what concerns units (see `lists.unit_scope`).

    Words are looked for in the full-text index (`tickets.search`), never by reading every ticket.
    """
    found: list[sa.ColumnElement[bool]] = [
        _ticket.c[name] == value
        for name in _CODES
        if name != "state" and (value := getattr(filters, name)) is not None
    ]
    if filters.state is not None:
        found.append(in_state(filters.state))
    if filters.open:
        found.append(is_open())
    if filters.district_id is not None:
        found.append(_ticket.c.district_id == filters.district_id)
    if filters.mine:
        found.append(_ticket.c.created_by == actor.user_id)
    if filters.created_from is not None:
        found.append(_ticket.c.created_at >= _midnight(filters.created_from))
    if filters.created_to is not None:
        found.append(_ticket.c.created_at < _midnight(filters.created_to + timedelta(days=1)))
    if filters.category_id is not None:
        found.append(_ticket.c.category_id.in_(_below_category(filters.category_id)))
    if filters.text:
        raise ValueError("a list with a text is read by tickets.search")
    return found


def is_open() -> sa.ColumnElement[bool]:
    """Not in a final state; in the statement's text, since a parameter hides partial indexes."""
    final: sa.BindParameter[Any] = sa.bindparam(
        "final", sorted(state.value for state in FINAL), expanding=True, literal_execute=True
    )
    return _ticket.c.state.not_in(final)


def in_state(state: str) -> sa.ColumnElement[bool]:
    """In this state, written into the statement like `is_open`."""
    known = State(state)
    return _ticket.c.state == sa.bindparam(f"state_{known.value}", known.value, literal_execute=True)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY_ZONE).astimezone(UTC)


def _below_category(category_id: int) -> sa.Select[Any]:
    return sa.select(_category.c.id).where(_category.c.path.like(sa.func.concat("%.", category_id, ".%")))


def encode_cursor(created_at: datetime, ident: int) -> str:
    """An opaque mark after the row (created_at, id)."""
    raw = f"{created_at.astimezone(UTC).isoformat()}|{ident}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, int]:
    """The row a mark stands after; raises `bad_cursor`."""
    try:
        raw = base64.urlsafe_b64decode(cursor[:200] + "=" * (-len(cursor[:200]) % 4)).decode()
        at, _, ident = raw.partition("|")
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None or not 0 < int(ident) < 2**63:
            raise ValueError
    except (ValueError, binascii.Error):
        raise HotlineError("bad_cursor") from None
    return instant, int(ident)


def after(table: sa.Table, cursor: str | None) -> list[sa.ColumnElement[bool]]:
    """Rows that come after the mark in (created_at desc, id desc) order."""
    if cursor is None:
        return []
    at, ident = decode_cursor(cursor)
    mark = sa.tuple_(sa.literal(at, table.c.created_at.type), sa.literal(ident, table.c.id.type))
    return [sa.tuple_(table.c.created_at, table.c.id) < mark]
