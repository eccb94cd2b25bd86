"""The contact relay (联系中转): open questions of handling units, to be put to citizens by the hotline."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets import relay
from tickets.visibility import SEALED_DEGREES
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, page, redirect
from web.routes import route
from web.words import TICKET_WORDS

WORK, READ = Permission.CALLBACK_WORK, Permission.TICKET_READ_HOTLINE
QUESTION = "/relay/{question_id:[0-9]+}"


class RelayQuery(Fields):
    question: int | None = Field(None, gt=0, lt=2**63)


class AnswerForm(Fields):
    note: str = Field("", max_length=2000)


class NoFields(Fields):
    pass


@route("GET", "/relay", permission=WORK, also=READ)
async def open_questions(request: web.Request) -> web.StreamResponse:
    """The list of open questions, with the chosen one beside it."""
    query = read_query(request, RelayQuery)
    async with context(request).db.read() as session:
        values = await _values(request, session, query.question)
    return await page(request, "relay/list.html", **values)


@route("GET", "/relay/rows", permission=WORK, also=READ)
async def rows(request: web.Request) -> web.StreamResponse:
    """The list alone, when a question came or was answered."""
    query = read_query(request, RelayQuery)
    async with context(request).db.read() as session:
        values = await _values(request, session, query.question)
    return fragment(request, "relay/_rows.html", **values)


@route("POST", QUESTION + "/answer", permission=WORK, also=READ)
async def answer(request: web.Request) -> web.StreamResponse:
    """Pass the citizen's answer on; a telephone number in it is refused and the text is kept."""
    form = await read_form(request, AnswerForm)
    ctx, person, ident = context(request), actor(request), path_id(request, "question_id")
    try:
        async with ctx.db.begin() as uow:
            await relay.answer_question(uow, ctx.tickets, person, ident, form.note)
    except HotlineError as error:
        if error.code not in ("relay_text_personal", "note_required", "form_invalid"):
            raise
        kinds = "、".join(error.params.get("kinds", ()))
        async with ctx.db.read() as session:
            values = await _values(request, session, ident, typed=form.note, refused=kinds or "empty")
        return await page(request, "relay/list.html", status=422, **values)
    return redirect(request, "/relay")


@route("POST", QUESTION + "/send", permission=WORK, also=READ)
async def send(request: web.Request) -> web.StreamResponse:
    """Put the question to the citizen by text message, in the hotline's name."""
    await read_form(request, NoFields)
    ctx, ident = context(request), path_id(request, "question_id")
    async with ctx.db.begin() as uow:
        await relay.send(uow, actor(request), ident)
    return redirect(request, f"/relay?question={ident}")


async def _values(
    request: web.Request, session: AsyncSession, chosen: int | None, typed: str = "", refused: str = ""
) -> dict[str, Any]:
    questions = await relay.open_questions(session, actor(request))
    return {
        "questions": questions,
        "chosen": next((one for one in questions if one.id == chosen), None),
        "typed": typed,
        "refused": refused,
        "sealed": SEALED_DEGREES,
        "words": TICKET_WORDS,
    }
