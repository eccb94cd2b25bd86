"""The second factor: six digits from an authenticator (TOTP, RFC 6238), or a recovery code used once.

The secret is sealed with the master key, recovery codes are kept as keyed hashes. A code is good for
the half minute it was made for and its two neighbours, and only once: the number of the last half
minute used is kept, and nothing at or before it is taken again.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import RecoveryCode, UserTotp
from core.people.permissions import Role
from core.privacy import Vault
from core.settings import Settings

STEP_SECONDS = 30
DRIFT = 1  # half minutes a telephone's clock may be off
CODES = 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that can be mistaken for something else
# Administrators and those who read the audit log.
POSTS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.INSPECTOR})


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator is given: the secret to type and the address in the square code."""

    secret: str
    uri: str


@dataclass(frozen=True)
class FactorState:
    """How things stand with a person's second factor."""

    since: datetime | None
    codes_left: int

    @property
    def enrolled(self) -> bool:
        return self.since is not None


def random_code(groups: int, size: int) -> str:
    """Groups of characters that can be read out, such as `k7m2p-9xq4r`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(size)) for _ in range(groups))


class SecondFactor:
    """Every write of `user_totp` and `recovery_code`."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._vault = vault
        self._issuer = f"12345 {settings.city.name}"
        mode = settings.security.second_factor
        self._required = mode == "required" or (mode == "auto" and settings.mode == "production")

    def required(self, roles: frozenset[Role]) -> bool:
        """True when holders of these posts cannot sign in without a second factor."""
        return self._required and bool(roles & POSTS)

    async def state(self, session: AsyncSession, user_id: int) -> FactorState:
        """Since when a person has one, and how many recovery codes are left."""
        row = await session.get(UserTotp, user_id, populate_existing=True)
        left = select(func.count()).where(
            col(RecoveryCode.user_id) == user_id, col(RecoveryCode.used_at).is_(None)
        )
        since = row.confirmed_at if row else None
        return FactorState(since, int((await session.execute(left)).scalar_one()) if since else 0)

    # ---- enrolling --------------------------------------------------------------------------

    async def begin(self, uow: UnitOfWork, user_id: int) -> None:
        """Make a secret to enrol with, anew each time: who saw an earlier one cannot enrol by it.

        Errors: totp_enrolled.
        """
        row = await self._lock(uow, user_id)
        if row is not None and row.confirmed_at is not None:
            raise HotlineError("totp_enrolled")
        sealed = self._vault.seal(pyotp.random_base32(32).encode(), aad=_place(user_id))
        values = {"user_id": user_id, "secret_sealed": sealed, "last_step": 0, "created_at": uow.now}
        statement = upsert(UserTotp).values(**values)
        await uow.session.execute(
            statement.on_conflict_do_update(
                index_elements=["user_id"], set_={"secret_sealed": sealed, "created_at": uow.now}
            )
        )

    async def pending(self, session: AsyncSession, user_id: int, login: str) -> Enrolment | None:
        """The secret that waits for its first code; None when there is none, or it is in use already."""
        row = await session.get(UserTotp, user_id, populate_existing=True)
        if row is None or row.confirmed_at is not None:
            return None
        secret = self._secret(row)
        uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=self._issuer)
        return Enrolment(secret, uri)

    async def confirm(self, uow: UnitOfWork, actor: Actor, user_id: int, code: str) -> list[str] | None:
        """Take the first code; the recovery codes to show once, or None when the code does not fit."""
        row = await self._lock(uow, user_id)
        if row is None or row.confirmed_at is not None:
            raise HotlineError("totp_not_begun")
        if not await self._fits(uow, row, code):
            return None
        confirmed = update(UserTotp).where(col(UserTotp.user_id) == user_id).values(confirmed_at=uow.now)
        await uow.session.execute(confirmed)
        await self._audit(uow, actor, "totp.enrol", user_id)
        return await self._new_codes(uow, user_id)

    async def renew_codes(self, uow: UnitOfWork, actor: Actor) -> list[str]:
        """New recovery codes instead of the old ones; the caller has checked a code."""
        assert actor.user_id is not None
        await self._audit(uow, actor, "totp.codes", actor.user_id)
        return await self._new_codes(uow, actor.user_id)

    async def remove(self, uow: UnitOfWork, actor: Actor, user_id: int, *, action: str) -> None:
        """Forget secret and codes: the person enrols anew. Errors: totp_not_enrolled."""
        await uow.session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
        gone = await uow.session.execute(
            delete(UserTotp).where(col(UserTotp.user_id) == user_id).returning(col(UserTotp.user_id))
        )
        if gone.scalar_one_or_none() is None:
            raise HotlineError("totp_not_enrolled")
        await self._audit(uow, actor, action, user_id)

    # ---- checking ---------------------------------------------------------------------------

    async def check(self, uow: UnitOfWork, user_id: int, code: str) -> str | None:
        """`totp` or `recovery` when the code is good, used up by this; None when it is not."""
        row = await self._lock(uow, user_id)
        if row is None or row.confirmed_at is None:
            return None
        if await self._fits(uow, row, code):
            return "totp"
        used = (
            update(RecoveryCode)
            .where(
                col(RecoveryCode.user_id) == user_id,
                col(RecoveryCode.used_at).is_(None),
                col(RecoveryCode.code_hash) == self._hash(user_id, code),
            )
            .values(used_at=uow.now)
            .returning(col(RecoveryCode.id))
        )
        return "recovery" if (await uow.session.execute(used)).scalars().first() else None

    async def _fits(self, uow: UnitOfWork, row: UserTotp, code: str) -> bool:
        digits = code.replace(" ", "")
        totp = pyotp.TOTP(self._secret(row))
        now = int(uow.now.timestamp()) // STEP_SECONDS
        for step in range(now - DRIFT, now + DRIFT + 1):
            same = hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode())
            if same and step > row.last_step:
                used = update(UserTotp).where(col(UserTotp.user_id) == row.user_id).values(last_step=step)
                await uow.session.execute(used)
                return True
        return False

    async def _lock(self, uow: UnitOfWork, user_id: int) -> UserTotp | None:
        query = select(UserTotp).where(col(UserTotp.user_id) == user_id).with_for_update()
        query = query.execution_options(populate_existing=True)
        return (await uow.session.execute(query)).scalar_one_or_none()

    async def _new_codes(self, uow: UnitOfWork, user_id: int) -> list[str]:
        await uow.session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
        codes = [random_code(2, 5) for _ in range(CODES)]
        rows = [
            {"user_id": user_id, "code_hash": self._hash(user_id, code), "created_at": uow.now}
            for code in codes
        ]
        await uow.session.execute(insert(RecoveryCode), rows)
        return codes

    def _secret(self, row: UserTotp) -> str:
        return self._vault.unseal(bytes(row.secret_sealed), aad=_place(row.user_id)).decode()

    def _hash(self, user_id: int, code: str) -> bytes:
        plain = "".join(char for char in code.lower() if char in ALPHABET)
        return self._vault.blind("recovery_code", f"{user_id}:{plain}")

    async def _audit(self, uow: UnitOfWork, actor: Actor, action: str, user_id: int) -> None:
        await audit.record(uow, actor=actor, action=action, object_type="user", object_id=user_id)


def _place(user_id: int) -> str:
    return f"user_totp:secret:{user_id}"
