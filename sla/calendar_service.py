"""The city's days in versions: every write of them, and what each version holds.

An edit, an import and a confirmation make a new version of the whole; the latest is in force. Writers wait
for one another on the row of `catalog_version`, by which every node also sees that there is something new.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog.versions import Copy, touch
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people import duties
from core.people.actor import Actor
from core.people.duties import Act
from core.people.models import User
from core.settings import City
from sla import city_days, recompute
from sla.calendar import Calendar, Exceptional
from sla.national import FIRST, LAST, NOTICES
from sla.sources import city_file_days, days_calendar, missing_year
from sla.version_models import CalendarDay, CalendarVersion
from tickets.models import table_of

PART = "calendar"  # its name in catalog_version
LONGEST_REASON = 40
_version, _day = table_of(CalendarVersion), table_of(CalendarDay)
_user = table_of(User)


@dataclass(frozen=True)
class CityDay:
    """A day of the city's own, who decided it and when."""

    what: Exceptional
    author_id: int | None
    at: datetime


@dataclass(frozen=True)
class Line:
    """A version without its days, for lists."""

    id: int
    number: int
    kind: str
    note: str
    known: frozenset[int]
    author: str | None
    made_at: datetime


@dataclass(frozen=True)
class Held(Line):
    """A version with all its days."""

    days: Mapping[date, CityDay]

    @property
    def plain(self) -> dict[date, Exceptional]:
        """The days as a calendar takes them."""
        return {day: one.what for day, one in self.days.items()}

    def calendar(self, city: City) -> Calendar:
        """The calendar it makes over the national days."""
        return days_calendar(city, self.plain, self.known)


@dataclass(frozen=True)
class Change:
    """What a new version changes: days (None: as in the whole country), and years that are confirmed."""

    kind: str
    note: str
    days: Mapping[date, Exceptional | None]
    known: frozenset[int] = frozenset()

    def applied(self, held: Held) -> dict[date, Exceptional]:
        """The days of `held` with the change. Errors: calendar_year_outside."""
        found = held.plain
        for day, what in self.days.items():
            if not FIRST <= day.year <= LAST:
                raise HotlineError("calendar_year_outside", first=FIRST, last=LAST)
            if what is None:
                found.pop(day, None)
            else:
                found[day] = what
        return found

    def differs(self, held: Held) -> bool:
        """True when a day, its reason or a year becomes another."""
        return self.applied(held) != held.plain or not self.known <= held.known

    def as_json(self) -> dict[str, Any]:
        """For the row of a preview."""
        days = {
            day.isoformat(): None if what is None else list(city_days.words(what))
            for day, what in self.days.items()
        }
        return {"kind": self.kind, "note": self.note, "days": days, "known": sorted(self.known)}

    @staticmethod
    def of(told: Mapping[str, Any]) -> "Change":
        """What `as_json` wrote."""
        days = {
            date.fromisoformat(day): None if what is None else _exception(*what)
            for day, what in told["days"].items()
        }
        return Change(told["kind"], told["note"], days, frozenset(told["known"]))


def _exception(kind: str, hours: str, reason: str) -> Exceptional:
    return city_days.exception(kind, hours, reason, file="", where="")


# ---- what a person asks for, as a change ---------------------------------------------------------


def imported(held: Held, name: str, text: str, *, year: int | None, note: str) -> Change:
    """A file's days in the place of all those of the years it is about.

    `year`: the only year it may be about. Errors: those of `parse_days`, calendar_file_empty,
    calendar_reason_long.
    """
    first, last = (year, year) if year is not None else (FIRST, LAST)
    as_json = text.lstrip("\ufeff \t\r\n").startswith(("{", "["))
    found = city_days.parse_days(name, text.lstrip("\ufeff"), as_json=as_json, first=first, last=last)
    if not found.years:
        raise HotlineError("calendar_file_empty")
    for what in found.days.values():
        _check_reason(what)
    days: dict[date, Exceptional | None] = {day: None for day in held.days if day.year in found.years}
    return Change("import", note or f"导入{_years(found.years)}", {**days, **found.days})


def edited(day: date, kind: str, hours: str, reason: str, *, note: str) -> Change:
    """One day: `rest`, `work`, or `national` as in the whole country.

    Errors: calendar_line_kind, calendar_line_hours, calendar_reason_long, those of `parse_spans`.
    """
    what = None
    if kind != "national":
        what = city_days.exception(kind, hours.strip(), reason.strip(), file="", where=day.isoformat())
        _check_reason(what)
    told = "按国家安排" if what is None else f"{'休息' if kind == 'rest' else '上班'}（{what.reason}）"
    return Change("edit", note or f"{day.isoformat()} 改为{told}", {day: what})


def confirmed(held: Held, year: int, *, note: str) -> Change:
    """The notice of a year is out, and its days are in. Errors: calendar_year_known."""
    if is_known(held, year):
        raise HotlineError("calendar_year_known", year=year)
    return Change("confirm", note or f"{year} 年放假安排已公布并核对", {}, frozenset({year}))


def _check_reason(what: Exceptional) -> None:
    if len(what.reason) > LONGEST_REASON:
        raise HotlineError("calendar_reason_long", most=LONGEST_REASON)


def _years(years: Iterable[int]) -> str:
    ordered = sorted(years)
    return f" {ordered[0]} 年" if len(ordered) == 1 else f" {ordered[0]}—{ordered[-1]} 年"


# ---- writing -------------------------------------------------------------------------------------


