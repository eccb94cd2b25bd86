"""Signing in to the portal: a code to the phone on file, a real OpenID provider; one's own data."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientError, ClientSession
from yarl import URL

from core.clock import ManualClock
from core.notify.ports import Sms
from core.openid import OpenIdClient, Step
from core.outbox import OutboxMessage
from core.settings import OpenId, Portal, Settings
from tests.helpers import eventually
from tests.web.conftest import Answer, Console
from tests.web.portal_rig import PHONE, Citizen, hidden
from tickets.citizens import finding, records
from tickets.citizens import service as citizens
from tickets.public import rights
from tickets.public.sign_in import KIND, CodeSignIn
from tickets.public.upkeep import PortalUpkeep

UNKNOWN = "13900009999"


class Post:
    """Takes text messages."""

    def __init__(self) -> None:
        self.sent: list[Sms] = []

    async def send(self, message: Sms) -> None:
        self.sent.append(message)


@pytest.fixture
async def post(console: Console) -> Post:
    """The messages of this console's sign-in."""
    made, ctx = Post(), console.ctx
    object.__setattr__(ctx, "code_sign_in", CodeSignIn(ctx.db, ctx.vault, "0773", made, "桂林"))
    return made


@pytest.fixture
async def citizen(console: Console) -> Citizen:
    await console.category()
    return Citizen(console)


async def deliver(console: Console) -> None:
    """Everything of the outbox that is a code, as the worker does it."""
    async with console.ctx.db.read() as session:
        query = sa.text("SELECT * FROM outbox WHERE kind = :kind ORDER BY id")
        rows = (await session.execute(query, {"kind": KIND})).all()
    for row in rows:
        message = OutboxMessage(row.id, row.dedup, row.kind, row.payload, 0, row.created_at)
        await console.ctx.code_sign_in.deliver(message)


async def ask(citizen: Citizen, phone: str = PHONE) -> tuple[str, Answer]:
    answer = await citizen.post("/portal/sign-in", {"phone": phone})
    assert answer.status == 200, answer.text[-800:]
    return hidden(answer.text, "step"), answer


def code_in(post: Post) -> str:
    found = re.search(r"验证码 (\d{6})", post.sent[-1].text)
    assert found is not None
    return found[1]


async def signed_in(citizen: Citizen, post: Post) -> None:
    step, _ = await ask(citizen)
    await deliver(citizen.console)
    answer = await citizen.post("/portal/sign-in/code", {"step": step, "code": code_in(post)})
    assert answer.headers.get("Location") == "/portal/mine", answer.text[-800:]


# ---- by a code ------------------------------------------------------------------------------------


async def test_the_phone_on_file_gets_a_code_that_opens_its_own_tickets(citizen: Citizen, post: Post) -> None:
    await citizen.console.ticket(title="别人的事", phone="13800005678")
    number, _ = await Citizen(citizen.console).submit(title="我的路灯")
    await signed_in(citizen, post)
    assert post.sent[0].to == PHONE
    page = (await citizen.get("/portal/mine")).text
    assert "我的路灯" in page
    assert "别人的事" not in page
    assert (await citizen.post("/portal/mine/open", {"number": number})).status == 303
    assert number in (await citizen.get("/portal/track")).text


async def test_a_foreign_number_is_not_found_even_when_signed_in(citizen: Citizen, post: Post) -> None:
    other = await citizen.console.ticket(phone="13800005678")
    await citizen.console.ticket(phone=PHONE)
    await signed_in(citizen, post)
    assert (await citizen.post("/portal/mine/open", {"number": other.number})).status == 404
    assert (await citizen.post("/portal/mine/open", {"number": "9" * 18})).status == 404


