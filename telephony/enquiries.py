"""A citizen at the keys asks how a ticket stands: the dialplan's event, and the answer it waits for.

The dialplan gives up after eight seconds and sends the citizen to a person, so nothing here waits long and
nothing is asked twice: a question that is too old is dropped. Who answers is given by the node; telephony
knows nothing of tickets. Number and code are in the citizen's event only, and never in a log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import Clock
from core.db import UnitOfWork
from core.errors import HotlineError
from core.tables import table_of
from telephony.ami.connection import AmiConnection
from telephony.ami.messages import AmiEvent
from telephony.models import PhoneEnquiry

logger = logging.getLogger(__name__)
_enquiry = table_of(PhoneEnquiry)
VARIABLE = "HOTLINE_STATUS"
PATIENCE = 8.0  # seconds the dialplan waits (extensions.conf, hotline-status)
WAITING = 200  # questions at most: beyond that each would be answered too late


@dataclass(frozen=True)
class Enquiry:
    """One question; `session_key` is the call's, `caller` the number as the carrier sent it."""

    pbx: str
    channel: str
    session_key: str
    attempt: int
    caller: str
    number: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """The word of a prompt (`telephony/asterisk/prompts.py`), and month and day as MMDD if promised."""

    word: str
    due: str = ""

    def told(self, attempt: int) -> str:
        """As the dialplan reads it."""
        return f"{attempt}-{self.word}-{self.due}"


Answering = Callable[[Enquiry], Awaitable[Answer]]


def read(pbx: str, event: AmiEvent) -> Enquiry | None:
    """The question an event asks; None for every other event."""
    if event.name != "UserEvent" or event.get("UserEvent") != "StatusAsked":
        return None
    attempt = event.get("Attempt")
    if not (attempt.isascii() and attempt.isdigit() and len(attempt) <= 2 and event.get("Channel")):
        return None
    key = event.get("Linkedid") or event.get("Uniqueid")
    said = event.get("Number"), event.get("Code")
    return Enquiry(pbx, event.get("Channel"), key, int(attempt), event.get("CallerIDNum"), *said)


class Enquiries:
    """Answers while this node leads telephony, one question after the other."""

    def __init__(self, clock: Clock, lines: Mapping[str, AmiConnection], answering: Answering) -> None:
        self._clock = clock
        self._lines = lines
        self._answering = answering
        self._asked: asyncio.Queue[tuple[float, Enquiry]] = asyncio.Queue(WAITING)

    def hear(self, pbx: str, event: AmiEvent) -> None:
        """Take a question down; called for every event, so it does no more than that."""
        found = read(pbx, event)
        if found is not None and not self._asked.full():
            self._asked.put_nowait((self._clock.monotonic(), found))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.step()

    async def step(self) -> None:
        """Answer the oldest question, unless nobody waits for it any more."""
        at, asked = await self._asked.get()
        if self._clock.monotonic() - at >= PATIENCE:
            return
        try:
            answer = await self._answering(asked)
            line = self._lines.get(asked.pbx)
            if line is not None:
                value = answer.told(asked.attempt)
                await line.ask("Setvar", Channel=asked.channel, Variable=VARIABLE, Value=value)
        except (SQLAlchemyError, OSError, TimeoutError, HotlineError) as error:
            # The citizen hears that it cannot be said now, and is put through to a person.
            logger.warning("a question by keys was not answered", extra={"error": type(error).__name__})


async def answered(session: AsyncSession, asked: Enquiry) -> str | None:
    """The word this very question was answered with before; the node that told it may have died."""
    query = sa.select(_enquiry.c.answer).where(
        _enquiry.c.pbx == asked.pbx,
        _enquiry.c.session_key == asked.session_key,
        _enquiry.c.attempt == asked.attempt,
    )
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def note(uow: UnitOfWork, asked: Enquiry, ticket_id: int | None, answer: Answer) -> None:
    """Keep which call asked about which ticket, and what it was told. The only writer of phone_enquiry."""
    values = {
        "pbx": asked.pbx,
        "session_key": asked.session_key,
        "attempt": asked.attempt,
        "ticket_id": ticket_id,
        "answer": answer.word,
        "at": uow.now,
    }
    await uow.session.execute(insert(_enquiry).values(**values).on_conflict_do_nothing())
