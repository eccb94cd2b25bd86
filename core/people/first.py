"""The first people of an install: who may create the others, and who is in the demo city."""

from sqlalchemy import func, select
from sqlmodel import col

from core.clock import SystemClock
from core.db import Database
from core.errors import HotlineError
from core.events import EventBus
from core.people import org
from core.people.actor import Actor
from core.people.models import User, UserRole
from core.people.passwords import Passwords
from core.people.permissions import Role
from core.people.service import PeopleService
from core.settings import Settings

ADMINISTRATORS = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)


async def create_administrator(
    settings: Settings, url: str, *, login: str, name: str, password: str, role: str
) -> int:
    """Add an administrator's account in the city's root unit, which is made when there is none.

    Returns the user's id. Errors: role_unknown, login_taken, password_too_short, password_too_long.
    """
    if role not in ADMINISTRATORS:
        raise HotlineError("role_unknown", role=role, known=", ".join(ADMINISTRATORS))
    clock, passwords = SystemClock(), Passwords()
    db = Database(url, clock=clock, bus=EventBus(), pool_size=1)
    people = PeopleService(db, clock, settings, passwords)
    actor = Actor.system("commands")
    try:
        async with db.begin() as uow:
            roots = await org.units(uow.session, kinds=("city",))
            root = roots[0] if roots else None
            if root is None:
                city = settings.city
                root = await org.create_unit(uow, actor, kind="city", name=city.name, code=city.area_code)
            return await people.create_user(
                uow,
                actor,
                login=login,
                name=name,
                password=password,
                unit_id=root.id,
                roles=frozenset({Role(role)}),
                must_change_password=True,
            )
    finally:
        passwords.close()
        await db.close()


async def examples(db: Database) -> list[tuple[str, str, tuple[Role, ...]]]:
    """One account of each role: login, name, roles; those with the fewest roles and lowest ids."""
    async with db.read() as session:
        query = (
            select(col(User.login), col(User.name), func.string_agg(col(UserRole.role), ", "), col(User.id))
            .join(UserRole, col(UserRole.user_id) == col(User.id))
            .where(col(User.active))
            .group_by(col(User.id))
            .order_by(func.count(), col(User.id))
        )
        people = (await session.execute(query)).all()
    shown: dict[str, tuple[str, str, tuple[Role, ...]]] = {}
    for login, name, text, _ in people:
        roles = tuple(Role(role) for role in sorted(text.split(", ")))
        for role in roles:
            shown.setdefault(role, (login, name, roles))
    return list(dict.fromkeys(shown.values()))
