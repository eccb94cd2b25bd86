"""One PBX's line, kept up for ever: connect, log in, watch, hand events on, start over.

Three tasks share a connection: the pump hands replies to whoever asked and events to the worker,
the worker calls the handler batch by batch, the keeper pings and notices silence. Whatever ends
first ends the connection; the supervisor waits (0.5 s doubling to 30 s, with jitter; far longer after
a refused login, which an operator must see) and connects again with a new client object.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from asterisk.ami import Action, LoginAction

from core.errors import HotlineError
from core.metrics import AMI_CONNECTS, AMI_EVENTS, AMI_QUEUE
from telephony.ami.actions import build
from telephony.ami.client import WrappedClient
from telephony.ami.inbox import Inbox
from telephony.ami.messages import AmiEvent, AmiReply, Message, Wanted
from telephony.ami.questions import Question, Questions

logger = logging.getLogger(__name__)
REFUSED = "login refused"
SLICE = 1000  # messages sorted out before the loop may do something else


@dataclass(frozen=True)
class PbxAddress:
    """Where a PBX listens and how to log in."""

    name: str
    host: str
    port: int
    username: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Timings:
    """Seconds of every kind of patience."""

    ping: float = 5.0
    dead: float = 12.0
    connect: float = 5.0
    action: float = 5.0
    send: float = 5.0
    backoff_first: float = 0.5
    backoff_max: float = 30.0
    refused: float = 60.0
    stable: float = 10.0  # a connection that lived so long resets the back-off

    def backoff(self, failures: int) -> float:
        """How long to wait after `failures` in a row: doubling, capped, between half and the whole."""
        whole = min(self.backoff_first * 2.0 ** min(failures - 1, 20), self.backoff_max)
        return whole * random.uniform(0.5, 1.0)


class LineHandler(Protocol):
    """Who wants to know what comes over the line. Calls come one after another, never two at once."""

    async def line_up(self, line: "AmiConnection") -> None:
        """Logged in; events wait until this returns, so that a snapshot can be asked for first."""

    async def line_events(self, events: list[AmiEvent]) -> None:
        """A batch of events of the present generation."""

    async def line_down(self, reason: str) -> None:
        """The connection ended, or could not be made; called once per attempt."""


class _Link:
    """What belongs to one connection and dies with it."""

    def __init__(self, client: WrappedClient, inbox: Inbox, questions: Questions) -> None:
        self.client = client
        self.inbox = inbox
        self.questions = questions
        self.events: list[AmiEvent] = []
        self.ready = asyncio.Event()
        self.pings: set[asyncio.Task[None]] = set()
        self.login: Question | None = None

    @property
    def refused(self) -> bool:
        """The login was answered with an error (the PBX hangs up right after it)."""
        reply = self.login.reply if self.login else None
        answered = reply is not None and reply.done() and not reply.cancelled() and not reply.exception()
        return answered and reply is not None and reply.result().is_error


class AmiConnection:
    """Supervises the line to one PBX."""

    def __init__(
        self,
        address: PbxAddress,
        handler: LineHandler,
        *,
        timings: Timings | None = None,
        wanted: Wanted | None = None,
        queue_limit: int = 20_000,
        batch_size: int = 100,
    ) -> None:
        self.address = address
        self.generation = 0
        self.connected = False
        self._handler = handler
        self._timings = timings or Timings()
        self._wanted = wanted
        self._queue_limit = queue_limit
        self._batch_size = batch_size
        self._link: _Link | None = None

    @property
    def pending(self) -> int:
        """Actions whose answer is awaited."""
        return len(self._link.questions) if self._link else 0

    async def run(self) -> None:
        """Keep the line up until cancelled."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            reason = await self._once()
            failures = 1 if loop.time() - started > self._timings.stable else failures + 1
            delay = self._timings.refused if reason == REFUSED else self._timings.backoff(failures)
            level = logging.ERROR if reason == REFUSED else logging.WARNING
            logger.log(level, "PBX line down", extra={"pbx": self.address.name, "reason": reason})
            await self._guarded(self._handler.line_down(reason))
            await asyncio.sleep(delay)

    async def ask(self, name: str, **fields: str) -> AmiReply:
        """Send an action and wait for its reply.

        Raises HotlineError `ami_action_refused` (before anything is sent), `ami_not_connected`,
        `ami_timeout`, or `ami_error` with the PBX's message.
        """
        return await self._ask(build(name, fields))

    async def originate(self, fields: Mapping[str, str], variables: Mapping[str, str]) -> AmiReply:
        """Ask for a call; success says only that the PBX took the order, never that anybody answered."""
        return await self._ask(build("Originate", fields, variables))

    async def query(self, name: str, **fields: str) -> list[AmiEvent]:
        """Send an action that is answered by a list and wait for the whole list; errors as `ask`."""
        link = self._alive()
        return await link.questions.whole_list(await self._send(link, build(name, fields), listed=True))

    async def _ask(self, action: Action) -> AmiReply:
        link = self._alive()
        return await link.questions.answer(await self._send(link, action))

    def _alive(self) -> _Link:
        if self._link is None or not self.connected:
            raise HotlineError("ami_not_connected", pbx=self.address.name)
        return self._link

    async def _send(self, link: _Link, action: Action, *, listed: bool = False) -> Question:
        question = link.questions.ask(listed=listed)
        action.keys["ActionID"] = question.action_id
        try:
            await asyncio.to_thread(link.client.send, action)
        except OSError:
            link.questions.forget(question)
            raise HotlineError("ami_not_connected", pbx=self.address.name) from None
        return question

    async def _once(self) -> str:
        """One connection from beginning to end; returns why it ended."""
        link = self._new_link()
        try:
            await asyncio.to_thread(link.client.connect)
        except OSError as error:
            return f"unreachable: {type(error).__name__}"
        self._link = link
        works = (self._pump(link), self._work(link), self._keep(link))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return REFUSED if link.refused else next(iter(done)).result()
        finally:
            self.connected, self._link = False, None
            link.client.disconnect()
            for task in [*tasks, *link.pings]:
                task.cancel()
            await asyncio.gather(*tasks, *link.pings, return_exceptions=True)
            link.questions.fail_all()

    def _new_link(self) -> _Link:
        self.generation += 1
        inbox = Inbox(
            asyncio.get_running_loop(),
            generation=self.generation,
            limit=self._queue_limit,
            wanted=self._wanted,
        )
        client = WrappedClient(
            self.address.host,
            self.address.port,
            on_frames=inbox.put,
            on_closed=inbox.close,
            connect_seconds=self._timings.connect,
            send_seconds=self._timings.send,
        )
        questions = Questions(self.address.name, self.generation, patience=self._timings.action)
        return _Link(client, inbox, questions)

    async def _pump(self, link: _Link) -> str:
        name, inbox = self.address.name, link.inbox
        counted = 0
        while True:
            messages = await inbox.take()
            AMI_EVENTS.labels(name).inc(inbox.seen - counted)
            AMI_QUEUE.labels(name).set(inbox.depth)
            counted = inbox.seen
            if not messages:
                return inbox.closed or "closed"
            for start in range(0, len(messages), SLICE):
                for message in messages[start : start + SLICE]:
                    self._sort_out(link, message)
                link.ready.set()
                await asyncio.sleep(0)

    @staticmethod
    def _sort_out(link: _Link, message: Message) -> None:
        if len(link.questions) and message.action_id is not None:
            link.questions.hear(message)
        if isinstance(message, AmiEvent):
            link.events.append(message)
        else:
            link.inbox.handled += 1

    async def _work(self, link: _Link) -> str:
        """Log in, let the handler take stock, then give it events batch by batch."""
        if (failure := await self._login(link)) is not None:
            return failure
        self.connected = True
        AMI_CONNECTS.labels(self.address.name).inc()
        logger.info("PBX line up", extra={"pbx": self.address.name, "generation": self.generation})
        await self._guarded(self._handler.line_up(self))
        while True:
            await link.ready.wait()
            link.ready.clear()
            while link.events:
                batch = link.events[: self._batch_size]
                del link.events[: self._batch_size]
                await self._guarded(self._handler.line_events(batch))
                link.inbox.handled += len(batch)
                await asyncio.sleep(0)

    async def _login(self, link: _Link) -> str | None:
        try:
            link.login = await self._send(link, LoginAction(self.address.username, self.address.secret))
            await link.questions.answer(link.login)
        except HotlineError as error:
            return REFUSED if error.code == "ami_error" else "no answer to the login"
        return None

    async def _keep(self, link: _Link) -> str:
        """Ping a line all the time; end it when nothing at all has come for too long."""
        loop = asyncio.get_running_loop()
        pinged = loop.time()
        while True:
            await asyncio.sleep(self._timings.ping / 10)
            if loop.time() - link.client.received_at > self._timings.dead:
                return "silent"
            if self.connected and loop.time() - pinged >= self._timings.ping:
                pinged = loop.time()
                ping = asyncio.create_task(self._ping())
                link.pings.add(ping)
                ping.add_done_callback(link.pings.discard)

    async def _ping(self) -> None:
        try:
            await self.ask("Ping")
        except HotlineError as error:
            logger.info("ping unanswered", extra={"pbx": self.address.name, "code": error.code})

    async def _guarded(self, work: Awaitable[None]) -> None:
        """A handler's failure is logged; the line and the events after it live on."""
        try:
            await work
        except Exception:
            logger.exception("telephony handler failed", extra={"pbx": self.address.name})