async def test_an_unknown_number_gets_the_same_page_and_no_message(citizen: Citizen, post: Post) -> None:
    await citizen.console.ticket(phone=PHONE)
    step, known = await ask(citizen)
    other, unknown = await ask(citizen, UNKNOWN)
    assert known.text.replace(step, "") == unknown.text.replace(other, "")
    assert known.status == unknown.status
    rows = "SELECT count(*) FROM outbox WHERE kind = 'citizen.login'"
    async with citizen.console.ctx.db.read() as session:
        assert (await session.execute(sa.text(rows))).scalar_one() == 2
    await deliver(citizen.console)
    assert [one.to for one in post.sent] == [PHONE]


async def test_five_wrong_codes_use_it_up_and_time_does_too(
    citizen: Citizen, post: Post, clock: ManualClock
) -> None:
    await citizen.console.ticket(phone=PHONE)
    step, _ = await ask(citizen)
    await deliver(citizen.console)
    right = code_in(post)
    wrong = "000000" if right != "000000" else "000001"
    for _ in range(5):
        answer = await citizen.post("/portal/sign-in/code", {"step": step, "code": wrong})
        assert answer.status == 422
    assert (await citizen.post("/portal/sign-in/code", {"step": step, "code": right})).status == 422
    clock.advance(61)
    step, _ = await ask(citizen)
    await deliver(citizen.console)
    clock.advance(10 * 60 + 1)
    late = await citizen.post("/portal/sign-in/code", {"step": step, "code": code_in(post)})
    assert late.status == 422


async def test_a_code_works_once_and_a_phone_gets_five_a_day(
    citizen: Citizen, post: Post, clock: ManualClock
) -> None:
    await citizen.console.ticket(phone=PHONE)
    step, _ = await ask(citizen)
    await ask(citizen)  # at once again: the same page, no second message
    await deliver(citizen.console)
    assert len(post.sent) == 1
    code = code_in(post)
    assert (await citizen.post("/portal/sign-in/code", {"step": step, "code": code})).status == 303
    other = Citizen(citizen.console)
    assert (await other.post("/portal/sign-in/code", {"step": step, "code": code})).status == 422
    post.sent.clear()
    for _ in range(6):
        clock.advance(120)
        await ask(other)
        await deliver(citizen.console)
    # Five attempts a day; the first two are above, and the first is not too old to be sent again.
    assert {one.key for one in post.sent} == {"login:1", "login:3", "login:4", "login:5"}


