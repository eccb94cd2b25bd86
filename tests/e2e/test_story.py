"""The product on a real Asterisk: a busy hour in a minute, a restart, a freeze, hostile names.

queue_log is the truth about queues; the product is asked through its own database.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import time as daytime
from typing import Any

import pytest

from tests.e2e.conftest import QUEUE_SECONDS
from tests.e2e.rig import scenarios
from tests.e2e.rig.asterisk import Asterisk
from tests.e2e.rig.manager import Manager
from tests.e2e.rig.phones import Citizen, Phones
from tests.e2e.rig.product import Product
from tests.e2e.rig.queue_log import QueuedCall, read_queue_log
from tests.e2e.rig.situations import Stage, number
from tests.helpers import eventually

pytestmark = [pytest.mark.asterisk, pytest.mark.slow]

NOTICED = 15.0  # seconds within which the screens must say that the PBX is silent


async def blocking(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Run a step of the rig without holding up the node, which lives on the same loop."""
    return await asyncio.to_thread(work, *arguments, **named)


def logged(pbx: Asterisk, callers: list[str]) -> dict[str, QueuedCall]:
    """Caller -> what queue_log says; the newest call of each."""
    return {call.caller: call for call in read_queue_log(pbx.queue_log).values() if call.caller in callers}


async def test_twenty_concurrent_calls_make_one_draft_or_one_call_back_each(
    pbx: Asterisk, sip: Phones, ami: Manager, stage: Stage, product: Product
) -> None:
    taken = [number(100 + index) for index in range(9)]
    gone = [number(200 + index) for index in range(6)]
    patient, keyed, greeting = [number(300), number(301), number(302)], number(310), number(311)
    callers = [*taken, *gone, *patient, keyed, greeting]
    # Who leaves during the greeting is called back at night only: here it is day, whenever this runs.
    product.node.callbacks.hours = replace(product.node.callbacks.hours, starts=daytime.min, ends=None)
    await blocking(sip.agents, range(1001, 1009), scenarios.answering())
    await blocking(sip.agents, [1012], scenarios.transferring(2, "1020"))
    await blocking(sip.agents, [1020], scenarios.answering())
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1020", Paused="true")
    sip.called_citizens(scenarios.citizen_phone())

    sip.call([Citizen(one) for one in taken], scenarios.caller(45))
    # 1012 transfers one call and takes no further one.
    await blocking(ami.wait_for, "AgentConnect", Interface="PJSIP/1012")
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1012", Paused="true")
    for caller in taken:
        await blocking(stage.talking, caller)
    # Everybody who answers is busy now: the others hear telephones that nobody takes.
    await blocking(sip.agents, [1009, 1010], scenarios.not_answering())
    await blocking(sip.agents, [1011], scenarios.busy())
    sip.call([Citizen(one) for one in gone], scenarios.caller(4))
    sip.call([Citizen(one) for one in patient], scenarios.caller(QUEUE_SECONDS + 5))
    sip.call([Citizen(keyed)], scenarios.caller(6, keys="0", keys_after=3))
    sip.call([Citizen(greeting)], scenarios.caller(0.4))
    await blocking(_three_way, ami, ami.events("AgentConnect", Interface="PJSIP/1001")[0], "700002")
    for caller in callers:
        await blocking(stage.ended, caller)
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1012", Paused="false")
    await blocking(ami.action, "QueuePause", Interface="PJSIP/1020", Paused="false")
    await eventually(product.all_ended, within=15, what="every session is closed")

    truth = logged(pbx, callers)
    sessions = {caller: await product.session_of(caller) for caller in callers}
    assert all(sessions.values()), "a call is missing"
    outcomes = {caller: session["outcome"] for caller, session in sessions.items() if session}
    assert outcomes == {**{caller: call.outcome for caller, call in truth.items()}, greeting: "ivr_ended"}
    kinds = Counter(outcomes.values())
    assert kinds == {"answered": 9, "abandoned": 6, "timeout": 3, "exit_key": 1, "ivr_ended": 1}
    assert any("1009" in call.missed_by or "1010" in call.missed_by for call in truth.values())
    transfers = [one["kind"] for session in sessions.values() if session for one in session["transfers"]]
    assert sorted(transfers) == ["blind", "conference"]

    drafts = Counter(draft["call_session_id"] for draft in await product.drafts())
    assert drafts == {
        session["id"]: 1 for session in sessions.values() if session and session["outcome"] == "answered"
    }
    tasks = Counter(task["caller_ref"] for task in await product.callbacks())
    missed = [*gone, *patient, keyed]
    assert tasks == {sessions[caller]["caller_ref"]: 1 for caller in missed}  # type: ignore[index]  # all are there
    inbound = [session for session in await product.sessions() if session["direction"] == "inbound"]
    assert len(inbound) == len(callers)


