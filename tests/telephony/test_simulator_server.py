"""The simulated manager port over TCP: logins, lists, and the ways it lets a client down."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asterisk.ami import AMIClient, SimpleAction

from telephony.simulator import Simulator, city_pbx
from telephony.simulator.wire import Headers, every, first, parse
from tests.helpers import eventually

LOCAL = "127.0.0.1"


class Client:
    """A bare manager connection that remembers every message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.messages: list[Headers] = []
        self.first_line = b""
        self.closed = False
        self._task = asyncio.get_running_loop().create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        pending = b""
        try:
            while data := await reader.read(65536):
                self.first_line = self.first_line or data.partition(b"\r\n")[0]
                pending += data
                while b"\r\n\r\n" in pending:
                    frame, pending = pending.split(b"\r\n\r\n", 1)
                    self.messages.append(parse(frame))
        except ConnectionError:
            pass  # a reset is one of the ways to be dropped
        self.closed = True

    def send(self, name: str, **headers: str) -> None:
        lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in headers.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def ask(self, name: str, **headers: str) -> Headers:
        """The reply to an action."""
        identity = f"{name}-{len(self.messages)}"
        self.send(name, ActionID=identity, **headers)
        own: list[Headers] = await eventually(
            lambda: [m for m in self.messages if first(m, "Response") and first(m, "ActionID") == identity]
        )
        return own[0]

    def events(self, name: str) -> list[Headers]:
        return [message for message in self.messages if first(message, "Event") == name]

    async def close(self) -> None:
        self.writer.close()
        await self._task


