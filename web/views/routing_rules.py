"""The dispatch rules (派单规则): what counts, a draft that is edited and tried on a month, promotion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.permissions import Permission
from routing import rule_service, trials
from routing.known import WORDS, directory
from routing.matter import Directory
from routing.rules import NAMES, Book, Conditions, Rule, move, put, switch, without
from tickets.models import Ticket, table_of
from tickets.visibility import visible_tickets
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.units import unit_groups
from web.render import fragment, page
from web.routes import route
from web.views._admin import DONE, NoFields, back

HOME = "/routing/rules"
READ, EDIT = Permission.ROUTING_READ, Permission.ROUTING_EDIT
CODE = r"^[A-Za-z0-9_-]{1,40}$"
CHANGE_WORDS = {"new": "新增", "gone": "删除", "changed": "修改", "moved": "顺序"}
_ticket = table_of(Ticket)


class RulesQuery(Fields):
    view: Literal["", "live", "versions"] = ""
    code: str = Field("", max_length=40)
    done: str = Field("", max_length=20)


class RuleForm(Fields):
    """A rule as typed: words apart by 、 ， or blanks, codes out of lists."""

    edits: int = Field(ge=0, lt=2**31)
    code: str = Field(pattern=CODE)
    name: str = Field(min_length=1, max_length=60)
    unit: str = Field(max_length=40)
    co: list[str] = Field([], max_length=10)
    reason: str = Field("", max_length=200)
    categories: list[str] = Field([], max_length=50)
    areas: list[str] = Field([], max_length=50)
    words: str = Field("", max_length=1000)
    without: str = Field("", max_length=1000)
    subjects: str = Field("", max_length=1000)
    types: list[str] = Field([], max_length=20)
    urgencies: list[str] = Field([], max_length=20)
    channels: list[str] = Field([], max_length=20)


class MoveForm(Fields):
    edits: int = Field(ge=0, lt=2**31)
    code: str = Field(pattern=CODE)
    what: Literal["up", "down", "off", "on", "remove"]


class PromoteForm(Fields):
    edits: int = Field(ge=0, lt=2**31)
    note: str = Field(min_length=2, max_length=200)


def _split(text: str) -> tuple[str, ...]:
    for mark in "，,、；;\n\t":
        text = text.replace(mark, " ")
    return tuple(dict.fromkeys(text.split()))


@route("GET", HOME, permission=READ)
async def rules_page(request: web.Request) -> web.StreamResponse:
    """The draft if there is one and it is asked for, else what counts; the faults and the silent ones."""
    query, ctx = read_query(request, RulesQuery), context(request)
    async with ctx.db.read() as session:
        live = await rule_service.in_state(session, "live")
        draft = await rule_service.in_state(session, "draft")
        shown = live if query.view == "live" or draft is None else draft
        known = await directory(session)
        trial = await trials.latest(session, shown.id, shown.edits) if shown else None
        values = await _choices(session, known)
        versions = await rule_service.versions(session)
        chosen = next((one for one in shown.rules if one.code == query.code), None) if shown else None
    book = Book.of(shown.rules if shown else (), known, WORDS)
    done = trial is not None and trial.state == "done"
    return await page(
        request,
        "routing/rules.html",
        view=query.view or ("draft" if draft else "live"),
        shown=shown,
        live=live,
        draft=draft,
        trial=trial,
        faults=book.faults,
        silent=set(trials.silent(trial.result, [one.code for one in book.rules]))
        if trial and done
        else set(),
        counts=trial.result["rules"] if trial else {},
        changes=rule_service.differences(live.rules if live else (), draft.rules) if draft else [],
        change_words=CHANGE_WORDS,
        versions=versions,
        chosen=chosen,
        known=known,
        names=NAMES,
        says=lambda rule: conditions_in_words(rule.when, known),
        may_edit=actor(request).may(EDIT),
        done=DONE.get(query.done, ""),
        **values,
    )


def conditions_in_words(when: Conditions, known: Directory) -> str:
    """What a rule asks for, as people read it."""
    vocabulary = {"types": WORDS.types, "urgencies": WORDS.urgencies, "channels": WORDS.channels}
    said = []
    for name, label in NAMES.items():
        values: tuple[str, ...] = getattr(when, name)
        if not values:
            continue
        if name == "categories":
            words: Sequence[str] = [known.category(code) for code in values]
        elif name == "areas":
            words = [known.label(code) for code in values]
        else:
            words = [vocabulary.get(name, {}).get(code, code) for code in values]
        said.append(f"{label}：{'、'.join(words)}")
    return "；".join(said) or "没有条件"


async def _choices(session: AsyncSession, known: Directory) -> dict[str, Any]:
    groups = [
        (group.label, [(known.by_id[one.id].code, one.label, one.keywords) for one in group.choices])
        for group in await unit_groups(session)
    ]
    units = sorted(known.units.values(), key=lambda unit: unit.path)
    return {
        "groups": groups,
        "categories": [(code, f"{code} {name}") for code, name in sorted(known.categories.items())],
        "areas": [(one.code, one.name) for one in units if one.active and one.kind in ("district", "town")],
        "fixed": {"types": WORDS.types, "urgencies": WORDS.urgencies, "channels": WORDS.channels},
    }


# ---- the draft ------------------------------------------------------------------------------------


@route("POST", HOME + "/draft", permission=EDIT)
async def open_draft(request: web.Request) -> web.StreamResponse:
    """Begin a draft from what counts."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await rule_service.open_draft(uow, actor(request))
    return back(request, HOME)


