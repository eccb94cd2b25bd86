"""The live connection: who hears what, catching up, and what ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from sqlalchemy import text

from core.clock import ManualClock
from core.db import Database
from core.event_log import EventTail, LoggedEvent
from core.events import Audience
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Permission, Role, permissions_of
from core.relay import NUMBER_EVENTS
from tests.helpers import eventually
from tests.web.conftest import Browser, Console
from web import live
from web.app import make_app
from web.live import HUB
from web.security.policy import Recipient, may_hear
from web.sockets import QUEUE_LIMIT, Listeners, Socket, event_frame


async def number(db: Database) -> None:
    """What the relay does."""
    async with db.begin() as uow:
        await uow.session.execute(NUMBER_EVENTS, {"batch": 1000})


@pytest.fixture
async def tail(console: Console) -> AsyncIterator[EventTail]:
    """The console's tail, following the log."""
    task = asyncio.create_task(console.ctx.tail.run())
    await eventually(lambda: console.ctx.tail.following, what="the tail has found where the log ends")
    yield console.ctx.tail
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def connected(
    console: Console, browser: Browser, query: str = "", **headers: str
) -> AsyncIterator[ClientWebSocketResponse]:
    """A socket that has been greeted."""
    own = {"Origin": console.base, **headers}
    async with browser.session.ws_connect(console.base + "/live" + query, headers=own) as socket:
        hello = await heard(socket)
        assert hello["t"] == "hello"
        yield socket


async def heard(socket: ClientWebSocketResponse) -> dict[str, Any]:
    """The next frame."""
    message = await socket.receive(timeout=5)
    assert message.type is WSMsgType.TEXT, message
    frame: dict[str, Any] = json.loads(message.data)
    return frame


async def ended(socket: ClientWebSocketResponse) -> int:
    """Read until the server closes; returns the code."""
    while (message := await socket.receive(timeout=5)).type is WSMsgType.TEXT:
        pass
    assert message.type is WSMsgType.CLOSE, message
    return int(message.data)


async def test_the_department_hears_of_a_dispatch_and_others_do_not(
    console: Console, tail: EventTail
) -> None:
    own = await console.signed_in("dept_officer")
    other = await console.signed_in("road_officer")
    async with connected(console, own) as ours, connected(console, other) as theirs:
        made = await console.ticket("water")
        await number(console.ctx.db)
        frame = await heard(ours)
        assert (frame["t"], frame["topic"], frame["kind"], frame["ref"]) == (
            "event", "ticket", "dispatched", made.id,
        )  # fmt: skip
        assert "audience" not in frame
        await console.ticket("road")
        await number(console.ctx.db)
        assert (await heard(theirs))["ref"] == made.id + 1


async def test_who_stood_above_a_unit_that_moved_away_hears_nothing_of_it_any_more(
    console: Console, tail: EventTail
) -> None:
    browser = await console.signed_in("dept_officer")
    async with console.ctx.db.begin() as uow:
        admin = await console.ctx.people.actor_for_user(uow.session, console.users["system_admin"])
        assert admin is not None
        below = await org.add(
            uow, admin, parent_id=console.units["water"], kind="bureau", name="水厂", code="plant"
        )
    async with connected(console, browser) as socket:
        async with console.ctx.db.begin() as uow:
            await org.move(uow, admin, below.id, console.units["road"])
        await number(console.ctx.db)
        assert await heard(socket) == {"t": "bye", "code": "tree_changed"}
        assert await ended(socket) == live.CLOSE_AWAY
    async with connected(console, browser, f"?after={tail.position}") as socket:
        console.units["plant"] = below.id
        await console.ticket("plant")
        last = await console.ticket("water")
        await number(console.ctx.db)
        assert (await heard(socket))["ref"] == last.id


async def test_a_browser_that_comes_back_gets_what_it_missed_and_nothing_else(
    console: Console, tail: EventTail
) -> None:
    browser = await console.signed_in("dept_officer")
    first = await console.ticket("water")
    await number(console.ctx.db)
    await eventually(lambda: tail.position >= 2)
    seen = tail.position
    second = await console.ticket("water")
    await console.ticket("road")
    await number(console.ctx.db)
    await eventually(lambda: tail.position >= seen + 4)
    async with connected(console, browser, f"?after={seen}") as socket:
        frame = await heard(socket)
        assert (frame["t"], frame["ref"]) == ("event", second.id)
        assert (await heard(socket)) == {"t": "ping", "seq": tail.position}
    assert first.id != second.id


async def test_who_missed_too_much_is_told_to_fetch_the_page_anew(console: Console, tail: EventTail) -> None:
    limit = console.ctx.settings.live.catch_up_limit
    values = {"n": limit + 1, "at": console.ctx.clock.now()}
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            text(
                "INSERT INTO event_log (seq, at, topic, kind, ref, version, audience, data) "
                "SELECT n, :at, 'ticket', 'changed', n, 1, '{}', '{}' FROM generate_series(1, :n) AS n"
            ),
            values,
        )
    await eventually(lambda: tail.position == limit + 1)
    browser = await console.signed_in("dept_officer")
    async with connected(console, browser, "?after=0") as socket:
        assert await heard(socket) == {"t": "reset", "seq": limit + 1}


