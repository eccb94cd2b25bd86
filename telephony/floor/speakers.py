"""Who speaks what, what a caller needs, and interpreters outside. Every write of their tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.privacy import PersonalValue, Vault, normalise_phone
from core.tables import table_of
from telephony.agents.models import AgentInterval, AgentSession
from telephony.controls.terms import EXTENSION, OUTSIDE
from telephony.floor.events import LanguageMarked
from telephony.floor.languages import LANGUAGES, Hours
from telephony.floor.models import CallLanguage, Interpreter, UserLanguage
from telephony.floor.scope import on_floor_of
from telephony.models import CallLeg, CallSession

_speaks, _marked = table_of(UserLanguage), table_of(CallLanguage)
_interpreter, _person = table_of(Interpreter), table_of(PersonalValue)
_user, _leg, _call = table_of(User), table_of(CallLeg), table_of(CallSession)
_session, _interval = table_of(AgentSession), table_of(AgentInterval)


@dataclass(frozen=True)
class Speaker:
    """A person with a telephone and the languages noted."""

    user_id: int
    login: str
    name: str
    extension: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Seat:
    """A signed-in agent who speaks a language; `since` he has been in this state."""

    user_id: int
    name: str
    extension: str
    state: str
    since: datetime


@dataclass(frozen=True)
class Interpreting:
    """An interpreter; the number is masked."""

    id: int
    name: str
    languages: tuple[str, ...]
    phone_ref: int
    masked: str
    hours: Hours
    note: str
    active: bool
    version: int


@dataclass(frozen=True)
class Entry:
    """An interpreter as typed; `phone` empty: the number kept so far."""

    name: str
    languages: tuple[str, ...]
    phone: str
    days: str
    begins: time
    ends: time
    note: str
    active: bool


# ---- people ---------------------------------------------------------------------------------


def _may_note(actor: Actor) -> sa.ColumnElement[bool]:
    """Administrators note everybody's languages, shift leaders those of their floor."""
    return sa.true() if actor.may(Permission.USER_MANAGE) else on_floor_of(actor)


async def speakers(session: AsyncSession, actor: Actor, *, limit: int = 1000) -> list[Speaker]:
    """Open accounts with a telephone that this person oversees, with their languages."""
    query = (
        sa.select(
            _user.c.id, _user.c.login, _user.c.name, _user.c.extension,
            sa.func.array_remove(sa.func.array_agg(_speaks.c.language), None).label("languages"),
        )
        .select_from(_user.outerjoin(_speaks, _speaks.c.user_id == _user.c.id))
        .where(_user.c.active, _user.c.extension.is_not(None), _may_note(actor))
        .group_by(_user.c.id)
        .order_by(_user.c.extension)
        .limit(limit)
    )  # fmt: skip
    return [
        Speaker(row.id, row.login, row.name, row.extension, tuple(row.languages))
        for row in await session.execute(query)
    ]


async def set_languages(uow: UnitOfWork, actor: Actor, user_id: int, codes: Sequence[str]) -> None:
    """Note what a person speaks; audited. Raises `not_found`, `language_unknown`."""
    wanted = _checked_languages(codes, empty=True)
    lock = sa.select(_user.c.id).where(_user.c.id == user_id, _user.c.active, _may_note(actor))
    if (await uow.session.execute(lock.with_for_update())).first() is None:
        raise HotlineError("not_found", user_id=user_id)
    await uow.session.execute(
        sa.delete(_speaks).where(_speaks.c.user_id == user_id, _speaks.c.language.not_in(wanted))
    )
    rows = [
        {"user_id": user_id, "language": code, "noted_by": actor.user_id, "noted_at": uow.now}
        for code in wanted
    ]
    if rows:
        await uow.session.execute(insert(_speaks).on_conflict_do_nothing(), rows)
    await audit.record(
        uow, actor=actor, action="user.languages", object_type="user", object_id=user_id,
        detail={"languages": list(wanted)},
    )  # fmt: skip


