"""A chunk of contacts on its way into the tables."""

from collections.abc import Sequence

from routing.demo.contacts import Contact
from routing.demo.life import live
from routing.demo.making import Making, Row, ids_for
from routing.demo.process import MODELS, Process
from routing.demo.rows import TicketIds, TicketRows, answered_rows, record_row
from telephony.models import CallLeg, CallSession
from tickets.bulk import insert_rows
from tickets.flow import TicketReply
from tickets.models import IntakeRecord, Ticket, TicketHistory, table_of
from tickets.search.rebuild import index_existing

ORDER = (CallSession, CallLeg, Ticket, TicketHistory, IntakeRecord, *MODELS)  # as they refer to one another
PERSONAL_PER_CONTACT = 3  # a phone, a name, a query code at most


class Chunk:
    """Collects the rows of some contacts and writes them together."""

    def __init__(self, making: Making) -> None:
        self._making = making
        self._writer = TicketRows(making.draw, making.values)
        self._rows: dict[type, list[Row]] = {model: [] for model in ORDER}

    async def write(self, contacts: Sequence[Contact], numbers: Sequence[str]) -> None:
        """Make and insert everything these contacts left behind."""
        session, count = self._making.uow.session, len(contacts)
        await self._making.values.reserve(session, PERSONAL_PER_CONTACT * count)
        self._sessions = await ids_for(session, CallSession, count)
        self._legs = await ids_for(session, CallLeg, count)
        self._tickets = await ids_for(session, Ticket, count)
        self._records = await ids_for(session, IntakeRecord, count)
        self._replies = await ids_for(session, TicketReply, count)
        for contact, number in zip(contacts, numbers, strict=True):
            self._add(contact, number)
        await self._making.values.save(session)
        for model in ORDER:
            await insert_rows(session, table_of(model), self._rows[model])
        await index_existing(session, [row["id"] for row in self._rows[Ticket]])

    def _add(self, contact: Contact, number: str) -> None:
        phone = self._making.values.phone(contact.citizen, contact.at)
        session = self._call(contact, phone)
        category = self._making.categories[contact.matter.category]
        if contact.record is not None:
            assert session is not None  # records come by telephone only
            row = record_row(next(self._records), number, category, contact, phone, session)
            self._rows[IntakeRecord].append(row)
            return
        folk = self._making.folk
        ids = TicketIds(
            next(self._tickets),
            number,
            category,
            folk.units[contact.district.code],
            folk.places[contact.district.code, contact.town],
            phone,
            session,
        )
        life = live(self._making.draw, folk, contact, self._making.now)
        making = self._making
        process = Process(ids.id, contact, category, making.limits, making.draw, self._replies, self._rows)
        process.walk(life)
        self._rows[Ticket].append(self._writer.ticket(ids, contact, life, process.columns))
        self._rows[TicketHistory] += self._writer.history(ids, life, process.changes)

    def _call(self, contact: Contact, phone: int) -> int | None:
        """The session of a telephone contact; None for the other channels."""
        if contact.call is None:
            return None
        ident = next(self._sessions)
        session, leg = answered_rows(ident, next(self._legs), phone, contact.at, contact.call, contact.agent)
        self._rows[CallSession].append(session)
        self._rows[CallLeg].append(leg)
        self._making.count(session, leg)
        return ident
