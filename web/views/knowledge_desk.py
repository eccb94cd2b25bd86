"""Knowledge as it is written: the desk of editors, reviewers and publishers, and the form."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from aiohttp import web
from pydantic import BeforeValidator, Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.errors import HotlineError
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Permission
from tickets import queries as ticket_queries
from tickets.knowledge import gaps, queries, service, worklists
from tickets.knowledge.service import OWNERS, Content
from tickets.knowledge.terms import Step
from tickets.knowledge.worklists import PAGE, Shelf
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page, redirect
from web.routes import route
from web.views._admin import back
from web.views.knowledge import WORDS, today

HOME = "/knowledge/desk"
EDIT = Permission.KNOWLEDGE_EDIT
WORK = (EDIT, Permission.KNOWLEDGE_REVIEW, Permission.KNOWLEDGE_PUBLISH)
SHELVES: dict[Shelf, str] = {
    "writing": "采编中",
    "review": "待审核",
    "release": "待发布",
    "ending": "即将到期",
    "ended": "已过期",
    "withdrawn": "已撤下",
    "all": "全部",
}
SHOWN = frozenset(
    {
        "knowledge_incomplete",
        "knowledge_too_long",
        "knowledge_span",
        "knowledge_unit",
        "knowledge_in_review",
        "category_unknown",
        "place_unknown",
        "version_conflict",
    }
)


class DeskQuery(Fields):
    shelf: Shelf | None = None
    before: int | None = Field(None, gt=0, lt=2**63)


class NewQuery(Fields):
    task: int | None = Field(None, gt=0, lt=2**63)
    gap: int | None = Field(None, gt=0, lt=2**63)


class ArticleForm(Fields):
    version: int = Field(0, ge=0, lt=2**31)
    question: str = Field("", max_length=2000)
    answer: str = Field("", max_length=20_000)
    basis: str = Field("", max_length=4000)
    unit_id: str = Field("", pattern=r"^\d{0,18}$")
    category_id: str = Field("", pattern=r"^\d{0,18}$")
    district_id: str = Field("", pattern=r"^\d{0,18}$")
    audience: str = Field("internal", max_length=20)
    valid_from: date
    valid_to: Annotated[date | None, BeforeValidator(lambda typed: typed or None)] = None
    task_id: str = Field("", pattern=r"^\d{0,18}$")
    then: str = Field("", max_length=10)  # "submit": for the review at once

    def content(self) -> Content:
        """What the edition says."""
        return Content(
            self.question,
            self.answer.replace("\r\n", "\n"),
            self.basis,
            self.audience,
            self.valid_from,
            self.valid_to,
            int(self.category_id) if self.category_id else None,
            int(self.district_id) if self.district_id else None,
        )


class StepForm(Fields):
    version: int = Field(ge=1, lt=2**31)
    step: Step
    note: str = Field("", max_length=2000)


# ---- the desk ---------------------------------------------------------------------------------


@route("GET", HOME, permission=WORK)
async def desk(request: web.Request) -> web.StreamResponse:
    """One's own articles by what is to be done with them."""
    query, person, soon = read_query(request, DeskQuery), actor(request), _soon(request)
    async with context(request).db.read() as session:
        counts = await worklists.shelf_counts(session, person, today(request), soon)
        shelf = query.shelf or _first(person, counts)
        rows = await worklists.shelf_of(session, person, shelf, today(request), soon, before=query.before)
    values: dict[str, Any] = {
        "rows": rows[:PAGE],
        "more": rows[PAGE - 1].id if len(rows) > PAGE else None,
        "shelf": shelf,
        "shelves": [(code, word, counts[code]) for code, word in SHELVES.items()],
        "words": WORDS,
        "today": today(request),
        "may_write": person.may(EDIT),
    }
    return await page(request, "knowledge/desk.html", **values)


def _soon(request: web.Request) -> int:
    return context(request).settings.knowledge.remind_days


def _first(person: Actor, counts: dict[str, int]) -> Shelf:
    """The shelf this person has something to do on, else all."""
    wanted: list[tuple[Permission, Shelf]] = [
        (Permission.KNOWLEDGE_PUBLISH, "release"),
        (Permission.KNOWLEDGE_REVIEW, "review"),
        (EDIT, "writing"),
    ]
    return next((shelf for needs, shelf in wanted if person.may(needs) and counts[shelf]), "all")


# ---- the form ---------------------------------------------------------------------------------


@route("GET", "/knowledge/new", permission=EDIT)
async def new_page(request: web.Request) -> web.StreamResponse:
    """An empty form; for a task or a gap it begins with what was looked for."""
    query, person = read_query(request, NewQuery), actor(request)
    async with context(request).db.read() as session:
        task = await worklists.task(session, person, query.task) if query.task else None
        gap = await gaps.one(session, person, query.gap) if query.gap else None
    question = task.about if task else gap.phrase if gap else ""
    typed = {"question": question[:200], "task_id": str(task.id) if task else ""}
    return await _form(request, typed, None)


