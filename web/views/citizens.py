"""Citizen records: found by something exact, opened with an audit entry, noted about, marked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.permissions import Permission
from tickets.citizens import finding, names, queries, records, service
from tickets.citizens.terms import FLAG_LABELS
from tickets.queries.filters import decode_cursor, encode_cursor
from web.context import actor, context, wants_fragment
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.calls import calls_of_numbers
from web.render import fragment, page, redirect
from web.routes import route
from web.words import TICKET_WORDS

READ, EDIT = Permission.CITIZEN_READ, Permission.CITIZEN_EDIT
ONE = "/citizens/{citizen_id:[0-9]+}"
SMALL = 16_384
Id = Field(gt=0, lt=2**63)
Version = Field(ge=1, lt=2**31)
Reason = Field("", max_length=1000)
# Answered on the page itself, with what was typed still in its field.
SHOWN = frozenset(
    {"version_conflict", "bad_phone", "bad_name", "bad_uscc", "phone_elsewhere", "citizen_full"}
    | {"company_too_long", "unknown_flag", "reason_missing", "reason_too_long", "note_required"}
    | {"note_too_long", "flag_not_found", "note_not_yours", "merge_with_itself", "not_merged"}
)


class SearchForm(Fields):
    q: str = Field("", max_length=100)


class PageQuery(Fields):
    tickets: str | None = Field(None, max_length=200)
    calls: str | None = Field(None, max_length=200)


class RevealForm(Fields):
    ref: int = Id
    reason: str = Field("", max_length=200)


class NoteForm(Fields):
    note: str = Field("", max_length=8000)


class ReasonForm(Fields):
    reason: str = Reason


class BusinessForm(Fields):
    version: int = Version
    business: bool = False
    company: str = Field("", max_length=400)
    uscc: str = Field("", max_length=60)


class PhoneForm(Fields):
    version: int = Version
    phone: str = Field("", max_length=60)


class NameForm(Fields):
    version: int = Version
    name: str = Field("", max_length=400)


class FlagForm(Fields):
    version: int = Version
    kind: str = Field("", max_length=20)
    reason: str = Reason


class ClearForm(Fields):
    version: int = Version
    reason: str = Reason


# ---- finding --------------------------------------------------------------------------------


@route("GET", "/citizens", permission=READ)
async def search_page(request: web.Request) -> web.StreamResponse:
    """The search; there is no list of citizens."""
    return await page(request, "citizens/search.html", typed="", found=None)


@route("POST", "/citizens/search", permission=READ, max_body=4096)
async def search(request: web.Request) -> web.StreamResponse:
    """By a ticket's number, phone, USCC or name, exactly; a single hit is opened. Audited."""
    typed = (await read_form(request, SearchForm)).q
    found = await search_for(request, typed)
    if len(found.hits) == 1 and not found.more:
        return redirect(request, f"/citizens/{found.hits[0].citizen_id}")
    return await page(request, "citizens/search.html", typed=typed, found=found)


async def search_for(request: web.Request, typed: str) -> finding.Found:
    """What was typed, looked up and audited."""
    ctx, person = context(request), actor(request)
    area = ctx.settings.city.phone_area
    return await ctx.db.retrying(lambda uow: finding.search(uow, person, ctx.vault, typed, area=area))


@route("GET", "/citizens/of-ticket/{ticket_id:[0-9]+}", permission=READ)
async def of_ticket(request: web.Request) -> web.StreamResponse:
    """The record behind a ticket."""
    ctx, person, ident = context(request), actor(request), path_id(request, "ticket_id")
    found = await ctx.db.retrying(lambda uow: service.of_ticket(uow, person, ident))
    return redirect(request, f"/citizens/{found}")


# ---- the page -------------------------------------------------------------------------------


@route("GET", ONE, permission=READ)
async def record(request: web.Request) -> web.StreamResponse:
    """The record; opening it is audited, leafing through its lists is not opened again."""
    ident, query = path_id(request, "citizen_id"), read_query(request, PageQuery)
    try:
        if not (query.tickets or query.calls):
            await context(request).db.retrying(lambda uow: _opened(request, uow, ident))
        return await page(request, "citizens/page.html", **await _values(request, ident, query))
    except HotlineError as error:
        if error.code != "citizen_merged":
            raise
        return redirect(request, f"/citizens/{error.params['into']}")


async def _opened(request: web.Request, uow: UnitOfWork, ident: int) -> None:
    """Catch up with the names of the record's tickets and write down who looked."""
    await records.head(uow.session, ident)
    refs = [item.ref for item in await queries.phones_of(uow.session, ident) if not item.gone]
    await names.learn(uow, context(request).vault, refs)
    await audit.record(
        uow, actor=actor(request), action="citizen.open", object_type="citizen", object_id=ident
    )


async def _values(
    request: web.Request, ident: int, query: PageQuery | None = None, **more: Any
) -> dict[str, Any]:
    ctx, person, query = context(request), actor(request), query or PageQuery()
    async with ctx.db.read() as session:
        found = await queries.citizen_page(session, person, ctx.vault, ident)
        tickets = await queries.tickets_of(session, person, found.refs, query.tickets)
        mark = decode_cursor(query.calls) if query.calls else None
        calls, further = await calls_of_numbers(session, found.refs, mark)
    floor = person.may(Permission.CALL_READ_ALL) or person.may(Permission.FLOOR_READ)
    return {
        "citizen": found,
        "tickets": tickets.items,
        "calls": calls,
        "older_tickets": _address(ident, tickets=tickets.next_cursor, calls=query.calls),
        "older_calls": _address(
            ident, tickets=query.tickets, calls=encode_cursor(*further) if further else None, of="calls"
        ),
        "at_start": not (query.tickets or query.calls),
        "words": TICKET_WORDS,
        "flag_kinds": [(kind.value, word) for kind, word in FLAG_LABELS.items()],
        "may_edit": person.may(EDIT) and found.forgotten_at is None,
        "may_reveal": person.may(Permission.PERSON_REVEAL),
        "may_withdraw_all": person.may(Permission.DRAFT_READ_ALL),
        "may_open_calls": floor,
        "problem": None,
        "typed": {},
        "form": "",
        "revealed": {},
        **more,
    }


