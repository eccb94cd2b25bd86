"""Consents and checks of certificates: every write of their tables.

Nothing is asked of a registry without a consent that stands, and nothing but what the matter needs and the
consent names. The question goes out between two transactions, so that a registry that hangs holds no
connection. What it did not answer is kept as unknown and asked again by the outbox.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import audit, outbox
from core.clock import Clock, to_city
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.outbox import NotYet, OutboxMessage, OutboxWorker
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from tickets import draft_rows
from tickets.certificates.models import CertificateCheck, CertificateConsent, CertificateWithdrawal
from tickets.certificates.papers import needed
from tickets.certificates.port import Registry, RegistryAway
from tickets.certificates.queries import about_ticket
from tickets.certificates.terms import (
    AWAY,
    CONSENT_CHANNELS,
    PURPOSE,
    UNKNOWN,
    Verdict,
    checked_consent,
    kinds_of,
)
from tickets.checks import is_id_number
from tickets.forms import clean
from tickets.models import Ticket, TicketDraft, table_of
from tickets.visibility import is_sealed, visible_drafts, visible_tickets

_consent = table_of(CertificateConsent)
_back = table_of(CertificateWithdrawal)
_check = table_of(CertificateCheck)
_ticket = table_of(Ticket)
_draft = table_of(TicketDraft)
KIND = "certificate.check"  # of the outbox
SYSTEM = Actor.system("certificates")


@dataclass(frozen=True)
class About:
    """What a check belongs to: a ticket, or the draft of one; of a draft also the category as it is typed."""

    ticket_id: int | None = None
    draft_id: int | None = None
    category_id: int | None = None

    @property
    def audited(self) -> dict[str, Any]:
        """The object of its audit rows."""
        if self.ticket_id is not None:
            return {"object_type": "ticket", "object_id": self.ticket_id}
        return {"object_type": "draft", "object_id": self.draft_id}


@dataclass(frozen=True)
class _Seen:
    """What a ticket or a draft says: its category and, of a ticket, the ID number on file."""

    category_id: int | None
    id_number_ref: int | None = None


@dataclass(frozen=True)
class _Question:
    consent_id: int
    id_number: str
    kinds: tuple[str, ...]


class CertificateService:
    """Takes consents, asks the registry, keeps what it said."""

    def __init__(self, db: Database, clock: Clock, vault: Vault, registry: Registry | None) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self.registry = registry

    def wire(self, worker: OutboxWorker) -> None:
        """What was not answered is asked again."""
        worker.register(KIND, self._again)

    # ---- consent ----------------------------------------------------------------------------

    async def consent(
        self,
        uow: UnitOfWork,
        actor: Actor,
        about: About,
        kinds: Sequence[str],
        *,
        channel: str,
        purpose: str = PURPOSE,
        id_number: str = "",
    ) -> int:
        """Record that the citizen agrees; returns the consent's id.

        Without `id_number` the one on the ticket is meant. Raises `forbidden`, `ticket_not_found`,
        `draft_not_found`, `identity_sealed`, `form_invalid` (id_number, kinds, purpose, channel),
        `paper_not_needed`.
        """
        actor.require(Permission.CERTIFICATE_CHECK)
        seen = await self._see(uow, actor, about)
        wanted = kinds_of((await needed(uow.session, seen.category_id)).papers)
        covered = checked_consent(kinds, wanted, clean(purpose), channel)
        ref = await self._subject(uow, seen, id_number)
        values = {
            "ticket_id": about.ticket_id,
            "draft_id": about.draft_id,
            "subject_ref": ref,
            "kinds": covered,
            "purpose": clean(purpose),
            "channel": channel,
            "given_at": uow.now,
            "recorded_by": actor.user_id,
        }
        made = await uow.session.execute(sa.insert(_consent).values(**values).returning(_consent.c.id))
        ident = int(made.scalar_one())
        detail = {"consent_id": ident, "kinds": covered, "channel": channel}
        await audit.record(uow, actor=actor, action="certificate.consent", detail=detail, **about.audited)
        return ident

    async def withdraw(
        self, uow: UnitOfWork, actor: Actor, about: About, consent_id: int, *, channel: str
    ) -> None:
        """The citizen takes a consent back; a second time changes nothing.

        Raises `forbidden`, `ticket_not_found`, `draft_not_found`, `consent_unknown`, `form_invalid`.
        """
        actor.require(Permission.CERTIFICATE_CHECK)
        if channel not in CONSENT_CHANNELS:
            raise HotlineError("form_invalid", fields={"channel": "unknown_choice"})
        await self._see(uow, actor, about)
        mine = sa.select(_consent.c.id).where(_consent.c.id == consent_id, _mine(about, None))
        if (await uow.session.execute(mine)).first() is None:
            raise HotlineError("consent_unknown", consent_id=consent_id)
        values = {"consent_id": consent_id, "channel": channel, "at": uow.now, "recorded_by": actor.user_id}
        statement = insert(_back).values(**values).on_conflict_do_nothing(index_elements=["consent_id"])
        if (await uow.session.execute(statement.returning(_back.c.id))).first() is not None:
            detail = {"consent_id": consent_id, "channel": channel}
            await audit.record(
                uow, actor=actor, action="certificate.withdraw", detail=detail, **about.audited
            )

    async def _see(self, uow: UnitOfWork, actor: Actor, about: About) -> _Seen:
        if about.ticket_id is not None:
            query = sa.select(_ticket).where(_ticket.c.id == about.ticket_id, visible_tickets(actor))
            row = (await uow.session.execute(query)).first()
            if row is None:
                raise HotlineError("ticket_not_found", ticket_id=about.ticket_id)
            if is_sealed(actor, ticket_type=row.type, confidentiality=row.confidentiality):
                raise HotlineError("identity_sealed", ticket_id=about.ticket_id)
            return _Seen(row.category_id, row.id_number_ref)
        query = sa.select(_draft.c.id).where(_draft.c.id == about.draft_id, visible_drafts(actor))
        if (await uow.session.execute(query)).first() is None:
            raise HotlineError("draft_not_found", draft_id=about.draft_id)
        row_of = await draft_rows.lock(uow, actor, about.draft_id or 0)
        await draft_rows.check_open(uow, row_of)
        return _Seen(about.category_id)

    async def _subject(self, uow: UnitOfWork, seen: _Seen, typed: str) -> int:
        """Whose certificates: the number on the ticket, or the one typed. It goes into the vault at once."""
        number = clean(typed).upper().replace(" ", "")
        if not number and seen.id_number_ref is not None:
            return seen.id_number_ref
        if not is_id_number(number):
            raise HotlineError(
                "form_invalid", fields={"id_number": "bad_id_number" if number else "required"}
            )
        ref = (await self._vault.put(uow, "id_number", number)).id
        if seen.id_number_ref is not None and ref != seen.id_number_ref:
            raise HotlineError("form_invalid", fields={"id_number": "other_person"})
        return ref

    # ---- asking -----------------------------------------------------------------------------

    async def check(self, actor: Actor, about: About, kinds: Sequence[str]) -> dict[str, Verdict]:
        """Ask the registry about `kinds`, under consents that stand; keeps and returns what it said.

        Raises `consent_needed` (kinds) before anything is asked, `forbidden`, `ticket_not_found`,
        `draft_not_found`, `identity_sealed`, `paper_not_needed`.
        """
        actor.require(Permission.CERTIFICATE_CHECK)
        async with self._db.begin() as uow:
            questions = await self._questions(uow, actor, about, kinds)
        found: dict[str, Verdict] = {}
        for question in questions:
            found |= await self._asked(actor, question)
        return found

    async def _questions(
        self, uow: UnitOfWork, actor: Actor, about: About, kinds: Sequence[str]
    ) -> list[_Question]:
        seen = await self._see(uow, actor, about)
        wanted = set(kinds_of((await needed(uow.session, seen.category_id)).papers))
        if set(kinds) - wanted or not kinds:
            raise HotlineError("paper_not_needed", kinds=sorted(set(kinds) - wanted))
        query = (
            sa.select(_consent.c.id, _consent.c.subject_ref, _consent.c.kinds)
            .outerjoin(_back, _back.c.consent_id == _consent.c.id)
            .where(_mine(about, seen.id_number_ref), _back.c.id.is_(None))
            .order_by(_consent.c.id.desc())
        )
        left, asked = set(kinds), []
        for row in (await uow.session.execute(query)).all():
            covered = left & set(row.kinds)
            if covered:
                number = await self._vault.reveal(uow.session, row.subject_ref)
                asked.append(_Question(row.id, number, tuple(sorted(covered))))
                left -= covered
        if left:
            raise HotlineError("consent_needed", kinds=sorted(left))
        for question in asked:
            detail = {"consent_id": question.consent_id, "kinds": list(question.kinds)}
            await audit.record(uow, actor=actor, action="certificate.check", detail=detail, **about.audited)
        return asked

    async def _asked(self, actor: Actor, question: _Question) -> dict[str, Verdict]:
        answers = await asyncio.gather(*(self._ask(kind, question.id_number) for kind in question.kinds))
        found = dict(zip(question.kinds, answers, strict=True))
        async with self._db.begin() as uow:
            if not await _stands(uow, question.consent_id):  # taken back while the registry was asked
                raise HotlineError("consent_needed", kinds=sorted(question.kinds))
            for kind, verdict in found.items():
                ident = await self._keep(uow, actor, question.consent_id, kind, verdict)
                if verdict.why in AWAY:
                    payload = {"consent_id": question.consent_id, "kind": kind}
                    await outbox.enqueue(uow, kind=KIND, dedup=f"{KIND}:{ident}", payload=payload)
        return found

    async def _ask(self, kind: str, id_number: str) -> Verdict:
        try:
            return await self._verify(kind, id_number)
        except RegistryAway as away:
            return Verdict(UNKNOWN, away.code)

    async def _verify(self, kind: str, id_number: str) -> Verdict:
        if self.registry is None:
            return Verdict(UNKNOWN, "off")
        return await self.registry.verify(kind, id_number, to_city(self._clock.now()).date())

    async def _keep(self, uow: UnitOfWork, actor: Actor, consent_id: int, kind: str, said: Verdict) -> int:
        values = {
            "consent_id": consent_id,
            "kind": kind,
            "result": said.result,
            "why": said.why,
            "issuer": said.issuer,
            "valid_from": said.valid_from,
            "valid_to": said.valid_to,
            "source": self.registry.name if self.registry else "off",
            "at": uow.now,
            "asked_by": actor.user_id,
        }
        made = await uow.session.execute(sa.insert(_check).values(**values).returning(_check.c.id))
        return int(made.scalar_one())

    async def _again(self, message: OutboxMessage) -> None:
        """Outbox: ask once more, unless the consent was taken back or somebody has had an answer since."""
        consent_id, kind = int(message.payload["consent_id"]), str(message.payload["kind"])
        async with self._db.begin() as uow:
            ref = await self._still_wanted(uow, consent_id, kind)
            if ref is None:
                return
            number = await self._vault.reveal(uow.session, ref)
            detail = {"consent_id": consent_id, "kinds": [kind], "again": True}
            await audit.record(
                uow, actor=SYSTEM, action="certificate.check", object_type="consent", object_id=consent_id,
                detail=detail,
            )  # fmt: skip
        try:
            verdict = await self._verify(kind, number)
        except RegistryAway as away:
            if away.code == "open":
                raise NotYet(self._clock.now() + timedelta(seconds=away.wait)) from None
            raise
        async with self._db.begin() as uow:
            if await _stands(uow, consent_id):
                await self._keep(uow, SYSTEM, consent_id, kind, verdict)

    @staticmethod
    async def _still_wanted(uow: UnitOfWork, consent_id: int, kind: str) -> int | None:
        """Whose certificates, while the last answer is that there was none."""
        query = (
            sa.select(_consent.c.subject_ref, _check.c.why)
            .join(_check, _check.c.consent_id == _consent.c.id)
            .where(_consent.c.id == consent_id, _check.c.kind == kind)
            .order_by(_check.c.id.desc())
            .limit(1)
        )
        row = (await uow.session.execute(query)).first()
        if row is None or row.why not in AWAY or not await _stands(uow, consent_id):
            return None
        return int(row.subject_ref)


def _mine(about: About, id_number_ref: int | None) -> Any:
    if about.ticket_id is not None:
        return about_ticket(about.ticket_id, id_number_ref)
    return _consent.c.draft_id == about.draft_id


async def _stands(uow: UnitOfWork, consent_id: int) -> bool:
    query = sa.select(_back.c.id).where(_back.c.consent_id == consent_id)
    return (await uow.session.execute(query)).first() is None
