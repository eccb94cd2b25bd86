"""Integration API: tickets brought, read, followed for a citizen and handled for a unit."""

from __future__ import annotations

from typing import Any

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.machines import Kind, Scope
from routing.submissions import Submission, Submitted
from tickets.exchange import numbers, open311, reading, requests
from tickets.models import Ticket
from tickets.points import service as points
from tickets.points.datum import Point
from tickets.states import Action
from tickets.terms import Channel
from web.api.contract import Call, operation
from web.api.models import (
    ActIn,
    ActionIn,
    Done,
    OuterIn,
    PointBackIn,
    TicketIn,
    TicketLine,
    TicketMade,
    TicketOut,
    TicketPage,
    TicketsQuery,
)
from web.words import TICKET_WORDS

READS = (Scope.TICKETS_READ, Scope.TICKETS_HANDLE, Scope.TICKETS_SUBMIT)
CHANNELS = {Kind.POLICE: Channel.PLATFORM, Kind.PLATFORM: Channel.PLATFORM}


@operation(
    "POST",
    "/tickets",
    "提交诉求",
    scope=Scope.TICKETS_SUBMIT,
    body=TicketIn,
    answer=TicketMade,
    status=201,
    keyed=True,
)
async def submit_ticket(call: Call) -> TicketMade:
    """提交一件诉求，得到编号和查询码。同一 Idempotency-Key 再次提交得到同一结果。"""
    made = await call.ctx.db.retrying(lambda uow: _submit(call, uow))
    return TicketMade(number=made.number, query_code=made.query_code, again=made.again)


async def _submit(call: Call, uow: UnitOfWork) -> Submitted:
    given, machine = call.body(TicketIn), call.machine
    await requests.begin(uow, machine, call.key, call.content)
    submission = Submission(
        channel=CHANNELS.get(machine.kind, Channel.WEB),
        key=f"{machine.code}:{call.key}",
        narrative=given.narrative,
        type=given.type,
        title=given.title,
        expected=given.expected,
        address=given.address,
        **await _references(uow, given),
        point=_point(given),
        occurred_at=given.occurred_at,
        name=given.name,
        phone=given.phone,
        confidentiality=given.confidentiality,
        wants_reply=given.wants_reply,
        wants_public=given.wants_public,
    )
    made = await call.ctx.submissions.submit(uow, submission)
    await numbers.link(uow, machine, made.ticket_id, "came", given.outer_number)
    return made


def _point(given: TicketIn) -> Point | None:
    """The point of a matter; half of one is refused."""
    if given.latitude is None and given.longitude is None:
        return None
    if given.latitude is None or given.longitude is None:
        missing = "latitude" if given.latitude is None else "longitude"
        raise HotlineError("form_invalid", fields={missing: "required"})
    return Point(given.latitude, given.longitude, given.datum)


async def _references(uow: UnitOfWork, given: TicketIn) -> dict[str, Any]:
    """Ids of the codes. Raises `form_invalid` for a code of nothing in force."""
    wrong: dict[str, str] = {}
    category = None
    if given.category_code:
        category = await open311.category_of(uow.session, given.category_code)
        if category is None:
            wrong["category_code"] = "unknown_choice"
    found: dict[str, Any] = {"category_id": category}
    units = await reading.unit_ids(uow.session, [given.district_code, given.street_code])
    for name, code in (("district", given.district_code), ("street", given.street_code)):
        found[f"{name}_id"] = units.get(code)
        if code and code not in units:
            wrong[f"{name}_code"] = "unknown_choice"
    if wrong:
        raise HotlineError("form_invalid", fields=wrong)
    return found


@operation("GET", "/tickets", "工单列表", scope=READS, query=TicketsQuery, answer=TicketPage)
async def list_tickets(call: Call) -> TicketPage:
    """本系统可见的工单，新的在前；用 next_cursor 取下一页。只有提交权限的系统只见到自己提交的。"""
    query = call.query(TicketsQuery)
    wanted = reading.Wanted(
        own=query.own,
        is_open=query.open,
        outer_number=query.outer_number or None,
        created_from=query.created_from,
        created_to=query.created_to,
        cursor=query.cursor or None,
        limit=query.limit,
    )
    async with call.ctx.db.read() as session:
        page = await reading.lines(session, call.machine, wanted)
    return TicketPage(items=[TicketLine.of(line) for line in page.items], next_cursor=page.next_cursor)


@operation("GET", "/tickets/{number}", "一件工单", scope=READS, answer=TicketOut)
async def read_ticket(call: Call) -> TicketOut:
    """办理状态、承诺时间、承办单位、公开答复和办理过程；不含个人信息。"""
    async with call.ctx.db.read() as session:
        return TicketOut.of(await reading.whole(session, call.machine, call.path("number")))


@operation(
    "POST",
    "/tickets/{number}/acts",
    "代市民跟进",
    scope=Scope.TICKETS_SUBMIT,
    body=ActIn,
    answer=Done,
    keyed=True,
)
async def act_for_citizen(call: Call) -> Done:
    """补充、催办、撤回、申诉、评价本系统提交的诉求。"""
    return await call.ctx.db.retrying(lambda uow: _act(call, uow))


