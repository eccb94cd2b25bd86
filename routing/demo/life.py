"""What became of a ticket by now: dispatched, urged, signed, closed — each a row of its history."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import CITY_ZONE
from core.people.permissions import Role
from routing.demo import mix
from routing.demo.contacts import Contact
from routing.demo.people import Folk, Person
from tickets.workflow import Action, State

URGED = 0.06
CALLED_BACK = 0.35
CONTACTED_LATE = 0.12
ARCHIVED_AFTER = 30  # days
SYSTEM_NAME = "系统"
URGES = ("市民再次来电询问办理进度，情绪较急。", "市民来电催办，希望尽快答复。", "来电人表示问题仍未解决。")


@dataclass(frozen=True)
class Step:
    """One thing that happened to a ticket."""

    at: datetime
    action: Action
    state: State
    person: Person | None
    note: str = ""


@dataclass(frozen=True)
class Life:
    """The steps of one ticket up to now, oldest first."""

    steps: tuple[Step, ...]

    @property
    def state(self) -> State:
        return self.steps[-1].state

    def when(self, action: Action) -> datetime | None:
        """The moment of the first such step, if it came to that."""
        return next((step.at for step in self.steps if step.action is action), None)

    def count(self, action: Action) -> int:
        return sum(step.action is action for step in self.steps)


def live(draw: random.Random, folk: Folk, contact: Contact, now: datetime) -> Life:
    """The life of a contact's ticket; whatever would lie in the future has not happened yet."""
    dispatcher = draw.choice(folk.posts[Role.DISPATCHER])
    officer = folk.officers.get(contact.unit_id)
    dispatched = _dispatched(draw, contact)
    signed = mix.in_office(draw, dispatched + timedelta(hours=draw.uniform(0.3, 9)))
    closed = mix.in_office(draw, signed + mix.handling_time(draw, contact.matter.type))
    steps = [
        Step(contact.at, Action.CREATE, State.WAITING_DISPATCH, contact.agent),
        Step(dispatched, Action.DISPATCH, State.WAITING_SIGN, dispatcher),
        Step(signed, Action.SIGN, State.HANDLING, officer),
        Step(_contacted(draw, signed, closed), Action.CONTACT, State.HANDLING, officer),
        Step(closed, Action.CLOSE, State.WAITING_CHECK, officer, contact.story.answer),
        *_after(draw, folk, closed),
    ]
    if draw.random() < URGED:
        steps.append(_urge(draw, folk, signed, closed))
    return Life(tuple(step for step in sorted(steps, key=lambda step: step.at) if step.at <= now))


def _contacted(draw: random.Random, signed: datetime, closed: datetime) -> datetime:
    """Mostly within hours of signing, sometimes not before the work is half done."""
    if draw.random() < CONTACTED_LATE:
        return signed + (closed - signed) * draw.uniform(0.2, 0.6)
    return min(mix.in_office(draw, signed + timedelta(hours=draw.uniform(0.2, 3))), closed)


def _after(draw: random.Random, folk: Folk, closed: datetime) -> list[Step]:
    """Checked within the day, some called back, all archived a month later."""
    checker = draw.choice(folk.posts[Role.DISPATCHER])
    caller = draw.choice(folk.posts[Role.CALLBACK_OFFICER])
    checked = mix.in_office(draw, closed + timedelta(hours=draw.uniform(0.5, 8)))
    if draw.random() < CALLED_BACK:
        ended = mix.in_office(draw, checked + timedelta(hours=draw.uniform(2, 30)))
        steps = [
            Step(checked, Action.PASS_CHECK, State.WAITING_CALLBACK, checker),
            Step(ended, Action.REVISIT, State.CLOSED, caller),
        ]
    else:
        ended = checked
        steps = [Step(checked, Action.PASS_CHECK, State.CLOSED, checker)]
    return [*steps, Step(ended + timedelta(days=ARCHIVED_AFTER), Action.ARCHIVE, State.ARCHIVED, None)]


def _dispatched(draw: random.Random, contact: Contact) -> datetime:
    """Minutes by day and for what cannot wait, else the next morning."""
    minutes = draw.uniform(3, 25) if contact.urgency != "normal" else min(draw.lognormvariate(3.6, 0.8), 900)
    at = contact.at + timedelta(minutes=minutes)
    return at if contact.urgency != "normal" else _by_day(draw, at)


def _by_day(draw: random.Random, at: datetime) -> datetime:
    """Dispatchers work from eight to ten at night, every day of the week."""
    local = at.astimezone(CITY_ZONE)
    if 8 <= local.hour < 22:
        return at
    morning = (local + timedelta(days=int(local.hour >= 22))).replace(hour=8, minute=0)
    return (morning + timedelta(minutes=draw.randrange(1, 50))).astimezone(at.tzinfo)


def _urge(draw: random.Random, folk: Folk, signed: datetime, closed: datetime) -> Step:
    share = draw.uniform(0.2, 0.9)
    agent = draw.choice(folk.posts[Role.AGENT])
    return Step(signed + (closed - signed) * share, Action.URGE, State.HANDLING, agent, draw.choice(URGES))
