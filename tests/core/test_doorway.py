"""Who is behind a token is looked up freshly for every request, many in one look."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.clock import ManualClock
from core.db import Database
from core.gather import Gather
from core.people import org
from core.people.actor import Actor
from core.people.doorway import idle_minutes
from core.people.models import WebSession
from core.people.permissions import Role
from core.people.service import PeopleService
from core.people.sessions import living
from core.settings import Settings


async def test_whoever_asks_during_a_look_is_answered_by_the_next_one() -> None:
    looks: list[list[int]] = []
    go_on = asyncio.Event()

    async def look(keys: Sequence[int]) -> Mapping[int, str]:
        looks.append(list(keys))
        await go_on.wait()
        return {key: f"answer {key}" for key in keys if key != 4}

    gather: Gather[int, str] = Gather(look)
    first = asyncio.create_task(gather.get(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(gather.get(key)) for key in (1, 2, 2, 4)]
    await asyncio.sleep(0)
    others[0].cancel()
    go_on.set()
    assert await first == "answer 1"
    assert await asyncio.gather(*others[1:]) == ["answer 2", "answer 2", None]
    assert looks == [[1], [1, 2, 4]]


async def test_a_failed_look_is_told_to_everybody_and_the_next_one_works() -> None:
    failures = [OSError("away")]

    async def look(keys: Sequence[int]) -> Mapping[int, int]:
        if failures:
            raise failures.pop()
        return {key: key for key in keys}

    gather: Gather[int, int] = Gather(look)
    with pytest.raises(OSError, match="away"):
        await gather.get(1)
    assert await gather.get(1) == 1


async def test_the_door_and_the_list_of_sessions_agree_on_when_a_session_has_rested(
    database: Database, clock: ManualClock, people: PeopleService, settings: Settings
) -> None:
    cases = (
        (frozenset({Role.AGENT}), "1001"),
        (frozenset({Role.DEPT_OFFICER}), None),
        (frozenset({Role.SYSTEM_ADMIN}), None),
        (frozenset({Role.AUDIT_ADMIN}), "1002"),
    )
    async with database.begin() as uow:
        unit = await org.create_unit(uow, Actor.system("test"), kind="city", name="桂林", code="c")
        users = []
        for number, (roles, extension) in enumerate(cases):
            user = await people.create_user(
                uow,
                Actor.system("test"),
                login=f"u{number}",
                name="张三",
                password="a-long-password",
                unit_id=unit.id,
                roles=roles,
                extension=extension,
            )
            users.append(user)
        for user in users:
            hours = uow.now + timedelta(hours=12)
            uow.session.add(
                WebSession(
                    token_hash=bytes([user % 256] * 32),
                    user_id=user,
                    created_at=uow.now,
                    seen_at=uow.now,
                    expires_at=hours,
                )
            )
    start = clock.now()
    for user, (roles, extension) in zip(users, cases, strict=True):
        minutes = idle_minutes(roles, seat=extension is not None, security=settings.security)
        for seconds, alive in ((minutes * 60 - 1, True), (minutes * 60, False)):
            clock.step(seconds - (clock.now() - start).total_seconds())
            async with database.read() as session:
                query = select(col(WebSession.id)).where(
                    col(WebSession.user_id) == user, living(clock.now(), settings.security)
                )
                assert ((await session.execute(query)).first() is not None) == alive, roles
            found = await people._doorway.enter(bytes([user % 256] * 32))
            assert (found is not None) == alive, roles
        clock.step(-(clock.now() - start).total_seconds())
