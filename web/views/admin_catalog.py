"""The catalogue: reason codes, sensitive words, queues and skill groups, wordings of citizen messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from pydantic import Field

from core.catalog import queues as call_queues
from core.catalog import reasons, tables, words
from core.catalog.reasons import Reason
from core.catalog.words import Found
from core.errors import HotlineError
from core.people.models import User
from core.people.permissions import Permission
from tickets import flags
from tickets.messages import templates
from tickets.messages.kinds import MAX_TEXT, PLACEHOLDERS
from tickets.models import table_of
from web.context import actor, context
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.reads.queues import seen_queues
from web.render import fragment, page
from web.routes import route
from web.sentences import PROBLEMS
from web.views._admin import DONE, MEGABYTE, ListFields, NoFields, back, csv_file

HOME = "/admin/catalog"
MAY = Permission.CATALOG_MANAGE
CODE = r"^[A-Za-z0-9_-]{1,30}$"
COLUMNS = {
    "kind": "类别",
    "code": "编码",
    "label": "名称",
    "hint": "填写提示",
    "active": "启用",
    "sort": "顺序",
}
SEEN_DAYS = 7
HIT_DAYS = 30
TABS = (
    ("reasons", "原因代码", HOME),
    ("words", "敏感词", HOME + "/words"),
    ("queues", "队列与技能组", HOME + "/queues"),
    ("templates", "短信模板", HOME + "/templates"),
)
_user = table_of(User)


class Query(Fields):
    kind: str = Field("return", max_length=20)
    done: str = Field("", max_length=20)


class ReasonForm(Fields):
    kind: str = Field(max_length=20)
    code: str = Field(pattern=CODE)
    label: str = Field(min_length=1, max_length=60)
    hint: str = Field("", max_length=200)
    sort: int = Field(0, ge=0, le=9999)
    active: bool = False


class WordForm(Fields):
    kind: str = Field(max_length=20)
    words: str = Field(min_length=1, max_length=4000)


class TryForm(Fields):
    text: str = Field("", max_length=4000)


class QueueForm(Fields):
    name: str = Field(max_length=40)
    label: str = Field(min_length=1, max_length=40)
    kind: str = Field(max_length=10)
    active: bool = False


class MemberForm(Fields):
    user_ids: list[Ident] = Field([], max_length=190)
    penalties: list[int] = Field([], max_length=190)
    add: str = Field("", pattern=r"^(\d{1,18})?$")


class TemplateQuery(Fields):
    event: str = Field("", max_length=20)
    done: str = Field("", max_length=20)


class TemplateForm(Fields):
    base_version: int = Field(ge=1, lt=2**31)
    text: str = Field(min_length=1, max_length=2000)
    mandatory: bool = False
    at_once: bool = False
    enabled: bool = False


class TemplateText(Fields):
    text: str = Field("", max_length=2000)


async def _page(request: web.Request, template: str, here: str, done: str, **values: Any) -> web.Response:
    return await page(request, template, tabs=TABS, here=here, done=DONE.get(done, ""), **values)


# ---- reason codes ---------------------------------------------------------------------------


@route("GET", HOME, permission=MAY)
async def reason_page(request: web.Request) -> web.StreamResponse:
    """The codes of one kind, each a line that can be put right."""
    query = read_query(request, Query)
    if query.kind not in reasons.KINDS:
        raise HotlineError("reason_kind_unknown", kind=query.kind)
    async with context(request).db.read() as session:
        rows = await reasons.all_of(session, query.kind)
    return await _page(
        request, "admin/reasons.html", "reasons", query.done, kinds=reasons.KINDS, kind=query.kind, rows=rows
    )


@route("POST", HOME + "/reasons", permission=MAY)
async def save_reason(request: web.Request) -> web.StreamResponse:
    """Add a code, or change its words."""
    form = await read_form(request, ReasonForm)
    async with context(request).db.begin() as uow:
        await reasons.save(uow, actor(request), Reason(**form.model_dump()))
    return back(request, HOME, "saved", kind=form.kind)


@route("GET", HOME + "/reasons.csv", permission=MAY)
async def export_reasons(request: web.Request) -> web.StreamResponse:
    """Every code as a list."""
    async with context(request).db.read() as session:
        rows = await reasons.all_of(session)
    lines = (
        (reasons.KINDS[row.kind], row.code, row.label, row.hint, "是" if row.active else "否", row.sort)
        for row in rows
    )
    return csv_file("reasons.csv", tables.write(list(COLUMNS.values()), lines))


@route("GET", HOME + "/reasons/import", permission=MAY)
async def reason_import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a list."""
    return await _reason_import(request, "", None)


