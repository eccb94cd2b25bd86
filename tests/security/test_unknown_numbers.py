"""Unknown numbers cost the same work as known ones with a wrong code, wherever somebody may try.

Times are measured by `bench/unknown_numbers.py`; here what takes the time is counted: questions to the
database, passwords hashed, values unsealed, codes compared.
"""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession
from argon2 import PasswordHasher

from core.driver import Link
from core.people.machines import Scope
from core.privacy import Vault
from core.settings import Settings
from routing.phone_status import PhoneStatus
from telephony.enquiries import Enquiry
from tests.web.conftest import PASSWORD, Answer, Console
from tests.web.portal_rig import Citizen, hidden
from tests.web.test_kiosk import token_of
from tickets import query_codes
from tickets.service import NewTicket

UNKNOWN = "450320261123999999"
TRIES = 6  # the fifth locks, the sixth meets the lock
ACCOUNT, NOBODY = "road_officer", "road_nobody_"
PHONE, NO_PHONE = "13800001234", "13900009999"


@dataclass
class Work:
    """What was done, in the order in which it was asked for: the first words of every statement, and how
    often something was computed."""

    asked: list[str] = field(default_factory=list)
    computed: Counter[str] = field(default_factory=Counter)


class Counting:
    """Counts the work of everything that happens within `during`."""

    def __init__(self, console: Console, patch: pytest.MonkeyPatch) -> None:
        self._work: Work | None = None
        engine = console.ctx.db.engine.sync_engine
        sa.event.listen(engine, "before_cursor_execute", lambda *told: self._ask(told[2]))
        fetch = Link.fetch

        async def fetched(link: Link, statement: str, values: Any) -> list[Any]:
            self._ask(statement)
            return await fetch(link, statement, values)

        patch.setattr(Link, "fetch", fetched)
        self._count(patch, hmac, "compare_digest")
        self._count(patch, PasswordHasher, "verify")
        self._count(patch, Vault, "_decrypt", static=True)
        self._count(patch, Vault, "blind")

    @contextmanager
    def during(self) -> Iterator[Work]:
        self._work = work = Work()
        yield work
        self._work = None

    def _ask(self, statement: str) -> None:
        if self._work is not None:
            self._work.asked.append(" ".join(re.sub(r"[^\w.]+", " ", statement).split()[:3]))

    def _count(self, patch: pytest.MonkeyPatch, owner: Any, name: str, *, static: bool = False) -> None:
        original = getattr(owner, name)

        def counted(*values: Any) -> Any:
            if self._work is not None:
                self._work.computed[name] += 1
            return original(*values)

        patch.setattr(owner, name, staticmethod(counted) if static else counted)


Try = Callable[[str], Awaitable[Answer]]


@pytest.fixture
def counting(console: Console, monkeypatch: pytest.MonkeyPatch) -> Counting:
    return Counting(console, monkeypatch)


@pytest.fixture
def web_settings(settings: Settings) -> Settings:
    """The brakes per source are tried elsewhere; here nothing shall stand before the look."""
    portal = settings.portal.model_copy(update={"lookups_per_minute": 1000, "codes_per_hour": 1000})
    security = settings.security.model_copy(update={"source_failures_per_minute": 1000})
    return settings.model_copy(update={"portal": portal, "security": security})


def wrong(made: NewTicket) -> str:
    return "000000" if made.query_code != "000000" else "111111"


async def alike(counting: Counting, attempt: Try, known: str, unknown: str, tries: int = TRIES) -> list[int]:
    """Both are answered alike after the same work, try by try; returns the statuses."""
    for name in ("4" * 18, "somebody"):
        await attempt(name)  # what is loaded once is loaded
    statuses = []
    for _ in range(tries):
        with counting.during() as first:
            there = await attempt(known)
        with counting.during() as second:
            nowhere = await attempt(unknown)
        assert first.asked, "nothing was counted"
        assert first == second
        assert there.status == nowhere.status
        assert plain(there.text, known) == plain(nowhere.text, unknown)
        statuses.append(there.status)
    return statuses


def plain(text: str, name: str) -> str:
    """An answer without what was typed and what no two pages share."""
    text = re.sub(r'"request_id": "[^"]*"|"[\w:/-]{12,}"', "", text)
    return text.replace(name, "…")


# ---- number and code ---------------------------------------------------------------------------------


async def test_following_a_ticket_at_the_portal(console: Console, counting: Counting) -> None:
    made, citizen = await console.ticket(), Citizen(console)
    await alike(counting, lambda number: citizen.look(number, wrong(made)), made.number, UNKNOWN)
    assert (await citizen.look(made.number, made.query_code)).status == 429  # the right code, too