@route("POST", "/knowledge/new", permission=EDIT, max_body=128 * 1024)
async def create(request: web.Request) -> web.StreamResponse:
    """Keep a new article, and submit it if wanted; a refusal keeps what was typed."""
    form, person = await read_form(request, ArticleForm), actor(request)

    async def work(uow: Any) -> int:
        unit = int(form.unit_id) if form.unit_id else None
        task = int(form.task_id) if form.task_id else None
        ident = await service.create(uow, person, form.content(), unit_id=unit, task_id=task)
        if form.then == "submit":
            await service.advance(uow, person, ident, 1, Step.SUBMIT)
        return ident

    try:
        made = await context(request).db.retrying(work)
    except HotlineError as error:
        return await _refused(request, error, form, None)
    return redirect(request, f"/knowledge/{made}?done=saved")


@route("GET", r"/knowledge/{article_id:\d+}/edit", permission=EDIT)
async def edit_page(request: web.Request) -> web.StreamResponse:
    """The form with the newest text."""
    async with context(request).db.read() as session:
        found = await queries.article(session, actor(request), path_id(request, "article_id"))
    if Step.WRITE not in found.offers:
        raise HotlineError("knowledge_step" if found.mine else "knowledge_not_found", article_id=found.id)
    newest = found.draft or found.shown
    typed = {
        "version": found.version,
        "question": newest.question,
        "answer": newest.answer,
        "basis": newest.basis,
        "category_id": str(newest.category_id or ""),
        "district_id": str(newest.district_id or ""),
        "audience": newest.audience,
        "valid_from": newest.valid_from.isoformat(),
        "valid_to": newest.valid_to.isoformat() if newest.valid_to else "",
    }
    return await _form(request, typed, found)


@route("POST", r"/knowledge/{article_id:\d+}/edit", permission=EDIT, max_body=128 * 1024)
async def write(request: web.Request) -> web.StreamResponse:
    """Keep a new edition, and submit it if wanted; a refusal keeps what was typed."""
    form, person, ident = (
        await read_form(request, ArticleForm),
        actor(request),
        path_id(request, "article_id"),
    )

    async def work(uow: Any) -> None:
        version = await service.write(uow, person, ident, form.version, form.content())
        if form.then == "submit":
            await service.advance(uow, person, ident, version, Step.SUBMIT)

    try:
        await context(request).db.retrying(work)
    except HotlineError as error:
        return await _refused(request, error, form, ident)
    return redirect(request, f"/knowledge/{ident}?done=saved")


async def _refused(
    request: web.Request, error: HotlineError, form: ArticleForm, ident: int | None
) -> web.StreamResponse:
    if error.code not in SHOWN:
        raise error
    found = None
    if ident is not None:
        async with context(request).db.read() as session:
            found = await queries.article(session, actor(request), ident)
    problem = problem_of(error)[1]
    typed = form.model_dump(mode="json") | {"valid_to": form.valid_to.isoformat() if form.valid_to else ""}
    if error.code == "version_conflict" and found is not None:
        typed["version"] = found.version  # what came first is shown; saving again is a decision
    return await _form(request, typed, found, status=problem.status, problem=problem)


async def _form(
    request: web.Request,
    typed: dict[str, Any],
    found: queries.Article | None,
    *,
    status: int = 200,
    problem: Any = None,
) -> web.StreamResponse:
    person = actor(request)
    async with context(request).db.read() as session:
        lists = await _lists(session, person)
    blank = {
        "version": 0, "question": "", "answer": "", "basis": "", "unit_id": str(person.unit_id or ""),
        "category_id": "", "district_id": "", "audience": "internal", "task_id": "",
        "valid_from": to_city(context(request).clock.now()).date().isoformat(), "valid_to": "",
    }  # fmt: skip
    values = {"t": blank | typed, "article": found, "problem": problem, "words": WORDS, **lists}
    return await page(request, "knowledge/edit.html", status=status, **values)


async def _lists(session: AsyncSession, person: Actor) -> dict[str, Any]:
    """What the form chooses from: categories, districts, and the units this person writes for."""
    units = await org.units(session, kinds=OWNERS)
    everywhere = person.may(Permission.KNOWLEDGE_EDIT_ALL)
    mine = [unit for unit in units if everywhere or unit.path.startswith(person.unit_path)]
    return {
        "categories": [(str(node.id), node.full_name) for node in await ticket_queries.categories(session)],
        "districts": [(str(unit.id), unit.name) for unit in units if unit.kind == "district"],
        "units": [(str(unit.id), unit.name) for unit in mine],
    }


@route("POST", r"/knowledge/{article_id:\d+}/step", permission=WORK)
async def advance(request: web.Request) -> web.StreamResponse:
    """Submit, recall, approve, refuse, publish, drop or withdraw."""
    form, person, ident = await read_form(request, StepForm), actor(request), path_id(request, "article_id")
    await context(request).db.retrying(
        lambda uow: service.advance(uow, person, ident, form.version, form.step, form.note)
    )
    return back(request, f"/knowledge/{ident}", "saved")
