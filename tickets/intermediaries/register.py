"""Every write of the register: intermediaries, their qualifications, accounts and services."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from core.clock import to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User, UserRole
from core.people.permissions import Role
from tickets.actions.units import HANDLING_KINDS
from tickets.checks import is_uscc
from tickets.forms import clean
from tickets.intermediaries import credit
from tickets.intermediaries.models import (
    Intermediary,
    IntermediaryAccount,
    Qualification,
    ServiceRecord,
)
from tickets.intermediaries.rows import change, lock, note
from tickets.intermediaries.scope import Market, check_edit
from tickets.intermediaries.terms import Credit, name_key
from tickets.models import table_of

_one = table_of(Intermediary)
_qualification = table_of(Qualification)
_account = table_of(IntermediaryAccount)
_service = table_of(ServiceRecord)
_unit = table_of(Unit)
_user = table_of(User)
_role = table_of(UserRole)
LENGTHS = {"name": 100, "trade": 40, "address": 200, "phone": 40}
MAX_WHY = 200
SERVICE_SIGNS = 12
SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without what is mistaken for something else


@dataclass(frozen=True)
class Said:
    """What the register says of an intermediary."""

    uscc: str
    name: str
    trade: str
    unit_id: int
    address: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Licence:
    """What the register says of a qualification."""

    name: str
    number: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass
class Taken:
    """What an import did."""

    added: int = 0
    changed: int = 0
    licences: int = 0
    ids: list[int] = field(default_factory=list)


def problems(said: Said) -> dict[str, str]:
    """What is wrong with an entry: field → code."""
    wrong = {} if is_uscc(said.uscc) else {"uscc": "bad_uscc"}
    for name, longest in LENGTHS.items():
        value = getattr(said, name)
        if len(value) > longest:
            wrong[name] = "too_long"
        elif name in ("name", "trade") and len(value) < 2:
            wrong[name] = "required"
    return wrong


def licence_problems(licence: Licence) -> dict[str, str]:
    """What is wrong with a qualification: field → code."""
    wrong = {
        name: "required" if not getattr(licence, name) else "too_long"
        for name in ("name", "number")
        if not 1 <= len(getattr(licence, name)) <= 60
    }
    if licence.valid_from and licence.valid_to and licence.valid_to < licence.valid_from:
        wrong["valid_to"] = "bad_value"
    return wrong


def cleaned(said: Said) -> Said:
    """An entry as it is kept."""
    values = {name: clean(getattr(said, name)) for name in LENGTHS}
    return Said(clean(said.uscc).upper().replace(" ", ""), unit_id=said.unit_id, **values)


async def save(
    uow: UnitOfWork,
    actor: Actor,
    market: Market,
    said: Said,
    *,
    intermediary_id: int | None = None,
    version: int | None = None,
) -> int:
    """Add an intermediary, or change the one given over the version that was seen; returns its id.

    Raises `forbidden`, `form_invalid` (fields), `unit_cannot_take`, `intermediary_known` (uscc),
    `intermediary_unknown`, `version_conflict`.
    """
    said = cleaned(said)
    await check_edit(uow.session, actor, market, said.unit_id)
    wrong = problems(said)
    if wrong:
        raise HotlineError("form_invalid", fields=wrong)
    await _check_unit(uow, said.unit_id)
    values = vars(said) | {"name_key": name_key(said.name)}
    if intermediary_id is None:
        return await _add(uow, actor, values)
    row = await lock(uow, intermediary_id, version)
    await check_edit(uow.session, actor, market, row.unit_id)
    if row.uscc != said.uscc:  # another code is another house
        raise HotlineError("form_invalid", fields={"uscc": "bad_value"})
    await _rewrite(uow, actor, row, values)
    return intermediary_id


async def _rewrite(uow: UnitOfWork, actor: Actor, row: Any, values: Mapping[str, Any]) -> bool:
    differs = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not differs:
        return False
    await change(uow, row, **differs)
    before = {name: getattr(row, name) for name in differs if name != "name_key"}
    after = {name: value for name, value in differs.items() if name != "name_key"}
    await note(uow, actor, row.id, "changed", detail={"before": before, "after": after})
    return True


async def _add(uow: UnitOfWork, actor: Actor, values: Mapping[str, Any]) -> int:
    blank = {"version": 1, "state": "active", "ratings": 0, "stars": 0}
    times = {"created_at": uow.now, "updated_at": uow.now}
    statement = insert(_one).values(**values, **blank, **times)
    statement = statement.on_conflict_do_nothing(index_elements=["uscc"])
    made = (await uow.session.execute(statement.returning(_one.c.id))).scalar_one_or_none()
    if made is None:
        raise HotlineError("intermediary_known", uscc=values["uscc"])
    await note(uow, actor, int(made), "registered", detail={"uscc": values["uscc"], "name": values["name"]})
    return int(made)


async def _check_unit(uow: UnitOfWork, unit_id: int) -> None:
    query = sa.select(_unit.c.kind).where(_unit.c.id == unit_id, _unit.c.active)
    if (await uow.session.execute(query)).scalar_one_or_none() not in HANDLING_KINDS:
        raise HotlineError("unit_cannot_take", unit_id=unit_id)


async def set_open(
    uow: UnitOfWork,
    actor: Actor,
    market: Market,
    intermediary_id: int,
    version: int,
    *,
    active: bool,
    why: str,
) -> None:
    """Take an intermediary off the open list, or put it back. Raises as `save`, `note_required`."""
    row = await lock(uow, intermediary_id, version)
    await check_edit(uow.session, actor, market, row.unit_id)
    why = clean(why)[:MAX_WHY]
    if not why:
        raise HotlineError("note_required", action="intermediary")
    state = "active" if active else "closed"
    if row.state != state:
        await change(uow, row, state=state)
        await note(uow, actor, row.id, "opened" if active else "closed", why)


# ---- qualifications ------------------------------------------------------------------------------


async def put_licence(
    uow: UnitOfWork, actor: Actor, market: Market, intermediary_id: int, licence: Licence
) -> bool:
    """Add a qualification or change the one of that number; True if anything changed.

    One that was revoked stays so. Raises `forbidden`, `form_invalid`, `intermediary_unknown`,
    `licence_revoked`.
    """
    row = await lock(uow, intermediary_id)
    await check_edit(uow.session, actor, market, row.unit_id)
    licence = Licence(clean(licence.name), clean(licence.number), licence.valid_from, licence.valid_to)
    wrong = licence_problems(licence)
    if wrong:
        raise HotlineError("form_invalid", fields=wrong)
    same = (
        _qualification.c.intermediary_id == intermediary_id,
        _qualification.c.number == licence.number,
    )
    old = (await uow.session.execute(sa.select(_qualification).where(*same))).first()
    if old is not None and all(getattr(old, name) == value for name, value in vars(licence).items()):
        return False
    if old is not None and old.revoked_on is not None:
        raise HotlineError("licence_revoked", number=licence.number)
    values = vars(licence) | {"warned_on": None}
    if old is None:
        blank = {"intermediary_id": intermediary_id, "revoked_why": ""}
        await uow.session.execute(sa.insert(_qualification).values(**values, **blank))
    else:
        await uow.session.execute(sa.update(_qualification).where(*same).values(**values))
    detail = {"number": licence.number, "valid_to": licence.valid_to and licence.valid_to.isoformat()}
    await note(uow, actor, intermediary_id, "licence", licence.name, detail)
    return True


async def revoke(uow: UnitOfWork, actor: Actor, market: Market, qualification_id: int, why: str) -> int:
    """A qualification was revoked or cancelled today; returns the intermediary. Tells the credit feed.

    Raises `forbidden`, `licence_unknown`, `licence_revoked`, `note_required`.
    """
    why = clean(why)[:MAX_WHY]
    if not why:
        raise HotlineError("note_required", action="intermediary")
    query = sa.select(_qualification).where(_qualification.c.id == qualification_id).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("licence_unknown", qualification_id=qualification_id)
    one = await lock(uow, row.intermediary_id)
    await check_edit(uow.session, actor, market, one.unit_id)
    if row.revoked_on is not None:
        raise HotlineError("licence_revoked", number=row.number)
    values = {"revoked_on": to_city(uow.now).date(), "revoked_why": why}
    await uow.session.execute(sa.update(_qualification).where(_qualification.c.id == row.id).values(**values))
    await note(uow, actor, one.id, "revoked", why, {"number": row.number})
    await credit.tell(uow, one.id, Credit.REVOKED)
    return int(one.id)


# ---- accounts and services -----------------------------------------------------------------------


async def link(uow: UnitOfWork, actor: Actor, market: Market, intermediary_id: int, login: str) -> None:
    """An account of the post 中介机构 works for this intermediary from now on, and for no other.

    Raises `forbidden`, `intermediary_unknown`, `account_unfit`.
    """
    row = await lock(uow, intermediary_id)
    await check_edit(uow.session, actor, market, None)
    post = sa.exists().where(_role.c.user_id == _user.c.id, _role.c.role == Role.INTERMEDIARY.value)
    query = sa.select(_user.c.id).where(_user.c.login == clean(login), _user.c.active, post)
    user_id = (await uow.session.execute(query)).scalar_one_or_none()
    if user_id is None:
        raise HotlineError("account_unfit")
    mine = (_account.c.user_id == user_id, _account.c.until.is_(None))
    await uow.session.execute(sa.update(_account).where(*mine).values(until=uow.now))
    values = {"user_id": user_id, "intermediary_id": intermediary_id, "since": uow.now}
    await uow.session.execute(sa.insert(_account).values(**values))
    await note(uow, actor, row.id, "account", detail={"user_id": user_id})


def _new_number() -> str:
    """A number nobody guesses and anybody can read out: `F` and letters and digits."""
    return "F" + "".join(secrets.choice(SIGNS) for _ in range(SERVICE_SIGNS))


async def issue_service(
    uow: UnitOfWork, actor: Actor, market: Market, intermediary_id: int, served_on: date, number: str = ""
) -> str:
    """Record a service; returns the number its client rates it with, made here unless the market has one.

    Raises `forbidden`, `intermediary_unknown`, `form_invalid` (number, served_on), `service_known`.
    """
    row = await lock(uow, intermediary_id)
    await check_edit(uow.session, actor, market, row.unit_id)
    number = (clean(number).upper() or _new_number())[:20]
    if len(number) < 10 or not number.isalnum() or not number.isascii():
        raise HotlineError("form_invalid", fields={"number": "bad_value"})
    if served_on > to_city(uow.now).date():
        raise HotlineError("form_invalid", fields={"served_on": "in_future"})
    values = {
        "intermediary_id": intermediary_id,
        "number": number,
        "served_on": served_on,
        "created_at": uow.now,
    }
    try:
        async with uow.savepoint():
            await uow.session.execute(sa.insert(_service).values(**values))
    except IntegrityError:
        raise HotlineError("service_known") from None
    await note(uow, actor, row.id, "service", detail={"served_on": served_on.isoformat()})
    return number


# ---- lists ---------------------------------------------------------------------------------------


async def take(
    uow: UnitOfWork, actor: Actor, market: Market, entries: Mapping[str, tuple[Said, list[Licence]]]
) -> Taken:
    """Add or change what a list names (USCC → entry and its qualifications); nothing is removed.

    Raises what `save` and `put_licence` raise.
    """
    done = Taken()
    for uscc in sorted(entries):
        said, licences = entries[uscc]
        query = sa.select(_one.c.id).where(_one.c.uscc == uscc)
        known = (await uow.session.execute(query)).scalar_one_or_none()
        if known is None:
            ident = await save(uow, actor, market, said)
            done.added += 1
        else:
            ident, row = int(known), await lock(uow, int(known))
            await check_edit(uow.session, actor, market, row.unit_id)
            await check_edit(uow.session, actor, market, said.unit_id)
            await _check_unit(uow, said.unit_id)
            kept = vars(cleaned(said)) | {"name_key": name_key(said.name)}
            done.changed += await _rewrite(uow, actor, row, kept)
        for licence in licences:
            done.licences += await put_licence(uow, actor, market, ident, licence)
        done.ids.append(ident)
    return done
