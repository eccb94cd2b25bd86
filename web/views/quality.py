"""Quality (质量检查): the calls drawn, a page to score one beside its recording and ticket, appeals."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from sla.quality import drawing, queries
from sla.quality.drawing import DrawRules
from sla.quality.sampling import RULE_WORDS
from sla.quality.service import Given
from telephony.shifts.hours import monday_of, today
from web import ranges
from web.context import actor, context, wants_fragment
from web.errors import problem_of
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.reads import quality as reads
from web.render import fragment, page, redirect
from web.routes import route
from web.views._admin import NoFields, back
from web.views.attachments import SANDBOX
from web.views.recordings import opened
from web.words import TICKET_WORDS

HOME = "/quality"
CASE = HOME + r"/cases/{case_id:\d+}"
READ, REVIEW, MANAGE = Permission.QUALITY_READ, Permission.QUALITY_REVIEW, Permission.QUALITY_MANAGE
SAID = {
    "drawn": "已抽取，可以开始评分。",
    "scored": "评分已保存，话务员可以看到并在期限内申诉。",
    "upheld": "已维持原评分。",
    "changed": "已改评。",
    "calibrating": "已发起校准。",
    "saved": "已保存。",
}
TONES = {"drawn": "warn", "scored": "good", "appealed": "bad", "final": "quiet"}
# What the scoring form itself can be told back with; the rest is a problem of its own.
BACK = frozenset(
    {"quality_marks", "quality_comment", "quality_old_sheet", "quality_answer", "version_conflict"}
)


class ListQuery(Fields):
    week: date | None = None
    state: Literal["drawn", "scored", "appealed", "final"] | None = None
    agent: Ident | None = None
    after: int = Field(0, ge=0, lt=1_000_000)
    done: str = Field("", max_length=20)


class DrawForm(Fields):
    week: date
    seed: str = Field("", max_length=12)


class MarkForm(Fields):
    version: int = Field(0, ge=0, lt=2**31)
    sheet_id: Ident
    code: list[str] = Field(default_factory=list, max_length=60)
    mark: list[str] = Field(default_factory=list, max_length=60)
    fatal: list[str] = Field(default_factory=list, max_length=60)
    comment: str = Field("", max_length=4000)


class DecideForm(MarkForm):
    outcome: Literal["upheld", "changed"]
    answer: str = Field("", max_length=4000)


# ---- the list -------------------------------------------------------------------------------


@route("GET", HOME, permission=READ)
async def case_list(request: web.Request) -> web.StreamResponse:
    """What was drawn, what waits; the last weeks' draws beside it."""
    query, ctx, person = read_query(request, ListQuery), context(request), actor(request)
    filters = queries.Filters(query.week, query.state, query.agent)
    last_week = monday_of(today(ctx.clock.now())) - timedelta(days=7)
    async with ctx.db.read() as session:
        found = await queries.cases(session, person, filters, query.after)
        draws = await queries.draws(session, person)
        _, plan = await drawing.plan_in_force(session)
    kept = query.model_dump(mode="json", exclude={"after", "done"}, exclude_none=True)
    following = urlencode({**kept, "after": query.after + queries.PAGE})
    return await page(
        request,
        "quality/list.html",
        items=found[: queries.PAGE],
        following=f"{HOME}?{following}" if len(found) > queries.PAGE else "",
        query=query,
        draws=draws,
        last_week=last_week,
        undrawn=last_week not in {one.monday for one in draws},
        plan=[(RULE_WORDS[rule], number) for rule, number in plan.items()],
        states=list(queries.STATE_WORDS.items()),
        tones=TONES,
        may_manage=person.may(MANAGE),
        done=SAID.get(query.done, ""),
    )


@route("POST", HOME + "/draws", permission=MANAGE)
async def draw(request: web.Request) -> web.StreamResponse:
    """Draw a week's calls, once."""
    form, ctx = await read_form(request, DrawForm), context(request)
    seed: int | None = None
    if form.seed:
        if not (form.seed.isascii() and form.seed.isdigit() and int(form.seed) <= drawing.MOST_SEED):
            raise HotlineError("bad_request", field="seed")
        seed = int(form.seed)
    given = ctx.settings.quality
    async with ctx.db.begin() as uow:
        await drawing.draw_week(
            uow, actor(request), form.week, DrawRules(given.new_days, given.long_minutes), seed
        )
    return back(request, HOME, "drawn", week=form.week)


# ---- one call -------------------------------------------------------------------------------


@route("GET", CASE, permission=READ)
async def case(request: web.Request) -> web.StreamResponse:
    """A drawn call: recording, ticket, the sheet to score by or what was given."""
    return await shown(request, path_id(request, "case_id"))


