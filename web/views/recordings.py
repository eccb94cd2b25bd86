"""Listening to what was said in a call of a ticket: for a reason, and never to a sealed reporter's voice."""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from telephony.recordings import Recordings, Sound
from web import ranges
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_form
from web.reads import recordings as reads
from web.render import fragment, redirect
from web.routes import route
from web.views.attachments import SANDBOX
from web.views.tickets import READ


class ListenForm(Fields):
    reason: str = Field("", max_length=200)


@route(
    "POST",
    "/tickets/{ticket_id}/calls/{call_id}/listen",
    permission=READ,
    also=Permission.PERSON_REVEAL,
    max_body=4096,
)
async def listen(request: web.Request) -> web.StreamResponse:
    """Open the recording of a call for a while, for a reason that goes into the audit log."""
    ident, call_id = path_id(request, "ticket_id"), path_id(request, "call_id")
    form = await read_form(request, ListenForm)
    ctx, person = context(request), actor(request)
    try:
        async with ctx.db.read() as session:
            place = await reads.named(session, person, ident, call_id)
        # The folder may be another machine's; a file that is gone is told before a reason is kept.
        if not await asyncio.to_thread(ctx.recordings.has, *place):
            raise HotlineError("recording_missing", call_id=call_id)
        async with ctx.db.begin() as uow:
            await reads.ask(uow, person, ident, call_id, form.reason)
    except HotlineError as error:
        if error.code == "recording_sealed":  # no page of ours offers it: the attempt leaves a trace
            async with ctx.db.begin() as uow:
                await reads.note(uow, person, reads.REFUSED, ident, call_id, form.reason)
        raise
    if wants_fragment(request):
        return fragment(request, "tickets/_recording.html", ticket_id=ident, call_id=call_id, how="open")
    return redirect(request, f"/tickets/{ident}#call-{call_id}")


@route(
    "GET",
    "/tickets/{ticket_id}/calls/{call_id}/recording",
    permission=READ,
    also=Permission.PERSON_REVEAL,
)
async def recording(request: web.Request) -> web.StreamResponse:
    """The sound itself, in the pieces a player asks for."""
    ident, call_id = path_id(request, "ticket_id"), path_id(request, "call_id")
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        place = await reads.asked_for(session, person, ident, call_id, ctx.clock.now())
    sound = await opened(ctx.recordings, *place)
    headers = {
        "Content-Type": sound.mime,
        "Content-Disposition": f'inline; filename="call-{call_id}.{sound.kind}"',
        "Content-Security-Policy": SANDBOX,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return await ranges.send(request, sound.file, sound.size, sound.tag, headers)


async def opened(recordings: Recordings, pbx: str, name: str) -> Sound:
    """The recording, opened aside: a folder of another machine may take its time.

    Who seeks leaves the request before; what is opened then is closed again.
    """
    opening = asyncio.ensure_future(asyncio.to_thread(recordings.open, pbx, name))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close)
        raise


def _close(opening: asyncio.Future[Sound]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().file.close()
