"""Accounts, locks and sessions."""

import pytest
from sqlalchemy import text

from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.people import org
from core.people.actor import Actor
from core.people.permissions import ROLE_PERMISSIONS, Permission, Role
from core.people.service import PeopleService
from core.settings import Settings

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 12345"
SOURCE = "203.0.113.9"


@pytest.fixture
async def user_id(database: Database, people: PeopleService) -> int:
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="450300")
        return await people.create_user(
            uow,
            SYSTEM,
            login="agent01",
            name="李晓",
            password=PASSWORD,
            unit_id=city.id,
            roles=frozenset({Role.AGENT}),
            extension="1001",
        )


async def _refused(people: PeopleService, login: str, password: str, source: str = SOURCE) -> str:
    with pytest.raises(HotlineError) as caught:
        await people.authenticate(login, password, source=source)
    return caught.value.code


async def test_a_session_stands_for_its_user(people: PeopleService, user_id: int) -> None:
    new = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    actor = await people.actor_for_token(new.token)
    assert actor is not None
    assert (actor.user_id, actor.extension, actor.unit_name) == (user_id, "1001", "桂林市")
    assert actor.may(Permission.CALL_TAKE)
    assert not actor.may(Permission.AUDIT_READ)


async def test_only_the_hash_of_a_token_is_stored(
    database: Database, people: PeopleService, user_id: int
) -> None:
    new = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    async with database.read() as session:
        dump = (await session.execute(text("SELECT s::text FROM web_session s"))).scalar_one()
    assert new.token not in dump


async def test_unknown_wrong_and_disabled_get_the_same_answer(
    database: Database, people: PeopleService, user_id: int
) -> None:
    answers = {
        await _refused(people, "nobody", PASSWORD),
        await _refused(people, "agent01", "wrong-password"),
    }
    async with database.begin() as uow:
        await people.disable_user(uow, SYSTEM, user_id)
    answers.add(await _refused(people, "agent01", PASSWORD))
    assert answers == {"login_refused"}


async def test_five_failures_lock_the_account_for_half_an_hour(
    people: PeopleService, user_id: int, clock: ManualClock
) -> None:
    for _ in range(5):
        assert await _refused(people, "agent01", "wrong-password") == "login_refused"
    assert await _refused(people, "agent01", PASSWORD) == "account_locked"
    assert await _refused(people, "agent01", "wrong-password") == "login_refused"
    clock.advance(30 * 60 + 1)
    assert (await people.authenticate("agent01", PASSWORD, source=SOURCE)).token


async def test_an_unknown_source_is_slowed_down_and_staff_networks_are_not(
    people: PeopleService, user_id: int, settings: Settings, clock: ManualClock
) -> None:
    for _ in range(settings.security.source_failures_per_minute):
        await _refused(people, "nobody", PASSWORD)
        await _refused(people, "nobody", PASSWORD, source="127.0.0.1")
    assert await _refused(people, "agent01", PASSWORD) == "source_locked"
    assert (await people.authenticate("agent01", PASSWORD, source="127.0.0.1")).token
    clock.advance(61)
    assert (await people.authenticate("agent01", PASSWORD, source=SOURCE)).token


async def test_a_session_ends_after_rest_and_after_its_absolute_age(
    people: PeopleService, user_id: int, clock: ManualClock
) -> None:
    resting = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    clock.advance(239 * 60)
    assert await people.actor_for_token(resting.token, touch=False) is not None
    clock.advance(2 * 60)
    assert await people.actor_for_token(resting.token) is None
    busy = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    for _ in range(35):
        clock.advance(20 * 60)
        assert await people.actor_for_token(busy.token) is not None
    clock.advance(25 * 60)
    assert await people.actor_for_token(busy.token) is None


async def test_who_has_no_telephone_may_rest_half_an_hour(
    database: Database, people: PeopleService, user_id: int, clock: ManualClock
) -> None:
    async with database.begin() as uow:
        await uow.session.execute(text("UPDATE user_account SET extension = NULL"))
    resting = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    clock.advance(29 * 60)
    assert await people.actor_for_token(resting.token, touch=False) is not None
    clock.advance(2 * 60)
    assert await people.actor_for_token(resting.token) is None