async def shown(
    request: web.Request, case_id: int, typed: MarkForm | None = None, error: HotlineError | None = None
) -> web.StreamResponse:
    """The page of a case; with what was typed when something of it was wrong."""
    ctx, person, now = context(request), actor(request), context(request).clock.now()
    _, problem = problem_of(error) if error else ("", None)
    async with ctx.db.read() as session:
        found = await queries.case_page(session, person, case_id)
        sheet_id, sheet = await drawing.sheet_in_force(session)
        sheets = {one.sheet_id: await drawing.sheet_by_id(session, one.sheet_id) for one in found.scores}
        how = await reads.how(session, person, ctx.recordings, case_id, now)
        reviewers = await queries.reviewers(session) if person.may(MANAGE) else []
    item = found.item
    may_review = person.may(REVIEW) and item.agent_id != person.user_id
    return await page(
        request,
        "quality/case.html",
        status=problem.status if problem else 200,
        case=found,
        item=item,
        how=how,
        sheet_id=sheet_id,
        sheet=sheet,
        sheets=sheets,
        scoring=may_review and item.state == "drawn",
        deciding=may_review and item.state == "appealed" and item.reviewer_id != person.user_id,
        own_score=item.reviewer_id == person.user_id,
        marks=dict(zip(typed.code, typed.mark, strict=False)) if typed else {},
        typed=typed,
        wrong=error.params.get("items", ()) if error else (),
        problem=problem,
        reviewers=[one for one in reviewers if one[0] != item.agent_id],
        may_manage=person.may(MANAGE) and item.agent_id != person.user_id,
        words=TICKET_WORDS,
        tones=TONES,
        done=SAID.get(request.query.get("done", ""), ""),
    )


def given_of(form: MarkForm) -> Given:
    """The marks as typed values. Raises `bad_request`, `quality_marks` for what is no number."""
    if len(form.code) != len(form.mark) or len(set(form.code)) != len(form.code):
        raise HotlineError("bad_request")
    marks: dict[str, int | None] = {}
    wrong = []
    for code, mark in zip(form.code, form.mark, strict=True):
        if mark == "na":
            marks[code] = None
        elif mark.isascii() and mark.isdigit() and len(mark) <= 3:
            marks[code] = int(mark)
        else:
            wrong.append(code)
    if wrong:
        raise HotlineError("quality_marks", items=wrong)
    return Given(form.sheet_id, marks, tuple(dict.fromkeys(form.fatal)), form.comment)


@route("POST", CASE + "/score", permission=REVIEW)
async def score(request: web.Request) -> web.StreamResponse:
    """The first score."""
    form, ident, ctx = await read_form(request, MarkForm), path_id(request, "case_id"), context(request)
    try:
        async with ctx.db.begin() as uow:
            await ctx.quality.score(uow, actor(request), ident, form.version, given_of(form))
    except HotlineError as error:
        if error.code not in BACK:
            raise
        return await shown(request, ident, form, error)
    return back(request, f"{HOME}/cases/{ident}", "scored")


@route("POST", CASE + "/decide", permission=REVIEW)
async def decide(request: web.Request) -> web.StreamResponse:
    """Another reviewer's decision on an appeal."""
    form, ident, ctx = await read_form(request, DecideForm), path_id(request, "case_id"), context(request)
    try:
        given = given_of(form) if form.outcome == "changed" else None
        async with ctx.db.begin() as uow:
            await ctx.quality.decide(
                uow, actor(request), ident, form.version, answer=form.answer, given=given
            )
    except HotlineError as error:
        if error.code not in BACK:
            raise
        return await shown(request, ident, form, error)
    return back(request, f"{HOME}/cases/{ident}", form.outcome)


# ---- its recording --------------------------------------------------------------------------


@route("POST", CASE + "/listen", permission=REVIEW)
async def listen(request: web.Request) -> web.StreamResponse:
    """Open the recording for a while; the audit log says for which case."""
    await read_form(request, NoFields)
    ctx, person, ident = context(request), actor(request), path_id(request, "case_id")
    async with ctx.db.read() as session:
        row = await reads.named(session, person, ident)
    if not await asyncio.to_thread(ctx.recordings.has, row.pbx, row.recording):
        raise HotlineError("recording_missing", call_id=row.id)
    async with ctx.db.begin() as uow:
        await reads.ask(uow, person, ident)
    if wants_fragment(request):
        return fragment(request, "quality/_recording.html", case_id=ident, how="open")
    return redirect(request, f"{HOME}/cases/{ident}")


@route("GET", CASE + "/recording", permission=REVIEW)
async def recording(request: web.Request) -> web.StreamResponse:
    """The sound itself, in the pieces a player asks for."""
    ctx, person, ident = context(request), actor(request), path_id(request, "case_id")
    async with ctx.db.read() as session:
        place = await reads.asked_for(session, person, ident, ctx.clock.now())
    sound = await opened(ctx.recordings, *place)
    headers: dict[str, Any] = {
        "Content-Type": sound.mime,
        "Content-Disposition": f'inline; filename="case-{ident}.{sound.kind}"',
        "Content-Security-Policy": SANDBOX,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return await ranges.send(request, sound.file, sound.size, sound.tag, headers)
