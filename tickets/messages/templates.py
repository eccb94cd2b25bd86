"""The wordings of citizen messages: the present ones, their history, and saving a new version."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from tickets.errors import conflict
from tickets.messages.kinds import EVENTS, SAMPLE, EventKind, MessageEvent, check_text, parts_of, render
from tickets.messages.models import MessageTemplate
from tickets.models import table_of

_template = table_of(MessageTemplate)
_user = table_of(User)


@dataclass(frozen=True)
class Wording:
    """One version of the wording of an event; `by` is None for what was shipped.

    `mandatory`: sent although the citizen wants no messages. `at_once`: sent in the quiet hours too.
    """

    id: int
    event: MessageEvent
    version: int
    text: str
    mandatory: bool
    at_once: bool
    enabled: bool
    at: datetime
    by: str | None

    @property
    def kind(self) -> EventKind:
        """Label, occasion and placeholders of the event."""
        return EVENTS[self.event]


@dataclass(frozen=True)
class Preview:
    """A wording filled with an example, and how many messages it takes."""

    text: str
    parts: int


def _select() -> sa.Select[tuple[object, ...]]:
    columns = [_template.c[name] for name in ("id", "event", "version", "text", "mandatory", "at_once")]
    more = (_template.c.enabled, _template.c.at, _user.c.name.label("by"))
    return sa.select(*columns, *more).select_from(_template.outerjoin(_user, _user.c.id == _template.c.by))


def _wording(row: sa.Row[tuple[object, ...]]) -> Wording:
    values = dict(row._mapping)
    return Wording(**values | {"event": MessageEvent(values["event"])})


async def present(session: AsyncSession) -> list[Wording]:
    """The wording in force of every event, in the order of a ticket's life."""
    newest = sa.select(sa.func.max(_template.c.id)).group_by(_template.c.event)
    rows = await session.execute(_select().where(_template.c.id.in_(newest)))
    found = {wording.event: wording for wording in map(_wording, rows)}
    return [found[event] for event in EVENTS if event in found]


async def current(session: AsyncSession, event: str) -> Wording:
    """The wording in force of one event. Raises `template_unknown`."""
    query = _select().where(_template.c.event == _known(event)).order_by(_template.c.version.desc()).limit(1)
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("template_unknown", event=event[:40])
    return _wording(row)


async def versions(session: AsyncSession, event: str) -> list[Wording]:
    """Every version of one event, newest first. Raises `template_unknown`."""
    query = _select().where(_template.c.event == _known(event)).order_by(_template.c.version.desc())
    return [_wording(row) for row in await session.execute(query)]


async def save(
    uow: UnitOfWork,
    actor: Actor,
    event: str,
    base_version: int,
    *,
    text: str,
    mandatory: bool,
    at_once: bool,
    enabled: bool,
) -> int:
    """Keep a new version of a wording; returns its number. Messages not sent yet use it already.

    `base_version` is the version that was on the screen. Raises `forbidden`, `template_unknown`,
    `template_invalid` (see `check_text`), `version_conflict`. Audited.
    """
    actor.require(Permission.CATALOG_MANAGE)
    known = _known(event)
    text = check_text(known, text)
    lock = sa.select(_template.c.version).where(_template.c.event == known, _template.c.version == 1)
    await uow.session.execute(lock.with_for_update())
    now = await current(uow.session, known)
    if now.version != base_version:
        raise conflict("message_template", now.id, ours=base_version, theirs=now.version)
    values = {"text": text, "mandatory": mandatory, "at_once": at_once, "enabled": enabled}
    new = {"event": known.value, "version": now.version + 1, "at": uow.now, "by": actor.user_id}
    made = await uow.session.execute(sa.insert(_template).values(**values, **new).returning(_template.c.id))
    detail = {"event": known.value, "version": now.version + 1}
    await audit.record(
        uow,
        actor=actor,
        action="message_template.save",
        object_type="message_template",
        object_id=made.scalar_one(),
        detail=detail,
    )
    return now.version + 1


def preview(event: str, text: str) -> Preview:
    """What a citizen would read, filled with an example. Raises `template_unknown`, `template_invalid`."""
    shown = render(check_text(_known(event), text), SAMPLE)
    return Preview(shown, parts_of(shown))


def _known(event: str) -> MessageEvent:
    try:
        return MessageEvent(event)
    except ValueError:
        raise HotlineError("template_unknown", event=event[:40]) from None
