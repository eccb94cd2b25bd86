"""The second factor: enrolment, codes that work once, recovery codes, locks, no session before the code."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Role
from core.people.service import PeopleService
from core.people.signing_in import StepNeeded
from core.settings import Security

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 12345"
SOURCE = "127.0.0.1"


@pytest.fixture
async def admin(database: Database, people: PeopleService) -> int:
    """A security administrator of a hotline where the second factor is required."""
    people.second_factor._required = True
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="450300")
        return await people.create_user(
            uow, SYSTEM, login="sec", name="安全", password=PASSWORD, unit_id=city.id,
            roles=frozenset({Role.SECURITY_ADMIN}),
        )  # fmt: skip


async def _first_step(people: PeopleService) -> StepNeeded:
    found = await people.sign_in("sec", PASSWORD, source=SOURCE)
    assert isinstance(found, StepNeeded)
    return found


async def _enrol(people: PeopleService, clock: ManualClock) -> tuple[pyotp.TOTP, list[str]]:
    """Enrol at the first login; the authenticator and the recovery codes."""
    step = await _first_step(people)
    opened = await people.step_open(step.token)
    assert opened is not None
    enrolment = await people.enrolment(opened)
    assert enrolment is not None
    totp = pyotp.TOTP(enrolment.secret)
    _, codes = await people.finish(step.token, _code(totp, clock), source=SOURCE)
    return totp, codes


def _code(totp: pyotp.TOTP, clock: ManualClock, steps: int = 0) -> str:
    """The code of now, or of so many half minutes later."""
    return totp.at(clock.now() + steps * timedelta(seconds=30))


async def _refused(people: PeopleService, token: str, code: str) -> str:
    with pytest.raises(HotlineError) as caught:
        await people.finish(token, code, source=SOURCE)
    return caught.value.code


async def _sessions(database: Database) -> int:
    async with database.read() as session:
        found: int = (await session.execute(text("SELECT count(*) FROM web_session"))).scalar_one()
        return found


async def test_there_is_no_session_before_the_code(
    database: Database, people: PeopleService, admin: int, clock: ManualClock
) -> None:
    step = await _first_step(people)
    assert step.kind == "enrol"
    assert await _sessions(database) == 0
    assert await people.actor_for_token(step.token) is None
    with pytest.raises(HotlineError, match="second_factor_required"):
        await people.authenticate("sec", PASSWORD, source=SOURCE)
    await _enrol(people, clock)
    assert await _sessions(database) == 1
    clock.advance(60)
    again = await _first_step(people)
    assert again.kind == "code"
    assert await _sessions(database) == 1


async def test_a_code_opens_one_session_and_is_never_taken_again(
    people: PeopleService, admin: int, clock: ManualClock
) -> None:
    totp, _ = await _enrol(people, clock)
    clock.advance(60)
    step, code = await _first_step(people), _code(totp, clock)
    new, shown = await people.finish(step.token, code, source=SOURCE)
    assert shown == []
    assert await people.actor_for_token(new.token) is not None
    assert new.token != step.token
    assert await _refused(people, step.token, code) == "step_over"
    replay = await _first_step(people)
    assert await _refused(people, replay.token, code) == "second_code_refused"
    earlier = _code(totp, clock, -1)
    assert await _refused(people, replay.token, earlier) == "second_code_refused"


async def test_a_clock_half_a_minute_off_is_understood_and_two_minutes_are_not(
    people: PeopleService, admin: int, clock: ManualClock
) -> None:
    totp, _ = await _enrol(people, clock)
    clock.advance(600)
    step = await _first_step(people)
    assert await _refused(people, step.token, _code(totp, clock, -4)) == "second_code_refused"
    assert await _refused(people, step.token, _code(totp, clock, 4)) == "second_code_refused"
    assert (await people.finish(step.token, _code(totp, clock, 1), source=SOURCE))[0].token


async def test_a_recovery_code_stands_in_once_however_it_is_typed(
    database: Database, people: PeopleService, admin: int, clock: ManualClock
) -> None:
    _, codes = await _enrol(people, clock)
    assert len(set(codes)) == 10
    step = await _first_step(people)
    typed = codes[3].upper().replace("-", " ")
    assert (await people.finish(step.token, typed, source=SOURCE))[0].token
    again = await _first_step(people)
    assert await _refused(people, again.token, codes[3]) == "second_code_refused"
    async with database.read() as session:
        assert (await people.second_factor.state(session, admin)).codes_left == 9
        used = await session.execute(text("SELECT count(*) FROM audit_log WHERE action = 'login.recovery'"))
        assert used.scalar_one() == 1


async def test_neither_the_secret_nor_a_code_lies_readable_in_the_database(
    database: Database, people: PeopleService, admin: int, clock: ManualClock
) -> None:
    totp, codes = await _enrol(people, clock)
    async with database.read() as session:
        stored = (await session.execute(text("SELECT secret_sealed FROM user_totp"))).scalar_one()
        hashes = (await session.execute(text("SELECT code_hash FROM recovery_code"))).scalars().all()
    assert totp.secret.encode() not in bytes(stored)
    assert not any(code.replace("-", "").encode() in bytes(one) for code in codes for one in hashes)


async def test_wrong_codes_lock_the_account_like_wrong_passwords(
    people: PeopleService, admin: int, clock: ManualClock
) -> None:
    totp, _ = await _enrol(people, clock)
    clock.advance(60)
    step = await _first_step(people)
    for _ in range(5):
        assert await _refused(people, step.token, "000000") == "second_code_refused"
    assert await _refused(people, step.token, _code(totp, clock)) == "step_over"
    with pytest.raises(HotlineError, match="account_locked"):
        await people.sign_in("sec", PASSWORD, source=SOURCE)
    clock.advance(30 * 60 + 1)
    assert (await _first_step(people)).kind == "code"


async def test_a_right_password_between_wrong_codes_gives_no_new_tries(
    people: PeopleService, admin: int, clock: ManualClock
) -> None:
    await _enrol(people, clock)
    for number in range(5):
        step = await _first_step(people)
        assert await _refused(people, step.token, f"00000{number}") == "second_code_refused"
    with pytest.raises(HotlineError, match="account_locked"):
        await people.sign_in("sec", PASSWORD, source=SOURCE)


async def test_the_second_step_ends_after_five_minutes(
    people: PeopleService, admin: int, clock: ManualClock
) -> None:
    totp, _ = await _enrol(people, clock)
    step = await _first_step(people)
    clock.advance(5 * 60 + 1)
    assert await people.step_open(step.token) is None
    assert await _refused(people, step.token, _code(totp, clock)) == "step_over"


async def test_a_reset_ends_the_sessions_and_the_next_login_enrols_anew(
    database: Database, people: PeopleService, admin: int, clock: ManualClock
) -> None:
    totp, codes = await _enrol(people, clock)
    clock.advance(60)
    new, _ = await people.finish((await _first_step(people)).token, _code(totp, clock), source=SOURCE)
    async with database.begin() as uow:
        await people.reset_totp(uow, SYSTEM, admin)
    assert await people.actor_for_token(new.token) is None
    step = await _first_step(people)
    assert step.kind == "enrol"
    for old in (_code(totp, clock), codes[0]):
        assert await _refused(people, step.token, old) == "second_code_refused"


async def test_in_development_the_password_is_enough_and_in_production_it_is_not(
    database: Database, people: PeopleService, admin: int
) -> None:
    people.second_factor._required = False
    assert (await people.authenticate("sec", PASSWORD, source=SOURCE)).token
    people.second_factor._required = True
    for role in Role:
        wanted = role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.INSPECTOR)
        assert people.second_factor.required(frozenset({role})) == wanted


async def test_a_post_with_limits_of_its_own_rests_and_lives_no_longer_than_they_say(
    people: PeopleService, admin: int, clock: ManualClock
) -> None:
    people.second_factor._required = False
    people._security = Security(post_absolute_hours={"security_admin": 1})
    resting = await people.authenticate("sec", PASSWORD, source=SOURCE)
    clock.advance(14 * 60)
    assert await people.actor_for_token(resting.token, touch=False) is not None
    clock.advance(2 * 60)
    assert await people.actor_for_token(resting.token) is None
    busy = await people.authenticate("sec", PASSWORD, source=SOURCE)
    for _ in range(5):
        clock.advance(11 * 60)
        assert await people.actor_for_token(busy.token) is not None
    clock.advance(6 * 60)
    assert await people.actor_for_token(busy.token) is None
