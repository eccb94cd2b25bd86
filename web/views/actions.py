"""What is done to a ticket: the form of each action, the act itself, and the same for many tickets."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from core.errors import HotlineError
from core.people.actor import Actor
from tickets import offers, queries
from tickets.offers import Offer
from tickets.queries import HistoryItem, TicketPage
from tickets.service import DEPUTY
from tickets.workflow import ACTION_LABELS, RULES, Action
from web.context import actor, context, wants_fragment
from web.errors import problem_of, wants_json
from web.inputs import path_id, read_items
from web.reads.action_forms import FIRST, NOT_IN_BAR, Builder, Form, in_order
from web.reads.left import left_of
from web.reads.process import process_of
from web.render import fragment, page, redirect
from web.routes import route
from web.sentences import PROBLEMS, Problem
from web.views._acting import MAX_BODY, MAY, Posted, act, action_of, read_posted
from web.words import TICKET_WORDS

MOST_AT_ONCE = 20  # tickets in one request; the page sends the next batch when it has the answer
FIELD_WORDS = {
    "required": "请填写",
    "too_long": "内容过长",
    "bad_value": "不正确，请核对",
    "unknown_choice": "没有找到，请核对",
}
BACK = {
    "desk": "/dispatch",
    "rulings": "/rulings",
    "checks": "/checks",
    "approvals": "/approvals",
    "dashboard": "/dashboard",
}
# Nothing to fill in and nothing to weigh: a button does it.
AT_ONCE = frozenset({Action.SIGN, Action.ACCEPT})


# ---- the bar --------------------------------------------------------------------------------


async def bar_values(request: web.Request, session: Any, ticket: TicketPage) -> dict[str, Any]:
    """The legal actions in order, and the others with the reason why not."""
    ctx, person = context(request), actor(request)
    found = await offers.load(session, person, ticket.id, ctx.tickets.limits, ctx.clock.now())
    listed = in_order(one for one in found if one.action not in NOT_IN_BAR)
    return {
        "legal": [one for one in listed if one.allowed],
        # What only a rule of the moment forbids says more than what belongs to another state.
        "others": [
            (one, why_not(one))
            for one in sorted(listed, key=lambda one: one.why == "state")
            if not one.allowed
        ],
        "at_once": AT_ONCE,
        "likely": FIRST,
    }


def why_not(offer: Offer) -> str:
    """Why an action cannot be done now, as a sentence."""
    if offer.why == "state":
        return f"在这些状态可以办理：{offer.states}"
    problem = PROBLEMS.get(offer.why or "")
    return problem.title if problem else "现在不能办理"


@route("GET", "/tickets/{ticket_id}/bar", permission=MAY)
async def bar(request: web.Request) -> web.StreamResponse:
    """The next-action bar alone, fetched anew when the ticket changed."""
    async with context(request).db.read() as session:
        ticket = await queries.ticket_page(session, actor(request), path_id(request, "ticket_id"))
        values = await bar_values(request, session, ticket)
    return fragment(request, "tickets/_bar.html", ticket=ticket, **values)


# ---- one action -----------------------------------------------------------------------------


@route("GET", "/tickets/{ticket_id}/do/{action}", permission=MAY)
async def form(request: web.Request) -> web.StreamResponse:
    """The form of an action: in a dialog by script, else a page of its own."""
    action, ident = action_of(request), path_id(request, "ticket_id")
    posted = Posted({}, None, request.query.get("back", "page"))
    return await _form_page(request, ident, action, posted)


@route("POST", "/tickets/{ticket_id}/do/{action}", permission=MAY, max_body=MAX_BODY)
async def do(request: web.Request) -> web.StreamResponse:
    """Do it as seen in `version`; what went wrong comes back with everything that was typed."""
    action, ident = action_of(request), path_id(request, "ticket_id")
    return await do_posted(request, ident, action, await read_posted(request, action))


async def do_posted(request: web.Request, ident: int, action: Action, posted: Posted) -> web.StreamResponse:
    """Do what was posted and go on, or show its form again."""
    try:
        made = await act(request, ident, posted.version, action, posted.typed)
    except HotlineError as error:
        code, problem = problem_of(error)
        if wants_json(request) or code in _NO_FORM or problem.status >= 500:
            raise
        return await _form_page(request, ident, action, posted, error)
    if made is not None:
        if wants_fragment(request):
            return fragment(request, "tickets/_appealed.html", made=made, first=ident)
        return await page(request, "tickets/appealed.html", made=made, first=ident)
    desk = BACK.get(posted.back)
    if desk is None:
        return redirect(request, f"/tickets/{ident}")
    # What leaves the ticket where it is comes back to it; else on to the next one.
    return redirect(request, desk if RULES[action].targets else f"{desk}?ticket={ident}")


_NO_FORM = frozenset(
    {"forbidden", "ticket_not_found", "unknown_field", "bad_request", "too_large", "internal"}
)


async def _form_page(
    request: web.Request, ident: int, action: Action, posted: Posted, error: HotlineError | None = None
) -> web.StreamResponse:
    async with context(request).db.read() as session:
        ticket = await queries.ticket_page(session, actor(request), ident)
        refused = await _not_offered(request, session, ticket, action)
        process = await process_of(
            session, actor(request), ticket, context(request).settings.tickets.contact_gap
        )
        built = await Builder(session, actor(request), ticket, process, context(request).clock.now()).form(
            action
        )
        newer = await _newer(session, actor(request), ident, posted.version) if error else []
    problem = problem_of(error)[1] if error else refused
    errors = _field_errors(error, action, built) if error else {}
    values: dict[str, Any] = {
        "ticket": ticket,
        "left": left_of(ticket, context(request).clock.now(), context(request).tickets.limits),
        "form": built.filled(posted.typed),
        "label": ACTION_LABELS[action],
        "problem": problem,
        "errors": errors,
        "newer": newer,
        "back": posted.back if posted.back in BACK else "page",
        "closed": refused is not None and error is None,
        "words": TICKET_WORDS,
    }
    status = problem.status if error and problem else 200
    if wants_fragment(request):
        return fragment(request, "tickets/_act.html", status=status, **values)
    return await page(request, "tickets/act.html", status=status, **values)


async def _not_offered(
    request: web.Request, session: Any, ticket: TicketPage, action: Action
) -> Problem | None:
    """Why the form cannot be sent now, None when it can. Raises `forbidden` for whom it is not meant."""
    ctx, person = context(request), actor(request)
    found = await offers.load(session, person, ticket.id, ctx.tickets.limits, ctx.clock.now())
    offer = next((one for one in found if one.action is action), None)
    if offer is None:
        if action in DEPUTY:  # a deputy may; the act itself asks for whom
            return None
        raise HotlineError("forbidden", permission=action.value)
    if offer.allowed:
        return None
    return (
        Problem(409, f"现在不能{offer.label}", f"{why_not(offer)}。")
        if offer.why == "state"
        else (PROBLEMS.get(offer.why or "", PROBLEMS["action_not_allowed"]))
    )


async def _newer(session: Any, person: Actor, ident: int, version: int | None) -> list[HistoryItem]:
    """What others did since the version this person saw."""
    if version is None:
        return []
    return [item for item in await queries.timeline(session, person, ident) if item.version > version]


def _field_errors(error: HotlineError, action: Action, built: Form) -> dict[str, str]:
    """By field: what is wrong with it."""
    given = error.params.get("fields")
    if isinstance(given, dict):
        found = {name: FIELD_WORDS.get(str(code), "不正确，请核对") for name, code in given.items()}
        if "days" in found and "longest" in error.params:
            found["days"] = f"最长 {error.params['longest']} 天"
        if action is Action.MERGE and "master_id" in found:
            found["master_id"] = "请选择主单，或输入工单号"
        return found
    if isinstance(given, list | tuple):
        return dict.fromkeys((str(name) for name in given), "请填写")
    at = _AT.get(error.code)
    names = {field.name for field in built.fields}
    return {name: PROBLEMS[error.code].title for name in at if name in names} if at else {}


_AT: dict[str, tuple[str, ...]] = {
    "reply_has_personal": ("public_reply",),
    "relay_text_personal": ("note",),
    "contact_missing": ("result",),
    "unsolved_reason": ("unsolved_code",),
    "reason_unknown": ("reason_code", "unsolved_code"),
    "unit_cannot_take": ("unit_id",),
    "unit_avoided": ("unit_id",),
    "unit_is_subject": ("unit_id",),
    "unit_not_below": ("unit_id",),
    "unit_has_it": ("unit_id", "suggested_unit_id", "unit_ids"),
    "unit_needed": ("unit_id",),
    "not_co_handler": ("unit_id",),
    "category_unknown": ("category_id",),
    "unit_not_found": ("subject_unit_id",),
    "merge_into_itself": ("master_id",),
    "master_not_open": ("master_id",),
}


# ---- many tickets ---------------------------------------------------------------------------


@route("POST", "/tickets/bulk/{action}", permission=MAY, max_body=MAX_BODY)
async def bulk(request: web.Request) -> web.StreamResponse:
    """Do the same to each of `ticket` (id:version, repeated), each in a transaction of its own.

    Answers with a report per ticket: JSON for the progress bar, a page without script. The page sends
    batches; at most 500 in one request without script.
    """
    action = action_of(request)
    items = await read_items(request, most=600)
    marks = [value for key, value in items if key == "ticket"]
    typed: dict[str, Any] = {}
    for key, value in items:
        if key != "ticket":
            typed[key] = value
    if not marks or len(marks) > 500 or not RULES[action].who or action is Action.APPEAL:
        raise HotlineError("bad_request")
    rows = [await _one_of_many(request, mark, action, typed) for mark in dict.fromkeys(marks)]
    if wants_json(request):
        return web.json_response({"rows": rows})
    return await page(
        request,
        "tickets/bulk.html",
        rows=rows,
        label=ACTION_LABELS[action],
        back=request.headers.get("Referer"),
    )


async def _one_of_many(
    request: web.Request, mark: str, action: Action, typed: dict[str, Any]
) -> dict[str, Any]:
    ident, _, version = mark.partition(":")
    if not (
        mark.isascii() and ident.isdigit() and version.isdigit() and len(ident) < 19 and len(version) < 10
    ):
        raise HotlineError("bad_request", field="ticket")
    row: dict[str, Any] = {"id": int(ident), "done": True, "title": "", "message": ""}
    try:
        await act(request, int(ident), int(version), action, typed)
    except HotlineError as error:
        if error.code == "unknown_field":
            raise
        code, problem = problem_of(error)
        row |= {"done": False, "code": code, "title": problem.title, "message": problem.sentence}
    return row