@route("POST", HOME + "/reasons/import", permission=MAY, max_body=3 * MEGABYTE)
async def import_reasons(request: web.Request) -> web.StreamResponse:
    """First the preview, then the change."""
    form, ctx = await read_form(request, ListFields), context(request)
    async with ctx.db.read() as session:
        known = {(row.kind, row.code): row for row in await reasons.all_of(session)}
    steps: list[ReasonStep] = []
    seen: set[tuple[str, str]] = set()
    for line in tables.read(form.text, COLUMNS, needed=("kind", "code", "label")):
        steps.append(_reason_step(line, known, seen))
        seen.add((steps[-1].reason.kind, steps[-1].reason.code))
    if not form.sure:
        return await _reason_import(request, form.text, steps)
    wrong = sum(step.effect == "wrong" for step in steps)
    if wrong:
        raise HotlineError("list_wrong", wrong=wrong)
    async with ctx.db.begin() as uow:
        await reasons.save_all(uow, actor(request), [step.reason for step in steps])
    return back(request, HOME, "imported")


@dataclass(frozen=True)
class ReasonStep:
    """What a line of a list does: new, changed, same, or wrong (`why` in words)."""

    number: int
    effect: str
    reason: Reason
    why: str = ""


def _reason_step(
    line: tables.Line, known: dict[tuple[str, str], Any], seen: set[tuple[str, str]]
) -> ReasonStep:
    """What the list does not say stays as it is."""
    kinds = {label: kind for kind, label in reasons.KINDS.items()}
    kind, code = kinds.get(line["kind"], line["kind"]), line["code"]
    before = known.get((kind, code))
    kept = {name: getattr(before, name) for name in line.absent if before is not None}
    sort = line["sort"] or "0"
    number = int(sort) if sort.isascii() and sort.isdigit() and len(sort) < 5 else 0
    said: dict[str, Any] = {"hint": line["hint"], "active": line["active"] != "否", "sort": number}
    reason = Reason(kind=kind, code=code, label=line["label"], **{**said, **kept})
    why = _reason_wrong(line, reason) or ("编码在列表中重复" if (kind, code) in seen else "")
    if why:
        return ReasonStep(line.number, "wrong", reason, why)
    if before is None:
        return ReasonStep(line.number, "new", reason)
    same = all(getattr(before, name) == value for name, value in vars(reason).items())
    return ReasonStep(line.number, "same" if same else "changed", reason)


def _reason_wrong(line: tables.Line, reason: Reason) -> str:
    """What is wrong with a line, in words; empty when nothing is."""
    if line.odd:
        return "单元格多于列名，可能错列；含逗号的内容请加引号"
    if reason.kind not in reasons.KINDS:
        return "没有这个类别"
    if not re.fullmatch(CODE, reason.code):
        return "编码须为 1 至 30 位字母、数字、下划线或短横"
    if not reason.label or len(reason.label) > 60:
        return "名称为空或超过 60 字"
    if len(reason.hint) > 200:
        return "填写提示超过 200 字"
    if line["active"] not in ("", "是", "否"):
        return "“启用”一列只能填“是”或“否”"
    return "顺序须为 0 至 9999 的整数" if not re.fullmatch(r"[0-9]{0,4}", line["sort"]) else ""


async def _reason_import(request: web.Request, text: str, steps: Any) -> web.Response:
    return await _page(
        request, "admin/reason_import.html", "reasons", "", text=text, steps=steps, kinds=reasons.KINDS,
        columns=list(COLUMNS.values()),
    )  # fmt: skip


# ---- sensitive words ------------------------------------------------------------------------


@route("GET", HOME + "/words", permission=MAY)
async def word_page(request: web.Request) -> web.StreamResponse:
    """The words by kind, and a text to try them on."""
    query, ctx = read_query(request, Query), context(request)
    async with ctx.db.read() as session:
        rows = await words.all_words(session)
        hits = await flags.hits(session, ctx.clock.now() - timedelta(days=HIT_DAYS))
    return await _page(
        request, "admin/words.html", "words", query.done, kinds=words.KINDS, rows=rows, hits=hits,
        days=HIT_DAYS,
    )  # fmt: skip


@route("POST", HOME + "/words", permission=MAY)
async def add_words(request: web.Request) -> web.StreamResponse:
    """Add words, one a line or with commas between them."""
    form = await read_form(request, WordForm)
    given = re.split(r"[,，、\r\n]", form.words)
    found = [Found(part.strip(), form.kind) for part in given if part.strip()]
    async with context(request).db.begin() as uow:
        count = await words.add(uow, actor(request), found)
    return back(request, HOME + "/words", "added" if count else "unchanged")


