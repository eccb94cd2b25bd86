"""What waits for another administrator (待批事项): the list, the effect, yes or no with a note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.errors import HotlineError
from core.people import duties
from core.people.account_acts import NewPeople
from core.people.duties import DUTIES, Act, Concern, Rule
from core.people.models import AdminProposal, User
from core.people.permissions import Permission
from core.people.proposals import Change
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._acts import secret_page, words_of
from web.views._admin import DONE, NoFields, back

HOME = "/admin/approvals"
ONE = HOME + r"/{proposal_id:\d+}"
MAY = (Permission.USER_MANAGE, Permission.ROLE_GRANT, Permission.ADMIN_AUDIT)
STATES = {"waiting": "待批", "approved": "已批准", "refused": "已退回", "withdrawn": "已撤回"}
TONES = {"waiting": "warn", "approved": "good", "refused": "bad", "withdrawn": "quiet"}
MOST_LINES = 200


class ListQuery(Fields):
    show: Literal["waiting", "decided"] = "waiting"
    done: str = Field("", max_length=20)


class NoteForm(Fields):
    note: str = Field("", max_length=500)


@dataclass(frozen=True)
class Line:
    """A proposal as the list shows it."""

    id: int
    label: str
    subject: str
    proposer: str
    row: AdminProposal
    mine: bool
    may_decide: bool
    approvers: str


@route("GET", HOME, permission=MAY)
async def approvals(request: web.Request) -> web.StreamResponse:
    """What waits for me or because of me, or what was decided."""
    query, ctx, person = read_query(request, ListQuery), context(request), actor(request)
    async with ctx.db.read() as session:
        found = await ctx.people.proposals.visible(session, person, waiting=query.show == "waiting")
        lines = [await _line(request, session, *one) for one in found]
    lines.sort(key=lambda line: not line.may_decide)
    return await page(
        request,
        "admin/approvals.html",
        lines=lines,
        show=query.show,
        states=STATES,
        tones=TONES,
        done=DONE.get(query.done) or ANSWERS.get(query.done),
    )


ANSWERS = {
    "approved": "已批准，立即生效。",
    "approved_partly": "已批准，立即生效。提交后被停用或岗位有变动的账号未作变更，名单见审计日志。",
    "refused": "已退回，理由已告知提出人。",
    "taken_back": "已撤回，没有改动。",
}


async def _line(
    request: web.Request, session: AsyncSession, row: AdminProposal, rule: Rule, concern: Concern
) -> Line:
    person = actor(request)
    proposer = await session.get(User, row.proposed_by)
    try:
        may = row.state == "waiting" and duties.may_approve(person, Act(row.act), concern, row.proposed_by)
    except HotlineError:
        may = False
    return Line(
        id=row.id,
        label=DUTIES[Act(row.act)].label,
        subject=await _subject(request, session, row),
        proposer=f"{proposer.name}（{proposer.login}）" if proposer else "—",
        row=row,
        mine=row.proposed_by == person.user_id,
        may_decide=may,
        approvers=words_of(rule.approved_by),
    )


async def _subject(request: web.Request, session: AsyncSession, row: AdminProposal) -> str:
    """What the proposal is about, in one line."""
    if row.subject_type == "user" and row.subject_id is not None:
        user = await session.get(User, row.subject_id)
        return f"{user.name}（{user.login}）" if user else "—"
    payload = context(request).people.proposals.payload_of(row)
    if isinstance(payload, NewPeople):
        return f"{len(payload.people)} 个账号"
    changes = await _changes(request, session, row)
    return f"{changes[0].label}：{changes[0].before}" if changes else "—"


async def _changes(request: web.Request, session: AsyncSession, row: AdminProposal) -> Sequence[Change]:
    """What it would change as things stand now; nothing where that cannot be said any more."""
    proposals = context(request).people.proposals
    try:
        return list(await proposals.preview(session, Act(row.act), proposals.payload_of(row)))
    except HotlineError:
        return []


@route("GET", ONE, permission=MAY)
async def proposal_page(request: web.Request) -> web.StreamResponse:
    """One proposal: who, why, what it would change now."""
    return await _one(request)


async def _one(request: web.Request, error: HotlineError | None = None) -> web.Response:
    ctx, ident = context(request), path_id(request, "proposal_id")
    code, problem = problem_of(error) if error else ("", None)
    async with ctx.db.read() as session:
        row, rule, concern = await ctx.people.proposals.one(session, actor(request), ident)
        line = await _line(request, session, row, rule, concern)
        changes = await _changes(request, session, row) if row.state == "waiting" else []
        decider = await _name(session, row.decided_by)
    return await page(
        request,
        "admin/approval.html",
        status=problem.status if problem else 200,
        line=line,
        changes=changes[:MOST_LINES],
        more=max(0, len(changes) - MOST_LINES),
        decider=decider,
        states=STATES,
        tones=TONES,
        code=code,
        problem=problem,
        who="",
    )


async def _name(session: AsyncSession, user_id: int | None) -> str:
    query = select(col(User.name)).where(col(User.id) == user_id)
    return (await session.execute(query)).scalar_one_or_none() or "—"


@route("POST", ONE + "/approve", permission=MAY)
async def approve(request: web.Request) -> web.StreamResponse:
    """Do what was proposed; a password that comes of it is shown to who made it effective."""
    form, ctx, ident = await read_form(request, NoteForm), context(request), path_id(request, "proposal_id")
    person = actor(request)
    try:
        async with ctx.db.begin() as uow:
            row, _, _ = await ctx.people.proposals.one(uow.session, person, ident)
            whom = await _subject(request, uow.session, row)
            result = await ctx.people.proposals.approve(uow, person, ident, note=form.note)
    except HotlineError as error:
        return await _refused(request, error)
    if isinstance(result, str) and row.act == Act.USER_PASSWORD:
        return await secret_page(request, whom, result, HOME, waits=False)
    if row.act == Act.USER_IMPORT and result:
        return back(request, HOME, "approved_partly")
    return back(request, HOME, "approved")


@route("POST", ONE + "/refuse", permission=MAY)
async def refuse(request: web.Request) -> web.StreamResponse:
    """Say no, with the reason."""
    form, ctx, ident = await read_form(request, NoteForm), context(request), path_id(request, "proposal_id")
    try:
        async with ctx.db.begin() as uow:
            await ctx.people.proposals.one(uow.session, actor(request), ident)
            await ctx.people.proposals.refuse(uow, actor(request), ident, note=form.note)
    except HotlineError as error:
        return await _refused(request, error)
    return back(request, HOME, "refused")


@route("POST", ONE + "/withdraw", permission=MAY)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take back one's own."""
    await read_form(request, NoFields)
    ctx, ident = context(request), path_id(request, "proposal_id")
    async with ctx.db.begin() as uow:
        await ctx.people.proposals.withdraw(uow, actor(request), ident)
    return back(request, HOME, "taken_back")


async def _refused(request: web.Request, error: HotlineError) -> web.StreamResponse:
    if error.code in ("forbidden", "proposal_not_found"):
        raise error
    return await _one(request, error)
