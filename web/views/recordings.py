"""Listening to what was said in a call: for a reason, and never to a sealed reporter's voice.

A ticket's calls are open to whoever sees the ticket; any call to whoever sees the call itself: the agent
who took it, the shift leader, the inspector.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from telephony.recordings import Recordings, Sound
from telephony.waveforms import refuse_silence
from web import ranges
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_form
from web.reads import recordings as reads
from web.render import fragment, redirect
from web.routes import route
from web.views.attachments import SANDBOX
from web.views.tickets import READ

CALLS = (Permission.CALL_TAKE, Permission.CALL_READ_ALL)
OF_TICKET, OF_CALL = "/tickets/{ticket_id}/calls/{call_id}", "/calls/{call_id}"
MESSAGE = "/message"  # behind either: what was left in the mailbox
REVEAL = Permission.PERSON_REVEAL
# A refusal that is only a state of the file is shown where the player would be.
SILENT = {"recording_empty": "empty", "recording_broken": "broken"}


class ListenForm(Fields):
    reason: str = Field("", max_length=200)


def _which(request: web.Request) -> tuple[int | None, int, bool]:
    """The ticket, if the address names one, the call, and whether it is about the message that was left."""
    ticket_id = path_id(request, "ticket_id") if "ticket_id" in request.match_info else None
    return ticket_id, path_id(request, "call_id"), request.path.rpartition("/")[0].endswith(MESSAGE)


def _word(message: bool) -> str:
    return "留言" if message else "录音"


@route("POST", OF_TICKET + "/listen", permission=READ, also=REVEAL, max_body=4096)
@route("POST", OF_CALL + "/listen", permission=CALLS, also=REVEAL, max_body=4096)
@route("POST", OF_TICKET + MESSAGE + "/listen", permission=READ, also=REVEAL, max_body=4096)
@route("POST", OF_CALL + MESSAGE + "/listen", permission=CALLS, also=REVEAL, max_body=4096)
async def listen(request: web.Request) -> web.StreamResponse:
    """Open the recording of a call for a while, for a reason that goes into the audit log."""
    ticket_id, call_id, message = _which(request)
    form = await read_form(request, ListenForm)
    ctx, person = context(request), actor(request)
    home = f"/tickets/{ticket_id}" if ticket_id is not None else f"/calls/{call_id}"
    place = (f"{home}/calls/{call_id}" if ticket_id is not None else home) + (MESSAGE if message else "")
    try:
        async with ctx.db.read() as session:
            found = await reads.named(session, person, ticket_id, call_id, message=message)
        # A file that is gone or silent is told before a reason is kept.
        refuse_silence((await ctx.waveforms.of(found.pbx, found.name)).state)
        async with ctx.db.begin() as uow:
            await reads.ask(uow, person, ticket_id, call_id, form.reason, message=message)
    except HotlineError as error:
        if error.code == "recording_sealed":  # no page of ours offers it: the attempt leaves a trace
            async with ctx.db.begin() as uow:
                await reads.note(uow, person, reads.REFUSED, ticket_id, call_id, form.reason)
        if error.code in SILENT and wants_fragment(request):
            return fragment(
                request, "tickets/_recording.html", place=place, how=SILENT[error.code], word=_word(message)
            )
        raise
    if wants_fragment(request):
        return fragment(request, "tickets/_recording.html", place=place, how="open", word=_word(message))
    return redirect(request, f"{home}#call-{call_id}")


@route("GET", OF_TICKET + "/recording", permission=READ, also=REVEAL)
@route("GET", OF_CALL + "/recording", permission=CALLS, also=REVEAL)
@route("GET", OF_TICKET + MESSAGE + "/recording", permission=READ, also=REVEAL)
@route("GET", OF_CALL + MESSAGE + "/recording", permission=CALLS, also=REVEAL)
async def recording(request: web.Request) -> web.StreamResponse:
    """The sound itself, in the pieces a player asks for."""
    place = await _asked_for(request)
    ctx = context(request)
    sound = await opened(ctx.recordings, place.pbx, place.name)
    headers = {
        "Content-Type": sound.mime,
        "Content-Disposition": f'inline; filename="call-{path_id(request, "call_id")}.{sound.kind}"',
        "Content-Security-Policy": SANDBOX,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return await ranges.send(request, sound.file, sound.size, sound.tag, headers)


@route("GET", OF_TICKET + "/waveform", permission=READ, also=REVEAL)
@route("GET", OF_CALL + "/waveform", permission=CALLS, also=REVEAL)
@route("GET", OF_TICKET + MESSAGE + "/waveform", permission=READ, also=REVEAL)
@route("GET", OF_CALL + MESSAGE + "/waveform", permission=CALLS, also=REVEAL)
async def waveform(request: web.Request) -> web.StreamResponse:
    """The shape of the sound and the marks on it, for the player; open as long as the sound is."""
    place = await _asked_for(request)
    ctx = context(request)
    shape = await ctx.waveforms.of(place.pbx, place.name)
    return web.json_response(
        {
            "state": shape.state,
            "seconds": shape.seconds,
            "peaks": shape.peaks,
            "marks": reads.mark_lines(place.marks),
        }
    )


async def _asked_for(request: web.Request) -> reads.Place:
    ticket_id, call_id, message = _which(request)
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        now = ctx.clock.now()
        return await reads.asked_for(session, person, ticket_id, call_id, now, message=message)


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
