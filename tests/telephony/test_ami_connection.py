"""The line to a PBX against a scripted peer that does to it what PBXs have done."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from asterisk.ami import SimpleAction

from core.errors import HotlineError
from telephony.ami.client import WrappedClient
from telephony.ami.connection import AmiConnection, Timings
from tests.helpers import eventually
from tests.telephony.peer import QUICK, Action, Recorder, ScriptedPeer, address, running


@pytest.fixture
async def peer() -> AsyncIterator[ScriptedPeer]:
    scripted = ScriptedPeer()
    await scripted.start()
    yield scripted
    await scripted.stop()


@pytest.fixture
def handler() -> Recorder:
    return Recorder()


# The peer of these tests lives in the same loop: while it writes a flood it answers no ping.
PATIENT = replace(QUICK, dead=10.0)


@pytest.fixture
def line(peer: ScriptedPeer, handler: Recorder) -> AmiConnection:
    return AmiConnection(address(peer), handler, timings=QUICK, queue_limit=2000)


def silent(_: ScriptedPeer, __: Action) -> None:
    """Take the action and say nothing."""


async def test_an_idle_line_is_pinged_and_stays_up(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    async with running(line):
        await eventually(lambda: peer.count("Ping") >= 10)
        assert line.connected
        assert (peer.connections, handler.downs) == (1, [])


async def test_a_line_that_only_talks_and_never_asks_stays_up(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    peer.answers["Ping"] = silent
    async with running(line):
        await eventually(lambda: line.connected)
        sent = 0

        def arrived() -> bool:
            return len(handler.events) == sent

        until = asyncio.get_running_loop().time() + 2 * QUICK.dead
        while asyncio.get_running_loop().time() < until:
            sent += 1
            peer.event("Tick")
            await eventually(arrived)
        assert (peer.connections, handler.downs) == (1, [])


async def test_a_peer_that_never_greets_nor_answers_is_given_up_and_tried_again(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    peer.answers["Login"] = silent
    async with running(line):
        await eventually(lambda: peer.connections >= 2)
        assert handler.downs[0] in ("silent", "no answer to the login")
        assert handler.ups == 0


async def test_a_clean_close_is_followed_by_a_new_connection_with_a_new_generation(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    async with running(line):
        await eventually(lambda: handler.ups == 1)
        first = line.generation
        peer.hang_up()
        await eventually(lambda: handler.ups == 2)
        peer.event("Fresh")
        await eventually(lambda: handler.events)
        assert line.generation == first + 1
        assert handler.events[0].generation == line.generation


async def test_a_frozen_peer_is_noticed_by_its_silence(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    async with running(line):
        await eventually(lambda: handler.ups == 1)
        peer.reading.clear()  # the kernel still takes our bytes; nobody answers
        await eventually(lambda: handler.downs == ["silent"])
        peer.reading.set()
        await eventually(lambda: handler.ups == 2)


async def test_an_unreachable_pbx_is_tried_until_it_comes(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    await peer.stop()
    async with running(line):
        await eventually(lambda: len(handler.downs) >= 3)
        assert handler.downs[0].startswith("unreachable")
        await peer.start()
        await eventually(lambda: line.connected)


async def test_a_refused_login_is_not_hammered(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    def refuse(me: ScriptedPeer, action: Action) -> None:
        me.reply("Error", action, Message="Authentication failed")
        me.hang_up()

    peer.answers["Login"] = refuse
    async with running(line):
        await eventually(lambda: peer.connections == 2)
        assert handler.downs[0] == "login refused"
        assert peer.connected_at[1] - peer.connected_at[0] >= QUICK.refused
        del peer.answers["Login"]
        await eventually(lambda: line.connected)


def test_back_off_doubles_to_its_limit_and_is_never_the_same_for_all() -> None:
    timings = Timings()
    waits = [[timings.backoff(n) for _ in range(50)] for n in range(1, 12)]
    assert all(0.25 <= wait <= 0.5 for wait in waits[0])
    assert all(15 <= wait <= 30 for wait in waits[-1])
    assert len(set(waits[-1])) > 40


async def test_an_exception_in_a_handler_loses_neither_the_line_nor_later_events(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    handler.fail_on = "Bad"
    async with running(line):
        await eventually(lambda: line.connected)
        peer.event("Bad")
        await eventually(lambda: handler.names() == ["Bad"])
        peer.event("Good")
        await eventually(lambda: handler.names() == ["Bad", "Good"])
        assert peer.connections == 1


async def test_events_that_come_while_the_snapshot_is_taken_wait_for_it(peer: ScriptedPeer) -> None:
    asked: list[str] = []

    class Snapshot(Recorder):
        async def line_up(self, line: AmiConnection) -> None:
            peer.event("Early")
            asked.extend(event.name for event in await line.query("CoreShowChannels"))
            assert self.events == []

    handler = Snapshot()

    def channels(me: ScriptedPeer, action: Action) -> None:
        me.success(action, EventList="start")
        me.event("CoreShowChannel", ActionID=action["ActionID"], Channel="PJSIP/1001-1")
        me.event("CoreShowChannelsComplete", ActionID=action["ActionID"], EventList="Complete")

    peer.answers["CoreShowChannels"] = channels
    line = AmiConnection(address(peer), handler, timings=QUICK)
    async with running(line):
        await eventually(lambda: len(handler.events) == 3)
    assert asked == ["CoreShowChannel", "CoreShowChannelsComplete"]
    assert handler.names()[0] == "Early"


async def test_actions_nobody_answers_time_out_and_are_forgotten(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    async with running(line):
        await eventually(lambda: line.connected)
        peer.answers["QueueSummary"] = silent
        with pytest.raises(HotlineError, match="ami_timeout"):
            await line.ask("QueueSummary")
        await eventually(lambda: line.pending <= 1)  # a ping may be under way


async def test_actions_under_way_fail_at_once_when_the_line_closes(
    peer: ScriptedPeer, handler: Recorder
) -> None:
    line = AmiConnection(address(peer), handler, timings=Timings(action=60, backoff_first=0.01))
    peer.answers["QueueSummary"] = lambda me, _: me.hang_up()
    async with running(line):
        await eventually(lambda: line.connected)
        with pytest.raises(HotlineError, match="ami_not_connected"):
            async with asyncio.timeout(5):
                await line.ask("QueueSummary")


async def test_an_error_reply_carries_the_pbx_message(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    peer.answers["Hangup"] = lambda me, action: me.reply("Error", action, Message="No such channel")
    async with running(line):
        await eventually(lambda: line.connected)
        with pytest.raises(HotlineError) as caught:
            await line.ask("Hangup", Channel="PJSIP/1001-00000001")
        assert caught.value.params["message"] == "No such channel"


async def client_of(peer: ScriptedPeer, closed: list[str]) -> WrappedClient:
    client = WrappedClient(
        "127.0.0.1", peer.port, on_frames=lambda _: None, on_closed=closed.append, send_seconds=0.3
    )
    await asyncio.to_thread(client.connect)
    await eventually(lambda: peer.connections)
    return client


async def test_three_megabytes_to_a_stalled_peer_close_the_line_instead_of_losing_a_part(
    peer: ScriptedPeer,
) -> None:
    closed: list[str] = []
    client = await client_of(peer, closed)
    peer.stall()
    with pytest.raises(OSError):
        for _ in range(8):  # the kernel may take the first few
            await asyncio.to_thread(client.send, SimpleAction("Ping", Reason="x" * 3_000_000))
    await eventually(lambda: closed)
    with pytest.raises(OSError):  # nothing may follow half an action
        await asyncio.to_thread(client.send, SimpleAction("Ping"))


async def test_three_megabytes_to_a_slow_peer_arrive_whole(peer: ScriptedPeer) -> None:
    client = await client_of(peer, [])
    peer.answers["Ping"] = silent
    await asyncio.to_thread(client.send, SimpleAction("Ping", ActionID="1", Reason="x" * 3_000_000))
    await eventually(lambda: peer.actions)
    assert len(peer.actions[0]["Reason"]) == 3_000_000
    client.disconnect()


async def test_a_flood_reaches_the_handler_in_few_batches_and_in_order(
    peer: ScriptedPeer, handler: Recorder
) -> None:
    line = AmiConnection(address(peer), handler, timings=PATIENT, queue_limit=2000)
    async with running(line):
        await eventually(lambda: line.connected)
        for number in range(1500):
            peer.event("Tick", Number=str(number))
        await eventually(lambda: len(handler.events) == 1500)
        assert [int(event.get("Number")) for event in handler.events] == list(range(1500))
        assert handler.batches < 300


async def test_more_events_than_may_wait_close_the_line_and_start_over(
    peer: ScriptedPeer, handler: Recorder
) -> None:
    line = AmiConnection(address(peer), handler, timings=PATIENT, queue_limit=2000)
    handler.gate = asyncio.Event()
    async with running(line):
        await eventually(lambda: line.connected)
        for number in range(4000):
            peer.event("Tick", Number=str(number))
        await eventually(lambda: "Overflow" in handler.downs)
        handler.gate = None
        await eventually(lambda: handler.ups == 2)


async def test_readers_end_with_their_connection(
    peer: ScriptedPeer, handler: Recorder, line: AmiConnection
) -> None:
    async with running(line):
        for _ in range(5):
            await eventually(lambda: line.connected)
            peer.hang_up()
            await eventually(lambda: not line.connected)
    await eventually(lambda: not [t for t in threading.enumerate() if t.name == "ami-reader"])