@route("POST", HOME + "/drop", permission=EDIT)
async def drop(request: web.Request) -> web.StreamResponse:
    """Give the draft up."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await rule_service.drop(uow, actor(request))
    return back(request, HOME, "dropped")


@route("POST", HOME + "/rule", permission=EDIT)
async def save_rule(request: web.Request) -> web.StreamResponse:
    """Add a rule to the draft, or change it."""
    form = await read_form(request, RuleForm)

    def change(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        before = next((one for one in rules if one.code == form.code), None)
        return put(rules, _rule(form, active=before.active if before else True))

    async with context(request).db.begin() as uow:
        count = await rule_service.edit(uow, actor(request), form.edits, change, {"rule": form.code})
    return back(request, HOME, "saved" if count != form.edits else "unchanged", code=form.code)


def _rule(form: RuleForm, *, active: bool) -> Rule:
    listed = {name: tuple(getattr(form, name)) for name in ("categories", "areas", "types", "urgencies")}
    typed = {name: _split(getattr(form, name)) for name in ("words", "without", "subjects")}
    when = Conditions(**listed, **typed, channels=tuple(form.channels))
    return Rule(form.code, form.name, form.unit, when, tuple(form.co), form.reason, active)


@route("POST", HOME + "/move", permission=EDIT)
async def move_rule(request: web.Request) -> web.StreamResponse:
    """Earlier, later, off, on, or out of the draft."""
    form = await read_form(request, MoveForm)
    changes: dict[str, Callable[[tuple[Rule, ...]], tuple[Rule, ...]]] = {
        "up": lambda rules: move(rules, form.code, up=True),
        "down": lambda rules: move(rules, form.code, up=False),
        "off": lambda rules: switch(rules, form.code, active=False),
        "on": lambda rules: switch(rules, form.code, active=True),
        "remove": lambda rules: without(rules, form.code),
    }
    detail = {"rule": form.code, "what": form.what}
    async with context(request).db.begin() as uow:
        await rule_service.edit(uow, actor(request), form.edits, changes[form.what], detail)
    return back(request, HOME, "saved")


@route("POST", HOME + r"/versions/{version_id:\d+}/restore", permission=EDIT)
async def restore(request: web.Request) -> web.StreamResponse:
    """Put an earlier version into the draft."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await rule_service.restore(uow, actor(request), path_id(request, "version_id"))
    return back(request, HOME, "saved")


# ---- trial and promotion --------------------------------------------------------------------------


@route("POST", HOME + r"/versions/{version_id:\d+}/trial", permission=EDIT)
async def order_trial(request: web.Request) -> web.StreamResponse:
    """Have a version tried on the last thirty days."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        ident = await trials.order(uow, actor(request), path_id(request, "version_id"))
    return back(request, f"{HOME}/trials/{ident}")


@route("GET", HOME + r"/trials/{trial_id:\d+}", permission=READ)
async def trial_page(request: web.Request) -> web.StreamResponse:
    """How far it is; then the difference in each department's load, rule by rule, with tickets."""
    return await page(request, "routing/trial.html", **await _trial(request))


@route("GET", HOME + r"/trials/{trial_id:\d+}/progress", permission=READ)
async def trial_progress(request: web.Request) -> web.StreamResponse:
    """How far a trial is, fetched again and again by its page."""
    return fragment(request, "routing/_trial_progress.html", **await _trial(request))


async def _trial(request: web.Request) -> dict[str, Any]:
    async with context(request).db.read() as session:
        trial = await trials.one(session, path_id(request, "trial_id"))
        version = await rule_service.version(session, trial.rule_set_id)
        known = await directory(session)
        ids = [one["ticket_id"] for one in trial.result["samples"]]
        query = sa.select(_ticket.c.id, _ticket.c.number, _ticket.c.title).where(
            _ticket.c.id.in_(ids), visible_tickets(actor(request))
        )
        tickets = {row.id: row for row in await session.execute(query)}
    return {
        "trial": trial,
        "version": version,
        "known": known,
        "lines": trials.load_lines(trial.result),
        "tickets": tickets,
        "silent": trials.silent(trial.result, [rule.code for rule in version.rules]),
        "may_edit": actor(request).may(EDIT),
        "current": version.state == "draft" and version.edits == trial.edits,
    }


@route("POST", HOME + "/promote", permission=EDIT)
async def promote(request: web.Request) -> web.StreamResponse:
    """Let the draft count, as it was tried."""
    form = await read_form(request, PromoteForm)
    async with context(request).db.begin() as uow:
        await rule_service.promote(uow, actor(request), form.edits, form.note)
    return back(request, HOME, "published")