@route("POST", HOME + r"/words/{word_id:\d+}/remove", permission=MAY)
async def remove_word(request: web.Request) -> web.StreamResponse:
    """Take a word off the list."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await words.remove(uow, actor(request), path_id(request, "word_id"))
    return back(request, HOME + "/words", "removed")


@route("POST", HOME + "/words/try", permission=MAY)
async def try_words(request: web.Request) -> web.StreamResponse:
    """Which words a text holds; nothing is kept."""
    form = await read_form(request, TryForm)
    async with context(request).db.read() as session:
        tried = await words.match(session, form.text)
    return fragment(request, "admin/_tried.html", tried=tried, kinds=words.KINDS)


# ---- queues ---------------------------------------------------------------------------------


@route("GET", HOME + "/queues", permission=MAY)
async def queue_page(request: web.Request) -> web.StreamResponse:
    """Our plan beside what the telephone system shows."""
    query, ctx = read_query(request, Query), context(request)
    async with ctx.db.read() as session:
        planned = await call_queues.queues(session)
        seen = await seen_queues(session, ctx.clock.now() - timedelta(days=SEEN_DAYS))
        people = await session.execute(
            sa.select(_user.c.id, _user.c.login, _user.c.name, _user.c.extension)
            .where(_user.c.active, _user.c.extension.is_not(None))
            .order_by(_user.c.login)
        )
    return await _page(
        request, "admin/queues.html", "queues", query.done, queues=planned, seen=seen, days=SEEN_DAYS,
        people=people.all(), kinds=call_queues.KIND_WORDS, most=call_queues.MAX_PENALTY,
    )  # fmt: skip


@route("POST", HOME + "/queues", permission=MAY)
async def save_queue(request: web.Request) -> web.StreamResponse:
    """Add a queue or change its words."""
    form = await read_form(request, QueueForm)
    async with context(request).db.begin() as uow:
        await call_queues.save(uow, actor(request), **form.model_dump())
    return back(request, HOME + "/queues", "saved")


@route("POST", HOME + r"/queues/{queue_id:\d+}/members", permission=MAY)
async def save_members(request: web.Request) -> web.StreamResponse:
    """Who answers a queue; a negative penalty takes the person out."""
    form = await read_form(request, MemberForm)
    if len(form.user_ids) != len(form.penalties):
        raise HotlineError("queue_member")
    wanted = [pair for pair in zip(form.user_ids, form.penalties, strict=True) if pair[1] >= 0]
    if form.add:
        wanted.append((int(form.add), 0))
    async with context(request).db.begin() as uow:
        await call_queues.set_members(uow, actor(request), path_id(request, "queue_id"), wanted)
    return back(request, HOME + "/queues", "saved")


# ---- wordings of citizen messages -----------------------------------------------------------


@route("GET", HOME + "/templates", permission=MAY)
async def template_page(request: web.Request) -> web.StreamResponse:
    """Every occasion on the left, its wording with a live preview on the right."""
    query = read_query(request, TemplateQuery)
    async with context(request).db.read() as session:
        every = await templates.present(session)
        chosen = next((one for one in every if one.event == query.event), every[0] if every else None)
        versions = await templates.versions(session, chosen.event) if chosen else []
    shown = templates.preview(chosen.event, chosen.text) if chosen else None
    return await _page(
        request, "admin/templates.html", "templates", query.done, every=every, chosen=chosen,
        versions=versions, shown=shown, words=PLACEHOLDERS, most=MAX_TEXT,
    )  # fmt: skip


@route("POST", HOME + r"/templates/{event}", permission=MAY)
async def save_template(request: web.Request) -> web.StreamResponse:
    """Keep a new version of a wording."""
    form, event = await read_form(request, TemplateForm), request.match_info["event"]
    async with context(request).db.begin() as uow:
        values = form.model_dump(exclude={"base_version"})
        await templates.save(uow, actor(request), event, form.base_version, **values)
    return back(request, HOME + "/templates", "saved", event=event)


@route("POST", HOME + r"/templates/{event}/preview", permission=MAY)
async def preview_template(request: web.Request) -> web.StreamResponse:
    """What a citizen would read, or what is wrong with the wording; nothing is kept."""
    form, event = await read_form(request, TemplateText), request.match_info["event"]
    try:
        shown, problem = templates.preview(event, form.text), None
    except HotlineError as error:
        if error.code != "template_invalid":
            raise
        shown, problem = None, _wrong(error)
    return fragment(request, "admin/_template_preview.html", shown=shown, problem=problem)


def _wrong(error: HotlineError) -> str:
    name = str(error.params.get("name", ""))[:40]
    return {
        "empty": "请填写内容。",
        "too_long": f"内容超过 {MAX_TEXT} 字。",
        "control": "含有换行等控制字符，短信只能是一段文字。",
        "brace": "花括号不成对。",
        "placeholder": f"这里不能使用占位符 {{{name}}}。",
    }.get(str(error.params.get("reason")), PROBLEMS["template_invalid"].sentence)
