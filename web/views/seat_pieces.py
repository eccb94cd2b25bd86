"""All of the telephone that a page shows, in one request: only the pieces that are not as the page has them.

A page names its pieces with the mark each came with; a piece without a mark is sent in any case. What a
piece hangs on is asked for first (`web.reads.seat_stamps`); only what changed is read and rendered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.permissions import Permission
from telephony.agents.queries import UNCODED_SHOWN
from tickets import queries
from web.context import actor, context
from web.inputs import Fields, read_query
from web.reads import controls, duties, seat
from web.reads.seat_parts import phone, ringing, tabs_of
from web.reads.seat_stamps import Stamps
from web.reads.seat_state import SeatState, seat_state
from web.render import piece
from web.routes import route
from web.seat_board import SEATS
from web.views.seat_state import SEAT as SITS

TAKE, WRITE = Permission.CALL_TAKE, Permission.DRAFT_WRITE
MAX_HAVE = 300


class PiecesQuery(Fields):
    have: str = Field("", max_length=MAX_HAVE, pattern=r"^[a-z]*(\.[0-9a-f]*)?(,[a-z]+(\.[0-9a-f]*)?)*$")


class Reading:
    """What this request reads of the tables, each thing once."""

    session: AsyncSession

    def __init__(self, request: web.Request, stamps: Stamps, now: datetime) -> None:
        self.request, self.stamps, self.now = request, stamps, now
        self.person: Actor = actor(request)
        self.queue = seat.QueueNow(0, None)
        self.waiting: dict[str, int | None] = {}
        self._calls: list[seat.SeatCall] | None = None
        self._drafts: list[queries.DraftItem] | None = None
        self._seat: SeatState | None = None

    async def calls(self) -> list[seat.SeatCall]:
        if self._calls is None:
            self._calls = await seat.seat_calls(self.session, self.person) if self.stamps.calls else []
        return self._calls

    async def seat(self) -> SeatState:
        if self._seat is None:
            most = context(self.request).settings.agents.wrap_up_extensions
            self._seat = await seat_state(self.session, self.person, self.now, most)
        return self._seat

    @cached_property
    def uncoded(self) -> bool:
        """Whether the last call's missing code is still asked for: this ends by itself."""
        ended = self.stamps.wrap_up_ended
        return ended is not None and self.now - ended <= UNCODED_SHOWN


@dataclass(frozen=True)
class Piece:
    """One piece: for whom, what it hangs on (None: always read), its template and values."""

    permissions: tuple[Permission, ...]
    hangs_on: Callable[[Reading], Any]
    template: str
    values: Callable[[Reading], Awaitable[dict[str, Any]]]


async def _banner(reading: Reading) -> dict[str, Any]:
    calls = await reading.calls()
    return {"ringing_calls": await ringing(reading.session, reading.person, calls, reading.now)}


async def _phone(reading: Reading) -> dict[str, Any]:
    return {"phone": phone(await reading.calls(), reading.queue, reading.now)}


async def _figures(reading: Reading) -> dict[str, Any]:
    mine = {"answered_today": reading.stamps.answered, "open_drafts": reading.stamps.open_drafts}
    return {"figures": {**mine, **reading.waiting}}


async def _tabs(reading: Reading) -> dict[str, Any]:
    drafts = await queries.my_drafts(reading.session, reading.person) if reading.stamps.drafts else []
    return {"draft_tabs": await tabs_of(reading.session, drafts)}


async def _state(reading: Reading) -> dict[str, Any]:
    return {"seat": await reading.seat(), "folded": True}


async def _controls(reading: Reading) -> dict[str, Any]:
    return await controls.seat_controls(reading.session, reading.person, reading.now)


def _agent(reading: Reading) -> Any:
    """Who is signed out is told what stands in the way, which hangs on others: always read."""
    stamps = reading.stamps
    return (stamps.agent, stamps.wrap_up, reading.uncoded) if stamps.agent is not None else None


PIECES: dict[str, Piece] = {
    "banner": Piece((TAKE,), lambda r: r.stamps.calls, "agent/_banner.html", _banner),
    "phone": Piece((TAKE, WRITE), lambda r: (r.stamps.calls, r.queue), "agent/_phone.html", _phone),
    "figures": Piece(
        (TAKE, WRITE),
        lambda r: (r.stamps.answered, r.stamps.open_drafts, r.waiting),
        "agent/_figures.html",
        _figures,
    ),
    "tabs": Piece((WRITE,), lambda r: r.stamps.drafts, "agent/_tab_list.html", _tabs),
    "state": Piece(SITS, _agent, "seat/_panel.html", _state),
    "head": Piece(SITS, _agent, "seat/_head_inner.html", _state),
    "controls": Piece(
        (TAKE,), lambda r: (r.stamps.marks, r.stamps.order), "seat/_call_controls.html", _controls
    ),
}


@route("GET", "/seat/pieces", permission=(TAKE, WRITE, Permission.REVISIT_WORK))
async def pieces(request: web.Request) -> web.StreamResponse:
    """JSON: of the pieces in `have` (`name.mark,…`) those that changed, each with its mark and its HTML.

    Names that do not exist, or are not for this person, are left out.
    """
    ctx, board, person = context(request), request.app[SEATS], actor(request)
    have = dict(one.partition(".")[::2] for one in read_query(request, PiecesQuery).have.split(","))
    wanted = [name for name in have if name in PIECES and any(map(person.may, PIECES[name].permissions))]
    anew = not all(have[name] for name in wanted)
    reading = Reading(request, await board.stamps(person), ctx.clock.now())
    if "phone" in wanted:
        reading.queue = await board.common("queue", seat.queue_now, at_once=anew)
    if "figures" in wanted:
        reading.waiting = await _waiting(request, reading, at_once=anew)
    marks = {name: _mark(PIECES[name].hangs_on(reading)) for name in wanted}
    changed = [name for name, mark in marks.items() if not mark or mark != have[name]]
    found = {
        name: {"mark": marks[name], "html": html} for name, html in (await _read(reading, changed)).items()
    }
    return web.json_response(text=json.dumps({"pieces": found}, ensure_ascii=False))


async def _read(reading: Reading, names: Sequence[str]) -> dict[str, str]:
    """The HTML of these pieces."""
    if not names:
        return {}
    async with context(reading.request).db.read() as reading.session:
        return {
            name: piece(reading.request, PIECES[name].template, **await PIECES[name].values(reading))
            for name in names
        }


async def _waiting(request: web.Request, reading: Reading, *, at_once: bool) -> dict[str, int | None]:
    """Counts that are the same for all with the same rights are read once for all of them."""
    person, now = reading.person, reading.now
    rights = (
        person.may(Permission.CALLBACK_READ),
        person.may(Permission.FLOOR_READ) and (person.may(Permission.DRAFT_READ_ALL) or person.user_id),
    )
    return await request.app[SEATS].common(
        rights, lambda session: duties.waiting(session, person, now), at_once=at_once
    )


def _mark(source: Any) -> str:
    return "" if source is None else hashlib.blake2s(repr(source).encode(), digest_size=6).hexdigest()