async def test_the_try_that_locks_a_number_for_everybody(console: Console, counting: Counting) -> None:
    made, ctx = await console.ticket(), console.ctx

    async def attempt(number: str, place: int) -> int | None:
        async with ctx.db.begin() as uow:
            return await query_codes.look_up(
                uow, ctx.vault, number=number, code=wrong(made), source=f"203.0.113.{place}"
            )

    for turn in range(query_codes.TRIES_IN_ALL):
        with counting.during() as first:
            assert await attempt(made.number, turn // 5) is None
        with counting.during() as second:
            assert await attempt(UNKNOWN, turn // 5) is None
        assert first == second
    query = "SELECT count(*), count(object_id) FROM audit_log WHERE action = 'query_code.locked'"
    async with ctx.db.read() as session:
        assert tuple((await session.execute(sa.text(query))).one()) == (2, 1)
        told = "SELECT count(*), count(ticket_id) FROM notification WHERE kind = 'code_locked'"
        everybody, of_a_ticket = (await session.execute(sa.text(told))).one()
    assert everybody == of_a_ticket > 0


async def test_a_code_that_was_destroyed_is_a_wrong_one_like_any(
    console: Console, counting: Counting
) -> None:
    made, citizen = await console.ticket(), Citizen(console)
    gone = "SELECT query_code_ref FROM ticket WHERE id = :id"
    async with console.ctx.db.begin() as uow:
        ref = (await uow.session.execute(sa.text(gone), {"id": made.id})).scalar_one()
        await Vault.destroy(uow, [ref])
    await alike(counting, lambda number: citizen.look(number, made.query_code), made.number, UNKNOWN)


async def test_what_cannot_be_a_number_locks_its_source_and_nobody_else(console: Console) -> None:
    ctx = console.ctx
    for turn in range(60):
        async with ctx.db.begin() as uow:
            typed, source = f"12345{turn}", f"203.0.113.{turn // 5}"
            assert await query_codes.look_up(uow, ctx.vault, number=typed, code="1", source=source) is None


async def test_asking_at_a_kiosk(console: Console, counting: Counting) -> None:
    made, token = await console.ticket(), await token_of(console)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    async def attempt(number: str) -> Answer:
        form = {"number": number, "code": wrong(made)}
        async with (
            ClientSession() as session,
            session.post(f"{console.base}/kiosk/track", data=form, headers=headers) as got,
        ):
            return await Answer.of(got)

    await alike(counting, attempt, made.number, UNKNOWN)


async def test_asking_by_the_keys_of_a_telephone(console: Console, counting: Counting) -> None:
    made, status = await console.ticket(), PhoneStatus(console.ctx.db, console.ctx.vault, "0773")
    for attempt in range(1, TRIES + 1):
        found = []
        for number in (made.number, UNKNOWN):
            asked = Enquiry("pbx1", "SIP/1", number, attempt, PHONE, number, wrong(made))
            with counting.during() as work:
                word = (await status.answer(asked)).word
            found.append((word, work))
        assert found[0] == found[1]
    assert found[0][0] == "locked"


async def test_rating_with_number_and_code(console: Console, counting: Counting) -> None:
    made, browser = await console.ticket(), console.browser()

    async def attempt(number: str) -> Answer:
        form = {"number": number, "code": wrong(made), "stars": "5"}
        return await browser.post("/intermediaries/rate", form)

    await alike(counting, attempt, made.number, UNKNOWN)


async def test_numbers_others_may_not_see_are_unknown_to_them(console: Console, counting: Counting) -> None:
    """Open311 shows no sealed matter, the interface for machines none of another unit."""
    made, browser = await console.ticket(type="report", confidentiality="anonymous"), console.browser()
    await alike(
        counting, lambda number: browser.get(f"/open311/v2/requests/{number}.json"), made.number, UNKNOWN
    )
    token = await token_of(console, "road", Scope.TICKETS_READ)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    statuses = await alike(
        counting,
        lambda number: browser.get(f"/api/v1/tickets/{number}", headers=headers),
        made.number,
        UNKNOWN,
    )
    assert set(statuses) == {404}


# ---- signing in --------------------------------------------------------------------------------------


async def test_signing_in_to_the_console(console: Console, counting: Counting) -> None:
    browser = console.browser()
    await alike(counting, lambda login: browser.sign_in(login, "Wrong-Horse-8"), ACCOUNT, NOBODY)
    refused = await browser.sign_in(ACCOUNT, PASSWORD)
    assert "锁定" in refused.text  # told only to who knows the password


async def test_a_code_to_a_phone_nobody_left(console: Console, counting: Counting) -> None:
    await console.ticket(phone=PHONE)
    citizen = Citizen(console)
    await alike(counting, lambda phone: citizen.post("/portal/sign-in", {"phone": phone}), PHONE, NO_PHONE)
    steps = {}
    for phone in (PHONE, NO_PHONE):
        steps[phone] = hidden((await citizen.post("/portal/sign-in", {"phone": phone})).text, "step")

    async def attempt(phone: str) -> Answer:
        return await citizen.post("/portal/sign-in/code", {"step": steps.get(phone, "x" * 32), "code": "1"})

    await alike(counting, attempt, PHONE, NO_PHONE)
