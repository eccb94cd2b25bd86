"""An act of administration at the screen: first the effect, then the doing, always the same way.

The first post shows what will change, who has to approve and what the audit log will hold; the same
fields with `sure` carry it out. The table of duties decides whether that does it or proposes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people import duties
from core.people.duties import DUTIES, Act
from core.people.proposals import Payload
from web.context import actor, context
from web.inputs import Fields
from web.render import page
from web.views._admin import back
from web.words import ROLE_WORDS


class ActFields(Fields):
    """What every act is sent besides its own fields."""

    sure: bool = False
    note: str = Field("", max_length=500)


def words_of(posts: frozenset[Any]) -> str:
    """Posts as a sentence names them."""
    return "或".join(word for code, word in ROLE_WORDS.items() if code in posts)


async def carry_out(
    request: web.Request,
    act: Act,
    payload: Payload,
    form: ActFields,
    *,
    home: str,
    fields: Mapping[str, Any] | None = None,
    effects: Sequence[str] = (),
    secret_for: str = "",
) -> web.StreamResponse:
    """Show the effect of an act, or do it when `form.sure`; then on to `home`.

    `fields` are what the confirming form sends again. `secret_for`: a result is a password for the
    first login of this person and is shown once. Errors: those of `ProposalService.submit`.
    """
    if not form.sure:
        return await _preview(request, act, payload, form, home, fields or {}, effects)
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        done = await ctx.people.proposals.submit(uow, person, act, payload, note=form.note)
    if secret_for and isinstance(done.result, str):
        return await secret_page(request, secret_for, done.result, home, waits=done.proposal_id is not None)
    return back(request, home, "proposed" if done.proposal_id else "saved")


async def _preview(
    request: web.Request,
    act: Act,
    payload: Payload,
    form: ActFields,
    home: str,
    fields: Mapping[str, Any],
    effects: Sequence[str],
) -> web.StreamResponse:
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        concern = await ctx.people.proposals.concern(session, act, payload)
        if not duties.may_propose(person, act, concern):
            raise HotlineError("forbidden", act=str(act))
        changes = await ctx.people.proposals.preview(session, act, payload)
    rule = duties.rule_of(act, concern)
    return await page(
        request,
        "admin/act.html",
        duty=DUTIES[act],
        changes=changes,
        effects=effects,
        approvers=words_of(rule.approved_by),
        fields=[(name, one) for name, value in fields.items() for one in _each(value)],
        note=form.note,
        home=home,
    )


def _each(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]


async def secret_page(
    request: web.Request, whom: str, password: str, home: str, *, waits: bool
) -> web.StreamResponse:
    """A password for one login, shown this once."""
    return await page(request, "admin/secret.html", whom=whom, password=password, home=home, waits=waits)
