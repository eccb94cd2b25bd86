"""The score sheet and the sampling plan (评分表与抽样方案): versions, the newest in force."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field, create_model

from core.errors import HotlineError
from core.people.permissions import Permission
from sla.quality import drawing
from sla.quality.sampling import ORDER, RULE_WORDS
from sla.quality.sheet import Item
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, Ident, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import back

HOME = "/quality/rules"
READ, MANAGE = Permission.QUALITY_READ, Permission.QUALITY_MANAGE
BLANK = 3  # lines for more items
HINTS = {
    "low": "来电人按键评价 1、2 分，或回访不满意、未解决",
    "complaint": "生成的工单为投诉",
    "long": "通话时长超过设定分钟数",
    "random": "任意已接通话；其他规则不足时由随机补足",
    "new": "账号开通不久的话务员额外加抽",
}


class RulesQuery(Fields):
    done: str = Field("", max_length=20)


class SheetForm(Fields):
    seen: Ident
    code: list[str] = Field(default_factory=list, max_length=60)
    group: list[str] = Field(default_factory=list, max_length=60)
    name: list[str] = Field(default_factory=list, max_length=60)
    points: list[str] = Field(default_factory=list, max_length=60)
    hint: list[str] = Field(default_factory=list, max_length=60)
    note: str = Field("", max_length=200)


_rules = {rule.value: (str, Field("", max_length=3)) for rule in ORDER}


class _Seen(Fields):
    seen: Ident


PlanForm: type[_Seen] = create_model("PlanForm", __base__=_Seen, **_rules)  # type: ignore[call-overload]  # fields by name


@route("GET", HOME, permission=READ)
async def rules_page(request: web.Request) -> web.StreamResponse:
    """Sheet and plan in force, to be changed by who may."""
    query = read_query(request, RulesQuery)
    return await _shown(request, done="新版本已启用。" if query.done == "saved" else "")


async def _shown(
    request: web.Request,
    typed: SheetForm | None = None,
    planned: dict[str, str] | None = None,
    error: HotlineError | None = None,
    done: str = "",
) -> web.StreamResponse:
    _, problem = problem_of(error) if error else ("", None)
    async with context(request).db.read() as session:
        sheet_id, sheet = await drawing.sheet_in_force(session)
        plan_id, plan = await drawing.plan_in_force(session)
    lines = [(one.code, one.group, one.name, str(one.points), one.hint) for one in sheet.items]
    if typed is not None:
        lines = list(zip(typed.code, typed.group, typed.name, typed.points, typed.hint, strict=False))
    numbers = planned or {rule.value: str(plan.get(rule, 0)) for rule in ORDER}
    return await page(
        request,
        "quality/rules.html",
        status=problem.status if problem else 200,
        sheet_id=sheet_id,
        sheet=sheet,
        lines=lines + [("", "", "", "", "")] * (BLANK if typed is None else 0),
        plan_id=plan_id,
        plan=[(rule.value, RULE_WORDS[rule], numbers[rule.value], HINTS[rule.value]) for rule in ORDER],
        problem=problem,
        wrong_line=error.params.get("line", 0) if error else 0,
        may_manage=actor(request).may(MANAGE),
        done=done,
    )


@route("POST", HOME + "/sheet", permission=MANAGE)
async def save_sheet(request: web.Request) -> web.StreamResponse:
    """Put a new version of the sheet into force; an item with 0 points is a fatal one."""
    form = await read_form(request, SheetForm, most=400)
    try:
        async with context(request).db.begin() as uow:
            await drawing.save_sheet(uow, actor(request), form.seen, _items(form), form.note)
    except HotlineError as error:
        if error.code not in ("quality_sheet", "version_conflict"):
            raise
        return await _shown(request, form, error=error)
    return back(request, HOME, "saved")


def _items(form: SheetForm) -> list[Item]:
    """The lines with a name; a new one gets the next free code."""
    columns = (form.code, form.group, form.name, form.points, form.hint)
    if len({len(column) for column in columns}) != 1:
        raise HotlineError("bad_request")
    taken, found = set(form.code), list[Item]()
    for number, (code, group, name, points, hint) in enumerate(zip(*columns, strict=True), 1):
        if not name and not points:
            continue
        if not (points.isascii() and points.isdigit() and len(points) <= 3):
            raise HotlineError("quality_sheet", line=number)
        if not code:
            code = next(one for one in (f"i{n}" for n in range(1, 100)) if one not in taken)
            taken.add(code)
        found.append(Item(code, group, name, int(points), hint, fatal=int(points) == 0))
    return found


@route("POST", HOME + "/plan", permission=MANAGE)
async def save_plan(request: web.Request) -> web.StreamResponse:
    """Put a new plan into force for weeks that are not drawn yet."""
    form = await read_form(request, PlanForm)
    given = {rule.value: str(getattr(form, rule.value)) for rule in ORDER}
    try:
        if not all(text.isascii() and (text.isdigit() or not text) for text in given.values()):
            raise HotlineError("quality_plan", most=0)
        async with context(request).db.begin() as uow:
            numbers = {name: int(text or 0) for name, text in given.items()}
            await drawing.save_plan(uow, actor(request), form.seen, numbers)
    except HotlineError as error:
        if error.code not in ("quality_plan", "version_conflict"):
            raise
        return await _shown(request, planned=given, error=error)
    return back(request, HOME, "saved")