async def seats_speaking(session: AsyncSession, language: str, *, but: int | None) -> list[Seat]:
    """Signed-in agents who speak it, ready ones first and of these the longest ready one."""
    query = (
        sa.select(
            _session.c.user_id, _user.c.name, _session.c.extension, _interval.c.state,
            _interval.c.started_at.label("since"),
        )
        .select_from(
            _session.join(_user, _user.c.id == _session.c.user_id)
            .join(_speaks, sa.and_(_speaks.c.user_id == _user.c.id, _speaks.c.language == language))
            .join(
                _interval,
                sa.and_(_interval.c.agent_session_id == _session.c.id, _interval.c.ended_at.is_(None)),
            )
        )
        .where(_session.c.signed_out_at.is_(None), _session.c.user_id.is_distinct_from(but))
        .order_by(_interval.c.state != "ready", _interval.c.started_at)
        .limit(30)
    )  # fmt: skip
    return [Seat(**row._mapping) for row in await session.execute(query)]


# ---- calls ----------------------------------------------------------------------------------


def _at_call(actor: Actor) -> sa.ColumnElement[bool]:
    """The calls this person takes part in, or oversees."""
    own = sa.exists().where(_leg.c.session_id == _call.c.id, _leg.c.user_id == actor.user_id)
    return sa.true() if actor.may(Permission.FLOOR_LEAD) else own


async def mark(uow: UnitOfWork, actor: Actor, session_id: int, language: str | None) -> None:
    """Note the language a caller needs; None: none in particular after all. Raises `not_found`."""
    if language is not None:
        _checked_languages([language])
    seen = sa.select(_call.c.id).where(_call.c.id == session_id, _at_call(actor))
    if (await uow.session.execute(seen)).first() is None:
        raise HotlineError("not_found", session_id=session_id)
    if language is None:
        await uow.session.execute(sa.delete(_marked).where(_marked.c.call_session_id == session_id))
    else:
        values = {"language": language, "marked_by": actor.user_id, "marked_at": uow.now}
        statement = insert(_marked).values(call_session_id=session_id, **values)
        statement = statement.on_conflict_do_update(index_elements=["call_session_id"], set_=values)
        await uow.session.execute(statement)
    await uow.emit(LanguageMarked(session_id, actor.user_id))


@dataclass(frozen=True)
class Needed:
    """The language of a call; `earlier` when it was marked on an earlier call of the same number."""

    language: str
    earlier: bool


async def needed(session: AsyncSession, actor: Actor, session_id: int) -> Needed | None:
    """What the caller of a call needs, as far as anybody noted. Raises `not_found`."""
    query = sa.select(_call.c.caller_ref).where(_call.c.id == session_id, _at_call(actor))
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("not_found", session_id=session_id)
    own = await session.get(CallLanguage, session_id)
    if own is not None:
        return Needed(own.language, earlier=False)
    if row.caller_ref is None:
        return None
    last = (
        sa.select(_marked.c.language)
        .join(_call, _call.c.id == _marked.c.call_session_id)
        .where(_call.c.caller_ref == row.caller_ref)
        .order_by(_call.c.started_at.desc())
        .limit(1)
    )
    found = (await session.execute(last)).scalar_one_or_none()
    return Needed(found, earlier=True) if found is not None else None


async def languages_of(session: AsyncSession, session_ids: Sequence[int]) -> dict[int, str]:
    """The marks of these calls. The caller has checked that they may be seen."""
    query = sa.select(_marked.c.call_session_id, _marked.c.language).where(
        _marked.c.call_session_id.in_(session_ids)
    )
    return {row[0]: row[1] for row in await session.execute(query)} if session_ids else {}


# ---- interpreters ---------------------------------------------------------------------------


