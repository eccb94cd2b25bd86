"""Signing in, sessions, and the questions asked of accounts; what changes accounts is `accounts`."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import case, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.clock import Clock
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.ids import new_token
from core.people import account_acts, hotkeys, signing_in
from core.people.accounts import Accounts
from core.people.actor import Actor
from core.people.doorway import Doorway
from core.people.events import AccessRevoked
from core.people.limiter import SourceLimiter
from core.people.models import Unit, User, WebSession
from core.people.passwords import Passwords
from core.people.permissions import permissions_of
from core.people.proposals import ProposalService
from core.people.second_factor import Enrolment, SecondFactor
from core.people.sessions import absolute_hours
from core.people.signing_in import StepNeeded, StepOpen
from core.privacy import Vault
from core.settings import Settings

TOUCH_SECONDS = 30


@dataclass(frozen=True)
class NewSession:
    """A fresh session: the token goes into the cookie and is nowhere else."""

    token: str
    actor: Actor


def token_hash(token: str) -> bytes:
    """What the database keeps of a session token."""
    return hashlib.sha256(token.encode()).digest()


class PeopleService(Accounts):
    """Who people are, and whether this browser is theirs."""

    def __init__(self, db: Database, clock: Clock, settings: Settings, passwords: Passwords) -> None:
        self.vault = Vault(settings)
        super().__init__(passwords, SecondFactor(settings, self.vault))
        self._db = db
        self._clock = clock
        self._security = settings.security
        self._limiter = SourceLimiter(clock, settings)
        self._doorway = Doorway(db, clock, settings.security)
        self.proposals = ProposalService()
        account_acts.register(self.proposals, self)

    # ---- signing in -------------------------------------------------------------------------

    async def authenticate(
        self, login: str, password: str, *, source: str, agent: str | None = None
    ) -> NewSession:
        """Open a session where the password is enough.

        Errors: those of `sign_in`, second_factor_required.
        """
        found = await self.sign_in(login, password, source=source, agent=agent)
        if isinstance(found, StepNeeded):
            raise HotlineError("second_factor_required", kind=found.kind)
        return found

    async def sign_in(
        self, login: str, password: str, *, source: str, agent: str | None = None
    ) -> NewSession | StepNeeded:
        """The first step: a session, or the token of a second step where a code is due.

        Raises `source_locked`, `account_locked` or `login_refused`. Unknown users, wrong passwords and
        disabled accounts get the same answer in the same time.
        """
        if self._limiter.refused(source):
            raise HotlineError("source_locked", seconds=60)
        async with self._db.read() as session:
            query = select(User).where(col(User.login) == login)
            user = (await session.execute(query)).scalar_one_or_none()
        known = user if user and user.active else None
        matches = await self._passwords.matches(known.password_hash if known else None, password)
        locked = known is not None and self._is_locked(known)
        if known is None or locked or not matches:
            self._limiter.failed(source)
            await self._note_failure(known, locked=locked)
            raise HotlineError("account_locked" if locked and matches else "login_refused")
        async with self._db.begin() as uow:
            await self._check_unchanged(uow, known)
            kind = await self._second_step(uow.session, known.id)
            if kind is None:
                return await self._open(uow, known, source, agent)
            token = new_token()
            if kind == "enrol":
                await self.second_factor.begin(uow, known.id)
            await signing_in.open_step(uow, known.id, token_hash(token))
            return StepNeeded(token, kind)

    async def _check_unchanged(self, uow: UnitOfWork, user: User) -> None:
        """Checking takes a while: no session for an account that was closed or reset in the meantime."""
        same = select(col(User.id)).where(
            col(User.id) == user.id, col(User.active), col(User.password_hash) == user.password_hash
        )
        if (await uow.session.execute(same.with_for_update())).first() is None:
            raise HotlineError("login_refused")

    async def _second_step(self, session: AsyncSession, user_id: int) -> Literal["code", "enrol"] | None:
        if (await self.second_factor.state(session, user_id)).enrolled:
            return "code"
        return "enrol" if self.second_factor.required(await self.roles_of(session, user_id)) else None

    async def step_open(self, token: str) -> StepOpen | None:
        """The second step a token opens, None when it ran out, was tried too often or is done."""
        if not token or len(token) > 200:
            return None
        async with self._db.begin() as uow:
            found = await signing_in.lock_step(uow, token_hash(token))
            if found is None:
                return None
            step, user = found
            kind = await self._second_step(uow.session, user.id)
        return StepOpen(step.id, user.id, user.login, user.name, kind or "code")

    async def enrolment(self, step: StepOpen) -> Enrolment | None:
        """What the authenticator of a person in the second step is given."""
        async with self._db.read() as session:
            return await self.second_factor.pending(session, step.user_id, step.login)

    async def finish(
        self, token: str, code: str, *, source: str, agent: str | None = None
    ) -> tuple[NewSession, list[str]]:
        """The second step: a session for a good code, with recovery codes when it was the first one.

        Errors: source_locked, step_over (sign in again), account_locked, second_code_refused.
        """
        if self._limiter.refused(source):
            raise HotlineError("source_locked", seconds=60)
        async with self._db.begin() as uow:
            found = await signing_in.lock_step(uow, token_hash(token))
            if found is None:
                raise HotlineError("step_over")
            step, user = found
            locked = self._is_locked(user)
            codes = None if locked else await self._take_code(uow, user, code)
            await signing_in.count_try(uow, step.id, done=codes is not None)
            if codes is not None:
                return await self._open(uow, user, source, agent), codes
        self._limiter.failed(source)
        await self._note_failure(user, locked=locked, step="code")
        raise HotlineError("account_locked" if locked else "second_code_refused")

    async def _take_code(self, uow: UnitOfWork, user: User, code: str) -> list[str] | None:
        """Recovery codes to show (none but at the first code), None for a code that is not good."""
        if not (await self.second_factor.state(uow.session, user.id)).enrolled:
            actor = await self._actor(uow.session, user.id, session_id=None)
            assert actor is not None
            return await self.second_factor.confirm(uow, actor, user.id, code)
        kind = await self.second_factor.check(uow, user.id, code)
        if kind == "recovery":
            actor = await self._actor(uow.session, user.id, session_id=None)
            await audit.record(
                uow, actor=actor, action="login.recovery", object_type="user", object_id=user.id
            )
        return [] if kind else None

    async def check_code(self, actor: Actor, code: str) -> None:
        """Ask a signed-in person for a code before a change of the second factor.

        Errors: second_code_refused; wrong codes count towards the lock of the account.
        """
        assert actor.user_id is not None
        async with self._db.begin() as uow:
            good = await self.second_factor.check(uow, actor.user_id, code)
        if not good:
            await self.note_wrong_code(actor)
            raise HotlineError("second_code_refused")

    async def note_wrong_code(self, actor: Actor, *, step: str = "code") -> None:
        """Count a wrong code of a signed-in person; enough of them lock the account and end its sessions."""
        async with self._db.read() as session:
            user = await session.get(User, actor.user_id)
        if user is not None and await self._note_failure(user, locked=self._is_locked(user), step=step):
            async with self._db.begin() as uow:
                await self._end_all(uow, user.id)

    def _is_locked(self, user: User) -> bool:
        return user.locked_until is not None and user.locked_until > self._clock.now()

    async def _note_failure(self, user: User | None, *, locked: bool, step: str = "password") -> bool:
        """Count a failure; True when it was the one that locked the account.

        The same statements whoever it was: how long a refusal takes does not tell an account from none.
        """
        async with self._db.begin() as uow:
            counted = user.id if user is not None and not locked else 0
            failed = col(User.failed) + 1
            over = failed >= self._security.lock_after_failures
            until = uow.now + timedelta(minutes=self._security.lock_minutes)
            statement = update(User).where(col(User.id) == counted)
            values = {
                "failed": case((over, 0), else_=failed),
                "locked_until": case((over, literal(until)), else_=col(User.locked_until)),
            }
            result = await uow.session.execute(statement.values(**values).returning(col(User.failed)))
            locks = result.scalar_one_or_none() == 0
            rows = [
                audit.row(
                    uow,
                    action="login.refused",
                    object_type="user",
                    object_id=user.id if user else None,
                    detail={"known": user is not None, "locked": locked, "step": step},
                )
            ]
            if locks and user is not None:
                rows.insert(0, audit.row(uow, action="login.locked", object_type="user", object_id=user.id))
            await audit.write(uow, rows)
        return locks

    async def _open(self, uow: UnitOfWork, user: User, source: str, agent: str | None) -> NewSession:
        token, roles = new_token(), await self.roles_of(uow.session, user.id)
        ok = update(User).where(col(User.id) == user.id).values(failed=0, locked_until=None)
        await uow.session.execute(ok)
        values = {
            "token_hash": token_hash(token),
            "user_id": user.id,
            "created_at": uow.now,
            "seen_at": uow.now,
            "expires_at": uow.now + timedelta(hours=absolute_hours(roles, self._security)),
            "source": source,
            "agent": (agent or "")[:200],
        }
        new = await uow.session.execute(insert(WebSession).values(**values).returning(col(WebSession.id)))
        actor = await self._actor(uow.session, user.id, session_id=int(new.scalar_one()))
        assert actor is not None
        await audit.record(uow, actor=actor, action="login", object_type="user", object_id=user.id)
        return NewSession(token, actor)

    # ---- sessions ---------------------------------------------------------------------------

    async def actor_for_token(self, token: str, *, touch: bool = True) -> Actor | None:
        """The person behind a session token; None when it ended, rested or aged too long.

        `touch` False is for what a page fetches by itself: that does not keep a session awake.
        """
        if not token or len(token) > 200:
            return None
        found = await self._doorway.enter(token_hash(token))
        if found is None:
            return None
        now = self._clock.now()
        if touch and (now - found.seen_at).total_seconds() >= TOUCH_SECONDS:
            async with self._db.begin() as uow:
                seen = update(WebSession).where(col(WebSession.id) == found.session_id).values(seen_at=now)
                await uow.session.execute(seen)
        return found.actor

    async def end_session(self, actor: Actor, session_id: int) -> None:
        """Sign out one session (one's own, or another's by `session.manage`, checked by the caller)."""
        async with self._db.begin() as uow:
            statement = (
                update(WebSession)
                .where(col(WebSession.id) == session_id, col(WebSession.ended_at).is_(None))
                .values(ended_at=uow.now)
                .returning(col(WebSession.user_id))
            )
            user_id = (await uow.session.execute(statement)).scalar_one_or_none()
            if user_id is None:
                return
            await audit.record(uow, actor=actor, action="logout", object_type="session", object_id=session_id)
            await uow.emit(AccessRevoked(int(user_id), session_id))

    async def end_other_sessions(self, actor: Actor) -> int:
        """Sign out everywhere but here; returns how many sessions that were."""
        assert actor.user_id is not None
        async with self._db.begin() as uow:
            ended = await self._end_all(uow, actor.user_id, keep=actor.session_id)
            for session_id in ended:
                await audit.record(
                    uow, actor=actor, action="logout", object_type="session", object_id=session_id
                )
        return len(ended)

    # ---- one's own password -----------------------------------------------------------------

    async def change_password(self, actor: Actor, old: str, new: str) -> None:
        """Change one's own password. Raises `login_refused` or a password error; other sessions end.

        Wrong old ones count towards the lock of the account: a screen left open is no place to guess at.
        """
        assert actor.user_id is not None
        async with self._db.read() as session:
            user = await session.get(User, actor.user_id)
        if user is None or not await self._passwords.matches(user.password_hash, old):
            await self.note_wrong_code(actor, step="password")
            raise HotlineError("login_refused")
        if old == new:
            raise HotlineError("password_unchanged")
        hashed = await self._passwords.hash(new)
        async with self._db.begin() as uow:
            values = {"password_hash": hashed, "must_change_password": False}
            await uow.session.execute(update(User).where(col(User.id) == actor.user_id).values(**values))
            await audit.record(
                uow, actor=actor, action="user.password", object_type="user", object_id=actor.user_id
            )
            await self._end_all(uow, actor.user_id, keep=actor.session_id)

    # ---- questions --------------------------------------------------------------------------

    async def actor_for_user(self, session: AsyncSession, user_id: int) -> Actor | None:
        """The actor a user would be, without a session; None for unknown or disabled users."""
        return await self._actor(session, user_id, session_id=None)

    async def user_for_extension(self, session: AsyncSession, extension: str) -> int | None:
        """The active user whose telephone has this extension."""
        query = select(col(User.id)).where(col(User.extension) == extension, col(User.active))
        return (await session.execute(query)).scalar_one_or_none()

    async def _actor(self, session: AsyncSession, user_id: int, *, session_id: int | None) -> Actor | None:
        query = (
            select(User, Unit.path, Unit.name)  # type: ignore[call-overload]  # columns here
            .join(Unit, col(Unit.id) == col(User.unit_id))
            .where(col(User.id) == user_id, col(User.active))
        )
        row = (await session.execute(query)).first()
        if row is None:
            return None
        roles = await self.roles_of(session, user_id)
        user: User = row[0]
        return Actor(
            user_id=user.id,
            login=user.login,
            name=user.name,
            roles=roles,
            permissions=permissions_of(roles),
            unit_id=user.unit_id,
            unit_path=row[1],
            unit_name=row[2],
            extension=user.extension,
            session_id=session_id,
            must_change_password=user.must_change_password,
            hotkeys=tuple(hotkeys.own_of(user.hotkeys).items()),
        )
