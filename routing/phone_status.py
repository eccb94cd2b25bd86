"""How a ticket stands, said to who enters its number and query code on a telephone.

The locks are those of every other way to ask (`tickets.query_codes`), with the caller's number as the
source; a number that does not exist is answered like a wrong code. What is said is one word of a closed
list and a date: no name, no unit, nothing of the matter.
"""

from datetime import datetime

import sqlalchemy as sa

from core.clock import to_city
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.privacy import Vault, normalise_phone
from telephony import enquiries
from telephony.enquiries import Answer, Enquiry
from tickets import query_codes
from tickets.models import Ticket, table_of
from tickets.states import State

_ticket = table_of(Ticket)
WRONG, LOCKED = Answer("wrong"), Answer("locked")
WORDS: dict[State, str] = {
    State.WAITING_ACCEPT: "accepting",
    State.WAITING_SUPPLEMENT: "supplement",
    State.WAITING_DISPATCH: "accepted",
    State.WAITING_SIGN: "handling",
    State.HANDLING: "handling",
    State.RETURN_REVIEW: "handling",
    State.RULING: "handling",
    State.EXTENSION_REVIEW: "handling",
    State.SUSPENSION_REVIEW: "handling",
    State.SUSPENDED: "suspended",
    State.CLOSING_REVIEW: "handling",
    State.WAITING_CHECK: "checking",
    State.WAITING_CALLBACK: "checking",
    State.CLOSED: "closed",
    State.ANSWERED: "closed",
    State.INFORMED: "informed",
    State.EMERGENCY: "emergency",
    State.ARCHIVED: "closed",
    State.MERGED: "merged",
    State.WITHDRAWN: "withdrawn",
    State.VOID: "void",
}
PROMISED = frozenset({"accepted", "handling"})  # where the date still means something


def answer_of(state: str, due_at: datetime | None) -> Answer:
    """What is said of a ticket in this state; the date is the city's."""
    word = WORDS[State(state)]
    due = f"{to_city(due_at):%m%d}" if due_at is not None and word in PROMISED else ""
    return Answer(word, due)


class PhoneStatus:
    """Answers questions by keys; given to telephony by the node."""

    def __init__(self, db: Database, vault: Vault, phone_area: str) -> None:
        self._db = db
        self._vault = vault
        self._area = phone_area

    async def answer(self, asked: Enquiry) -> Answer:
        """How the ticket stands, `wrong`, or `locked`. The same question again is not a second try."""
        async with self._db.begin() as uow:
            before = await enquiries.answered(uow.session, asked)
            if before in (WRONG.word, LOCKED.word):
                return Answer(before)
            ticket_id, answer = await self._look_up(uow, asked)
            await enquiries.note(uow, asked, ticket_id, answer)
        return answer

    async def _look_up(self, uow: UnitOfWork, asked: Enquiry) -> tuple[int | None, Answer]:
        try:
            ticket_id = await query_codes.look_up(
                uow, self._vault, number=asked.number, code=asked.code, source=self._source(asked.caller)
            )
        except HotlineError as error:
            if error.code != "query_locked":
                raise
            return None, LOCKED
        if ticket_id is None:
            return None, WRONG
        row = (
            await uow.session.execute(
                sa.select(_ticket.c.state, _ticket.c.due_at).where(_ticket.c.id == ticket_id)
            )
        ).one()
        return ticket_id, answer_of(row.state, row.due_at)

    def _source(self, caller: str) -> str:
        """Who tries: the caller's number; all who withhold theirs are one."""
        return f"tel:{normalise_phone(caller, area=self._area).number or 'withheld'}"
