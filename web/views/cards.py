"""Cards of the ladder (亮牌): the list, what waits for one's own acknowledgement, those of a ticket."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.duties import POST_LABELS
from core.people.permissions import Permission
from sla import cards
from sla.cards import PAGE, STATES, CardItem, Wanted
from sla.ladder import LEVEL_LABELS, Level
from tickets import ticket_rows
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, page, redirect
from web.routes import route

READ, ACKNOWLEDGE = Permission.CARD_READ, Permission.CARD_ACKNOWLEDGE
FEW = 3  # on the workbench; the list has them all
TONES: dict[str, str] = {
    Level.BLUE: "info",
    Level.YELLOW: "warn",
    Level.RED: "bad",
    Level.NOTICE: "bad",
    Level.BULLETIN: "bad",
    Level.PROPOSAL: "secret",
}
_BACK = re.compile(r"/(cards(\?[A-Za-z0-9_=&.%:+-]{0,300})?|workbench|tickets/[0-9]{1,18})")


class CardQuery(Fields):
    level: Level | None = None
    state: Literal["mine", "waiting", "done", "running"] | None = None
    before: str = Field("", max_length=60)


class AcknowledgeForm(Fields):
    """`back`: the page it was done from."""

    note: str = Field("", max_length=cards.LONGEST_NOTE)
    back: str = Field("/cards?state=mine", max_length=340)


@route("GET", "/cards", permission=READ)
async def listed(request: web.Request) -> web.StreamResponse:
    """Newest first; the piece alone when it fetches itself again."""
    query = read_query(request, CardQuery)
    level, state = (query.level.value if query.level else ""), query.state or ""
    wanted = Wanted(level, state, before=_place(query.before))
    async with context(request).db.read() as session:
        found = await _found(request, session, wanted)
    kept = {name: value for name, value in (("level", level), ("state", state)) if value}
    more = found[PAGE - 1] if len(found) > PAGE else None
    values: dict[str, Any] = {
        "cards": found[:PAGE],
        "filters": kept,
        "here": _address(kept | ({"before": query.before} if query.before else {})),
        "following": _address(kept | {"before": f"{more.issued_at.isoformat()}_{more.id}"}) if more else "",
        "first_page": not query.before,
    }
    if wants_fragment(request):
        return fragment(request, "cards/_rows.html", **values, **_words())
    choices = {
        "level": [(level.value, word) for level, word in LEVEL_LABELS.items()],
        "state": STATES.items(),
    }
    return await page(request, "cards/list.html", choices=choices, **values, **_words())


@route("GET", "/cards/waiting", permission=ACKNOWLEDGE)
async def waiting(request: web.Request) -> web.StreamResponse:
    """What waits for one's own acknowledgement, for the workbench; nothing when nothing does."""
    read_query(request, Fields)
    async with context(request).db.read() as session:
        found = await _found(request, session, Wanted(state="mine", limit=FEW))
    return fragment(
        request,
        "cards/_waiting.html",
        cards=found[:FEW],
        more=len(found) > FEW,
        back="/workbench",
        **_words(),
    )


@route("GET", "/tickets/{ticket_id}/cards", permission=READ)
async def of_ticket(request: web.Request) -> web.StreamResponse:
    """The cards of a ticket one may see."""
    read_query(request, Fields)
    ident = path_id(request, "ticket_id")
    async with context(request).db.read() as session:
        await ticket_rows.find(session, actor(request), ident)
        found = await _found(request, session, Wanted(ticket_id=ident))
    return fragment(request, "cards/_ticket.html", cards=found, back=f"/tickets/{ident}", **_words())


@route("POST", "/cards/{card_id:[0-9]+}/acknowledge", permission=ACKNOWLEDGE, max_body=4096)
async def acknowledge(request: web.Request) -> web.StreamResponse:
    """确认, with one click; clicked twice it is done once."""
    form = await read_form(request, AcknowledgeForm)
    if not _BACK.fullmatch(form.back):
        raise HotlineError("bad_request", fields=["back"])
    ident = path_id(request, "card_id")
    async with context(request).db.begin() as uow:
        await cards.acknowledge(uow, actor(request), ident, form.note)
    return redirect(request, form.back)


async def _found(request: web.Request, session: AsyncSession, wanted: Wanted) -> list[CardItem]:
    return await cards.cards(session, actor(request), context(request).clock.now(), wanted)


def _words() -> dict[str, Any]:
    return {"tones": TONES, "posts": POST_LABELS}


def _address(kept: dict[str, str]) -> str:
    return f"/cards?{urlencode(kept)}" if kept else "/cards"


def _place(text: str) -> tuple[datetime, int] | None:
    """`instant_id` of the last card seen. Raises `bad_cursor`."""
    if not text:
        return None
    at, _, ident = text.rpartition("_")
    try:
        found = datetime.fromisoformat(at)
        if found.tzinfo is None or not ident.isascii() or not ident.isdigit() or len(ident) > 18:
            raise ValueError
    except ValueError:
        raise HotlineError("bad_cursor") from None
    return found, int(ident)
