"""What is added to a ticket beside its way: notes, urges, supervision, corrections, other endings."""

from enum import Enum
from typing import Any

import sqlalchemy as sa

from core.errors import HotlineError
from core.people.models import Unit
from core.people.permissions import Permission
from tickets.actions import clocks
from tickets.actions.job import Job, refuse
from tickets.actions.pending import end_revisit, withdraw_pending
from tickets.inputs import Edit
from tickets.models import Category, table_of
from tickets.visibility import is_sealed_matter

_category = table_of(Category)
_unit = table_of(Unit)
CLEARABLE = frozenset({"subject_unit_id"})  # given as nothing, it becomes nothing


async def nothing(job: Job) -> None:
    """The history row says it all."""


async def urge(job: Job) -> None:
    """催办: counted; the units that work on it are told."""
    job.set(urges=job.row.urges + 1)


async def supervise(job: Job) -> None:
    """督办: shown on every list, called back without exception."""
    job.set(supervised=True)


async def edit(job: Job) -> None:
    """更正: only what was given; limits that depend on it are counted anew, from the starts they had."""
    data = job.data
    assert isinstance(data, Edit)
    given = {
        name: value.value if isinstance(value, Enum) else value
        for name in data.model_fields_set - {"note"}
        if (value := getattr(data, name)) is not None or name in CLEARABLE
    }
    changed = {name: value for name, value in given.items() if getattr(job.row, name) != value}
    if not changed:
        raise HotlineError("nothing_to_change", ticket_id=job.row.id)
    _check_seal(job, changed)
    _check_subject(job, changed)
    await _check_references(job, changed)
    job.set(**changed)
    if clocks.MATTERS & set(changed):
        await clocks.correct(job)


def _check_seal(job: Job, changed: dict[str, Any]) -> None:
    """A reporter a unit works for stays sealed, unless supervision says so and why."""
    before = is_sealed_matter(job.row.type, job.row.confidentiality)
    after = is_sealed_matter(
        changed.get("type", job.row.type), changed.get("confidentiality", job.row.confidentiality)
    )
    if not before or after or job.row.dispatched_at is None:
        return
    if not job.actor.may(Permission.TICKET_SUPERVISE) or not job.data.note:
        raise refuse("unseal_refused", job)


def _check_subject(job: Job, changed: dict[str, Any]) -> None:
    """From then on nothing forbids a dispatch to the unit complained about: the history says why."""
    if "subject_unit_id" in changed and job.row.subject_unit_id is not None and not job.data.note:
        raise HotlineError("form_invalid", fields={"note": "required"})


async def _check_references(job: Job, changed: dict[str, Any]) -> None:
    category, unit = changed.get("category_id"), changed.get("subject_unit_id")
    if category is not None:
        query = sa.select(_category.c.id).where(_category.c.id == category, _category.c.active)
        if (await job.execute(query)).first() is None:
            raise HotlineError("category_unknown", category_id=category)
    if unit is None:
        return
    if (await job.execute(sa.select(_unit.c.id).where(_unit.c.id == unit))).first() is None:
        raise HotlineError("unit_not_found", unit_id=unit)


async def end(job: Job) -> None:
    """撤回 and 作废: nothing waits for a decision or a call-back any more."""
    await withdraw_pending(job, exclusions=True)
    await end_revisit(job)
    job.set(closed_at=job.now, closed_as=job.action.value)


async def archive(job: Job) -> None:
    """归档: nothing more is done to it."""
    job.set(archived_at=job.now)