async def seed(uow: UnitOfWork, city: City) -> bool:
    """Take the days of the settings' file as the first version, once. Errors: those of `read_days`."""
    await touch(uow, PART)
    if await present_number(uow.session):
        return False
    days = {day: CityDay(what, None, uow.now) for day, what in city_file_days(city).items()}
    note = f"配置文件 {city.calendar}" if city.calendar else "国家安排，没有本市的日子"
    await _write(uow, None, Line(0, 1, "seed", note, frozenset(), None, uow.now), days)
    return True


async def save(uow: UnitOfWork, actor: Actor, city: City, base: int, change: Change) -> Held:
    """Make a new version by a change of version `base`, and have the open clocks counted anew.

    Errors: forbidden, calendar_stale (somebody was faster), calendar_unchanged, calendar_year_outside.
    """
    if not duties.may_propose(actor, Act.CALENDAR_CHANGE):
        raise HotlineError("forbidden", act=str(Act.CALENDAR_CHANGE))
    await touch(uow, PART)
    held = await present(uow.session)
    if held.number != base:
        raise HotlineError("calendar_stale", base=base, present=held.number)
    if not change.differs(held):
        raise HotlineError("calendar_unchanged")
    days = {day: _kept(held, day, what, actor, uow.now) for day, what in change.applied(held).items()}
    line = Line(0, held.number + 1, change.kind, change.note[:500], held.known | change.known, None, uow.now)
    made = await _write(uow, actor, line, days)
    changed = sorted(day.isoformat() for day in change.days)
    detail = {"number": made.number, "days": changed[:100], "known": sorted(change.known)}
    await audit.record(
        uow, actor=actor, action=str(Act.CALENDAR_CHANGE), object_type="calendar", object_id=made.id,
        reason=made.note, detail=detail,
    )  # fmt: skip
    before, after = await asyncio.gather(*(asyncio.to_thread(one.calendar, city) for one in (held, made)))
    if days_changed := before.changed(after):
        await recompute.order(uow, made.id, after, days_changed, made.note, former=before)
    return made


def _kept(held: Held, day: date, what: Exceptional, actor: Actor, now: datetime) -> CityDay:
    """A day that stays as it was keeps who decided it."""
    before = held.days.get(day)
    return before if before and before.what == what else CityDay(what, actor.user_id, now)


async def _write(uow: UnitOfWork, actor: Actor | None, line: Line, days: Mapping[date, CityDay]) -> Held:
    values = {
        "number": line.number,
        "kind": line.kind,
        "note": line.note,
        "known": sorted(line.known),
        "author_id": actor.user_id if actor else None,
        "made_at": uow.now,
    }
    made = await uow.session.execute(sa.insert(_version).values(**values).returning(_version.c.id))
    ident = int(made.scalar_one())
    rows = [
        dict(
            zip(("kind", "hours", "reason"), city_days.words(one.what), strict=True),
            version_id=ident, day=day, author_id=one.author_id, at=one.at,
        )
        for day, one in days.items()
    ]  # fmt: skip
    if rows:
        await uow.session.execute(sa.insert(_day), rows)
    held = Held(**{**vars(line), "id": ident}, days=days)
    return replace(held, author=actor.name if actor else None)


# ---- questions -----------------------------------------------------------------------------------


async def present_number(session: AsyncSession) -> int:
    """The number of the version in force; 0 before the first."""
    return int((await session.execute(sa.select(sa.func.max(_version.c.number)))).scalar_one() or 0)


async def present(session: AsyncSession) -> Held:
    """The version in force. Errors: calendar_version_missing."""
    return await _held(session, _version.c.number == await present_number(session))


async def version(session: AsyncSession, ident: int) -> Held:
    """A version. Errors: calendar_version_missing."""
    return await _held(session, _version.c.id == ident)


async def versions(session: AsyncSession, limit: int = 100) -> list[Line]:
    """The latest versions, newest first."""
    query = _lines().order_by(_version.c.number.desc()).limit(limit)
    return [_line(row) for row in (await session.execute(query)).all()]


def _lines() -> Any:
    return sa.select(_version, _user.c.name.label("author")).outerjoin(
        _user, _user.c.id == _version.c.author_id
    )


def _line(row: Any) -> Line:
    known = frozenset(row.known)
    return Line(row.id, row.number, row.kind, row.note, known, row.author, row.made_at)


async def _held(session: AsyncSession, which: sa.ColumnElement[bool]) -> Held:
    row = (await session.execute(_lines().where(which))).one_or_none()
    if row is None:
        raise HotlineError("calendar_version_missing")
    days = await session.execute(sa.select(_day).where(_day.c.version_id == row.id).order_by(_day.c.day))
    found = {
        one.day: CityDay(_exception(one.kind, one.hours, one.reason), one.author_id, one.at) for one in days
    }
    return Held(**vars(_line(row)), days=found)


async def _known(session: AsyncSession) -> frozenset[int]:
    query = sa.select(_version.c.known).order_by(_version.c.number.desc()).limit(1)
    return NOTICES | frozenset((await session.execute(query)).scalar_one_or_none() or ())


_years_known = Copy(PART, _known)


async def year_missing(session: AsyncSession, today: date) -> int | None:
    """A year deadlines run into whose days off nobody confirmed; up to a second old."""
    return missing_year(await _years_known.get(session), today)


def is_known(held: Held, year: int) -> bool:
    """True when the notice of a year is out, as the product or the city says."""
    return year in NOTICES or year in held.known
