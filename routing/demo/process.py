"""What the steps of an invented life leave in the tables of the process, as the service would have."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from routing.demo.contacts import Contact
from routing.demo.life import Life, Step
from routing.demo.making import Row
from tickets.flow import Revisit, TicketContact, TicketReply, TicketStage, TicketUnit
from tickets.history import plain
from tickets.limits import Limits, Matter
from tickets.making import BLANK
from tickets.states import STAGE_OF, Action, Stage, State

MODELS = (TicketUnit, TicketStage, TicketContact, TicketReply, Revisit)
SCORES = ((5, 58), (4, 24), (3, 9), (2, 4), (1, 5))
UNHEARD, UNSOLVED = 0.02, 0.05  # nobody called them before; content, though it is not solved yet
COLUMNS = (
    *("lead_unit_id", "desk_unit_id", "dispatched_at", "due_at", "stage", "stage_due_at", "closed_at"),
    *("contacted_at", "reply_id", "closed_as", "archived_at", "responded", "solved", "satisfied"),
)


@dataclass
class Process:
    """Walks through one life; afterwards `columns`, `changes` and `rows` are complete."""

    ticket_id: int
    contact: Contact
    category_id: int
    limits: Limits
    draw: random.Random
    replies: Iterator[int]
    rows: dict[type, list[Row]]
    columns: Row = field(default_factory=lambda: {**dict.fromkeys(COLUMNS), **BLANK})
    changes: list[Row] = field(default_factory=list)
    stages: list[Row] = field(default_factory=list)

    def walk(self, life: Life) -> None:
        """Take every step."""
        del self.columns["version"], self.columns["urges"]  # the ticket's row counts these itself
        urges = 0
        state: State | None = None
        for step in life.steps:
            changed = self._step(step)
            if step.action is Action.URGE:
                changed["urges"] = [urges, urges + 1]
                urges += 1
            if step.state is not state:
                changed |= self._enter(step)
            state = step.state
            self.changes.append(self._first() if step.action is Action.CREATE else changed)
        self.rows[TicketStage] += self.stages
        self._unit(life)

    def _first(self) -> Row:
        return {
            "type": self.contact.matter.type,
            "urgency": self.contact.urgency,
            "category_id": self.category_id,
            "confidentiality": self.contact.confidentiality,
            "stage": self.columns["stage"],
            "stage_due_at": plain(self.columns["stage_due_at"]),
        }

    def _set(self, **values: Any) -> Row:
        """Change columns; returns the changes as a history row has them."""
        changed = {name: [plain(self.columns[name]), plain(value)] for name, value in values.items()}
        self.columns.update(values)
        return {name: pair for name, pair in changed.items() if pair[0] != pair[1]}

    def _due(self, stage: Stage, at: datetime) -> datetime | None:
        if stage is Stage.HANDLE:
            found: datetime | None = self.columns["due_at"]
            return found
        matter = Matter(self.contact.matter.type, self.contact.urgency, self.category_id)
        return self.limits.due(stage, matter, at)

    def _enter(self, step: Step) -> Row:
        """The stage of a new state begins, the one before ends."""
        if step.state is not State.HANDLING or step.action is not Action.SIGN:
            self._end(step)
        else:
            self._end(step, but=(Stage.CONTACT, Stage.TOTAL))
        stage = STAGE_OF.get(step.state)
        if stage is None:
            return self._set(stage=None, stage_due_at=None)
        due = self._due(stage, step.at)
        self._begin(stage, step.at, due)
        if step.action is Action.DISPATCH:
            self._begin(Stage.CONTACT, step.at, self._due(Stage.CONTACT, step.at))
            self._begin(Stage.TOTAL, step.at, self.columns["due_at"])
        return self._set(stage=stage.value, stage_due_at=due)

    def _begin(self, stage: Stage, at: datetime, due: datetime | None) -> None:
        unit = None if stage in (Stage.ACCEPT, Stage.DISPATCH) else self.contact.unit_id
        row = {"ticket_id": self.ticket_id, "stage": stage.value, "round": 1, "unit_id": unit}
        self.stages.append(row | {"started_at": at, "due_at": due, "ended_at": None, "ended_by": None})

    def _end(self, step: Step, *, but: Sequence[Stage] = (), only: Stage | None = None) -> None:
        for row in self.stages:
            wanted = (only is None or row["stage"] == only.value) and row["stage"] not in but
            if row["ended_at"] is None and wanted:
                row |= {"ended_at": step.at, "ended_by": step.action.value}

    def _step(self, step: Step) -> Row:
        ways = {
            Action.DISPATCH: self._dispatch,
            Action.CONTACT: self._reach,
            Action.CLOSE: self._close,
            Action.PASS_CHECK: self._check,
            Action.REVISIT: self._revisit,
            Action.ARCHIVE: self._archive,
        }
        way = ways.get(step.action)
        return way(step) if way else {}

    def _dispatch(self, step: Step) -> Row:
        unit = self.contact.unit_id
        due = self._due(Stage.TOTAL, step.at)
        return self._set(lead_unit_id=unit, desk_unit_id=unit, dispatched_at=step.at, due_at=due)

    def _reach(self, step: Step) -> Row:
        self.rows[TicketContact].append(self._contact(step, "handling"))
        self._end(step, only=Stage.CONTACT)
        return self._set(contacted_at=step.at)

    def _contact(self, step: Step, purpose: str) -> Row:
        person = step.person
        return {
            "ticket_id": self.ticket_id,
            "round": 1,
            "at": step.at,
            "unit_id": person.unit_id if person and purpose == "handling" else None,
            "actor_id": person.id if person else None,
            "purpose": purpose,
            "means": "phone",
            "result": "reached",
            "note": "",
            "call_session_id": None,
        }

    def _close(self, step: Step) -> Row:
        ident = next(self.replies)
        person = step.person
        self.rows[TicketReply].append(
            {
                "id": ident,
                "ticket_id": self.ticket_id,
                "round": 1,
                "at": step.at,
                "unit_id": person.unit_id if person else None,
                "actor_id": person.id if person else None,
                "handling": "",
                "public_reply": self.contact.story.answer,
                "solved": True,
                "unsolved_code": None,
            }
        )
        return self._set(reply_id=ident, closed_as="handled", solved=True)

    def _check(self, step: Step) -> Row:
        if step.state is State.CLOSED:
            return self._set(closed_at=step.at)
        self.rows[Revisit].append(
            {
                "ticket_id": self.ticket_id,
                "round": 1,
                "opened_at": step.at,
                "due_at": self._due(Stage.CALL_BACK, step.at),
                "mandatory": False,
                "attempts": 0,
                "closed_at": None,
                "closed_by": None,
                "result": None,
                "responded": None,
                "solved": None,
                "satisfied": None,
                "reason_code": None,
                "note": "",
            }
        )
        return {}

    def _revisit(self, step: Step) -> Row:
        score = self.draw.choices([score for score, _ in SCORES], [weight for _, weight in SCORES])[0]
        solved = score > 2 and self.draw.random() > UNSOLVED
        answers = {"responded": self.draw.random() > UNHEARD, "solved": solved, "satisfied": score}
        reason = "result" if score <= 2 else None
        self.rows[Revisit][-1] |= answers | {
            "closed_at": step.at,
            "closed_by": step.person.id if step.person else None,
            "result": "reached",
            "reason_code": reason,
        }
        self.rows[TicketContact].append(self._contact(step, "revisit"))
        return self._set(**answers, closed_at=step.at) | {"told": {"result": "reached"}}

    def _archive(self, step: Step) -> Row:
        return self._set(archived_at=step.at)

    def _unit(self, life: Life) -> None:
        since = life.when(Action.DISPATCH)
        if since is None:
            return
        self.rows[TicketUnit].append(
            {
                "ticket_id": self.ticket_id,
                "unit_id": self.contact.unit_id,
                "role": "lead",
                "created_at": self.contact.at,
                "since": since,
                "until": None,
                "signed_at": life.when(Action.SIGN),
                "due_at": None,
                "asked": "",
                "answered_at": None,
                "opinion": "",
            }
        )
