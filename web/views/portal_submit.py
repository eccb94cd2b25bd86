"""The portal's form: what was typed is kept on every error, files wait for it, and it is carried out once."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from pydantic import Field, ValidationError

from core.db import UnitOfWork
from core.errors import HotlineError
from core.settings import Uploads
from routing.known import place_index
from routing.submissions import Submission, Submitted, differs
from tickets.attachments import sniff
from tickets.attachments.service import Prepared
from tickets.forms import MAX_EXPECTED, MAX_NARRATIVE
from tickets.public import sessions, waiting
from tickets.public.acts import CITIZEN
from tickets.public.sessions import Citizen
from tickets.terms import Channel, Confidentiality, TicketType, choices
from web.context import context
from web.errors import problem_of
from web.inputs import Fields, read_form
from web.render import fragment, redirect
from web.routes import route
from web.security.rates import RATES
from web.sentences.portal import FILES
from web.views._portal import (
    FIELD_WORDS,
    KEY,
    brake,
    check_open,
    citizen_of,
    new_key,
    portal_page,
    set_token,
)
from web.views._uploads import Refusal, Size, Upload, read_upload

MEGABYTE = 1024 * 1024
MAX_BODY = 120 * MEGABYTE
MOST_FIELD = 40_000  # bytes; a text of 8,000 characters and more, so that the form can say it is too long
SIZE = Size(files=waiting.MOST, fields=20, field=MOST_FIELD, rest_refused=True)
PLACES_PER_MINUTE = 90
# An appeal belongs to a ticket, and what is praised or else needs no box of its own here.
TYPES = tuple((code, word) for code, word in choices(TicketType) if code not in ("appeal", "other"))


class SubmitForm(Fields):
    """Everything the form has; checked for its keys only, so that a wrong value can be shown again."""

    key: str = Field(pattern=KEY)
    type: str = Field("", max_length=20)
    title: str = ""
    narrative: str = ""
    expected: str = ""
    address: str = ""
    area_id: str = Field("", pattern=r"^(\d{1,18}(\.\d{1,18})?)?$")
    occurred_at: str = Field("", max_length=40)
    name: str = ""
    phone: str = ""
    keep_secret: str = Field("", max_length=1)
    wants_reply: str = Field("", max_length=1)
    wants_public: str = Field("", max_length=1)
    agree: str = Field("", max_length=1)


class PlaceForm(Fields):
    q: str = Field("", max_length=60)


@route("GET", "/portal/submit", public=True)
async def form(request: web.Request) -> web.StreamResponse:
    """The empty form."""
    return await _form(request, SubmitForm(key=new_key(), wants_reply="1"))


@route("POST", "/portal/places", public=True, max_body=1024)
async def places(request: web.Request) -> web.StreamResponse:
    """Places of the gazetteer while an address is typed; in the body, for it may be a home."""
    asked, ctx = await read_form(request, PlaceForm), context(request)
    brake(request, "places", PLACES_PER_MINUTE)
    async with ctx.db.read() as session:
        found = (await place_index(session)).find(asked.q)
    return fragment(request, "agent/_places.html", spots=found)


@route("POST", "/portal/submit", public=True, max_body=MAX_BODY)
async def submit(request: web.Request) -> web.StreamResponse:
    """Make a ticket; the same form again is the same ticket. A refused form comes back as it was typed.

    So does one whose key was answered for another text: with a new key, and nothing of it is lost.
    """
    check_open(request)
    ctx = context(request)
    # Before a byte is read: whoever sends form after form is not given room for files.
    brake(request, "post", 4 * ctx.settings.portal.submissions_per_hour, 3600)
    files: tuple[Prepared, ...] = ()
    if request.content_type.startswith("multipart/form-data"):
        async with ctx.attachments.store.receiving() as room:
            found = await read_upload(request, ctx.attachments, CITIZEN, None, room, SIZE)
            asked = _asked(found)
            files = await _files(request, found, asked.key)
    else:
        asked, found = await read_form(request, SubmitForm), Upload()
    problem = await _refusal(request, asked, found.refused)
    if problem is not None:
        return await _form(request, asked, problem, files=files, refused=found.refused)
    one = _submission(asked, files)
    try:
        made, token = await _make(request, one, await citizen_of(request))
    except HotlineError as error:
        if error.code not in ("form_invalid", "place_unknown", "attachment_too_many"):
            raise
        return await _form(request, asked, error, files=files)
    if made.again and await _differs(request, made, one):
        other = asked.model_copy(update={"key": new_key()})
        response = await _form(request, other, HotlineError("portal_sent"))
    else:
        response = redirect(request, "/portal/done")
    if token is not None:
        set_token(request, response, token)
    response.headers["HL-Again"] = "1" if made.again else "0"
    return response


def _asked(found: Upload) -> SubmitForm:
    try:
        return SubmitForm.model_validate(found.fields)
    except ValidationError as error:
        unknown = any(item["type"] == "extra_forbidden" for item in error.errors())
        raise HotlineError("unknown_field" if unknown else "bad_request") from None


async def _files(request: web.Request, found: Upload, key: str) -> tuple[Prepared, ...]:
    """What came now and what came with this form before, each once; what is refused is named."""
    ctx = context(request)
    async with ctx.db.read() as session:
        known = {one.values["source_sha256"] for one in await waiting.of_form(session, key)}
    fresh: list[Prepared] = []
    for received in found.files:
        if received.sha256 in known:
            continue
        try:
            if len(known) >= waiting.MOST:
                raise HotlineError("attachment_too_many", limit=waiting.MOST)
            fresh.append(await ctx.attachments.prepare(received))
            known.add(received.sha256)
        except HotlineError as error:
            if problem_of(error)[0] == "internal":
                raise
            found.refused.append(Refusal(received.name, error))
            await ctx.attachments.refuse(CITIZEN, None, error, received.name, received.size)
    if fresh:
        async with ctx.db.begin() as uow:
            await waiting.keep(uow, key, fresh)
    async with ctx.db.read() as session:
        return await waiting.of_form(session, key)


async def _refusal(request: web.Request, asked: SubmitForm, refused: list[Refusal]) -> HotlineError | None:
    """Why the form is not carried out now: no consent, a file that cannot be taken, too much at once."""
    if asked.agree != "1":
        return HotlineError("portal_agree", fields={"agree": "agree"})
    if refused:
        return HotlineError("portal_files")
    settings = context(request).settings.portal
    try:
        most = settings.submissions_per_second
        request.app[RATES].count("portal.all", "", most=most, seconds=1)
        brake(request, "submit", settings.submissions_per_hour, 3600)
    except HotlineError as error:
        return error
    return None


@dataclass(frozen=True)
class _Area:
    district_id: int | None
    street_id: int | None


def _area(asked: SubmitForm) -> _Area:
    """The area a place was chosen with; only as long as the address is still there."""
    if not asked.address.strip() or not asked.area_id:
        return _Area(None, None)
    district, _, street = asked.area_id.partition(".")
    return _Area(int(district), int(street) if street else None)


def _submission(asked: SubmitForm, files: tuple[Prepared, ...]) -> Submission:
    area = _area(asked)
    sealed = asked.keep_secret == "1"  # noqa: S105 - a choice, not a password
    return Submission(
        channel=Channel.WEB,
        key=asked.key,
        narrative=asked.narrative,
        type=asked.type or None,
        title=asked.title.strip() or None,
        expected=asked.expected,
        address=asked.address,
        district_id=area.district_id,
        street_id=area.street_id,
        occurred_at=asked.occurred_at or None,
        name=asked.name,
        phone=asked.phone or None,
        confidentiality=Confidentiality.SECRET if sealed else Confidentiality.NORMAL,
        wants_reply=asked.wants_reply == "1",
        wants_public=asked.wants_public == "1" and not sealed,
        attachments=files,
    )


async def _make(
    request: web.Request, one: Submission, citizen: Citizen | None
) -> tuple[Submitted, str | None]:
    """The ticket, its consent, and a token that shows it (none for who is signed in: his shows it)."""
    ctx = context(request)

    async def work(uow: UnitOfWork) -> tuple[Submitted, str | None]:
        made = await ctx.submissions.submit(uow, one)
        if not made.again:
            subject = citizen.subject if citizen else None
            await sessions.keep_consent(uow, made.ticket_id, ctx.settings.portal.notice, subject)
        if citizen is not None and citizen.signed_in:
            await sessions.look_at(uow, citizen, made.ticket_id)
            return made, None
        return made, await sessions.begin(uow, ticket_id=made.ticket_id)

    return await ctx.db.retrying(work, hopeful=True)


async def _differs(request: web.Request, made: Submitted, one: Submission) -> bool:
    async with context(request).db.read() as session:
        return await differs(session, made.ticket_id, one)


async def _form(
    request: web.Request,
    asked: SubmitForm,
    error: HotlineError | None = None,
    *,
    files: tuple[Prepared, ...] = (),
    refused: list[Refusal] | None = None,
) -> web.StreamResponse:
    settings = context(request).settings
    return await portal_page(
        request,
        "portal/submit.html",
        error=error,
        typed=asked,
        types=TYPES,
        files=[one.values["name"] for one in files],
        refused=[(one.name, _file_words(one.error)) for one in refused or []],
        fresh=error is None,
        words=_words(),
        accept=",".join(f".{name}" for name in sniff.EXTENSIONS),
        sizes={name: _megabytes(code, settings.uploads) for name, code in sniff.EXTENSIONS.items()},
        most_megabytes=MAX_BODY // MEGABYTE - 1,  # the fields and the frame of each part need room too
        most_narrative=MAX_NARRATIVE,
        most_expected=MAX_EXPECTED,
        limits=settings.uploads,
        most_files=waiting.MOST,
        notice=settings.portal.notice,
    )


def _file_words(error: HotlineError) -> str:
    """The sentence beside a file that was not taken in."""
    problem = problem_of(error)[1]
    return FILES.get(error.code) or f"{problem.title}。{problem.sentence}"


def _words() -> dict[str, str]:
    """The sentences a page tells by itself before anything is sent: the same that the server would tell."""
    told = {name: FIELD_WORDS[name] for name in ("required", "too_long", "bad_phone", "in_future", "agree")}
    told |= {name: FILES[f"attachment_{name}"] for name in ("kind", "empty", "too_large")}
    return told | {
        "too_many": f"最多 {waiting.MOST} 个文件，请重新选择。",
        "all_too_large": f"文件加起来超过 {MAX_BODY // MEGABYTE - 1} MB，请少选几个，或压缩后再选。",
    }


def _megabytes(code: str, limits: Uploads) -> int:
    """The largest file of this kind that the form can carry."""
    return min(sniff.limit_of(sniff.KINDS[code], limits) // MEGABYTE, MAX_BODY // MEGABYTE - 1)