def _address(ident: int, *, tickets: str | None, calls: str | None, of: str = "tickets") -> str:
    """The page with the next part of one list; '' when that list ends here."""
    if (tickets if of == "tickets" else calls) is None:
        return ""
    given = {key: value for key, value in (("tickets", tickets), ("calls", calls)) if value}
    return f"/citizens/{ident}?{urlencode(given)}#{of}"


@route("POST", ONE + "/reveal", permission=READ, also=Permission.PERSON_REVEAL, max_body=4096)
async def reveal(request: web.Request) -> web.StreamResponse:
    """A number or a name in the clear, for a reason that goes into the audit log."""
    ident, form = path_id(request, "citizen_id"), await read_form(request, RevealForm)
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        value = await service.reveal(uow, person, ctx.vault, ident, form.ref, form.reason)
    if wants_fragment(request):
        return fragment(request, "tickets/_revealed.html", value=value)
    return await page(
        request, "citizens/page.html", **await _values(request, ident, revealed={form.ref: value})
    )


# ---- writes on the page ---------------------------------------------------------------------


async def write(
    request: web.Request, form: Fields, name: str, work: Callable[[UnitOfWork, int], Awaitable[Any]]
) -> web.StreamResponse:
    """Do `work` and show the record again; a refusal keeps what was typed into form `name`."""
    ident = path_id(request, "citizen_id")
    try:
        await context(request).db.retrying(lambda uow: work(uow, ident))
    except HotlineError as error:
        if error.code not in SHOWN:
            raise
        _, problem = problem_of(error)
        values = await _values(request, ident, problem=problem, typed=form.model_dump(), form=name)
        if error.code == "phone_elsewhere":
            values["other_id"] = error.params["citizen_id"]
        return await page(request, "citizens/page.html", status=problem.status, **values)
    return redirect(request, f"/citizens/{ident}#{name}")


@route("POST", ONE + "/notes", permission=EDIT, max_body=SMALL)
async def add_note(request: web.Request) -> web.StreamResponse:
    """A note, signed with name and time."""
    form, ctx, person = await read_form(request, NoteForm), context(request), actor(request)
    return await write(
        request, form, "notes", lambda uow, ident: service.add_note(uow, person, ctx.vault, ident, form.note)
    )


@route("POST", ONE + "/notes/{note_id:[0-9]+}/withdraw", permission=EDIT, max_body=SMALL)
async def withdraw_note(request: web.Request) -> web.StreamResponse:
    """Take a note back; it stays, struck through, with the reason."""
    form, ctx, person = await read_form(request, ReasonForm), context(request), actor(request)
    note = path_id(request, "note_id")
    return await write(
        request,
        form,
        "notes",
        lambda uow, ident: service.withdraw_note(uow, person, ctx.vault, ident, note, form.reason),
    )


@route("POST", ONE + "/flags", permission=EDIT, max_body=SMALL)
async def set_flag(request: web.Request) -> web.StreamResponse:
    """A mark for everybody who answers."""
    form, person = await read_form(request, FlagForm), actor(request)
    return await write(
        request,
        form,
        "flags",
        lambda uow, ident: service.set_flag(uow, person, ident, form.version, form.kind, form.reason),
    )


@route("POST", ONE + "/flags/{flag_id:[0-9]+}/clear", permission=EDIT, max_body=SMALL)
async def clear_flag(request: web.Request) -> web.StreamResponse:
    """Take a mark off."""
    form, person, flag = await read_form(request, ClearForm), actor(request), path_id(request, "flag_id")
    return await write(
        request,
        form,
        "flags",
        lambda uow, ident: service.clear_flag(uow, person, ident, form.version, flag, form.reason),
    )


@route("POST", ONE + "/business", permission=EDIT, max_body=SMALL)
async def set_business(request: web.Request) -> web.StreamResponse:
    """Whether it is an enterprise, its name and code."""
    form, person = await read_form(request, BusinessForm), actor(request)
    values = form.model_dump(exclude={"version"})
    return await write(
        request,
        form,
        "business",
        lambda uow, ident: service.set_business(uow, person, ident, form.version, **values),
    )


@route("POST", ONE + "/phones", permission=EDIT, max_body=4096)
async def add_phone(request: web.Request) -> web.StreamResponse:
    """One more number."""
    form, ctx, person = await read_form(request, PhoneForm), context(request), actor(request)
    area = ctx.settings.city.phone_area
    return await write(
        request,
        form,
        "values",
        lambda uow, ident: service.add_phone(
            uow, person, ctx.vault, ident, form.version, form.phone, area=area
        ),
    )


@route("POST", ONE + "/names", permission=EDIT, max_body=4096)
async def add_name(request: web.Request) -> web.StreamResponse:
    """One more name."""
    form, ctx, person = await read_form(request, NameForm), context(request), actor(request)
    return await write(
        request,
        form,
        "values",
        lambda uow, ident: service.add_name(uow, person, ctx.vault, ident, form.version, form.name),
    )