def _three_way(ami: Manager, connected: dict[str, str], room: str) -> None:
    place = {"Context": "hotline-conference", "Exten": room, "Priority": "1"}
    extra = {f"Extra{key}": value for key, value in place.items()}
    ami.action(
        "Redirect", Channel=connected["Channel"], ExtraChannel=connected["DestChannel"], **place, **extra
    )
    ami.wait_for("ConfbridgeJoin", Conference=room, Channel=connected["DestChannel"])
    ami.action(
        "Originate", Channel="PJSIP/13900000098@trunk", Async="true", ChannelId=f"third-{room}", **place
    )
    ami.wait_for("ConfbridgeJoin", Conference=room, Uniqueid=f"third-{room}")


async def test_the_draft_belongs_to_the_agent_whose_phone_answered(
    sip: Phones, stage: Stage, product: Product
) -> None:
    caller = number(320)
    await blocking(sip.agents, [1002], scenarios.answering())
    sip.call([Citizen(caller, '"王小明"'.encode())], scenarios.caller(5))
    await blocking(stage.talking, caller)
    (draft,) = await eventually(product.drafts, what="the draft is there while they talk")
    assert draft["owner_id"] == product.users["1002"]
    kinds = [(event["kind"], event["audience"]["users"]) for event in await product.told("call")]
    assert ("ringing", [product.users["1002"]]) in kinds
    await blocking(stage.ended, caller)
    await eventually(product.all_ended, what="the session is closed")


async def test_a_restart_of_the_pbx_in_mid_call_closes_every_session_once(
    pbx: Asterisk, sip: Phones, ami: Manager, stage: Stage, product: Product
) -> None:
    talking, waiting = [number(400), number(401)], [number(402), number(403)]
    phones = await blocking(sip.agents, [1001, 1002], scenarios.answering())
    lines = sip.call([Citizen(one) for one in talking], scenarios.caller(60))
    for caller in talking:
        await blocking(stage.talking, caller)
    more = sip.call([Citizen(one) for one in waiting], scenarios.caller(60))
    for caller in waiting:
        await blocking(ami.wait_for, "QueueCallerJoin", CallerIDNum=caller)
    before = (await product.pbx_state())["generation"]

    await blocking(pbx.restart_now)
    await eventually(lambda: _went_silent(product), within=NOTICED, what="the screens are told")
    for line in (lines, more, phones):
        await blocking(sip.hang_up, line)
    await blocking(pbx.wait_booted)
    await eventually(product.connected, within=40, what="it comes back by itself")
    await eventually(product.all_ended, within=15, what="no session stays open")

    assert (await product.pbx_state())["generation"] > before
    sessions = [await product.session_of(caller) for caller in [*talking, *waiting]]
    assert len(await product.sessions()) == len(sessions)
    assert len(await product.drafts()) == len(talking)
    await blocking(sip.agents, [1003], scenarios.answering_then_leaving(1))
    sip.call([Citizen(number(404))], scenarios.caller(6))
    await eventually(lambda: product.session_of(number(404)), within=20, what="new calls are seen")
    await eventually(product.all_ended, within=20, what="and closed")


