"""Every write of `user_account` and `user_role`, and the end of sessions that follows from it.

Who may do which of these, and who must approve, is not asked here: `duties` says it and `proposals`
asks before it calls.
"""

from typing import Any

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.db import UnitOfWork, constraint_of
from core.errors import HotlineError
from core.people import duties
from core.people.actor import Actor
from core.people.events import AccessRevoked
from core.people.models import SecondStep, Unit, User, UserRole, WebSession
from core.people.passwords import Passwords
from core.people.permissions import Role
from core.people.second_factor import SecondFactor, random_code


class Accounts:
    """What can be done to an account."""

    def __init__(self, passwords: Passwords, second_factor: SecondFactor) -> None:
        self._passwords = passwords
        self.second_factor = second_factor

    # ---- making and changing ----------------------------------------------------------------

    async def create_user(
        self,
        uow: UnitOfWork,
        actor: Actor,
        *,
        login: str,
        name: str,
        password: str,
        unit_id: int,
        roles: frozenset[Role],
        extension: str | None = None,
        must_change_password: bool = False,
        active: bool = True,
    ) -> int:
        """Add an account.

        Errors: login_taken, extension_taken, unit_not_found, posts_incompatible, a password error.
        """
        duties.check_posts(roles)
        await self._check_unit(uow.session, unit_id)
        values = {
            "login": login,
            "name": name,
            "password_hash": await self._passwords.hash(password),
            "unit_id": unit_id,
            "extension": extension,
            "active": active,
            "must_change_password": must_change_password,
            "failed": 0,
            "created_at": uow.now,
        }
        statement = insert(User).values(**values).returning(col(User.id))
        user_id = int(await self._unique(uow, statement, login, extension))
        await self._write_roles(uow, user_id, roles)
        await self._audit(uow, actor, "user.create", user_id, {"roles": sorted(roles)})
        return user_id

    async def edit_user(
        self, uow: UnitOfWork, actor: Actor, user_id: int, *, name: str, unit_id: int, extension: str | None
    ) -> None:
        """Change name, unit or extension; moving to another unit ends every session of the user.

        Errors: user_not_found, unit_not_found, extension_taken.
        """
        before = await self.lock(uow, user_id)
        await self._check_unit(uow.session, unit_id)
        values = {"name": name, "unit_id": unit_id, "extension": extension}
        changed = sorted(key for key, value in values.items() if getattr(before, key) != value)
        if not changed:
            return
        moved = before.unit_id != unit_id
        detail = {"changed": changed, "unit_id": [before.unit_id, unit_id]} if moved else {"changed": changed}
        statement = update(User).where(col(User.id) == user_id).values(**values).returning(col(User.id))
        await self._unique(uow, statement, before.login, extension)
        await self._audit(uow, actor, "user.edit", user_id, detail)
        if moved:
            await self._end_all(uow, user_id)

    async def _check_unit(self, session: AsyncSession, unit_id: int) -> None:
        if not await self.unit_is_open(session, unit_id):
            raise HotlineError("unit_not_found", unit_id=unit_id)

    async def _unique(self, uow: UnitOfWork, statement: Any, login: str, extension: str | None) -> int:
        try:
            async with uow.session.begin_nested():
                found: int = (await uow.session.execute(statement)).scalar_one()
                return found
        except IntegrityError as error:
            taken = "extension_taken" if "extension" in (constraint_of(error) or "") else "login_taken"
            raise HotlineError(taken, login=login, extension=extension) from None

    async def set_roles(self, uow: UnitOfWork, actor: Actor, user_id: int, roles: frozenset[Role]) -> None:
        """Change what a user may do; every session of the user ends.

        Errors: posts_incompatible, last_administrator.
        """
        duties.check_posts(roles)
        before = await self.roles_of(uow.session, user_id)
        for post in (before & duties.ADMINISTRATORS) - roles:
            await self._check_not_last(uow.session, user_id, post)
        await self._write_roles(uow, user_id, roles)
        await self._audit(
            uow, actor, "user.roles", user_id, {"roles": sorted(roles), "before": sorted(before)}
        )
        await self._end_all(uow, user_id)

    async def _write_roles(self, uow: UnitOfWork, user_id: int, roles: frozenset[Role]) -> None:
        await uow.session.execute(delete(UserRole).where(col(UserRole.user_id) == user_id))
        if roles:
            rows = [{"user_id": user_id, "role": str(role)} for role in sorted(roles)]
            await uow.session.execute(insert(UserRole), rows)

    # ---- opening and closing ----------------------------------------------------------------

    async def disable_user(self, uow: UnitOfWork, actor: Actor, user_id: int) -> None:
        """Close an account; every session of the user ends. Errors: last_administrator."""
        for post in await self.roles_of(uow.session, user_id) & duties.ADMINISTRATORS:
            await self._check_not_last(uow.session, user_id, post)
        await uow.session.execute(update(User).where(col(User.id) == user_id).values(active=False))
        await self._audit(uow, actor, "user.disable", user_id)
        await self._end_all(uow, user_id)

    async def enable_user(self, uow: UnitOfWork, actor: Actor, user_id: int) -> None:
        """Open an account again, with the posts it had.

        Errors: user_not_found, unit_closed (it must be given another unit first).
        """
        unit_id = (await self.lock(uow, user_id)).unit_id
        if not await self.unit_is_open(uow.session, unit_id):
            raise HotlineError("unit_closed", unit_id=unit_id)
        values = {"active": True, "failed": 0, "locked_until": None}
        await uow.session.execute(update(User).where(col(User.id) == user_id).values(**values))
        await self._audit(uow, actor, "user.enable", user_id)

    async def unlock_user(self, uow: UnitOfWork, actor: Actor, user_id: int) -> None:
        """End a lock that wrong passwords or codes brought."""
        values = {"failed": 0, "locked_until": None}
        await uow.session.execute(update(User).where(col(User.id) == user_id).values(**values))
        await self._audit(uow, actor, "user.unlock", user_id)

    async def reset_password(self, uow: UnitOfWork, actor: Actor, user_id: int) -> str:
        """A password for one login, after which it must be changed; every session ends."""
        password = random_code(3, 4)
        values = {
            "password_hash": await self._passwords.hash(password),
            "must_change_password": True,
            "failed": 0,
            "locked_until": None,
        }
        await uow.session.execute(update(User).where(col(User.id) == user_id).values(**values))
        await self._audit(uow, actor, "user.reset_password", user_id)
        await self._end_all(uow, user_id)
        return password

    async def reset_totp(self, uow: UnitOfWork, actor: Actor, user_id: int) -> None:
        """Forget the second factor; the person enrols anew. Errors: totp_not_enrolled."""
        await self.second_factor.remove(uow, actor, user_id, action="user.reset_totp")
        await self._end_all(uow, user_id)

    async def kill_sessions(
        self, uow: UnitOfWork, actor: Actor, user_id: int, session_id: int | None = None
    ) -> int:
        """End one session of a user, or all; returns how many were open."""
        ended = await self._end_all(uow, user_id, only=session_id)
        if ended:
            detail = {"sessions": ended}
            await self._audit(uow, actor, "session.kill", user_id, detail)
        return len(ended)

    async def _end_all(
        self, uow: UnitOfWork, user_id: int, *, keep: int | None = None, only: int | None = None
    ) -> list[int]:
        if only is None:  # a half-finished sign-in with the old password ends too
            await uow.session.execute(delete(SecondStep).where(col(SecondStep.user_id) == user_id))
        statement = (
            update(WebSession)
            .where(col(WebSession.user_id) == user_id, col(WebSession.ended_at).is_(None))
            .values(ended_at=uow.now)
            .returning(col(WebSession.id))
        )
        if keep is not None:
            statement = statement.where(col(WebSession.id) != keep)
        if only is not None:
            statement = statement.where(col(WebSession.id) == only)
        ended = [int(one) for one in (await uow.session.execute(statement)).scalars().all()]
        for session_id in ended:
            await uow.emit(AccessRevoked(user_id, session_id))
        return ended

    # ---- questions --------------------------------------------------------------------------

    async def roles_of(self, session: AsyncSession, user_id: int) -> frozenset[Role]:
        """The posts of a user, disabled ones included."""
        names = await session.execute(select(col(UserRole.role)).where(col(UserRole.user_id) == user_id))
        return frozenset(Role(name) for name in names.scalars())

    async def user(self, session: AsyncSession, user_id: int) -> User:
        """One account as it stands. Errors: user_not_found."""
        found = await session.get(User, user_id, populate_existing=True)
        if found is None:
            raise HotlineError("user_not_found", user_id=user_id)
        return found

    async def unit_is_open(self, session: AsyncSession, unit_id: int) -> bool:
        """Whether this is a unit that has not been closed."""
        query = select(col(Unit.id)).where(col(Unit.id) == unit_id, col(Unit.active))
        return (await session.execute(query)).first() is not None

    async def lock(self, uow: UnitOfWork, user_id: int) -> User:
        """One account as it stands, locked until the end of the transaction. Errors: user_not_found."""
        query = select(User).where(col(User.id) == user_id).with_for_update()
        found = (
            await uow.session.execute(query.execution_options(populate_existing=True))
        ).scalar_one_or_none()
        if found is None:
            raise HotlineError("user_not_found", user_id=user_id)
        uow.session.expunge(found)  # a copy: the statements below write, not the session
        return found

    async def _check_not_last(self, session: AsyncSession, user_id: int, post: Role) -> None:
        """Without one of the three nobody could approve any more, and nobody could mend that."""
        holds = exists().where(col(UserRole.user_id) == col(User.id), col(UserRole.role) == str(post))
        # All holders are locked: two who leave at once must see each other.
        query = select(col(User.id)).where(holds, col(User.active)).order_by(col(User.id)).with_for_update()
        if not set((await session.execute(query)).scalars()) - {user_id}:
            raise HotlineError("last_administrator", post=str(post))

    async def _audit(
        self,
        uow: UnitOfWork,
        actor: Actor,
        action: str,
        user_id: int,
        detail: dict[str, Any] | None = None,
    ) -> None:
        await audit.record(
            uow, actor=actor, action=action, object_type="user", object_id=user_id, detail=detail
        )
