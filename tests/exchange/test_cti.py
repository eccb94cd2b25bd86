"""Calls that a PBX pushes: the same sessions, drafts and call-backs as those of Asterisk.

One of the clients is a stranger's, `py-zammad-cti`, as it comes; it needs no shim.
"""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from zammad_cti import CTIClient

from core.errors import HotlineError
from core.people.machines import Kind, Scope
from core.people.models import User
from telephony.models import CallLeg, CallSession
from telephony.push import course, terms
from telephony.push.course import PushFacts
from telephony.push.models import PushCall
from telephony.push.terms import PushEvent, PushKind
from tests.exchange.conftest import City, Client
from tickets.models import CallbackTask, TicketDraft

NUMBER = "13800001234"


async def pbx(city: City) -> Client:
    """A PBX that may push; extension 1001 is the agent's."""
    async with city.ctx.db.begin() as uow:
        agent = await uow.session.get(User, city.console.users["agent"])
        assert agent is not None
        agent.extension = "1001"
        uow.session.add(agent)
    return await city.client("west", Scope.CTI, kind=Kind.PBX)


async def rows(city: City, model: Any) -> list[Any]:
    async with city.ctx.db.read() as session:
        return list((await session.execute(select(model))).scalars())


async def test_a_strangers_client_takes_a_call_to_a_draft(city: City) -> None:
    client = await pbx(city)
    stranger = CTIClient(f"{city.base}/api/v1/cti/{client.token}")
    call: dict[str, Any] = {"_from": NUMBER, "to": "12345", "direction": "in", "call_id": "a-1"}

    def talk() -> list[Any]:
        return [
            stranger.new_call(**call, user=["张三"], queue="main"),
            stranger.answer(**call, answering_number="1001"),
            stranger.hangup(**call, cause="normalClearing", answering_number="1001"),
        ]

    assert await asyncio.to_thread(talk) == [{}, {}, {}]
    (session,) = await rows(city, CallSession)
    assert (session.pbx, session.direction, session.state) == ("push:west", "inbound", "ended")
    assert (session.outcome, session.queues, session.first_extension) == ("answered", ["main"], "1001")
    assert session.caller_ref is not None
    (draft,) = await rows(city, TicketDraft)
    assert (draft.call_session_id, draft.owner_id) == (session.id, city.console.users["agent"])
    (leg,) = await rows(city, CallLeg)
    assert (leg.extension, leg.state, leg.user_id) == ("1001", "ended", city.console.users["agent"])


async def test_events_that_carry_only_the_id_of_their_call_go_on_with_it(city: City) -> None:
    client = await pbx(city)
    path = f"/api/v1/cti/{client.token}"
    first = {"event": "newCall", "callId": "7", "from": NUMBER, "to": "1001", "direction": "in"}
    for event in (first, {"event": "answer", "callId": "7"}, {"event": "hangup", "callId": "7"}):
        for _ in range(2):  # a PBX that heard no answer sends it again
            answer = await client.post(path, event)
            assert (answer.status, answer.text) == (200, "{}")
    (session,) = await rows(city, CallSession)
    assert (session.outcome, session.first_extension) == ("answered", "1001")
    assert len(await rows(city, TicketDraft)) == 1


async def test_who_gave_up_waiting_is_called_back(city: City) -> None:
    client = await pbx(city)
    path = f"/api/v1/cti/{client.token}"
    first = {"event": "newCall", "callId": "8", "from": NUMBER, "to": "12345", "queue": "main"}
    await client.post(path, first)
    await client.post(path, {"event": "hangup", "callId": "8", "cause": "cancel"})
    (session,) = await rows(city, CallSession)
    assert session.outcome == "abandoned"
    (task,) = await rows(city, CallbackTask)
    assert task.caller_ref == session.caller_ref


async def test_a_call_of_ours_is_outbound_and_makes_no_draft(city: City) -> None:
    client = await pbx(city)
    path = f"/api/v1/cti/{client.token}"
    call = {"callId": "9", "from": "1001", "to": NUMBER, "direction": "out"}
    await client.post(path, {"event": "newCall", **call})
    await client.post(path, {"event": "hangup", **call, "cause": "busy"})
    (session,) = await rows(city, CallSession)
    assert (session.direction, session.outcome) == ("outbound", "citizen_busy")
    assert await rows(city, TicketDraft) == []