async def _went_silent(product: Product) -> bool:
    return any(not event["data"]["connected"] for event in await product.told("pbx"))


async def test_a_frozen_pbx_is_noticed_and_its_calls_go_on_when_it_thaws(
    pbx: Asterisk, sip: Phones, ami: Manager, stage: Stage, product: Product
) -> None:
    stays, leaves, waits = number(410), number(411), number(412)
    await blocking(sip.agents, [1001, 1002], scenarios.answering())
    for caller, seconds in ((stays, 40), (leaves, 10)):
        sip.call([Citizen(caller)], scenarios.caller(seconds))
        await blocking(stage.talking, caller)
    sip.call([Citizen(waits)], scenarios.caller(12))
    await blocking(ami.wait_for, "QueueCallerJoin", CallerIDNum=waits)
    await eventually(lambda: product.session_of(waits), what="the third call is seen")
    frozen = time.monotonic()
    pbx.freeze()
    try:
        await eventually(lambda: _says_silent(product), within=NOTICED, what="the status line says so")
        await eventually(lambda: time.monotonic() > frozen + 15, within=20, what="15 s have passed")
    finally:
        pbx.thaw()
    await eventually(product.connected, within=40, what="it comes back by itself")
    await eventually(lambda: _says_fine(product), within=20, what="the status line is calm again")
    assert (await product.session_of(stays) or {})["ended_at"] is None, "the call that goes on was closed"
    for caller in (stays, leaves, waits):
        await blocking(stage.ended, caller)
    await eventually(product.all_ended, within=20, what="no session stays open")
    sessions = {caller: await product.session_of(caller) for caller in (stays, leaves, waits)}
    assert len(await product.sessions()) == 3
    assert {session["outcome"] for session in sessions.values() if session} <= {
        "answered",
        "abandoned",
        "timeout",
    }
    truth = logged(pbx, [stays, leaves, waits])
    assert {caller: session["outcome"] for caller, session in sessions.items() if session} == {
        caller: call.outcome for caller, call in truth.items()
    }
    answered = [session for session in sessions.values() if session and session["outcome"] == "answered"]
    assert len(await product.drafts()) == len(answered)


async def _says_silent(product: Product) -> bool:
    return any("中断" in words for words in await product.lights())


async def _says_fine(product: Product) -> bool:
    return all("正常" in words for words in await product.lights())


HOSTILE = {
    number(500): '"王\u2028Channel: PJSIP/9999-1\u0085CallerIDNum: 110"'.encode(),
    number(501): b'"\xcd\xf5\xd0\xa1\xc3\xf7"',  # GBK
    number(502): b'"a\x0bb\x0cc\x1cd\x1de\x1ef"',
    number(503): b'"%0d%0aAction: Command%0d%0a"',
    number(504): '"\u202eoed.exe\u200b\ufeff"'.encode(),
    number(505): b'"<script>alert(1)</script>"',
    number(506): '"{}"'.format("长" * 600).encode(),
    number(507): b'"=cmd|x!A1"',
}


async def test_hostile_names_change_nothing_but_the_name(sip: Phones, stage: Stage, product: Product) -> None:
    sip.call([Citizen(caller, name) for caller, name in HOSTILE.items()], scenarios.caller(3))
    for caller in HOSTILE:
        await blocking(stage.ended, caller)
    await eventually(product.all_ended, within=15, what="every session is closed")
    sessions = {caller: await product.session_of(caller) for caller in HOSTILE}
    assert {session["outcome"] for session in sessions.values() if session} == {"abandoned"}
    assert len(await product.sessions()) == len(HOSTILE) == len(await product.callbacks())
    async with product.node.db.read() as session:
        for row in sessions.values():
            assert row is not None
            if row["caller_name_ref"] is not None:
                name = await product.node.vault.reveal(session, row["caller_name_ref"])
                assert name.isprintable(), name
                assert len(name) <= 80
