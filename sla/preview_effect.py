"""What another calendar would do to the clocks that run: counted page by page, written nowhere else."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from core.db import Database
from core.people.actor import Actor
from core.settings import City
from sla import calendar_service, open_clocks, preview
from sla.calendar import Calendar
from sla.open_clocks import Between
from sla.preview import Preview
from sla.recount import NOTHING, Past, renewed
from sla.sources import days_calendar

SHOWN = 50  # clocks that are listed
_NUMBERS = "SELECT id, number FROM ticket WHERE id = ANY($1::bigint[])"


@dataclass(frozen=True)
class Shift:
    """A clock that would be due at another time (ISO instants)."""

    ticket_id: int
    stage: str
    before: str
    after: str
    number: str = ""


@dataclass(frozen=True)
class Effect:
    """What was found so far; times in seconds and as ISO instants."""

    later: int = 0
    earlier: int = 0
    overdue: int = 0  # would be over at once
    kept: int = 0  # promised in a way no calendar explains: they stay
    most_later: float = 0.0
    most_earlier: float = 0.0
    first_due: str = ""
    last_due: str = ""
    after_id: int = 0
    rows: tuple[Shift, ...] = ()
    late: tuple[Shift, ...] = field(default=())

    @property
    def moved(self) -> int:
        """How many clocks would move."""
        return self.later + self.earlier

    @staticmethod
    def of(told: Mapping[str, Any] | None) -> "Effect":
        """What `asdict` wrote into the row."""
        if told is None:
            return Effect()
        lists = {name: tuple(Shift(**row) for row in told[name]) for name in ("rows", "late")}
        return Effect(**{**told, **lists})

    def with_moves(self, moves: Iterable[tuple[Any, datetime]], now: datetime) -> "Effect":
        """And these clocks."""
        found = asdict(self) | {"rows": list(self.rows), "late": list(self.late)}
        for row, due in moves:
            shift = (due - row["due_at"]).total_seconds()
            one = Shift(row["ticket_id"], row["stage"], row["due_at"].isoformat(), due.isoformat())
            found["later" if shift > 0 else "earlier"] += 1
            most = "most_later" if shift > 0 else "most_earlier"
            found[most] = max(found[most], abs(shift))
            found["first_due"] = min(found["first_due"] or one.after, one.after)
            found["last_due"] = max(found["last_due"], one.after)
            over = due <= now < row["due_at"]
            found["overdue"] += over
            for name, belongs in (("rows", True), ("late", over)):
                if belongs and len(found[name]) < SHOWN:
                    found[name].append(one)
        return Effect(**found | {"rows": tuple(found["rows"]), "late": tuple(found["late"])})


def moves(
    before: Calendar, after: Calendar, rows: Sequence[Any], pasts: Mapping[int, Past]
) -> tuple[list[tuple[Any, datetime]], int]:
    """The clocks that come out otherwise, with the other due time; how many nobody can explain."""
    found, kept = [], 0
    for row in rows:
        past = pasts.get(row["ticket_id"], NOTHING)
        due = renewed(after, (before,), row, past, was=row["due_at"])
        kept += due is None
        if due is not None and due != row["due_at"]:
            found.append((row, due))
    return found, kept


async def step(db: Database, actor: Actor, ident: int, city: City) -> Preview:
    """Look at the next page of clocks; returns the preview as it is then.

    Errors: calendar_preview_missing.
    """
    async with db.read() as session:
        seen = await preview.get(session, actor, ident)
        held = await calendar_service.present(session)
    if seen.state != "waiting":
        return seen
    change = calendar_service.Change.of(seen.payload)
    before = await asyncio.to_thread(held.calendar, city)
    after = await asyncio.to_thread(days_calendar, city, change.applied(held), held.known | change.known)
    days = before.changed(after)
    effect = Effect.of(seen.result)
    if not days:
        return await _note(db, actor, seen, effect, total=0, done=0, over=True)
    between = Between.of(days[0], days[-1])
    total = seen.total or await open_clocks.count(db, between)
    rows, over = await open_clocks.page(db, between, effect.after_id)
    ids = sorted({row["ticket_id"] for row in rows})
    pasts = await open_clocks.pasts(db, ids) if ids else {}
    found, kept = await asyncio.to_thread(moves, before, after, rows, pasts)
    effect = effect.with_moves(found, db.clock.now())
    last = ids[-1] if ids else effect.after_id
    effect = replace(effect, kept=effect.kept + kept, after_id=last)
    return await _note(db, actor, seen, effect, total=total, done=seen.done + len(rows), over=over)


async def _note(
    db: Database, actor: Actor, seen: Preview, effect: Effect, *, total: int, done: int, over: bool
) -> Preview:
    wanted = sorted({one.ticket_id for one in (*effect.rows, *effect.late) if not one.number})
    rows = await db.fetch(_NUMBERS, wanted) if wanted else []
    numbers = {row["id"]: row["number"] for row in rows}

    def named(shifts: tuple[Shift, ...]) -> tuple[Shift, ...]:
        return tuple(replace(one, number=one.number or numbers.get(one.ticket_id, "")) for one in shifts)

    effect = replace(effect, rows=named(effect.rows), late=named(effect.late))
    async with db.begin() as uow:
        await preview.note(uow, seen, total=total, done=done, result=asdict(effect), over=over)
        return await preview.get(uow.session, actor, seen.id)
