"""The shape of an answer: a response, perhaps a list behind it, perhaps something that then happens."""

from collections.abc import Callable
from dataclasses import dataclass, field

from telephony.simulator.wire import Headers, first


@dataclass
class Reply:
    """Messages in the order they are sent; `then` runs after them."""

    messages: list[Headers] = field(default_factory=list)
    then: Callable[[], object] | None = None


def _head(action: Headers, status: str) -> Headers:
    head = [("Response", status)]
    action_id = first(action, "ActionID")
    if action_id:
        head.append(("ActionID", action_id))
    return head


def success(action: Headers, part: Headers | None = None, message: str = "") -> Reply:
    tail = [("Message", message)] if message else []
    return Reply([[*_head(action, "Success"), *(part or []), *tail]])


def error(action: Headers, message: str) -> Reply:
    return Reply([[*_head(action, "Error"), ("Message", message)]])


def listing(action: Headers, message: str, items: list[Headers], complete: str) -> Reply:
    """A list: start, items (each already ends with its ActionID where Asterisk puts it there), Complete."""
    start = [*_head(action, "Success"), ("EventList", "start"), ("Message", message)]
    end = [
        ("Event", complete),
        *identity(action),
        ("EventList", "Complete"),
        ("ListItems", str(len(items))),
    ]
    return Reply([start, *items, end])


def identity(action: Headers) -> Headers:
    """The ActionID header, if the client gave one."""
    action_id = first(action, "ActionID")
    return [("ActionID", action_id)] if action_id else []
