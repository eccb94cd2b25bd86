"""The agent's state on the page: every route, what it refuses, and what the page shows of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.clock import ManualClock
from core.people.permissions import Role
from telephony.agents import machine, store
from telephony.agents.store import SESSION
from tests.telephony.agents.rig import line_of, members, rows_of
from tests.web.conftest import PASSWORD, SYSTEM, Browser, Console

HX = {"HX-Request": "true"}
EXTENSIONS = {"a1001": "1001", "a1002": "1002"}


class Seats:
    """Two agents with telephones, and a leader."""

    def __init__(self, console: Console) -> None:
        self.console, self.ctx = console, console.ctx
        self.users: dict[str, int] = {}

    @property
    def clock(self) -> ManualClock:
        assert isinstance(self.ctx.clock, ManualClock)
        return self.ctx.clock

    async def call(self, login: str, ident: int, seconds: float) -> None:
        """A call of so many seconds that has just ended."""
        now = self.clock.now()
        leg = machine.Leg(ident, 1, talks=((now - timedelta(seconds=seconds), now),), met=True)
        async with self.ctx.db.begin() as uow:
            (held,) = await store.lock(uow, SESSION.c.user_id == self.users[login])
            assert self.ctx.agents is not None
            await store.apply(uow, held, [(now, leg)], self.ctx.agents.rules)

    async def session(self) -> int:
        """The id of some call session."""
        statement = (
            "INSERT INTO call_session (pbx, session_key, direction, caller_kind, state, queues, transfers, "
            "linkedids, started_at, version) VALUES ('pbx1', 'k1', 'inbound', 'mobile', 'ended', '[]', '[]', "
            "'[]', now(), 1) RETURNING id"
        )
        async with self.ctx.db.begin() as uow:
            return int((await uow.fetch(statement))[0]["id"])

    async def state(self, login: str) -> str:
        open_one = await rows_of(self.ctx.db, "interval", user_id=self.users[login], ended_at=None)
        return open_one[-1]["state"] if open_one else "signed_out"

    async def line(self, login: str) -> list[str]:
        return await line_of(self.ctx.db, self.users[login])


@pytest.fixture
async def seats(console: Console) -> Seats:
    made = Seats(console)
    assert made.ctx.agents is not None
    made.ctx.agents.pbxs = ("pbx1",)
    async with made.ctx.db.begin() as uow:
        actors = []
        for login, extension in EXTENSIONS.items():
            made.users[login] = await made.ctx.people.create_user(
                uow, SYSTEM, login=login, name=f"坐席{login}", password=PASSWORD,
                unit_id=console.units["hotline"], roles=frozenset({Role.AGENT}), extension=extension,
            )  # fmt: skip
            actor = await made.ctx.people.actor_for_user(uow.session, made.users[login])
            assert actor is not None
            actors.append(actor)
        await members(uow, actors, ("hotline", "dialect"))
    return made


@pytest.fixture
async def agent(seats: Seats, console: Console) -> Browser:
    return await console.signed_in("a1001")


async def test_from_signing_in_to_going(seats: Seats, agent: Browser) -> None:
    page = (await agent.get("/agent")).text
    assert "签入并示闲" in page
    assert (await agent.post("/seat/sign-in", {}, headers=HX)).status == 204
    panel = await agent.piece("state")
    assert "示闲" in panel
    assert "综合受理、方言专席" in panel
    assert (await agent.post("/seat/not-ready", {"reason": "training"}, headers=HX)).status == 204
    assert "示忙 · 培训" in await agent.piece("head")
    assert (await agent.post("/seat/ready", {}, headers=HX)).status == 204
    assert (await agent.post("/seat/sign-out", {}, headers=HX)).status == 204
    assert await seats.line("a1001") == ["ready", "not_ready:training", "ready"]


async def test_without_a_script_a_form_goes_on_to_the_seat(seats: Seats, agent: Browser) -> None:
    answer = await agent.post("/seat/sign-in", {"queues": "dialect"})
    assert (answer.status, answer.headers["Location"]) == (303, "/agent")
    (session,) = await rows_of(seats.ctx.db, "session")
    assert session["queues"] == ["dialect"]
    assert (session["paused"], session["extension"], session["pbx"]) == (False, "1001", "pbx1")


async def test_clicked_twice_is_clicked_once(seats: Seats, agent: Browser) -> None:
    for _ in range(2):
        assert (await agent.post("/seat/sign-in", {}, headers=HX)).status == 204
    for _ in range(2):
        assert (await agent.post("/seat/not-ready", {"reason": "break"}, headers=HX)).status == 204
    assert len(await rows_of(seats.ctx.db, "session")) == 1
    assert await seats.line("a1001") == ["ready", "not_ready:break"]


@pytest.mark.parametrize(
    ("path", "fields", "status", "says"),
    [
        ("/seat/not-ready", {"reason": "nonsense"}, 409, "原因"),
        ("/seat/not-ready", {"reason": ""}, 400, ""),
        ("/seat/not-ready", {"reason": "x" * 31}, 400, ""),
        ("/seat/not-ready", {"reason": "break", "user_id": "1"}, 400, ""),
        ("/seat/sign-in", {"queues": "expert"}, 409, "不能接这个队列"),
        ("/seat/ready", {"user_id": "1"}, 400, ""),
        ("/seat/wrap-up", {"act": "forever"}, 400, ""),
        ("/seat/wrap-up", {"act": "extend"}, 409, "已结束"),
        ("/seat/wrap-up", {"act": "end", "code": "registered"}, 409, "已结束"),
    ],
)
async def test_what_is_refused(
    seats: Seats, agent: Browser, path: str, fields: dict[str, str], status: int, says: str
) -> None:
    if path != "/seat/sign-in":
        await agent.post("/seat/sign-in", {}, headers=HX)
    before = await seats.line("a1001")
    answer = await agent.post(path, fields, headers=HX)
    assert answer.status in (status, 422), answer.text
    assert says in answer.text
    assert await seats.line("a1001") == before


async def test_nothing_without_signing_in(seats: Seats, agent: Browser) -> None:
    for path, fields in (
        ("/seat/ready", {}),
        ("/seat/not-ready", {"reason": "break"}),
        ("/seat/sign-out", {}),
        ("/seat/wrap-up", {}),
    ):
        answer = await agent.post(path, fields, headers=HX)
        assert (answer.status, "没有签入" in answer.text) == (409, True)


async def test_a_telephone_somebody_has_is_taken_over_by_choice_only(
    seats: Seats, agent: Browser, console: Console
) -> None:
    await agent.post("/seat/sign-in", {}, headers=HX)
    await _change_extensions(seats, {"a1001": None, "a1002": "1001"})
    other = await console.signed_in("a1002")
    refused = await other.post("/seat/sign-in", {}, headers=HX)
    assert (refused.status, "接管本机" in refused.text) == (409, True)
    assert "坐席a1001" in await other.piece("state")
    assert (await other.post("/seat/sign-in", {"take_over": "true"}, headers=HX)).status == 204
    sessions = await rows_of(seats.ctx.db, "session")
    assert [(row["user_id"], row["ended_by"]) for row in sessions] == [
        (seats.users["a1001"], "takeover"),
        (seats.users["a1002"], None),
    ]


async def test_another_telephone_of_the_same_person(seats: Seats, agent: Browser) -> None:
    await agent.post("/seat/sign-in", {}, headers=HX)
    await _change_extensions(seats, {"a1001": "1009"})
    refused = await agent.post("/seat/sign-in", {}, headers=HX)
    assert (refused.status, "另一部分机" in refused.text) == (409, True)
    assert "从原分机改到本机" in await agent.piece("state")
    assert (await agent.post("/seat/sign-in", {"take_over": "true"}, headers=HX)).status == 204
    assert [row["extension"] for row in await rows_of(seats.ctx.db, "session")] == ["1001", "1009"]


async def test_work_after_a_call_with_its_code_and_more_time(seats: Seats, agent: Browser) -> None:
    await agent.post("/seat/sign-in", {}, headers=HX)
    seats.clock.advance(60)
    await seats.call("a1001", await seats.session(), 40)
    panel = await agent.piece("state")
    assert "已登记工单" in panel
    assert "剩余" in panel
    for _ in range(2):
        assert (await agent.post("/seat/wrap-up", {"act": "extend"}, headers=HX)).status == 204
    refused = await agent.post("/seat/wrap-up", {"act": "extend"}, headers=HX)
    assert (refused.status, "不能再延长" in refused.text) == (409, True)
    fields = {"act": "end", "code": "registered"}
    for _ in range(2):
        assert (await agent.post("/seat/wrap-up", fields, headers=HX)).status == 204
    (wrap_up,) = await rows_of(seats.ctx.db, "wrap_up")
    assert (wrap_up["code"], wrap_up["extended"], wrap_up["ended_by"]) == ("registered", 2, "agent")
    assert await seats.state("a1001") == "ready"


async def test_a_code_may_come_after_the_time_is_over(seats: Seats, agent: Browser) -> None:
    await agent.post("/seat/sign-in", {}, headers=HX)
    seats.clock.advance(60)
    await seats.call("a1001", await seats.session(), 40)
    await agent.post("/seat/wrap-up", {"act": "end"}, headers=HX)
    assert "还没有小结" in await agent.piece("state")
    assert (await agent.post("/seat/wrap-up", {"act": "keep", "code": "urged"}, headers=HX)).status == 204
    (wrap_up,) = await rows_of(seats.ctx.db, "wrap_up")
    assert wrap_up["code"] == "urged"
    assert "还没有小结" not in await agent.piece("state")


async def test_the_leader_sets_others_and_it_is_in_the_audit_log(
    seats: Seats, agent: Browser, console: Console
) -> None:
    leader = await console.signed_in("shift_leader")
    base = f"/floor/agents/{seats.users['a1001']}"
    absent = await leader.post(f"{base}/ready", {}, headers=HX)
    assert (absent.status, "没有签入" in absent.text) == (409, True)
    await agent.post("/seat/sign-in", {}, headers=HX)
    for act, fields in (
        ("not-ready", {"reason": "meeting"}),
        ("ready", {}),
        ("queues", {"queues": "dialect"}),
        ("sign-out", {}),
    ):
        answer = await leader.post(f"{base}/{act}", fields, headers=HX)
        assert answer.status == 204, answer.text
    intervals = await rows_of(seats.ctx.db, "interval", user_id=seats.users["a1001"])
    assert [(row["state"], row["set_by"]) for row in intervals] == [
        ("ready", None),
        ("not_ready", console.users["shift_leader"]),
        ("ready", None),
    ]
    rows = await _audited(seats)
    assert rows == ["agent.not_ready", "agent.ready", "agent.queues", "agent.sign_out"]


@pytest.mark.parametrize("act", ["ready", "not-ready", "sign-out", "queues"])
async def test_nobody_but_a_leader_sets_others(
    seats: Seats, agent: Browser, console: Console, act: str
) -> None:
    await agent.post("/seat/sign-in", {}, headers=HX)
    other = await console.signed_in("a1002")
    fields = {"not-ready": {"reason": "break"}, "queues": {"queues": "dialect"}}.get(act, {})
    answer = await other.post(f"/floor/agents/{seats.users['a1001']}/{act}", fields, headers=HX)
    assert answer.status == 403
    assert await seats.line("a1001") == ["ready"]


async def test_a_leader_gives_no_queue_that_is_not_in_the_plan(
    seats: Seats, agent: Browser, console: Console
) -> None:
    await agent.post("/seat/sign-in", {}, headers=HX)
    leader = await console.signed_in("shift_leader")
    base = f"/floor/agents/{seats.users['a1001']}/queues"
    refused = await leader.post(base, {"queues": "expert"}, headers=HX)
    assert (refused.status, "不能接这个队列" in refused.text) == (409, True)
    none = await leader.post(base, {}, headers=HX)
    assert (none.status, "没有选队列" in none.text) == (409, True)


async def _change_extensions(seats: Seats, wanted: dict[str, str | None]) -> None:
    async with seats.ctx.db.begin() as uow:
        for login, extension in wanted.items():
            await seats.ctx.people.edit_user(
                uow, SYSTEM, seats.users[login], name=f"坐席{login}",
                unit_id=seats.console.units["hotline"], extension=extension,
            )  # fmt: skip


async def _audited(seats: Seats) -> list[Any]:
    rows = await seats.ctx.db.fetch("SELECT action FROM audit_log WHERE action LIKE 'agent.%' ORDER BY id")
    return [row["action"] for row in rows]


async def test_leaving_the_console_is_leaving_the_telephone(seats: Seats, agent: Browser) -> None:
    await agent.post("/seat/sign-in", {}, headers=HX)
    await agent.post("/logout")
    (session,) = await rows_of(seats.ctx.db, "session")
    assert session["ended_by"] == "agent"


async def test_who_is_still_there_at_another_browser_stays_at_the_telephone(
    seats: Seats, agent: Browser, console: Console
) -> None:
    second = await console.signed_in("a1001")
    await agent.post("/seat/sign-in", {}, headers=HX)
    await agent.post("/logout")
    (session,) = await rows_of(seats.ctx.db, "session")
    assert session["signed_out_at"] is None
    await second.post("/logout")
    (session,) = await rows_of(seats.ctx.db, "session")
    assert session["signed_out_at"] is not None