async def test_what_is_kept_of_a_pushed_call_holds_no_number_of_a_citizen(city: City) -> None:
    client = await pbx(city)
    path = f"/api/v1/cti/{client.token}"
    for direction, source, target in (("in", NUMBER, "1001"), ("out", "1001", NUMBER)):
        call = {"callId": direction, "from": source, "to": target, "direction": direction}
        await client.post(path, {"event": "newCall", **call})
    assert [NUMBER in str(row.facts) for row in await rows(city, PushCall)] == [False, False]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "newCall"},
        {"event": "other", "callId": "1"},
        {"event": "newCall", "callId": "1", "direction": "up"},
        {"event": "newCall", "callId": "1\r\nX: y"},
        {"event": "newCall", "callId": ["1"]},
        {"event": "newCall", "callId": "1", "from": {"a": 1}},
        {"event": "newCall", "callId": "x" * 121},
        [],
        "newCall",
        7,
        None,
    ],
)
async def test_what_is_no_event_is_refused_and_leaves_nothing(city: City, body: Any) -> None:
    client = await pbx(city)
    answer = await client.post(f"/api/v1/cti/{client.token}", body)
    assert answer.status == 400, answer.text
    assert await rows(city, CallSession) == []


async def test_a_token_without_the_scope_or_revoked_or_made_up_makes_no_call(city: City) -> None:
    await pbx(city)
    other = await city.client("hall", Scope.TICKETS_SUBMIT)
    event = {"event": "newCall", "callId": "1", "from": NUMBER, "to": "1001"}
    assert (await other.post(f"/api/v1/cti/{other.token}", event)).status == 403
    assert (await other.post(f"/api/v1/cti/{'x' * 43}", event)).status == 401
    ended = await city.client("east", Scope.CTI, kind=Kind.PBX)
    await city.revoke("east")
    assert (await ended.post(f"/api/v1/cti/{ended.token}", event)).status == 401
    assert await rows(city, CallSession) == []


NAMES = st.sampled_from(
    ["event", "callId", "from", "to", "direction", "queue", "cause", "answeringNumber", "user", "x"]
)
VALUES = st.one_of(
    st.sampled_from(["newCall", "answer", "hangup", "in", "out", NUMBER, "1001", "12345", "a", ""]),
    st.text(max_size=20),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.lists(st.text(max_size=4), max_size=3),
)


@given(st.dictionaries(NAMES, VALUES, max_size=9))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_any_object_is_an_event_or_refused_by_name(raw: dict[str, Any]) -> None:
    try:
        event = terms.parse(raw)
    except HotlineError as error:
        refused = error.code
    else:
        refused = ""
    if refused:
        assert refused == "push_invalid"
        return
    facts = course.note(PushFacts(started=1.0), event, 2.0)
    assert course.session_of(event.call_id, facts, course.caller_of(facts, event), 2.0).started == 1.0


EVENTS = st.lists(
    st.builds(
        PushEvent,
        kind=st.sampled_from(PushKind),
        call_id=st.just("1"),
        source=st.sampled_from([None, NUMBER, "1001"]),
        target=st.sampled_from([None, "1001", "1002", "07731234567"]),
        outbound=st.sampled_from([None, False, True]),
        answering=st.sampled_from([None, "1001", "1002"]),
        cause=st.sampled_from([None, "cancel", "busy", "noAnswer"]),
    ),
    max_size=8,
)


@given(EVENTS)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_whatever_order_events_come_in_a_call_only_moves_forward(events: list[PushEvent]) -> None:
    facts = PushFacts(started=0.0)
    for now, event in enumerate(events, 1):
        after = course.note(facts, event, float(now))
        assert course.note(after, event, float(now) + 0.5) == after, "the same event twice is one"
        assert facts.answered in (None, after.answered)
        assert facts.ended in (None, after.ended)
        session = course.session_of("1", after, None, float(now))
        assert (session.state == "ended") == (session.outcome != "in_progress")
        assert all(leg.talk_seconds >= 0 and leg.ring_seconds >= 0 for leg in session.legs)
        facts = after