async def test_an_impossible_place_in_the_log_is_refused(console: Console) -> None:
    browser = await console.signed_in("agent")
    for query in ("?after=-1", "?after=x", "?after=99999999999999999999", "?other=1"):
        assert (await browser.get("/live" + query)).status == 400


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
async def test_a_handshake_from_another_site_is_refused(console: Console, origin: str) -> None:
    browser = await console.signed_in("agent")
    with pytest.raises(WSServerHandshakeError) as refused:
        await browser.session.ws_connect(console.base + "/live", headers={"Origin": origin})
    assert refused.value.status == 403


async def test_a_handshake_without_a_session_is_refused(console: Console) -> None:
    browser = console.browser()
    with pytest.raises(WSServerHandshakeError) as refused:
        await browser.session.ws_connect(console.base + "/live", headers={"Origin": console.base})
    assert refused.value.status == 401


async def test_logging_out_closes_the_sockets_of_that_session_only(console: Console, tail: EventTail) -> None:
    here, elsewhere = await console.signed_in("agent"), await console.signed_in("agent")
    async with connected(console, here) as mine, connected(console, elsewhere) as kept:
        await here.post("/logout")
        await number(console.ctx.db)
        assert await ended(mine) == live.CLOSE_ENDED
        await kept.send_str("?")
        assert (await heard(kept))["t"] == "error"


@pytest.mark.parametrize("how", ["roles", "disable"])
async def test_a_change_of_rights_closes_every_socket_of_the_person(
    console: Console, tail: EventTail, how: str
) -> None:
    people, system, user = console.ctx.people, Actor.system("tests"), console.users["agent"]
    browser = await console.signed_in("agent")
    async with connected(console, browser) as one, connected(console, browser) as two:
        async with console.ctx.db.begin() as uow:
            if how == "roles":
                await people.set_roles(uow, system, user, frozenset({Role.DISPATCHER}))
            else:
                await people.disable_user(uow, system, user)
        await number(console.ctx.db)
        assert await ended(one) == await ended(two) == live.CLOSE_ENDED


async def test_a_socket_does_not_outlive_a_session_that_rested_too_long(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SWEEP_SECONDS", 0.01)
    clock = console.ctx.clock
    assert isinstance(clock, ManualClock)
    app = make_app(console.ctx)
    running = app[HUB].running(app)
    await anext(running)
    browser = await console.signed_in("agent")
    hub: live.LiveHub = console.server.app[HUB]
    monkeypatch.setattr(app[HUB], "sockets", hub.sockets)
    async with connected(console, browser) as socket:
        clock.advance(console.ctx.settings.security.seat_idle_minutes * 60 + 1)
        assert await ended(socket) == live.CLOSE_ENDED
    with suppress(StopAsyncIteration):
        await anext(running)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{}",
        "null",
        "[1,2",
        '{"t":"subscribe","topic":"*"}',
        '{"t":"pong","x":1}',
        "<script>",
        "\u0000",
        "ä" * 500,
    ],
)
async def test_a_frame_that_is_not_understood_gets_a_fixed_code_and_no_echo(
    console: Console, frame: str
) -> None:
    browser = await console.signed_in("agent")
    async with connected(console, browser) as socket:
        await socket.send_str(frame)
        assert await heard(socket) == {"t": "error", "code": "bad_frame"}


async def test_a_binary_frame_gets_the_same_code(console: Console) -> None:
    browser = await console.signed_in("agent")
    async with connected(console, browser) as socket:
        await socket.send_bytes(b"\x80\x04\x95")
        assert await heard(socket) == {"t": "error", "code": "bad_frame"}


async def test_a_huge_frame_ends_the_socket_and_the_node_lives_on(console: Console) -> None:
    browser = await console.signed_in("agent")
    async with connected(console, browser) as socket:
        await socket.send_str("x" * 1_000_000)
        assert await ended(socket) == 1009
    async with connected(console, browser) as again:
        await again.send_str("?")
        assert (await heard(again))["code"] == "bad_frame"


async def test_somebody_who_keeps_sending_nonsense_is_sent_away(console: Console) -> None:
    browser = await console.signed_in("agent")
    async with connected(console, browser) as socket:
        for _ in range(live.MAX_MISTAKES + 1):
            await socket.send_str("nonsense")
        assert await ended(socket) == live.CLOSE_REFUSED


