"""Languages: who speaks what, what a caller needs, and whom to give the call to or bring into it."""

from __future__ import annotations

from datetime import time
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.ids import new_token
from core.people.permissions import Permission
from telephony.controls import orders
from telephony.controls.terms import EXTENSION, Act, target_of
from telephony.floor import speakers
from telephony.floor.languages import GROUPS, LANGUAGES, WEEK, words_of
from telephony.floor.scope import call_of
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.agent_words import STATE_WORDS, tone_of
from web.render import fragment, page, redirect
from web.routes import route

HOME = "/floor/languages"
KEEP = (Permission.FLOOR_LEAD, Permission.USER_MANAGE)
SEAT = (Permission.CALL_TAKE, Permission.FLOOR_LEAD)
REFUSED = ("language_unknown", "interpreter_text", "interpreter_days", "bad_phone", "version_conflict")


class Query(Fields):
    person: int | None = Field(None, gt=0, lt=2**63)
    interpreter: int | None = Field(None, gt=0, lt=2**63)
    done: str = Field("", max_length=20)


class LanguagesForm(Fields):
    languages: list[str] = Field([], max_length=40)


class InterpreterForm(Fields):
    version: int = Field(0, ge=0, lt=2**31)
    name: str = Field("", max_length=200)
    languages: list[str] = Field([], max_length=40)
    phone: str = Field("", max_length=60)
    days: list[Literal["1", "2", "3", "4", "5", "6", "7"]] = Field([], max_length=7)
    begins: time = time(0)
    ends: time = time(0)
    note: str = Field("", max_length=400)
    active: bool = False

    def entry(self) -> speakers.Entry:
        """What was typed."""
        return speakers.Entry(
            self.name, tuple(self.languages), self.phone, "".join(self.days), self.begins, self.ends,
            self.note, self.active,
        )  # fmt: skip


class HandOverForm(Fields):
    """`to`: `seat:` and an extension, or `interpreter:` and an id; the same click has the same `token`."""

    token: str = Field(max_length=40, pattern=r"^[A-Za-z0-9_-]{8,40}$")
    to: str = Field(max_length=30, pattern=r"^(seat|interpreter):\d{1,18}$")


class MarkForm(Fields):
    language: str = Field("", max_length=20)


# ---- who speaks what ----------------------------------------------------------------------------


@route("GET", HOME, permission=KEEP)
async def languages(request: web.Request) -> web.StreamResponse:
    """People with telephones and interpreters outside, with their languages; one of them to be changed."""
    query = read_query(request, Query)
    return await _page(request, query.person, query.interpreter, done=query.done)


async def _page(
    request: web.Request,
    person_id: int | None,
    interpreter_id: int | None,
    *,
    status: int = 200,
    **more: Any,
) -> web.StreamResponse:
    async with context(request).db.read() as session:
        people = await speakers.speakers(session, actor(request))
        outside = await speakers.interpreters(session)
    values: dict[str, Any] = {
        "people": people,
        "outside": outside,
        "person": next((one for one in people if one.user_id == person_id), None),
        "interpreter": next((one for one in outside if one.id == interpreter_id), None),
        "groups": GROUPS,
        "words_of": words_of,
        "week": list(enumerate(WEEK, 1)),
        "problem": None,
        "typed": None,
        "done": "",
        **more,
    }
    return await page(request, "floor/languages.html", status=status, **values)


@route("POST", HOME + r"/people/{user_id:\d+}", permission=KEEP)
async def note(request: web.Request) -> web.StreamResponse:
    """Note what a person speaks."""
    form, ident = await read_form(request, LanguagesForm), path_id(request, "user_id")
    async with context(request).db.begin() as uow:
        await speakers.set_languages(uow, actor(request), ident, form.languages)
    return redirect(request, f"{HOME}?person={ident}&done=saved")


@route("POST", HOME + "/interpreters", permission=KEEP)
async def add(request: web.Request) -> web.StreamResponse:
    """Add an interpreter outside."""
    return await _save(request, None)


@route("POST", HOME + r"/interpreters/{interpreter_id:\d+}", permission=KEEP)
async def change(request: web.Request) -> web.StreamResponse:
    """Change one; a number that is left empty stays what it was."""
    return await _save(request, path_id(request, "interpreter_id"))


