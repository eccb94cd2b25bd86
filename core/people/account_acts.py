"""The acts of administration on accounts: what each asks for, what it changes, how it is done."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic import Field, field_validator
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people import duties
from core.people.accounts import Accounts
from core.people.actor import Actor
from core.people.duties import Act, Concern
from core.people.models import Unit, User, WebSession
from core.people.permissions import Role
from core.people.proposals import Change, Payload, Prepared, ProposalService, Registered
from core.people.second_factor import random_code

LOGIN = r"^[A-Za-z0-9][A-Za-z0-9._-]{1,39}$"
EXTENSION = r"^[0-9]{2,8}$"


class Person(Payload):
    """An account by its id."""

    user_id: int = Field(gt=0, lt=2**63)


class EditPerson(Person):
    """What may be edited without anybody's approval."""

    name: str = Field(min_length=1, max_length=40)
    unit_id: int = Field(gt=0, lt=2**63)
    extension: str | None = Field(None, pattern=EXTENSION)


class Posts(Person):
    """The posts a person shall hold.

    `held` and `open` are the posts held and whether the account was open when it was proposed; they are
    filled in by then.
    """

    roles: tuple[Role, ...] = ()
    held: tuple[Role, ...] | None = None
    open: bool | None = None

    @field_validator("roles", "held")
    @classmethod
    def _sorted(cls, value: tuple[Role, ...] | None) -> tuple[Role, ...] | None:
        return value if value is None else tuple(sorted(set(value)))


class NewPerson(Payload):
    """A new account; `user_id` is filled in when the closed account has been made."""

    login: str = Field(pattern=LOGIN)
    name: str = Field(min_length=1, max_length=40)
    unit_id: int = Field(gt=0, lt=2**63)
    extension: str | None = Field(None, pattern=EXTENSION)
    roles: tuple[Role, ...] = Field(min_length=1)
    user_id: int | None = None


class NewPeople(Payload):
    """The posts of the people of one imported list; the new ones' accounts are closed until approved."""

    import_id: int
    people: tuple[Posts, ...] = Field(max_length=2000)


class Seat(Person):
    """One session of a person, or all of them."""

    session_id: int | None = Field(None, gt=0, lt=2**63)


def posts_words(roles: Sequence[str] | frozenset[Role]) -> str:
    """Posts as a page names them, in the order of the list of posts."""
    return "、".join(word for role, word in duties.POST_LABELS.items() if role in roles) or "无"


def _moved_on(wanted: Posts, held: frozenset[Role]) -> bool:
    """True when the person holds other posts now than when the change was proposed."""
    return wanted.held is not None and frozenset(wanted.held) != held


async def _subjects(accounts: Accounts, session: AsyncSession, payload: Any) -> Concern:
    """Whose account, with the posts held now and those wanted."""
    if payload.user_id is None:
        return Concern(None, frozenset(getattr(payload, "roles", ())))
    await accounts.user(session, payload.user_id)
    held = await accounts.roles_of(session, payload.user_id)
    return Concern(payload.user_id, held | frozenset(getattr(payload, "roles", ())))


