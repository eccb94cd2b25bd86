"""Machine clients (接入系统) at the security administrator's desk: list, new one, new token, end."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people import enrolment, machines
from core.people.machines import Kind, Scope
from core.people.permissions import Permission
from tickets.exchange import webhooks
from tickets.forms import Optional
from web.context import actor, context
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.reads.units import unit_groups
from web.render import page
from web.routes import route
from web.sentences import PROBLEMS
from web.views._admin import NoFields, back

HOME = "/admin/machines"
MAY = Permission.MACHINE_MANAGE
DONE = {"revoked": "已停用，该系统的下一次调用即被拒绝。"}
MENDED = frozenset({"machine_name", "machine_code", "machine_scopes", "machine_many"})
KIND_WORDS = {
    Kind.HALL: "网上办事大厅",
    Kind.POLICE: "110",
    Kind.PLATFORM: "上下级平台",
    Kind.OPEN311: "Open311 应用",
    Kind.PBX: "电话交换机",
    Kind.KIOSK: "便民服务亭",
    Kind.NOTICE: "通知渠道",
}
SCOPE_WORDS = {
    Scope.TICKETS_SUBMIT: "提交诉求",
    Scope.TICKETS_READ: "读取工单",
    Scope.TICKETS_HANDLE: "办理工单",
    Scope.OPEN311: "Open311 提交",
    Scope.CTI: "推送来电",
    Scope.KIOSK: "便民服务亭",
    Scope.WEBHOOKS: "订阅通知",
}

EVENT_WORDS = {
    "created": "新建",
    "dispatched": "派发",
    "changed": "变化",
    "closed": "办结",
    "emergency": "转紧急",
}


class ListQuery(Fields):
    done: str = Field("", max_length=20)


class NewForm(Fields):
    name: str = Field("", max_length=200)
    code: str = Field("", max_length=100)
    kind: Kind
    scopes: list[Scope] = Field(default_factory=list)
    unit_id: Annotated[Ident | None, Optional] = None


@route("GET", HOME, permission=MAY)
async def clients(request: web.Request) -> web.StreamResponse:
    """Which systems there are, what each may do, who made it and when it last called."""
    query = read_query(request, ListQuery)
    return await _list(request, done=DONE.get(query.done))


@route("POST", HOME, permission=MAY)
async def create(request: web.Request) -> web.StreamResponse:
    """Make a client and show its token, this once; of a kiosk the code that enrols its device."""
    form, ctx = await read_form(request, NewForm), context(request)
    try:
        async with ctx.db.begin() as uow:
            token = await machines.create(
                uow,
                actor(request),
                name=form.name,
                code=form.code,
                kind=form.kind,
                scopes=frozenset(form.scopes),
                unit_id=form.unit_id,
            )
            kiosk = form.scopes == [Scope.KIOSK]
            code = await enrolment.invite_named(uow, actor(request), form.code) if kiosk else ""
    except HotlineError as error:
        if error.code not in MENDED:
            raise
        problem = PROBLEMS[error.code]
        return await _list(request, status=problem.status, problem=problem, typed=form.model_dump())
    # Nobody ever sees the token of a kiosk.
    return await _list(request, made="" if code else token, code=code, name=form.name)


@route("POST", HOME + r"/{client_id:\d+}/invite", permission=MAY)
async def invite(request: web.Request) -> web.StreamResponse:
    """A code that enrols one device as this kiosk; the device it was before goes on until it is used."""
    await read_form(request, NoFields)
    ident = path_id(request, "client_id")
    async with context(request).db.begin() as uow:
        code = await enrolment.invite(uow, actor(request), ident)
    return await _list(request, code=code, client_id=ident)


@route("POST", HOME + r"/{client_id:\d+}/renew", permission=MAY)
async def renew(request: web.Request) -> web.StreamResponse:
    """A new token, shown this once; the old one opens nothing any more."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        token = await machines.renew(uow, actor(request), path_id(request, "client_id"))
    return await _list(request, made=token, name="更换后的令牌")


@route("POST", HOME + r"/{client_id:\d+}/revoke", permission=MAY)
async def revoke(request: web.Request) -> web.StreamResponse:
    """End a client."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await machines.revoke(uow, actor(request), path_id(request, "client_id"))
    return back(request, HOME, "revoked")


async def _list(
    request: web.Request, status: int = 200, client_id: int = 0, **more: Any
) -> web.StreamResponse:
    async with context(request).db.read() as session:
        rows, groups = await machines.listed(session), await unit_groups(session)
        hooks = await webhooks.subscriptions(session)
    if client_id:
        more["name"] = next((row.name for row in rows if row.id == client_id), "")
    words = {"kinds": KIND_WORDS, "scope_words": SCOPE_WORDS, "event_words": EVENT_WORDS, "hooks": hooks}
    values: dict[str, Any] = (
        {"made": "", "code": "", "name": "", "done": None, "problem": None, "typed": {}} | words | more
    )
    return await page(request, "admin/machines.html", status=status, rows=rows, groups=groups, **values)