async def test_codes_are_braked_by_source(citizen: Citizen, post: Post) -> None:
    answers = [await citizen.post("/portal/sign-in", {"phone": f"138000010{n:02}"}) for n in range(11)]
    assert [answer.status for answer in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert (await citizen.post("/portal/sign-in", {"phone": "0773-2812345"})).status in (422, 429)


async def test_old_attempts_are_forgotten_and_their_codes_destroyed(
    citizen: Citizen, post: Post, clock: ManualClock
) -> None:
    await citizen.console.ticket(phone=PHONE)
    await signed_in(citizen, post)
    clock.advance(3 * 86400)
    await PortalUpkeep(citizen.console.ctx.db).sweep()
    async with citizen.console.ctx.db.read() as session:
        left = sa.text("SELECT (SELECT count(*) FROM citizen_login) + (SELECT count(*) FROM citizen_session)")
        assert (await session.execute(left)).scalar_one() == 0
        gone = sa.text("SELECT count(*) FROM personal_value WHERE kind = 'code' AND destroyed_at IS NOT NULL")
        assert (await session.execute(gone)).scalar_one() == 1


# ---- one's data -----------------------------------------------------------------------------------


async def test_a_request_about_ones_data_is_work_of_the_hotline_and_its_answer_comes_back(
    citizen: Citizen, post: Post
) -> None:
    await citizen.console.ticket(phone=PHONE)
    await signed_in(citizen, post)
    page = (await citizen.get("/portal/mine")).text
    form = {"key": hidden(page, "key"), "kind": "correct", "text": "称呼写错了，应为王晓明"}
    assert (await citizen.post("/portal/mine/data", form)).status == 303
    assert (await citizen.post("/portal/mine/data", form)).status == 303
    empty = await citizen.post("/portal/mine/data", {"key": "k" * 20, "kind": "correct", "text": ""})
    assert empty.status == 422
    leader = await citizen.console.signed_in("shift_leader")
    work = (await leader.get("/data-requests")).text
    assert work.count("应为王晓明") == 1
    assert PHONE not in work
    path = re.search(r'action="(/data-requests/\d+)"', work)
    assert path is not None
    decided = {"version": "1", "outcome": "done", "answer": "已更正称呼。"}
    assert (await leader.post(path[1], decided)).status == 303
    assert (await leader.post(path[1], decided | {"answer": "改主意"})).status == 409
    assert "已更正称呼。" in (await citizen.get("/portal/mine")).text
    agent = await citizen.console.signed_in("agent")
    assert (await agent.get("/data-requests")).status == 403


async def test_deleting_a_citizen_takes_his_requests_texts_and_browsers_along(
    citizen: Citizen, post: Post, console: Console
) -> None:
    number, _ = await citizen.submit()
    await signed_in(citizen, post)
    form = {"key": "k" * 20, "kind": "delete", "text": "我是王小明，请删除"}
    assert (await citizen.post("/portal/mine/data", form)).status == 303
    assert (await citizen.post("/portal/mine/open", {"number": number})).status == 303
    assert (await citizen.act("withdraw", "不办了")).status == 303
    ctx = console.ctx
    ctx.db.bus.within(rights_event(), rights.on_forgotten)
    async with ctx.db.begin() as uow:
        audit_admin = await ctx.people.actor_for_user(uow.session, console.users["audit_admin"])
        assert audit_admin is not None
        ref = await ctx.vault.find(uow.session, "phone", PHONE)
        assert ref is not None
        ident = await records.ensure(uow, ref)
        assert ident in await finding.of_phone(uow, ctx.vault, PHONE)
        await citizens.forget(uow, audit_admin, ident)
    assert (await citizen.get("/portal/mine")).status == 303
    async with ctx.db.read() as session:
        left = sa.text("SELECT count(*) FROM personal_value WHERE kind = 'note' AND destroyed_at IS NULL")
        assert (await session.execute(left)).scalar_one() == 0


def rights_event() -> Any:
    from tickets.citizens.events import CitizenForgotten

    return CitizenForgotten


# ---- through a provider ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[str]:
    """A real OpenID provider in a process of its own (its libraries warn, and warnings are errors here)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--host", "127.0.0.1"]
    quiet = asyncio.subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    base = f"http://127.0.0.1:{port}"
    try:
        async with ClientSession() as session:
            await eventually(lambda: answers(session, base), within=30, what="the provider answers")
        yield base
    finally:
        running.terminate()
        await running.wait()


async def answers(session: ClientSession, base: str) -> bool:
    try:
        async with session.get(f"{base}/.well-known/openid-configuration") as got:
            return got.status == 200
    except ClientError:
        return False


@pytest.fixture
def web_settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    if "provider" not in request.fixturenames:
        return settings
    openid = OpenId(
        issuer=request.getfixturevalue("provider"), client_id="hotline", scope="openid profile phone"
    )
    secrets = settings.secrets.model_copy(update={"openid_secret": "a-secret-of-the-tests"})
    return settings.model_copy(update={"portal": Portal(openid=openid), "secrets": secrets})


async def through(citizen: Citizen, provider: str, subject: str, phone: str | None) -> str:
    """Go to the provider and sign in there; returns the address it sends the browser back to."""
    claims: dict[str, Any] = {"phone_number": phone, "phone_number_verified": True} if phone else {}
    async with ClientSession() as session:
        put = session.put(f"{provider}/users/{subject}", json=claims)
        async with put as got:
            assert got.status < 300, await got.text()
        answer = await citizen.post("/portal/sign-in/provider")
        assert answer.status == 303, answer.text[-800:]
        login = session.post(answer.headers["Location"], data={"sub": subject}, allow_redirects=False)
        async with login as got:
            assert got.status in (302, 303), await got.text()
            back = URL(got.headers["Location"])
    return f"{back.path}?{back.raw_query_string}"


async def test_a_provider_signs_in_and_its_verified_phone_opens_the_tickets(
    citizen: Citizen, provider: str
) -> None:
    await citizen.console.ticket(title="我的路灯", phone=PHONE)
    assert "统一身份认证" in (await citizen.get("/portal/sign-in")).text
    back = await through(citizen, provider, "wang", PHONE)
    answer = await citizen.get(back)
    assert answer.headers.get("Location") == "/portal/mine", answer.text[-800:]
    assert "我的路灯" in (await citizen.get("/portal/mine")).text


async def test_without_a_phone_he_sees_what_he_sent_while_signed_in(citizen: Citizen, provider: str) -> None:
    await citizen.console.ticket(title="别人的事", phone=PHONE)
    await citizen.get(await through(citizen, provider, "li", None))
    await citizen.submit(title="我自己的事")
    later = Citizen(citizen.console)
    await later.get(await through(later, provider, "li", None))
    page = (await later.get("/portal/mine")).text
    assert "我自己的事" in page
    assert "别人的事" not in page
    stranger = Citizen(citizen.console)
    await stranger.get(await through(stranger, provider, "zhang", None))
    assert "我自己的事" not in (await stranger.get("/portal/mine")).text


async def test_what_comes_back_belongs_to_the_browser_that_went(citizen: Citizen, provider: str) -> None:
    back = await through(citizen, provider, "wang", PHONE)
    other = Citizen(citizen.console)
    assert (await other.get(back)).status == 403
    state = URL(back).query["state"]
    assert (await citizen.get(back.replace(state, "x" * len(state)))).status == 403
    assert (await citizen.get("/portal/sign-in/back?error=access_denied&state=x")).status == 403
    assert (await citizen.get(back)).status == 303


async def test_a_code_of_the_provider_works_once(citizen: Citizen, provider: str) -> None:
    answer = await citizen.post("/portal/sign-in/provider")
    client = OpenIdClient(
        OpenId(issuer=provider, client_id="hotline"), citizen.console.ctx.settings.secrets.openid_secret
    )
    assert answer.status == 303
    target, step = await client.start("http://127.0.0.1/back")
    async with (
        ClientSession() as session,
        session.post(target, data={"sub": "once"}, allow_redirects=False) as got,
    ):
        code = URL(got.headers["Location"]).query["code"]
    person = await client.finish(step, state=step.state, code=code, redirect="http://127.0.0.1/back")
    assert person.subject == "once"
    with pytest.raises(Exception, match="openid_refused"):
        await client.finish(step, state=step.state, code=code, redirect="http://127.0.0.1/back")


async def test_a_token_for_another_nonce_is_refused(provider: str) -> None:
    client = OpenIdClient(OpenId(issuer=provider, client_id="hotline"), "a-secret-of-the-tests")
    target, step = await client.start("http://127.0.0.1/back")
    async with (
        ClientSession() as session,
        session.post(target, data={"sub": "nonce"}, allow_redirects=False) as got,
    ):
        code = URL(got.headers["Location"]).query["code"]
    other = Step(step.state, "n" * 32, step.verifier)
    with pytest.raises(Exception, match="openid_refused"):
        await client.finish(other, state=step.state, code=code, redirect="http://127.0.0.1/back")


async def test_a_provider_out_of_reach_leaves_the_other_way(console: Console) -> None:
    client = OpenIdClient(OpenId(issuer="http://127.0.0.1:9", client_id="hotline"), "")
    with pytest.raises(Exception, match="openid_failed"):
        await client.start("http://127.0.0.1/back")
