"""Accounts (人员账号): the list, one account, and what can be done to it."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.audit import AuditRow
from core.catalog import tables
from core.errors import HotlineError
from core.people import account_acts, directory, duties, org
from core.people.duties import DUTIES, Act, Concern
from core.people.models import AdminProposal, Unit, User
from core.people.permissions import Permission, Role
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.holdings import holdings, sentences
from web.reads.units import UnitChoice, UnitGroup, unit_groups
from web.render import page
from web.routes import route
from web.views._acts import ActFields, carry_out, words_of
from web.views._admin import DONE, csv_file
from web.words import AUDIT_WORDS, ROLE_WORDS

HOME = "/admin/users"
ONE = HOME + r"/{user_id:\d+}"
READ, MAKE = Permission.USER_READ, Permission.USER_MANAGE
ACT = (Permission.USER_MANAGE, Permission.ROLE_GRANT)
PAGE = 50
EXPORT_MOST = 5000
EXPORTED = ("工号", "姓名", "单位编码", "岗位", "分机", "单位", "状态")
STATES = (("open", "在用"), ("closed", "停用"), ("locked", "已锁定"), ("waiting", "待批"))
POST_GROUPS = (
    ("热线中心", ("agent", "shift_leader", "dispatcher", "callback_officer", "supervision_officer")),
    ("承办单位", ("dept_officer", "dept_head")),
    ("知识、监察与质检", ("knowledge_editor", "knowledge_reviewer", "inspector", "quality_reviewer")),
    ("外部机构", ("intermediary",)),
    ("三员（须专人，不能兼任）", ("system_admin", "security_admin", "audit_admin")),
)


class ListQuery(Fields):
    text: str = Field("", max_length=40)
    unit_id: int | None = Field(None, gt=0, lt=2**63)
    post: Role | None = None
    state: Literal["open", "closed", "locked", "waiting"] | None = None
    after: str = Field("", max_length=40)
    done: str = Field("", max_length=20)


class PageQuery(Fields):
    done: str = Field("", max_length=20)


class PersonFields(ActFields):
    name: str = Field(min_length=1, max_length=40)
    unit_id: int = Field(gt=0, lt=2**63)
    extension: str = Field("", max_length=8)


class NewForm(PersonFields):
    login: str = Field(min_length=1, max_length=40)
    roles: list[Role] = Field(default_factory=list)


class PostsForm(ActFields):
    roles: list[Role] = Field(default_factory=list)


# ---- the list -------------------------------------------------------------------------------


@route("GET", HOME, permission=READ)
async def user_list(request: web.Request) -> web.StreamResponse:
    """Accounts by login, with the query form above."""
    query, ctx = read_query(request, ListQuery), context(request)
    async with ctx.db.read() as session:
        found = await directory.people(session, _wanted(query), ctx.clock.now(), limit=PAGE + 1)
        groups = await _unit_groups(session)
    given = query.model_dump(exclude={"after", "done"}, exclude_none=True, exclude_defaults=True, mode="json")
    following = urlencode({**given, "after": found[PAGE - 1].login}) if len(found) > PAGE else ""
    return await page(
        request,
        "admin/users.html",
        people=found[:PAGE],
        query=query,
        filtered=bool(given),
        groups=groups,
        posts=[(code, word) for code, word in ROLE_WORDS.items() if code not in ("system", "machine")],
        states=STATES,
        post_words=ROLE_WORDS,
        next_page=f"{HOME}?{following}" if following else "",
        export=f"{HOME}/list.csv?{urlencode(given)}",
        may_make=actor(request).may(MAKE),
        done=DONE.get(query.done),
    )


@route("GET", HOME + "/list.csv", permission=READ)
async def export(request: web.Request) -> web.StreamResponse:
    """The list as a file; who took it is in the audit log."""
    query, ctx, person = read_query(request, ListQuery), context(request), actor(request)
    async with ctx.db.begin() as uow:
        found = await directory.people(uow.session, _wanted(query), uow.now, limit=EXPORT_MOST)
        detail = {"rows": len(found), "filters": query.model_dump(exclude_defaults=True, mode="json")}
        await audit.record(uow, actor=person, action=str(Act.USER_EXPORT), object_type="user", detail=detail)
    rows = [
        (
            one.login,
            one.name,
            one.unit_code,
            "、".join(ROLE_WORDS[post] for post in one.posts),
            one.extension,
            one.unit_name,
            "在用" if one.active else "停用",
        )
        for one in found
    ]
    return csv_file(
        "users.csv", tables.write(("工号", "姓名", "单位编码", "岗位", "分机", "单位", "状态"), rows)
    )


def _wanted(query: ListQuery) -> directory.Wanted:
    return directory.Wanted(query.text, query.unit_id, query.post or "", query.state, query.after)


async def _unit_groups(session: AsyncSession) -> list[UnitGroup]:
    """Every open unit: the city and the hotline first, then those that handle."""
    top = await org.units(session, kinds=("city", "hotline"))
    return [UnitGroup("市级", tuple(UnitChoice(u.id, u.name, "") for u in top)), *await unit_groups(session)]


# ---- a new one ------------------------------------------------------------------------------


@route("GET", HOME + "/new", permission=MAKE)
async def new_page(request: web.Request) -> web.StreamResponse:
    """The empty form."""
    return await _new(request, None, None)


@route("POST", HOME, permission=MAKE)
async def make(request: web.Request) -> web.StreamResponse:
    """A closed account, put before the security administrator, who approves posts and opens it."""
    form = await read_form(request, NewForm)
    try:
        if not form.roles:
            raise HotlineError("posts_needed")
        payload = _checked(
            account_acts.NewPerson,
            login=form.login,
            name=form.name,
            unit_id=form.unit_id,
            extension=form.extension or None,
            roles=tuple(form.roles),
        )
        duties.check_posts(frozenset(form.roles))
        async with context(request).db.read() as session:
            await _check_free(session, form.login, form.extension)
        fields = form.model_dump(exclude={"sure", "note"}, mode="json")
        whom = f"{form.name}（{form.login}）"
        effects = ["先建立停用的账号；批准后授予岗位并启用。", "提交后显示一次性密码，请告知本人。"]
        return await carry_out(
            request,
            Act.USER_CREATE,
            payload,
            form,
            home=HOME,
            fields=fields,
            effects=effects,
            secret_for=whom,
        )
    except HotlineError as error:
        return await _new(request, form, error)


def _checked(model: type[Any], **values: Any) -> Any:
    """The payload of an act; what its patterns refuse is told at the field."""
    try:
        return model(**values)
    except ValueError as error:
        bad = {str(item["loc"][0]) for item in getattr(error, "errors", list)()}
        raise HotlineError("extension_odd" if "extension" in bad else "login_odd") from None


async def _check_free(session: AsyncSession, login: str, extension: str, own: int | None = None) -> None:
    """Say it before the preview, and who has it. Errors: login_taken, extension_taken."""
    taken = col(User.login) == login
    if extension:
        taken = taken | (col(User.extension) == extension)
    query = select(User).where(taken, col(User.id) != (own or 0))
    for user in (await session.execute(query)).scalars():
        code = "login_taken" if user.login == login else "extension_taken"
        raise HotlineError(code, who=f"{user.name}（{user.login}）")


async def _new(request: web.Request, form: NewForm | None, error: HotlineError | None) -> web.Response:
    async with context(request).db.read() as session:
        groups = await _unit_groups(session)
    return await page(
        request, "admin/user_new.html", form=form, groups=groups, post_groups=_post_groups(), **_told(error)
    )


def _told(error: HotlineError | None) -> dict[str, Any]:
    code, problem = problem_of(error) if error else ("", None)
    who = error.params.get("who", "") if error else ""
    return {"code": code, "problem": problem, "who": who, "status": problem.status if problem else 200}


def _post_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    return [(label, [(code, ROLE_WORDS[code]) for code in codes]) for label, codes in POST_GROUPS]


# ---- one account ----------------------------------------------------------------------------


@route("GET", ONE, permission=READ)
async def user_page(request: web.Request) -> web.StreamResponse:
    """One account: what it is, what can be done to it, what waits."""
    return await _one(request, read_query(request, PageQuery).done)


async def _one(request: web.Request, done: str, error: HotlineError | None = None) -> web.Response:
    ctx, person, ident = context(request), actor(request), path_id(request, "user_id")
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        user = await ctx.people.user(session, ident)
        unit = await org.unit(session, user.unit_id)
        held = await ctx.people.roles_of(session, ident)
        factor = await ctx.people.second_factor.state(session, ident)
        seats = await directory.seats(session, now, ctx.settings.security, user_id=ident, limit=20)
        waiting = await _waiting(session, ident)
        seen = {row.id for row, _, _ in await ctx.people.proposals.visible(session, person, waiting=True)}
        trail = await _trail(session, ident) if person.may(Permission.AUDIT_READ) else None
        groups = await _unit_groups(session)
        mine = await holdings(session, ident)
    concern = Concern(ident, held)
    may = {str(act): duties.may_propose(person, act, concern) for act in _ACTS}
    return await page(
        request,
        "admin/user.html",
        user=user,
        unit=unit,
        held=[str(post) for post in held],
        posts=account_acts.posts_words(held),
        factor=factor,
        seats=seats,
        waiting=waiting,
        seen=seen,
        trail=trail,
        groups=groups,
        post_groups=_post_groups(),
        may=may,
        approvers={str(act): words_of(_approvers(act, concern)) for act in _ACTS},
        doers=words_of(duties.rule_of(Act.USER_ROLES, concern).by),
        own=person.user_id == ident,
        locked=user.locked_until is not None and user.locked_until > now,
        holding=sentences(mine, ctx.settings.drafts.stale_minutes),
        words=AUDIT_WORDS,
        done=DONE.get(done),
        **_told(error),
    )


_ACTS = (
    Act.USER_EDIT,
    Act.USER_ROLES,
    Act.USER_DISABLE,
    Act.USER_ENABLE,
    Act.USER_PASSWORD,
    Act.USER_UNLOCK,
    Act.USER_TOTP,
    Act.SESSION_KILL,
)


def _approvers(act: Act, concern: Concern) -> frozenset[Role]:
    return duties.rule_of(act, concern).approved_by


async def _waiting(session: AsyncSession, user_id: int) -> list[tuple[AdminProposal, str]]:
    query = select(AdminProposal).where(
        col(AdminProposal.state) == "waiting",
        col(AdminProposal.subject_type) == "user",
        col(AdminProposal.subject_id) == user_id,
    )
    found = (await session.execute(query.order_by(col(AdminProposal.id)))).scalars()
    return [(row, DUTIES[Act(row.act)].label) for row in found]


async def _trail(session: AsyncSession, user_id: int) -> list[AuditRow]:
    query = select(AuditRow).where(col(AuditRow.object_type) == "user", col(AuditRow.object_id) == user_id)
    return list((await session.execute(query.order_by(col(AuditRow.id).desc()).limit(15))).scalars())


# ---- acts -----------------------------------------------------------------------------------


@route("POST", ONE + "/edit", permission=ACT)
async def edit(request: web.Request) -> web.StreamResponse:
    """Name, unit, extension."""
    form, ident = await read_form(request, PersonFields), path_id(request, "user_id")
    try:
        payload = _checked(
            account_acts.EditPerson,
            user_id=ident,
            name=form.name,
            unit_id=form.unit_id,
            extension=form.extension or None,
        )
        async with context(request).db.read() as session:
            user = await context(request).people.user(session, ident)
            if (user.name, user.unit_id, user.extension or "") == (form.name, form.unit_id, form.extension):
                raise HotlineError("nothing_changed")
            await _check_free(session, user.login, form.extension, own=ident)
            if await session.get(Unit, form.unit_id) is None:
                raise HotlineError("unit_not_found", unit_id=form.unit_id)
        fields = form.model_dump(exclude={"sure", "note"}, mode="json")
        return await carry_out(request, Act.USER_EDIT, payload, form, home=f"{HOME}/{ident}", fields=fields)
    except HotlineError as error:
        return await _again(request, error)


@route("POST", ONE + "/posts", permission=ACT)
async def posts(request: web.Request) -> web.StreamResponse:
    """Other posts, once the one who has to approve has done so."""
    form, ident = await read_form(request, PostsForm), path_id(request, "user_id")
    payload = account_acts.Posts(user_id=ident, roles=tuple(form.roles))
    ctx = context(request)
    try:
        duties.check_posts(frozenset(form.roles))
        async with ctx.db.read() as session:
            await ctx.people.user(session, ident)
            if await ctx.people.roles_of(session, ident) == frozenset(form.roles):
                raise HotlineError("nothing_changed")
        fields = {"roles": [str(post) for post in form.roles]}
        return await carry_out(request, Act.USER_ROLES, payload, form, home=f"{HOME}/{ident}", fields=fields)
    except HotlineError as error:
        return await _again(request, error)


@route("POST", ONE + "/disable", permission=ACT)
@route("POST", ONE + "/enable", permission=ACT)
@route("POST", ONE + "/unlock", permission=ACT)
@route("POST", ONE + "/password", permission=ACT)
@route("POST", ONE + "/totp", permission=ACT)
async def change(request: web.Request) -> web.StreamResponse:
    """What needs nothing but to be sure: close, open, unlock, a new password, a new second factor."""
    form, ident = await read_form(request, ActFields), path_id(request, "user_id")
    act, ctx = _BY_WORD[request.path.rsplit("/", 1)[1]], context(request)
    try:
        async with ctx.db.read() as session:
            user = await ctx.people.user(session, ident)
            held = await holdings(session, ident) if act is Act.USER_DISABLE else None
            if user.active != (act is not Act.USER_ENABLE) and act in (Act.USER_DISABLE, Act.USER_ENABLE):
                raise HotlineError("nothing_changed")
        effects = sentences(held, ctx.settings.drafts.stale_minutes) if held else []
        return await carry_out(
            request,
            act,
            account_acts.Person(user_id=ident),
            form,
            home=f"{HOME}/{ident}",
            effects=effects,
            secret_for=f"{user.name}（{user.login}）",
        )
    except HotlineError as error:
        return await _again(request, error)


_BY_WORD = {
    "disable": Act.USER_DISABLE,
    "enable": Act.USER_ENABLE,
    "unlock": Act.USER_UNLOCK,
    "password": Act.USER_PASSWORD,
    "totp": Act.USER_TOTP,
}


async def _again(request: web.Request, error: HotlineError) -> web.StreamResponse:
    """The account's page with what went wrong; who may not do it at all gets the plain answer."""
    if error.code in ("forbidden", "user_not_found"):
        raise error
    return await _one(request, "", error)
