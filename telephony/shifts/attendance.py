"""Who came and how the time was kept to: attendance from sign-ins, adherence from states; pure.

Adherence has one formula: rostered time in a wanted state ÷ rostered time so far, both without the breaks.
A wanted state is one in which a call can come or is being worked on (示闲、振铃、通话、保持、话后整理、回拨),
and not ready for what the hotline itself asked for (培训、会议、辅导谈话、处理工单).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from telephony.shifts.hours import Span

WANTED = frozenset({"ready", "ringing", "talking", "hold", "wrap_up", "call_back"})
ORDERED = frozenset({"training", "meeting", "coaching", "paperwork"})  # reasons of not ready
NEIGHBOUR = timedelta(hours=4)  # how far outside a shift a sign-in still belongs to it
ZERO = timedelta()


class Presence(StrEnum):
    """How a shift stands."""

    PLANNED = "planned"  # not begun
    AWAITED = "awaited"  # begun, nobody came yet
    RUNNING = "running"
    PRESENT = "present"
    ABSENT = "absent"


@dataclass(frozen=True)
class Rules:
    """What counts: `grace` before a begin is late or an end early, `overtime` before staying on counts."""

    grace: timedelta = timedelta(minutes=5)
    overtime: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class Rostered:
    """A shift with its breaks, and where the time around it begins to belong to its neighbours."""

    span: Span
    breaks: tuple[Span, ...] = ()
    before: datetime | None = None  # the end of the shift before
    after: datetime | None = None  # the begin of the next

    @property
    def reach(self) -> Span:
        """Sign-ins in here are this shift's: up to half the way to a neighbour, four hours at most."""
        begin, end = self.span.begin - NEIGHBOUR, self.span.end + NEIGHBOUR
        if self.before is not None:
            begin = max(begin, self.span.begin - max(self.span.begin - self.before, ZERO) / 2)
        if self.after is not None:
            end = min(end, self.span.end + max(self.after - self.span.end, ZERO) / 2)
        return Span(begin, end)


@dataclass(frozen=True)
class Attendance:
    """What became of a shift. `due` and `present` are within it and without breaks, so far."""

    presence: Presence
    due: timedelta
    present: timedelta
    late: timedelta = ZERO
    early: timedelta = ZERO
    overtime: timedelta = ZERO
    wanted: timedelta = ZERO

    @property
    def adherence(self) -> float | None:
        """The share of rostered time in a wanted state, 0 to 1; None while none of it has passed."""
        return self.wanted / self.due if self.due > ZERO else None


def is_wanted(state: str, reason: str | None) -> bool:
    """Whether the hotline wants an agent in this state."""
    return state in WANTED or (state == "not_ready" and reason in ORDERED)


def attended(
    shift: Rostered,
    signed_in: Iterable[tuple[datetime, datetime | None]],
    wanted: Iterable[tuple[datetime, datetime | None]],
    now: datetime,
    rules: Rules,
) -> Attendance:
    """What became of `shift` by `now`; an open end of a sign-in or a state is `now`.

    Spans may overlap, touch, come in any order or end before they begin (then they are nothing).
    """
    whole = shift.span
    passed = Span(whole.begin, min(whole.end, now))
    due = measure(without(passed, shift.breaks))
    if now < whole.begin:
        return Attendance(Presence.PLANNED, ZERO, ZERO)
    # What is after now is a clock that runs ahead: nobody has been there yet.
    here = cut(merged(signed_in, now), Span(shift.reach.begin, min(shift.reach.end, now)))
    inside = cut(here, passed)
    over = now >= whole.end
    if not inside:
        late = _late(shift, now, over, rules)
        return Attendance(Presence.ABSENT if over else Presence.AWAITED, due, ZERO, late=late)
    first, last = inside[0].begin, inside[-1].end
    late, early = first - whole.begin, whole.end - last
    beyond = measure(cut(here, Span(whole.end, max(shift.reach.end, whole.end))))
    return Attendance(
        Presence.PRESENT if over else Presence.RUNNING,
        due,
        measure(outside(inside, shift.breaks)),
        late=late if late > rules.grace else ZERO,
        early=early if over and early > rules.grace else ZERO,
        overtime=beyond if beyond >= rules.overtime and beyond > ZERO else ZERO,
        wanted=measure(outside(cut(merged(wanted, now), passed), shift.breaks)),
    )


def _late(shift: Rostered, now: datetime, over: bool, rules: Rules) -> timedelta:
    """Who is awaited is as late as it is; who never came is absent, not late."""
    late = now - shift.span.begin
    return late if not over and late > rules.grace else ZERO


# ---- spans ----------------------------------------------------------------------------------


def merged(spans: Iterable[tuple[datetime, datetime | None]], now: datetime) -> list[Span]:
    """In order, without overlaps; an open end is `now`."""
    found: list[Span] = []
    closed = (Span(begin, now if end is None else end) for begin, end in spans)
    for span in sorted(span for span in closed if span.begin < span.end):
        if found and span.begin <= found[-1].end:
            found[-1] = Span(found[-1].begin, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def cut(spans: Iterable[Span], window: Span) -> list[Span]:
    """What of the spans lies in the window."""
    inside = (Span(max(one.begin, window.begin), min(one.end, window.end)) for one in spans)
    return [one for one in inside if one.begin < one.end]


def without(span: Span, holes: Sequence[Span]) -> list[Span]:
    """A span less the holes in it."""
    found, begin = [], span.begin
    for hole in sorted(holes):
        if hole.begin > begin:
            found.append(Span(begin, min(hole.begin, span.end)))
        begin = max(begin, hole.end)
    found.append(Span(begin, span.end))
    return [one for one in found if one.begin < one.end]


def outside(spans: Iterable[Span], holes: Sequence[Span]) -> list[Span]:
    """Spans less the holes in them."""
    return [rest for span in spans for rest in without(span, holes)]


def measure(spans: Iterable[Span]) -> timedelta:
    """How long they are together; they do not overlap."""
    return sum((span.length for span in spans), ZERO)


# ---- sums -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """Shifts of a period together; planned ones are counted apart."""

    shifts: int = 0
    planned: int = 0
    absent: int = 0
    late: int = 0
    late_time: timedelta = ZERO
    early: int = 0
    early_time: timedelta = ZERO
    overtime: timedelta = ZERO
    due: timedelta = ZERO
    present: timedelta = ZERO
    wanted: timedelta = ZERO

    @property
    def adherence(self) -> float | None:
        """By the same formula: of all shifts together, not the mean of their shares."""
        return self.wanted / self.due if self.due > ZERO else None


def summary(found: Iterable[Attendance]) -> Summary:
    """The sums of some shifts."""
    every = list(found)
    begun = [one for one in every if one.presence is not Presence.PLANNED]
    late = [one.late for one in begun if one.late]
    early = [one.early for one in begun if one.early]
    return Summary(
        shifts=len(begun),
        planned=len(every) - len(begun),
        absent=sum(one.presence is Presence.ABSENT for one in begun),
        late=len(late),
        late_time=sum(late, ZERO),
        early=len(early),
        early_time=sum(early, ZERO),
        overtime=sum((one.overtime for one in begun), ZERO),
        due=sum((one.due for one in begun), ZERO),
        present=sum((one.present for one in begun), ZERO),
        wanted=sum((one.wanted for one in begun), ZERO),
    )


def minutes(length: timedelta) -> int:
    """Whole minutes, as pages and files show them."""
    return int(length.total_seconds() // 60)