async def _save(request: web.Request, ident: int | None) -> web.StreamResponse:
    form, ctx = await read_form(request, InterpreterForm), context(request)
    try:
        async with ctx.db.begin() as uow:
            made = await speakers.save_interpreter(
                uow,
                actor(request),
                ctx.vault,
                form.entry(),
                area=ctx.settings.city.phone_area,
                place=(ident, form.version) if ident is not None else None,
            )
    except HotlineError as error:
        if error.code not in REFUSED:
            raise
        problem = problem_of(error)[1]
        return await _page(request, None, ident, status=problem.status, problem=problem, typed=form)
    return redirect(request, f"{HOME}?interpreter={made}&done=saved")


# ---- at a call ------------------------------------------------------------------------------------


@route("GET", "/seat/language", permission=Permission.CALL_TAKE)
async def own_call(request: web.Request) -> web.StreamResponse:
    """The language of the call one talks in now."""
    async with context(request).db.read() as session:
        found = await call_of(session, actor(request))
    if found is None:
        raise HotlineError("language_no_call")
    if "HX-Request" in request.headers:
        return fragment(request, "seat/_language.html", **await _call(request, found))
    return redirect(request, f"/seat/calls/{found}/language")


@route("GET", r"/seat/calls/{session_id:\d+}/language", permission=SEAT)
async def call_language(request: web.Request) -> web.StreamResponse:
    """What the caller needs, who could take it: seats that speak it, interpreters one can call now."""
    values = await _call(request, path_id(request, "session_id"))
    if "HX-Request" in request.headers:
        return fragment(request, "seat/_language.html", **values)
    return await page(request, "seat/language.html", **values)


@route("POST", r"/seat/calls/{session_id:\d+}/language", permission=SEAT)
async def mark(request: web.Request) -> web.StreamResponse:
    """Note the language a caller needs; none: no longer."""
    form, ident = await read_form(request, MarkForm), path_id(request, "session_id")
    async with context(request).db.begin() as uow:
        await speakers.mark(uow, actor(request), ident, form.language or None)
    if "HX-Request" in request.headers:
        return fragment(request, "seat/_language.html", **await _call(request, ident))
    return redirect(request, f"/seat/calls/{ident}/language")


@route("POST", r"/seat/calls/{session_id:\d+}/hand-over", permission=Permission.CALL_TAKE)
async def hand_over(request: web.Request) -> web.StreamResponse:
    """Give the call to a seat that speaks the language, or bring an interpreter into it."""
    form, ident = await read_form(request, HandOverForm), path_id(request, "session_id")
    ctx, person = context(request), actor(request)
    kind, _, value = form.to.partition(":")
    async with ctx.db.begin() as uow:
        if kind == "seat":
            act, target = Act.TRANSFER, target_of(Act.TRANSFER, "colleague", value)
        else:
            number = await speakers.interpreter_number(uow.session, ctx.vault, int(value))
            own_house = EXTENSION.fullmatch(number) is not None
            act = Act.CONFERENCE
            target = target_of(act, "colleague" if own_house else "outside", number)
        await orders.place(uow, ctx.vault, person, act, ident, form.token, target)
    if "HX-Request" in request.headers:
        return fragment(request, "seat/_handed_over.html", seat=kind == "seat")
    return redirect(request, "/agent")


async def _call(request: web.Request, ident: int) -> dict[str, Any]:
    ctx, person = context(request), actor(request)
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        needed = await speakers.needed(session, person, ident)
        seats = outside = []
        if needed is not None:
            seats = await speakers.seats_speaking(session, needed.language, but=person.user_id)
            outside = await speakers.interpreters(session, needed.language)
    return {
        "session_id": ident,
        "needed": needed,
        "token": new_token(9),
        "word": LANGUAGES.get(needed.language, "") if needed else "",
        "groups": GROUPS,
        "seats": [(one, STATE_WORDS.get(one.state, one.state), tone_of(one.state)) for one in seats],
        "outside": sorted(
            ((one, one.hours.open_at(now)) for one in outside), key=lambda pair: (not pair[1], pair[0].name)
        ),
    }
