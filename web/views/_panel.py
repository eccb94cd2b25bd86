"""Puts together what one draft shows: its form, its caller, and the lists to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from chats import queries as chat_queries
from core.errors import HotlineError
from core.ids import new_token
from core.people import org
from core.people.actor import Actor
from core.people.models import Unit, User, UserRole
from core.people.permissions import ROLE_PERMISSIONS, Permission
from core.pinyin import initials
from tickets import asking, queries
from tickets.models import table_of
from tickets.terms import Channel, Confidentiality, Disposition, TicketType, Urgency, choices
from web.context import actor, context
from web.reads.calls import queue_words, states_of
from web.reads.citizens import CallerCard, caller_card
from web.reads.seat_parts import draft_label
from web.render import city_time
from web.views._forms import to_fields

_user = table_of(User)
_role = table_of(UserRole)
_WRITERS = [role.value for role, may in ROLE_PERMISSIONS.items() if Permission.DRAFT_WRITE in may]

TERMS = {
    "types": choices(TicketType),
    "urgencies": choices(Urgency),
    "confidentialities": choices(Confidentiality),
    "channels": choices(Channel),
    "dispositions": choices(Disposition),
}
ASKING = {"asking": asking.types_asking, "once": asking.types_once}
FORM_TERMS: dict[str, Any] = {**TERMS, **ASKING}


@dataclass(frozen=True)
class Option:
    """One line of a type-ahead list: found by its name, its path or the initials of its pinyin."""

    value: str
    name: str
    path: str
    initials: str


@dataclass(frozen=True)
class ChatPane:
    """The conversation in writing of a draft; `key` is the next message's own."""

    item: chat_queries.ChatItem
    said: list[chat_queries.Said]
    key: str

    @property
    def over(self) -> bool:
        return self.item.state == "ended"

    @property
    def words(self) -> str:
        return "会话已结束，请完成登记。" if self.over else "与市民对话中"


@dataclass(frozen=True)
class Panel:
    """One draft on the screen."""

    draft_id: int
    version: int
    label: str
    session_id: int | None
    form: Mapping[str, Any]
    caller: CallerCard
    saved_text: str
    phone_hint: str
    chat: ChatPane | None = None

    @property
    def has_more(self) -> bool:
        """True when the folded part of the form holds something."""
        return any(self.form[name] for name in ("phone2", "subject_uscc", "id_number", "appeal_of"))


async def panel_of(request: web.Request, session: AsyncSession, draft_id: int) -> Panel:
    """The panel of one of this person's open drafts. Raises HotlineError `draft_not_found`."""
    ctx, person = context(request), actor(request)
    found = await queries.draft_form(session, person, ctx.vault, draft_id)
    item = found.draft
    if found.ended_as is not None or item.owner_id not in (None, person.user_id):
        raise HotlineError("draft_not_found", draft_id=draft_id)
    calls = await states_of(session, [item.call_session_id] if item.call_session_id else [])
    queue = queue_words(calls[item.call_session_id].queues) if item.call_session_id in calls else ""
    card = await caller_card(
        session,
        person,
        item.caller_ref,
        item.caller,
        now=ctx.clock.now(),
        queue=queue,
        vault=ctx.vault,
        limits=ctx.tickets.limits,
    )
    return Panel(
        draft_id=item.id,
        version=item.version,
        label=draft_label(item),
        session_id=item.call_session_id,
        form=to_fields(found.form),
        caller=card,
        saved_text=f"已保存 {city_time(item.saved_at, '%H:%M:%S')}" if item.written else "自动保存",
        phone_hint="同来电号码" if item.caller else "手机或固话",
        chat=await _chat_of(request, session, item),
    )


async def _chat_of(request: web.Request, session: AsyncSession, item: queries.DraftItem) -> ChatPane | None:
    if item.chat_session_id is None or not actor(request).may(Permission.TEXT_TAKE):
        return None
    found = await chat_queries.one(session, actor(request), item.chat_session_id)
    said = await chat_queries.transcript(session, context(request).vault, found.id)
    return ChatPane(found, said, new_token(9))


async def options_for(session: AsyncSession, person: Actor) -> dict[str, list[Option]]:
    """The lists of the form: categories (leaves), places, colleagues who may take a draft."""
    return {
        "categories": await _categories(session),
        "areas": await _areas(session),
        "colleagues": await _colleagues(session, person),
    }


async def _categories(session: AsyncSession) -> list[Option]:
    """The leaves of the tree, each with its whole path."""
    nodes = await queries.categories(session)
    parents = {node.parent_id for node in nodes}
    items = [node for node in nodes if node.id not in parents]
    return [Option(str(item.id), item.name, item.full_name, item.initials.lower()) for item in items]


async def _areas(session: AsyncSession) -> list[Option]:
    """Districts, and streets or towns as `district.street`."""
    units = await org.units(session, kinds=("district", "town"))
    districts = {unit.id: unit for unit in units if unit.kind == "district"}
    found = [
        Option(str(u.id), u.short_name, u.short_name, initials(u.short_name)) for u in districts.values()
    ]
    for unit in units:
        above = _district_of(unit, districts)
        if above is not None:
            path = f"{above.short_name} / {unit.short_name}"
            found.append(Option(f"{above.id}.{unit.id}", unit.short_name, path, initials(unit.short_name)))
    return found


def _district_of(unit: Unit, districts: Mapping[int, Unit]) -> Unit | None:
    if unit.kind == "district":
        return None
    above = (int(part) for part in unit.path.strip(".").split("."))
    return next((districts[ident] for ident in above if ident in districts), None)


async def _colleagues(session: AsyncSession, person: Actor) -> list[Option]:
    query = (
        sa.select(_user.c.id, _user.c.name, _user.c.login)
        .join(_role, _role.c.user_id == _user.c.id)
        .where(_user.c.active, _role.c.role.in_(_WRITERS), _user.c.id != person.user_id)
        .distinct()
        .order_by(_user.c.login)
    )
    return [
        Option(str(row.id), row.name, f"{row.name}({row.login})", f"{initials(row.name)} {row.login}")
        for row in await session.execute(query)
    ]