async def test_signing_out_and_losing_rights_end_sessions(
    database: Database, people: PeopleService, user_id: int
) -> None:
    first = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    assert first.actor.session_id is not None
    await people.end_session(first.actor, first.actor.session_id)
    assert await people.actor_for_token(first.token) is None
    second = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    async with database.begin() as uow:
        await people.set_roles(uow, SYSTEM, user_id, frozenset({Role.DISPATCHER}))
    assert await people.actor_for_token(second.token) is None
    async with database.read() as session:
        revoked = await session.execute(text("SELECT count(*) FROM event_log WHERE topic = 'access'"))
    assert revoked.scalar_one() == 2


async def test_a_new_password_ends_the_other_sessions_only(people: PeopleService, user_id: int) -> None:
    here = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    there = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    await people.change_password(here.actor, PASSWORD, "another good one 678")
    assert await people.actor_for_token(here.token) is not None
    assert await people.actor_for_token(there.token) is None
    assert await _refused(people, "agent01", PASSWORD) == "login_refused"


async def test_guessing_at_the_old_password_of_an_open_session_locks_the_account_and_ends_it(
    people: PeopleService, user_id: int
) -> None:
    here = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    for _ in range(5):
        with pytest.raises(HotlineError, match="login_refused"):
            await people.change_password(here.actor, "wrong-password", "another good one 678")
    assert await people.actor_for_token(here.token) is None
    assert await _refused(people, "agent01", PASSWORD) == "account_locked"


@pytest.mark.parametrize("change", ["active = false", "password_hash = 'x'"])
async def test_no_session_is_opened_for_an_account_closed_or_reset_while_its_password_was_checked(
    database: Database, people: PeopleService, user_id: int, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    matches = people._passwords.matches

    async def slowly(stored: str | None, password: str) -> bool:
        found = await matches(stored, password)
        async with database.begin() as uow:
            await uow.session.execute(text(f"UPDATE user_account SET {change}"))
        return found

    monkeypatch.setattr(people._passwords, "matches", slowly)
    assert await _refused(people, "agent01", PASSWORD) == "login_refused"
    async with database.read() as session:
        assert (await session.execute(text("SELECT count(*) FROM web_session"))).scalar_one() == 0


async def test_two_users_cannot_share_an_extension(
    database: Database, people: PeopleService, user_id: int
) -> None:
    with pytest.raises(HotlineError, match="extension_taken"):
        async with database.begin() as uow:
            await people.create_user(
                uow,
                SYSTEM,
                login="agent02",
                name="王芳",
                password=PASSWORD,
                unit_id=1,
                roles=frozenset({Role.AGENT}),
                extension="1001",
            )


async def test_a_short_password_is_refused(database: Database, people: PeopleService, user_id: int) -> None:
    new = await people.authenticate("agent01", PASSWORD, source=SOURCE)
    with pytest.raises(HotlineError, match="password_too_short"):
        await people.change_password(new.actor, PASSWORD, "short")


async def test_a_unit_knows_what_is_below_it(database: Database) -> None:
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="450300")
        district = await org.create_unit(
            uow, SYSTEM, kind="district", name="七星区", code="450305", parent=city
        )
        town = await org.create_unit(
            uow, SYSTEM, kind="town", name="东江街道", code="450305003", parent=district
        )
        other = await org.create_unit(uow, SYSTEM, kind="district", name="秀峰区", code="450302", parent=city)
    async with database.read() as session:
        assert await org.subtree_ids(session, district.id) == [district.id, town.id]
        assert set(await org.subtree_ids(session, city.id)) == {city.id, district.id, town.id, other.id}


def test_every_role_has_its_permissions_and_administrators_share_none_that_write() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
    system = ROLE_PERMISSIONS[Role.SYSTEM_ADMIN]
    security = ROLE_PERMISSIONS[Role.SECURITY_ADMIN]
    auditor = ROLE_PERMISSIONS[Role.AUDIT_ADMIN]
    assert not (system | security) & {Permission.AUDIT_READ}
    reading = {Permission.USER_READ, Permission.SETTINGS_READ, Permission.POLICY_READ}
    assert not (auditor - reading) & (system | security)
    writes = {
        p for p in Permission if p.value.split(".")[1] in {"create", "dispatch", "handle", "write", "work"}
    }
    assert not ROLE_PERMISSIONS[Role.INSPECTOR] & writes