async def _brought(call: Call, uow: UnitOfWork) -> int:
    """The ticket this client brought. Raises `ticket_not_found` for any other."""
    ident = await numbers.ticket_of(uow.session, call.machine, call.path("number"))
    if not await numbers.is_own(uow.session, call.machine, ident):
        raise HotlineError("ticket_not_found")
    return ident


async def _act(call: Call, uow: UnitOfWork) -> Done:
    given, machine, acts = call.body(ActIn), call.machine, call.ctx.citizen_acts
    ident = await _brought(call, uow)
    await requests.begin(uow, machine, call.key, call.content)
    key = f"{machine.code}:{call.key}"
    if given.act == "object":
        channel = CHANNELS.get(machine.kind, Channel.WEB)
        made = await acts.object(uow, ident, given.text, key=key, channel=channel)
        await numbers.link(uow, machine, made.id, "came", None)
        return await _done(uow, made.id)
    if given.act == "rate":
        answers = _answers(given)
        await acts.rate(uow, ident, **answers, text=given.text, key=key)
    elif given.act == "urge":
        await acts.urge(uow, ident, given.text, key=key)
    else:
        work = {"supplement": acts.supplement, "add": acts.add, "withdraw": acts.withdraw}[given.act]
        await work(uow, ident, given.text, key=key)
    return await _done(uow, ident)


def _answers(given: ActIn) -> dict[str, Any]:
    answers = {"responded": given.responded, "solved": given.solved, "satisfied": given.satisfied}
    missing = {name: "required" for name, value in answers.items() if value is None}
    if missing:
        raise HotlineError("form_invalid", fields=missing)
    return answers


@operation(
    "POST",
    "/tickets/{number}/point/withdraw",
    "撤回坐标",
    scope=Scope.TICKETS_SUBMIT,
    body=PointBackIn,
    answer=Done,
    keyed=True,
)
async def withdraw_point(call: Call) -> Done:
    """标错的坐标撤回后不再提供，地址和其他内容不变。只能撤回本系统提交的诉求的坐标，重复撤回不会出错。"""

    async def work(uow: UnitOfWork) -> Done:
        ident = await _brought(call, uow)
        asked = await requests.begin(uow, call.machine, call.key, call.content)
        if not asked.again:
            await points.withdraw_brought(uow, call.machine, ident, call.body(PointBackIn).reason)
        return await _done(uow, ident)

    return await call.ctx.db.retrying(work)


@operation(
    "POST",
    "/tickets/{number}/actions",
    "承办单位办理",
    scope=Scope.TICKETS_HANDLE,
    body=ActionIn,
    answer=Done,
    keyed=True,
)
async def handle_ticket(call: Call) -> Done:
    """签收、联系、办结、退单等。规则与本单位人员在页面上办理相同；版本不符时先重新读取。"""
    return await call.ctx.db.retrying(lambda uow: _handle(call, uow))


async def _handle(call: Call, uow: UnitOfWork) -> Done:
    given, machine = call.body(ActionIn), call.machine
    ident = await numbers.ticket_of(uow.session, machine, call.path("number"))
    asked = await requests.begin(uow, machine, call.key, call.content)
    if asked.again and asked.answer is not None:
        return Done.model_validate(asked.answer)
    data = await _data(uow, given.data)
    await call.ctx.tickets.act(uow, machine.actor, ident, given.version, Action(given.action), data)
    done = await _done(uow, ident)
    await requests.answered(uow, machine, call.key, done.model_dump())
    return done


async def _data(uow: UnitOfWork, data: dict[str, Any]) -> dict[str, Any]:
    """The inputs of an action; the unit a return suggests is named by its code here."""
    if "suggested_unit_id" in data:
        raise HotlineError("unknown_field", fields=["suggested_unit_id"])
    code = data.get("suggested_unit_code")
    if code is None:
        return data
    found = await reading.unit_ids(uow.session, [str(code)[:40].replace("\x00", "")])
    rest = {name: value for name, value in data.items() if name != "suggested_unit_code"}
    if not found:
        raise HotlineError("form_invalid", fields={"suggested_unit_code": "unknown_choice"})
    return {**rest, "suggested_unit_id": next(iter(found.values()))}


@operation(
    "POST",
    "/tickets/{number}/outer-number",
    "登记外部编号",
    scope=(Scope.TICKETS_READ, Scope.TICKETS_HANDLE),
    body=OuterIn,
    answer=Done,
)
async def keep_outer_number(call: Call) -> Done:
    """登记本系统对这件工单的编号；热线和本系统都可以按它查找。已有的编号不能改成另一个。"""

    async def work(uow: UnitOfWork) -> Done:
        ident = await numbers.ticket_of(uow.session, call.machine, call.path("number"))
        await numbers.link(uow, call.machine, ident, "went", call.body(OuterIn).number)
        return await _done(uow, ident)

    return await call.ctx.db.retrying(work)


async def _done(uow: UnitOfWork, ticket_id: int) -> Done:
    await uow.send()
    row = await uow.session.get(Ticket, ticket_id, populate_existing=True)
    assert row is not None
    state = TICKET_WORDS["state"](row.state)
    return Done(number=row.number, version=row.version, state=row.state, state_name=state)