async def test_one_session_cannot_open_sockets_without_end(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SOCKETS_PER_SESSION", 1)
    browser = await console.signed_in("agent")
    async with connected(console, browser):
        with pytest.raises(WSServerHandshakeError) as refused:
            await browser.session.ws_connect(console.base + "/live", headers={"Origin": console.base})
        assert refused.value.status == 429


def with_a_short_heartbeat(console: Console, monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    hub: live.LiveHub = console.server.app[HUB]
    monkeypatch.setattr(hub, "_live", hub._live.model_copy(update={"heartbeat_seconds": 0.05}))
    assert isinstance(console.ctx.clock, ManualClock)
    return console.ctx.clock


async def test_a_tab_that_was_busy_for_long_is_asked_and_not_dropped_when_it_grows_quiet(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = with_a_short_heartbeat(console, monkeypatch)
    async with connected(console, await console.signed_in("agent")) as socket:
        for _ in range(3):
            clock.advance(3600)
            assert (await heard(socket))["t"] == "ping"
            await socket.send_str('{"t":"pong"}')
            await eventually(lambda: all(one.unanswered is None for one in console.server.app[HUB].sockets))


async def test_a_tab_that_does_not_answer_is_taken_for_dead(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = with_a_short_heartbeat(console, monkeypatch)
    async with connected(console, await console.signed_in("agent")) as socket:
        assert (await heard(socket))["t"] == "ping"
        clock.advance(60)
        assert await ended(socket) == live.CLOSE_AWAY


async def test_a_closed_socket_is_forgotten(console: Console) -> None:
    browser = await console.signed_in("agent")
    hub: live.LiveHub = console.server.app[HUB]
    async with connected(console, browser):
        assert len(hub.sockets) == 1
    await eventually(lambda: not hub.sockets)


# ---- without a network ------------------------------------------------------------------------


def _actor(*permissions: Permission, user_id: int = 7) -> Actor:
    return Actor(user_id, "x", "x", frozenset(), frozenset(permissions), 5, ".1.5.", "x", None, 1)


def _event(seq: int, **audience: Any) -> LoggedEvent:
    at = ManualClock.__new__(ManualClock)  # the instant is not looked at
    return LoggedEvent(seq, at, "ticket", "changed", 3, 1, Audience(**audience), {})  # type: ignore[arg-type]  # see above


def test_a_reader_that_is_too_slow_gets_one_reset_instead_of_a_full_memory() -> None:
    socket = Socket(Recipient(_actor(), frozenset()), after=0)
    for seq in range(1, QUEUE_LIMIT + 2):
        socket.push(event_frame(_event(seq, users=(7,))))
    assert socket.frames.qsize() == 1
    assert json.loads(socket.frames.get_nowait().text) == {"t": "reset", "seq": QUEUE_LIMIT + 1}


async def test_a_tab_that_comes_while_its_session_could_not_be_asked_about_stays(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make_app(console.ctx)[HUB]
    people = (replace(_actor(), session_id=session) for session in (1, 2, 3))
    old, gone, new = (Socket(Recipient(one, frozenset()), after=0) for one in people)
    hub.sockets.update((old, gone))
    asked: list[set[int]] = []

    async def living(_ctx: object, ids: set[int]) -> set[int]:
        hub.sockets.add(new)  # signed in while the database answers
        asked.append(ids)
        return ids & {1, 3}

    monkeypatch.setattr(live, "SWEEP_SECONDS", 0)
    monkeypatch.setattr(live, "living_sessions", living)
    running = asyncio.create_task(hub._sweep())
    await eventually(lambda: bool(asked), what="sessions were asked about")
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert asked[0] == {1, 2}
    assert not gone.frames.empty()
    assert old.frames.empty()
    assert new.frames.empty()


def test_a_goodbye_goes_before_everything_that_waits() -> None:
    socket = Socket(Recipient(_actor(), frozenset()), after=0)
    socket.push(event_frame(_event(1, users=(7,))))
    socket.end("session_ended")
    assert json.loads(socket.frames.get_nowait().text) == {"t": "bye", "code": "session_ended"}
    assert socket.frames.empty()


@pytest.mark.parametrize("role", list(Role))
def test_every_role_hears_exactly_what_its_permissions_name(role: Role) -> None:
    held = permissions_of(frozenset({role}))
    listener = Recipient(_actor(*held), frozenset({5}))
    for permission in Permission:
        assert may_hear(listener, Audience(permissions=(str(permission),))) == (permission in held)
    assert may_hear(listener, Audience(users=(7,)))
    assert not may_hear(listener, Audience(users=(8,)))
    assert not may_hear(listener, Audience(units=(6,)))
    assert may_hear(listener, Audience(units=(5,))) == (Permission.TICKET_READ_UNIT in held)
    assert not may_hear(listener, Audience())


def test_listeners_are_found_exactly_as_the_policy_says() -> None:
    draw, listeners = Random(8), Listeners()
    every = list(Permission)
    sockets = []
    for number in range(120):
        held = draw.sample(every, draw.randrange(4)) + [Permission.TICKET_READ_UNIT] * draw.randrange(2)
        units = frozenset(draw.sample(range(1, 6), draw.randrange(3)))
        user = draw.choice((None, number % 40 + 1))
        sockets.append(Socket(Recipient(replace(_actor(*held), user_id=user), units), after=0))
        listeners.add(sockets[-1])
    for gone in draw.sample(sockets, 30):
        listeners.remove(gone)
        sockets.remove(gone)
    for _ in range(200):
        audience = Audience(
            tuple(draw.sample(range(1, 45), draw.randrange(3))),
            tuple(draw.sample(range(1, 8), draw.randrange(3))),
            tuple(map(str, draw.sample(every, draw.randrange(2)))),
        )
        assert listeners.of(audience) == {one for one in sockets if may_hear(one.recipient, audience)}
