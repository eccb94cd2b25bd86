"""The call-back desk (回访台): who is to be asked, the three questions, redo in the same step."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import reasons
from core.errors import HotlineError
from core.people.permissions import Permission
from telephony import dialling
from tickets import queries
from tickets.inputs import RevisitAnswers, parse_input
from tickets.queries.queues import revisit_count, revisit_list
from tickets.states import Action
from tickets.terms import ContactResult, choices
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.said import contacts, replies
from web.reads.units import unit_groups
from web.render import fragment, page, redirect
from web.routes import route
from web.words import TICKET_WORDS

WORK = Permission.REVISIT_WORK
TICKET = "/revisits/{ticket_id:[0-9]+}"
SCORES = ((5, "非常满意"), (4, "满意"), (3, "基本满意"), (2, "不满意"), (1, "非常不满意"))
YES_NO = (("true", "是"), ("false", "否"))
TOLD = {
    "dialled": ("正在拨打", "请先接听您的话机，随后自动呼叫市民。", "info"),
    "closed": ("回访已完成", "工单已办结。", "good"),
    "redo": ("已发回重办", "承办单位已收到，重办时限重新计算。", "good"),
    "tried": ("本次未接通", "已登记，稍后可再次拨打；第三次未接通自动结束回访。", "info"),
}


class DeskQuery(Fields):
    ticket: int | None = Field(None, gt=0, lt=2**63)
    after: str | None = Field(None, max_length=200)
    done: Literal["closed", "redo", "tried", "dialled"] | None = None


class AnswerForm(Fields):
    """What the officer ticked; empty choices count as not given."""

    version: int = Field(ge=1, lt=2**31)
    result: str = Field("", max_length=20)
    responded: str = Field("", max_length=5)
    solved: str = Field("", max_length=5)
    satisfied: str = Field("", max_length=1)
    reason_code: str = Field("", max_length=30)
    unit_id: str = Field("", max_length=19)
    redo: bool = False
    note: str = Field("", max_length=2000)


@route("GET", "/revisits", permission=WORK)
async def desk(request: web.Request) -> web.StreamResponse:
    """The work list, with the chosen ticket, or the first one, beside it."""
    query = read_query(request, DeskQuery)
    return await _desk(request, query, {})


async def _desk(
    request: web.Request, query: DeskQuery, typed: dict[str, Any], problem: HotlineError | None = None
) -> web.StreamResponse:
    async with context(request).db.read() as session:
        rows = await _rows(request, session, query)
        first = rows["rows"][0].ticket.id if rows["rows"] else None
        chosen = query.ticket or first
        one = await _one(request, session, chosen) if chosen is not None else {"ticket": None}
    values = {**rows, **one, "typed": typed, "told": TOLD.get(query.done or ""), "selected": chosen}
    values |= {"scores": SCORES, "yes_no": YES_NO, "results": choices(ContactResult), "problem_code": None}
    if problem is not None:
        values["problem_code"] = problem.code
        values["missing"] = problem.params.get("fields", [])
    return await page(
        request, "revisits/desk.html", status=422 if problem else 200, words=TICKET_WORDS, **values
    )


@route("GET", "/revisits/rows", permission=WORK)
async def rows(request: web.Request) -> web.StreamResponse:
    """The work list alone, when something came or went."""
    query = read_query(request, DeskQuery)
    async with context(request).db.read() as session:
        found = await _rows(request, session, query)
    return fragment(request, "revisits/_rows.html", words=TICKET_WORDS, selected=query.ticket, **found)


@route("POST", TICKET, permission=WORK)
async def answer(request: web.Request) -> web.StreamResponse:
    """Note what came of the call: answers, redo, or a try in vain; then on to the next."""
    form = await read_form(request, AnswerForm)
    ctx, ident = context(request), path_id(request, "ticket_id")
    given = {key: value for key, value in form.model_dump(exclude={"version"}).items() if value != ""}
    if "result" not in given:
        raise HotlineError("unknown_result", result="")
    told = parse_input(Action.REVISIT, given)
    assert isinstance(told, RevisitAnswers)
    try:
        async with ctx.db.begin() as uow:
            call = await dialling.last_call(uow.session, actor(request), "ticket", ident)
            await ctx.tickets.act(
                uow, actor(request), ident, form.version, Action.REVISIT, told, call_session_id=call
            )
    except HotlineError as error:
        if error.code not in ("answers_missing", "reason_unknown", "version_conflict"):
            raise
        return await _desk(request, DeskQuery(ticket=ident), form.model_dump(), error)
    done = "redo" if told.redo else "closed" if told.result == "reached" else "tried"
    return redirect(request, f"/revisits?done={done}")


async def _rows(request: web.Request, session: AsyncSession, query: DeskQuery) -> dict[str, Any]:
    person = actor(request)
    found = await revisit_list(session, person, query.after)
    count = await revisit_count(session, person)
    now = context(request).clock.now()
    return {"rows": found.items, "next_page": found.next_cursor, "count": count, "now": now}


async def _one(request: web.Request, session: AsyncSession, ident: int) -> dict[str, Any]:
    person = actor(request)
    ticket = await queries.ticket_page(session, person, ident)
    return {
        "ticket": ticket,
        "replies": await replies(session, person, ident),
        "contacts": await contacts(session, person, ident),
        "groups": await unit_groups(session),
        "redo_reasons": await reasons.choices(session, "redo"),
        "dissatisfied_reasons": await reasons.choices(session, "dissatisfied"),
    }