class Line:
    """A simulator and its clients, closed at the end."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.clients: list[Client] = []

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection(LOCAL, self.simulator.port))
        self.clients.append(client)
        return client

    async def login(self) -> Client:
        client = await self.connect()
        reply = await client.ask("Login", Username="hotline", Secret=self.simulator.secret)
        assert first(reply, "Message") == "Authentication accepted"
        return client


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    simulator = Simulator(config=city_pbx(agents=4))
    await simulator.start()
    line = Line(simulator)
    yield line
    for client in line.clients:
        await client.close()
    await simulator.stop()


async def test_login_is_greeted_by_banner_and_fully_booted(line: Line) -> None:
    client = await line.login()
    await eventually(lambda: client.events("FullyBooted"))
    assert client.first_line == b"Asterisk Call Manager/11.0.0"
    assert first(await client.ask("Ping"), "Ping") == "Pong"


async def test_wrong_secret_is_refused_and_the_connection_closed(line: Line) -> None:
    client = await line.connect()
    reply = await client.ask("Login", Username="hotline", Secret="wrong")
    assert (first(reply, "Response"), first(reply, "Message")) == ("Error", "Authentication failed")
    await eventually(lambda: client.closed)


async def test_nothing_is_answered_before_login(line: Line) -> None:
    client = await line.connect()
    assert first(await client.ask("CoreShowChannels"), "Message") == "Permission denied"


async def test_logoff_says_goodbye(line: Line) -> None:
    client = await line.login()
    assert first(await client.ask("Logoff"), "Response") == "Goodbye"
    await eventually(lambda: client.closed)


async def test_snapshot_shows_a_talk_by_its_bridge_and_a_waiting_caller_by_its_place(line: Line) -> None:
    line.simulator.place_call("13807730001", "在谈", agent="1001", answer_after=0, talk=600)
    line.simulator.place_call("13807730002", "排队", agent="1001", answer_after=600)
    client = await line.login()
    await eventually(lambda: line.simulator.floor.waiting["hotline"] and line.simulator.calls[0].agent)
    client.send("CoreShowChannels", ActionID="1")
    client.send("QueueStatus", ActionID="2", Queue="hotline")
    await eventually(lambda: client.events("QueueStatusComplete"))
    channels = client.events("CoreShowChannel")
    bridged = {first(c, "CallerIDNum") for c in channels if first(c, "BridgeId")}
    assert bridged == {"13807730001", "1001"}
    assert first(client.events("CoreShowChannelsComplete")[0], "ListItems") == str(len(channels))
    (entry,) = client.events("QueueEntry")
    assert (first(entry, "Position"), first(entry, "CallerIDNum")) == ("1", "13807730002")
    states = {first(m, "Location"): first(m, "Status") for m in client.events("QueueMember")}
    assert states["PJSIP/1001"] == "2"
    assert states["PJSIP/1002"] == "1"


async def test_originate_rings_the_agent_first_and_reports_its_answer(line: Line) -> None:
    client = await line.login()
    line.simulator.floor.manner = type(line.simulator.floor.manner)(pick_up=0.0, miss=0.0)
    order = {"Channel": "PJSIP/1002", "Exten": "13807730003", "Context": "internal", "Async": "true"}
    reply = await client.ask("Originate", ChannelId="cb-7", Variable="TICKETREF=T7", **order)
    assert first(reply, "Message") == "Originate successfully queued"
    await eventually(lambda: client.events("OriginateResponse"))
    (response,) = client.events("OriginateResponse")
    assert first(response, "Uniqueid") == "cb-7"
    assert first(response, "Response") == "Success"
    first_channel = client.events("Newchannel")[0]
    assert (first(first_channel, "Uniqueid"), first(first_channel, "CallerIDNum")) == ("cb-7", "1002")
    dialled = client.events("DialBegin")[-1]
    assert "TICKETREF=T7" in every(dialled, "ChanVariable")


async def test_dropped_clients_miss_events_that_queue_log_keeps(line: Line) -> None:
    client = await line.login()
    line.simulator.drop()
    await eventually(lambda: client.closed)
    line.simulator.place_call("13807730004", "无人见", agent="1001", answer_after=0, talk=0.01)
    await eventually(lambda: "COMPLETECALLER" in line.simulator.queue_log.lines[-1])
    again = await line.login()
    await eventually(lambda: again.events("FullyBooted"))
    assert not again.events("Newchannel")


async def test_restarting_pbx_takes_nobody_in_until_it_is_up(line: Line) -> None:
    client = await line.login()
    line.simulator.place_call("13807730005", "断", agent="1001", answer_after=0, talk=600)
    line.simulator.restart(downtime=0.2)
    await eventually(lambda: client.closed)
    early = await line.connect()
    await eventually(lambda: early.closed)
    await eventually(lambda: not line.simulator.server.down)
    late = await line.login()
    late.send("CoreShowChannels", ActionID="1")
    await eventually(lambda: late.events("CoreShowChannelsComplete"))
    assert first(late.events("CoreShowChannelsComplete")[0], "ListItems") == "0"


async def test_frozen_pbx_keeps_the_connection_and_answers_after_the_thaw(line: Line) -> None:
    client = await line.login()
    line.simulator.freeze()
    line.simulator.place_call("13807730006", "冻", agent="1001", answer_after=0)
    client.send("Ping", ActionID="p")
    await asyncio.sleep(0)
    assert not client.closed
    assert not client.events("Newchannel")
    line.simulator.thaw()
    await eventually(lambda: any(first(m, "Ping") for m in client.messages))
    await eventually(lambda: client.events("AgentConnect"))


async def test_trickling_pbx_sends_whole_messages_in_pieces(line: Line) -> None:
    client = await line.login()
    line.simulator.slow(7, 0.0)
    line.simulator.place_call("13807730007", "涓滴不漏的名字", agent="1001", answer_after=0, talk=0.01)
    await eventually(lambda: len(client.events("Hangup")) == 2)
    assert first(client.events("Newchannel")[0], "CallerIDName") == "涓滴不漏的名字"


async def test_flood_reaches_a_reading_client_whole(line: Line) -> None:
    client = await line.login()
    line.simulator.flood(20_000)
    await eventually(lambda: len(client.events("DeviceStateChange")) == 20_000)


async def test_client_that_stops_reading_is_dropped(line: Line) -> None:
    client = await line.login()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket transport can
    for _ in range(40):
        line.simulator.flood(5_000)
        await asyncio.sleep(0)
    await eventually(lambda: not line.simulator.server.sessions)
    client.writer.transport.abort()


async def test_endless_action_is_refused(line: Line) -> None:
    client = await line.login()
    client.writer.write(b"Action: " + b"x" * 70_000)
    await eventually(lambda: client.closed)


async def test_failing_call_does_not_stop_the_day(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    line.simulator.timeline.after(0, lambda: [].pop())
    client = await line.login()
    line.simulator.place_call("13807730009", "照常", agent="1001", answer_after=0.01, talk=0.01)
    await eventually(lambda: len(client.events("Hangup")) == 2)
    assert "a simulated call failed" in caplog.text


@pytest.mark.filterwarnings("ignore:notifyAll")  # the library still calls it by its old name
async def test_the_required_client_library_logs_in_and_gets_events(line: Line) -> None:
    events: list[Any] = []
    client = AMIClient(LOCAL, line.simulator.port, timeout=5)
    client.add_event_listener(lambda event, **_: events.append(event))
    loop = asyncio.get_running_loop()
    login = await loop.run_in_executor(None, lambda: client.login("hotline", line.simulator.secret))
    answer = await loop.run_in_executor(None, lambda: login.response)
    assert not answer.is_error()
    line.simulator.place_call("13807730008", "真客户端", agent="1001", answer_after=0, talk=0.01)
    await eventually(lambda: sum(event.name == "Hangup" for event in events) == 2)
    ping = await loop.run_in_executor(None, lambda: client.send_action(SimpleAction("Ping")).response)
    assert ping.keys["Ping"] == "Pong"
    await loop.run_in_executor(None, client.disconnect)
