"""Signing in by a code to the phone on file: who asks learns nothing of whether there is one.

A number nobody left behaves as one somebody did: the same page, the same writes, only no message. A code
lives ten minutes and five tries; a phone gets five a day, one a minute.
"""

import hmac
from datetime import timedelta

import sqlalchemy as sa

from core import outbox
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.ids import digits, new_token
from core.notify.ports import Sms, SmsPort
from core.outbox import OutboxMessage, OutboxWorker
from core.privacy import Vault, normalise_phone
from tickets.models import Ticket, table_of
from tickets.public import sessions
from tickets.public.models import CitizenLogin

_login, _ticket = table_of(CitizenLogin), table_of(Ticket)
KIND = "citizen.login"
MINUTES, TRIES = 10, 5
A_DAY, APART_SECONDS = 5, 60
DIGITS = 6


class CodeSignIn:
    """Sends codes and takes them back."""

    def __init__(self, db: Database, vault: Vault, phone_area: str, sms: SmsPort | None, city: str) -> None:
        self._db = db
        self._vault = vault
        self._area = phone_area
        self._sms = sms
        self._city = city

    def wire(self, worker: OutboxWorker) -> None:
        """Take this room's messages from the outbox."""
        worker.register(KIND, self.deliver)

    async def begin(self, uow: UnitOfWork, typed: str) -> str:
        """Send a code to the number typed, if a ticket has it; returns the token of this attempt.

        Raises `form_invalid` (phone) for what cannot be a mobile number.
        """
        phone = normalise_phone(typed, area=self._area)
        if phone.number is None or phone.kind != "mobile":
            raise HotlineError("form_invalid", fields={"phone": "bad_phone"})
        blind = self._vault.blind("login", phone.number)
        await uow.fetch("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))", blind.hex())
        known = await self._on_file(uow, phone.number)
        sent = await self._may_send(uow, blind)
        code = await self._vault.put(uow, "code", digits(DIGITS))
        token = new_token()
        values = {
            "token_hash": sessions.token_hash(token),
            "phone": blind,
            "phone_ref": known if sent else None,
            "code_ref": code.id,
            "tries": 0,
            "created_at": uow.now,
        }
        made = await uow.session.execute(sa.insert(_login).values(**values).returning(_login.c.id))
        ident = made.scalar_one()
        # Also for a number nobody left: the answer takes as long, and the worker finds nothing to send.
        await outbox.enqueue(uow, kind=KIND, dedup=f"login:{ident}", payload={"login_id": ident})
        return token

    async def _on_file(self, uow: UnitOfWork, number: str) -> int | None:
        ref = await self._vault.find(uow.session, "phone", number)
        query = sa.select(_ticket.c.phone_ref).where(_ticket.c.phone_ref == (ref or 0)).limit(1)
        found: int | None = (await uow.session.execute(query)).scalar_one_or_none()
        return found

    async def _may_send(self, uow: UnitOfWork, blind: bytes) -> bool:
        day = (_login.c.phone == blind, _login.c.created_at > uow.now - timedelta(days=1))
        query = sa.select(sa.func.count(), sa.func.max(_login.c.created_at)).where(*day)
        count, last = (await uow.session.execute(query)).one()
        return count < A_DAY and (last is None or last <= uow.now - timedelta(seconds=APART_SECONDS))

    async def finish(self, uow: UnitOfWork, token: str, code: str) -> str | None:
        """The session token for the right code; None for a wrong one, which is counted.

        The caller commits in either case. A code that is old, used up, of an unknown number or never sent is
        a wrong one.
        """
        names = ("id", "phone_ref", "code_ref", "tries", "created_at", "done_at")
        query = sa.select(*(_login.c[name] for name in names)).where(
            _login.c.token_hash == sessions.token_hash(token)
        )
        row = (await uow.session.execute(query.with_for_update())).first()
        if row is None:
            return None
        over = row.done_at is not None or row.tries >= TRIES
        if over or row.created_at <= uow.now - timedelta(minutes=MINUTES):
            return None
        real = await self._vault.reveal(uow.session, row.code_ref)
        right = hmac.compare_digest(real.encode(), code.strip()[:20].encode())
        if not right or row.phone_ref is None:
            more = sa.update(_login).where(_login.c.id == row.id).values(tries=row.tries + 1)
            await uow.session.execute(more)
            return None
        await uow.session.execute(sa.update(_login).where(_login.c.id == row.id).values(done_at=uow.now))
        return await sessions.begin(uow, phone_ref=row.phone_ref)

    async def deliver(self, message: OutboxMessage) -> None:
        """Send the code of one attempt, if there is somebody to send it to. Raises `DeliveryFailed`."""
        async with self._db.read() as session:
            names = (_login.c.phone_ref, _login.c.code_ref, _login.c.created_at)
            query = sa.select(*names).where(_login.c.id == message.payload["login_id"])
            row = (await session.execute(query)).first()
            late = row is None or row.created_at <= self._db.clock.now() - timedelta(minutes=MINUTES)
            if late or row is None or row.phone_ref is None or self._sms is None:
                return
            found = await self._vault.plain(session, [row.phone_ref, row.code_ref])
        if len(found) == 2:
            text = f"【{self._city}12345】验证码 {found[row.code_ref]}，{MINUTES} 分钟内有效。请勿告诉他人。"
            await self._sms.send(Sms(message.dedup, found[row.phone_ref], text))


async def prune(uow: UnitOfWork) -> None:
    """Forget attempts of before yesterday, and destroy their codes."""
    old = sa.delete(_login).where(_login.c.created_at < uow.now - timedelta(days=2))
    refs = (await uow.session.execute(old.returning(_login.c.code_ref))).scalars().all()
    if refs:
        await Vault.destroy(uow, list(refs))