class AccountActs:
    """How each act on accounts is done and previewed."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    # ---- a new person -----------------------------------------------------------------------

    async def prepare_new(self, uow: UnitOfWork, actor: Actor, new: NewPerson) -> Prepared:
        """Make the account closed and without posts; the password for the first login is shown once."""
        duties.check_posts(frozenset(new.roles))
        password = random_code(3, 4)
        user_id = await self._accounts.create_user(
            uow,
            actor,
            login=new.login,
            name=new.name,
            password=password,
            unit_id=new.unit_id,
            roles=frozenset(),
            extension=new.extension,
            must_change_password=True,
            active=False,
        )
        return Prepared(new.model_copy(update={"user_id": user_id}), password)

    async def open_new(self, uow: UnitOfWork, actor: Actor, new: NewPerson) -> None:
        """Give the posts and open the account. Errors: unit_closed, when its unit was closed meanwhile."""
        assert new.user_id is not None
        await self._accounts.set_roles(uow, actor, new.user_id, frozenset(new.roles))
        await self._accounts.enable_user(uow, actor, new.user_id)

    async def preview_new(self, session: AsyncSession, new: NewPerson) -> list[Change]:
        return [
            Change("工号", "—", new.login),
            Change("姓名", "—", new.name),
            Change("单位", "—", await self._unit(session, new.unit_id)),
            Change("分机", "—", new.extension or "无"),
            Change("岗位", "—", posts_words(new.roles)),
            Change("账号状态", "未启用", "启用，首次登录须修改密码"),
        ]

    # ---- posts ------------------------------------------------------------------------------

    async def check_posts(self, uow: UnitOfWork, _actor: Actor, wanted: Posts) -> Prepared:
        """What could never be approved is refused before it waits."""
        duties.check_posts(frozenset(wanted.roles))
        held = await self._accounts.roles_of(uow.session, wanted.user_id)
        if held == frozenset(wanted.roles):
            raise HotlineError("nothing_changed")
        user = await self._accounts.user(uow.session, wanted.user_id)
        return Prepared(wanted.model_copy(update={"held": tuple(sorted(held)), "open": user.active}))

    async def set_posts(self, uow: UnitOfWork, actor: Actor, wanted: Posts) -> None:
        """Errors: proposal_outdated when account or posts are not as they were when it was proposed."""
        user = await self._accounts.lock(uow, wanted.user_id)
        if wanted.open not in (None, user.active) or _moved_on(
            wanted, await self._accounts.roles_of(uow.session, wanted.user_id)
        ):
            raise HotlineError("proposal_outdated", user_id=wanted.user_id)
        await self._accounts.set_roles(uow, actor, wanted.user_id, frozenset(wanted.roles))

    async def preview_posts(self, session: AsyncSession, wanted: Posts) -> list[Change]:
        held = await self._accounts.roles_of(session, wanted.user_id)
        seats = await self._open_sessions(session, wanted.user_id)
        return [
            await self._who(session, wanted.user_id),
            Change("岗位", posts_words(held), posts_words(wanted.roles)),
            Change("登录会话", f"{seats} 个", "全部结束，须重新登录" if seats else "0 个"),
        ]

    async def set_all_posts(self, uow: UnitOfWork, actor: Actor, many: NewPeople) -> int:
        """The posts of a whole list; accounts that never were open are opened.

        Whoever was closed, given other posts or made an administrator since the list was proposed is
        left alone; returns how many those are.
        """
        left = []
        for wanted in sorted(many.people, key=lambda one: one.user_id):
            user = await self._accounts.lock(uow, wanted.user_id)
            if not await self._still_meant(uow.session, user, wanted, actor):
                left.append(user.id)
                continue
            await self._accounts.set_roles(uow, actor, user.id, frozenset(wanted.roles))
            if not user.active:
                await self._accounts.enable_user(uow, actor, user.id)
        if left:
            detail = {"left": left[:200], "count": len(left)}
            await audit.record(
                uow, actor=actor, action=str(Act.USER_IMPORT), object_type="user_import",
                object_id=many.import_id, detail=detail,
            )  # fmt: skip
        return len(left)

    async def _still_meant(
        self, session: AsyncSession, user: User, wanted: Posts, actor: Actor | None = None
    ) -> bool:
        """Whether a line of a list still is about the account it was proposed for."""
        held = await self._accounts.roles_of(session, user.id)
        if actor is not None and actor.user_id == user.id:
            return False
        if held & duties.ADMINISTRATORS or _moved_on(wanted, held):
            return False
        # A closed account keeps its posts; one that was never open has none yet.
        return user.active or (not held and await self._accounts.unit_is_open(session, user.unit_id))

    async def preview_all_posts(self, session: AsyncSession, many: NewPeople) -> list[Change]:
        found = []
        for wanted in many.people:
            user = await self._accounts.user(session, wanted.user_id)
            held = await self._accounts.roles_of(session, wanted.user_id)
            before = posts_words(held) if user.active else "未启用" if not held else "已停用"
            meant = await self._still_meant(session, user, wanted)
            after = posts_words(wanted.roles) if meant else "提交后有变动，不作变更"
            found.append(Change(f"{user.name}（{user.login}）", before, after))
        return found

    # ---- the account itself -----------------------------------------------------------------

    async def edit(self, uow: UnitOfWork, actor: Actor, form: EditPerson) -> None:
        await self._accounts.edit_user(
            uow, actor, form.user_id, name=form.name, unit_id=form.unit_id, extension=form.extension
        )

    async def preview_edit(self, session: AsyncSession, form: EditPerson) -> list[Change]:
        user = await self._accounts.user(session, form.user_id)
        before, after = await self._unit(session, user.unit_id), await self._unit(session, form.unit_id)
        lines = [
            Change("姓名", user.name, form.name),
            Change("单位", before, after),
            Change("分机", user.extension or "无", form.extension or "无"),
        ]
        changed = [line for line in lines if line.before != line.after]
        if user.unit_id != form.unit_id:
            seats = await self._open_sessions(session, form.user_id)
            changed.append(Change("登录会话", f"{seats} 个", "全部结束，须重新登录" if seats else "0 个"))
        return [await self._who(session, form.user_id), *changed]

    async def disable(self, uow: UnitOfWork, actor: Actor, person: Person) -> None:
        await self._accounts.disable_user(uow, actor, person.user_id)

    async def check_enable(self, uow: UnitOfWork, _actor: Actor, person: Person) -> None:
        """Nobody waits for an approval that cannot be carried out. Errors: unit_closed."""
        user = await self._accounts.user(uow.session, person.user_id)
        if not await self._accounts.unit_is_open(uow.session, user.unit_id):
            raise HotlineError("unit_closed", unit_id=user.unit_id)

    async def enable(self, uow: UnitOfWork, actor: Actor, person: Person) -> None:
        await self._accounts.enable_user(uow, actor, person.user_id)

    async def unlock(self, uow: UnitOfWork, actor: Actor, person: Person) -> None:
        await self._accounts.unlock_user(uow, actor, person.user_id)

    async def new_password(self, uow: UnitOfWork, actor: Actor, person: Person) -> str:
        return await self._accounts.reset_password(uow, actor, person.user_id)

    async def reset_totp(self, uow: UnitOfWork, actor: Actor, person: Person) -> None:
        await self._accounts.reset_totp(uow, actor, person.user_id)

    async def kill(self, uow: UnitOfWork, actor: Actor, seat: Seat) -> int:
        return await self._accounts.kill_sessions(uow, actor, seat.user_id, seat.session_id)

    def preview_of(
        self, label: str, before: str, after: str, *, ends_sessions: bool = False
    ) -> Callable[[AsyncSession, Person], Awaitable[list[Change]]]:
        """The preview of an act that changes one thing of an account."""

        async def preview(session: AsyncSession, person: Person) -> list[Change]:
            lines = [await self._who(session, person.user_id), Change(label, before, after)]
            if ends_sessions:
                seats = await self._open_sessions(session, person.user_id)
                lines.append(Change("登录会话", f"{seats} 个", "全部结束" if seats else "0 个"))
            return lines

        return preview

    async def _who(self, session: AsyncSession, user_id: int) -> Change:
        user = await self._accounts.user(session, user_id)
        posts = posts_words(await self._accounts.roles_of(session, user_id))
        return Change("账号", f"{user.name}（{user.login}）· {posts}", "")

    async def _unit(self, session: AsyncSession, unit_id: int) -> str:
        unit = await session.get(Unit, unit_id)
        if unit is None:
            raise HotlineError("unit_not_found", unit_id=unit_id)
        return unit.name

    async def _open_sessions(self, session: AsyncSession, user_id: int) -> int:
        query = select(col(WebSession.id)).where(
            col(WebSession.user_id) == user_id, col(WebSession.ended_at).is_(None)
        )
        return len((await session.execute(query)).all())


def _subject(payload: Any) -> tuple[str, int | None]:
    return "user", payload.user_id


def register(proposals: ProposalService, accounts: Accounts) -> None:
    """Tell the service of proposals how each act on accounts is done."""
    acts = AccountActs(accounts)

    async def concern(session: AsyncSession, payload: Any) -> Concern:
        return await _subjects(accounts, session, payload)

    def add(act: Act, payload: type[Payload], execute: Any, preview: Any, **more: Any) -> None:
        how: Registered[Any] = Registered(
            payload=payload, execute=execute, preview=preview, concern=concern, subject=_subject, **more
        )
        proposals.register(act, how)

    add(Act.USER_CREATE, NewPerson, acts.open_new, acts.preview_new, prepare=acts.prepare_new)
    add(Act.USER_ROLES, Posts, acts.set_posts, acts.preview_posts, prepare=acts.check_posts)
    add(Act.USER_EDIT, EditPerson, acts.edit, acts.preview_edit)
    closed = acts.preview_of("账号状态", "启用", "停用，不能再登录", ends_sessions=True)
    add(Act.USER_DISABLE, Person, acts.disable, closed)
    opened = acts.preview_of("账号状态", "停用", "启用，岗位与停用前相同")
    add(Act.USER_ENABLE, Person, acts.enable, opened, prepare=acts.check_enable)
    add(Act.USER_UNLOCK, Person, acts.unlock, acts.preview_of("登录锁定", "已锁定", "解除"))
    fresh = acts.preview_of("密码", "原密码", "一次性密码，下次登录须修改", ends_sessions=True)
    add(Act.USER_PASSWORD, Person, acts.new_password, fresh)
    factor = acts.preview_of("动态口令", "已绑定", "解除绑定，下次登录重新绑定", ends_sessions=True)
    add(Act.USER_TOTP, Person, acts.reset_totp, factor)
    add(Act.SESSION_KILL, Seat, acts.kill, acts.preview_of("登录会话", "在线", "强制下线"))
    proposals.register(
        Act.USER_IMPORT,
        Registered(
            payload=NewPeople,
            execute=acts.set_all_posts,
            preview=acts.preview_all_posts,
            subject=lambda payload: ("user_import", payload.import_id),
        ),
    )