async def interpreters(session: AsyncSession, language: str | None = None) -> list[Interpreting]:
    """All of them for who keeps the list; with a language those in use who interpret it."""
    query = (
        sa.select(_interpreter, _person.c.masked)
        .select_from(_interpreter.join(_person, _person.c.id == _interpreter.c.phone_ref))
        .order_by(_interpreter.c.active.desc(), _interpreter.c.name)
        .limit(500)
    )
    if language is not None:
        query = query.where(_interpreter.c.active, _interpreter.c.languages.contains([language]))
    return [_interpreting(row) for row in await session.execute(query)]


def _interpreting(row: Any) -> Interpreting:
    hours = Hours(row.days, row.begins, row.ends)
    return Interpreting(
        row.id, row.name, tuple(row.languages), row.phone_ref, row.masked, hours, row.note, row.active,
        row.version,
    )  # fmt: skip


async def interpreter_number(session: AsyncSession, vault: Vault, interpreter_id: int) -> str:
    """The number to be dialled of an interpreter in use. Raises `not_found`."""
    query = sa.select(_interpreter.c.phone_ref).where(
        _interpreter.c.id == interpreter_id, _interpreter.c.active
    )
    ref = (await session.execute(query)).scalar_one_or_none()
    if ref is None:
        raise HotlineError("not_found", interpreter_id=interpreter_id)
    return await vault.reveal(session, ref)


async def save_interpreter(
    uow: UnitOfWork, actor: Actor, vault: Vault, entry: Entry, *, area: str, place: tuple[int, int] | None
) -> int:
    """Add an interpreter, or change one (`place`: its id and version); audited.

    Raises `forbidden`, `interpreter_text`, `language_unknown`, `bad_phone`, `not_found`, `version_conflict`.
    """
    if not actor.may(Permission.USER_MANAGE):
        actor.require(Permission.FLOOR_LEAD)
    values = _checked_entry(entry)
    if entry.phone or place is None:
        number = normalise_phone(entry.phone, area=area)
        if not (number.number and (OUTSIDE.fullmatch(number.number) or EXTENSION.fullmatch(number.number))):
            raise HotlineError("bad_phone")  # what the dialplan would not call
        values["phone_ref"] = (await vault.put(uow, "phone", number.number)).id
    if place is None:
        new = sa.insert(_interpreter).values(**values, version=1).returning(_interpreter.c.id)
        ident = int((await uow.session.execute(new)).scalar_one())
    else:
        ident = await _change(uow, *place, values)
    await audit.record(
        uow, actor=actor, action="interpreter.save", object_type="interpreter", object_id=ident,
        detail={"languages": list(entry.languages), "active": entry.active},
    )  # fmt: skip
    return ident


async def _change(uow: UnitOfWork, ident: int, version: int, values: dict[str, Any]) -> int:
    statement = (
        sa.update(_interpreter)
        .where(_interpreter.c.id == ident, _interpreter.c.version == version)
        .values(**values, version=version + 1)
        .returning(_interpreter.c.id)
    )
    if (await uow.session.execute(statement)).first() is None:
        found = await uow.session.get(Interpreter, ident)
        if found is None:
            raise HotlineError("not_found", interpreter_id=ident)
        raise HotlineError("version_conflict", thing="interpreter", ours=version, theirs=found.version)
    return ident


def _checked_entry(entry: Entry) -> dict[str, Any]:
    name, days = " ".join(entry.name.split()), "".join(sorted(set(entry.days)))
    if not 0 < len(name) <= 40 or len(entry.note) > 200:
        raise HotlineError("interpreter_text")
    if not days or not set(days) <= set("1234567"):
        raise HotlineError("interpreter_days")
    return {
        "name": name,
        "languages": list(_checked_languages(entry.languages)),
        "days": days,
        "begins": entry.begins,
        "ends": entry.ends,
        "note": entry.note,
        "active": entry.active,
    }


def _checked_languages(codes: Sequence[str], *, empty: bool = False) -> tuple[str, ...]:
    wanted = tuple(code for code in LANGUAGES if code in codes)
    if len(wanted) != len(set(codes)) or not (wanted or empty):
        raise HotlineError("language_unknown")
    return wanted
