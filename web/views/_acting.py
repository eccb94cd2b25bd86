"""From a posted form to an act on a ticket: read, do, and note what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from core import audit
from core.errors import HotlineError
from core.people.permissions import Permission
from tickets import queries
from tickets.inputs import INPUTS, Appeal, parse_input
from tickets.service import NewTicket
from tickets.workflow import RULES, Action
from web.context import actor, context
from web.inputs import read_items

MAY: tuple[Permission, ...] = tuple(
    sorted({who.permission for rule in RULES.values() for who in rule.who}, key=str)
)
# Attempts at what somebody may not do, or that no page of ours offers: they leave a trace.
FORGED = frozenset(
    {"action_not_allowed", "forbidden", "version_required", "ticket_not_found", "unknown_field"}
)
# What the form itself can be asked to mend: shown above it, with everything that was typed.
_SYSTEM_ONLY = frozenset(action for action, rule in RULES.items() if not rule.who)
MAX_BODY = 64 * 1024


@dataclass(frozen=True)
class Posted:
    """A form as it came: `typed` without the version, lists where the input has lists."""

    typed: dict[str, Any]
    version: int | None
    back: str


def action_of(request: web.Request) -> Action:
    """The action in the path; anything nobody may do by hand does not exist."""
    name = request.match_info["action"]
    if name not in INPUTS or Action(name) in _SYSTEM_ONLY:
        raise HotlineError("not_found")
    return Action(name)


async def read_posted(request: web.Request, action: Action) -> Posted:
    """The posted fields. Raises `too_large`, `bad_request`."""
    items = await read_items(request)
    lists = {name for name, field in INPUTS[action].model_fields.items() if "list" in str(field.annotation)}
    typed: dict[str, Any] = {}
    for key, value in items:
        if key in lists:
            if value:
                typed.setdefault(key, []).append(value)
        elif key in typed:
            raise HotlineError("bad_request", field=key[:40])
        else:
            typed[key] = value
    back = str(typed.pop("back", "page"))
    return Posted(typed, _number(typed.pop("version", "")), back)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HotlineError("bad_request", field="version")
    return int(text)


async def act(
    request: web.Request, ticket_id: int, version: int | None, action: Action, typed: Mapping[str, Any]
) -> NewTicket | None:
    """Do it; an appeal gives the new ticket. What was forged is noted before the error goes on."""
    ctx, person = context(request), actor(request)
    try:
        raw = await _master(request, action, typed)
        data = parse_input(action, raw)
        if isinstance(data, Appeal):
            if version is None:
                raise HotlineError("version_required", action=action.value)
            told, seen = data, version
            return await ctx.db.retrying(lambda uow: ctx.tickets.appeal(uow, person, ticket_id, seen, told))
        await ctx.db.retrying(
            lambda uow: ctx.tickets.act(uow, person, ticket_id, version, action, data),
            hopeful=action is Action.DISPATCH,
        )
    except HotlineError as error:
        if error.code in FORGED:
            await note_refusal(request, ticket_id, action, error.code)
        raise
    return None


async def _master(request: web.Request, action: Action, typed: Mapping[str, Any]) -> dict[str, Any]:
    """A master may be named by its number; whoever may not see it is told it does not exist."""
    raw = dict(typed)
    if action is not Action.MERGE or not raw.pop("master_number", ""):
        return raw
    number = "".join(str(typed["master_number"]).split())
    async with context(request).db.read() as session:
        found = await queries.find_by_number(session, actor(request), number)
    if found is None:
        raise HotlineError("form_invalid", fields={"master_number": "unknown_choice"})
    return raw | {"master_id": found}


async def note_refusal(request: web.Request, ticket_id: int, action: Action, code: str) -> None:
    """The audit row of an act that was refused, in a transaction of its own."""
    async with context(request).db.begin() as uow:
        await audit.record(
            uow,
            actor=actor(request),
            action="ticket.refused",
            object_type="ticket",
            object_id=ticket_id,
            detail={"code": code, "act": action.value},
        )
