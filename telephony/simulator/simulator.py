"""The simulator as the node and the tests use it: start it, place calls, make it misbehave."""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.clock import Clock, SystemClock
from core.settings import Settings
from telephony.simulator import day
from telephony.simulator.call import Call
from telephony.simulator.callers import draw_caller
from telephony.simulator.events import event
from telephony.simulator.floor import Floor, Manner
from telephony.simulator.inbound import InboundCall
from telephony.simulator.model import Did, PbxConfig, QueueConfig
from telephony.simulator.pbx import Pbx
from telephony.simulator.plan import CallPlan, Outcome, Party, Transfer, towards
from telephony.simulator.queue_log import QueueLog
from telephony.simulator.server import Server
from telephony.simulator.sound import Tape
from telephony.simulator.timeline import Timeline
from telephony.simulator.wire import Headers

FIRST_EXTENSION = 1001
COMPANY_SECONDS = (20.0, 60.0)  # how often a desk with somebody at it is looked after
ASK_AGAIN = 300.0  # seconds after which an empty hour is looked at again
USERNAME = "hotline"
SKILLS = ("business", "dialect", "callback")


def city_pbx(agents: int = 40, speed: float = 1.0, *, system_name: str = "") -> PbxConfig:
    """The demo city's PBX: the hotline's queue with all agents, a small expert queue behind it.

    The other skill groups have who signs in to them from the console.
    """
    extensions = tuple(str(FIRST_EXTENSION + number) for number in range(agents))
    return PbxConfig(
        queues=(
            QueueConfig("hotline", extensions, timeout=20.0 / speed, wrapup=30.0),
            QueueConfig("expert", extensions[:4], timeout=20.0 / speed, wrapup=30.0),
            *(QueueConfig(name, timeout=20.0 / speed, wrapup=30.0) for name in SKILLS),
        ),
        dids=(Did("12345", "hotline", 120.0 / speed, greeting=True, reports_result=True, shipped=True),),
        system_name=system_name,
    )


class Simulator:
    """One simulated PBX behind a manager port on the loopback."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        config: PbxConfig | None = None,
        agents: int = 40,
        calls_per_hour: float = 0.0,
        speed: float = 1.0,
        seed: int = 12345,
        port: int = 0,
        secret: str | None = None,
        queue_log: Path | None = None,
        recordings: Path | None = None,
        manner: Manner | None = None,
        attended: tuple[str, ...] = (),
    ) -> None:
        self.clock = clock or SystemClock()
        self.timeline = Timeline(self.clock)
        self.queue_log = QueueLog(queue_log)
        self._tape = Tape(recordings)
        self.config = config or city_pbx(agents, speed)
        self._company: set[str] = set()  # desks at which somebody sits in front of our console
        self._taps: list[Callable[[str, Headers], None]] = []
        self._server: Server | None = None
        self.pbx = Pbx(self.config, self.timeline, seed, self.queue_log, self._event)
        self.floor = Floor(self.pbx, manner or Manner(), speed)
        self.floor.attended.update(attended)
        self.floor.queue_extensions.update(
            (str(8001 + place), queue.name) for place, queue in enumerate(self.config.queues)
        )
        self.username, self.secret = USERNAME, secret or secrets.token_urlsafe(12)
        self._server = Server(self.floor, self.username, self.secret)
        self._port = port
        self._draw = random.Random(seed + 1)
        self.shape = day.DayShape(calls_per_hour, speed, self._everybody(), self.config.dids[0].exten)
        self._pump: asyncio.Task[None] | None = None

    @classmethod
    def from_settings(cls, settings: Settings, *, clock: Clock | None = None) -> "Simulator":
        """The simulator of a node: the day the settings ask for, its files in the node's folder."""
        wanted = settings.telephony.simulator
        return cls(
            clock=clock,
            agents=wanted.agents,
            calls_per_hour=wanted.calls_per_hour,
            speed=wanted.speed,
            seed=wanted.seed,
            queue_log=settings.var / "simulator" / "queue_log",
            recordings=settings.var / "recordings",
        )

    @property
    def queue_log_path(self) -> Path | None:
        """Where queue_log is written, if it is."""
        return self.queue_log.path

    # --- life

    async def start(self) -> int:
        """Open the port and let the day begin; returns the port."""
        await asyncio.to_thread(self._tape.prepare)
        port = await self.server.listen(self._port)
        self.begin_day()
        self._pump = asyncio.get_running_loop().create_task(self.timeline.run())
        return port

    async def stop(self) -> None:
        """Close the port and forget the day."""
        self.timeline.clear()
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None
        await self.server.close()

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    @property
    def port(self) -> int:
        """The port in use, 0 before the start."""
        return self.server.port

    def advance(self, seconds: float) -> None:
        """Let simulated time pass; needs a ManualClock."""
        self.timeline.advance(seconds)

    def tap(self, listener: Callable[[str, Headers], None]) -> None:
        """`listener(name, headers)` hears every event just before it is sent."""
        self._taps.append(listener)

    def _event(self, headers: Headers) -> None:
        if headers[0][1] == "MixMonitorStart":
            self._tape.record(dict(headers)["Uniqueid"])
        elif ("UserEvent", "Voicemail") in headers and ("Size", "0") not in headers:
            self._tape.keep(dict(headers)["File"])
        for listener in self._taps:
            listener(headers[0][1], headers)
        if self._server is not None:
            self._server.broadcast(headers)

    # --- the day

    def begin_day(self) -> None:
        """Let citizens call from now on; `start` does this by itself."""
        if self.shape.calls_per_hour <= 0:
            return
        wait = day.until_next(self.clock.now(), self.shape, self._draw)
        if wait > ASK_AGAIN:
            self.timeline.after(ASK_AGAIN, self.begin_day)
        else:
            self.timeline.after(wait, self._somebody_calls)

    def _somebody_calls(self) -> None:
        self.floor.place(day.draw_plan(self._draw, self.shape))
        self.begin_day()

    def _everybody(self) -> tuple[str, ...]:
        members = {extension: None for queue in self.config.queues for extension in queue.members}
        return tuple(members)

    # --- what tests and the demo ask for

    def place_call(
        self,
        number: str | None = None,
        name: str | None = None,
        *,
        did: str | None = None,
        agent: str | None = None,
        outcome: Outcome = "answered",
        answer_after: float = 3.0,
        talk: float = 60.0,
        ended_by: Party = "citizen",
        hold: tuple[float, float] | None = None,
        transfer: Transfer | None = None,
        misses: int = 0,
        score: str | None = None,
        solved: str | None = None,
        closed: bool = False,
        message: float | None = None,
        asks: tuple[str, str] | None = None,
        menu: float = 0.0,
        patience: float | None = None,
    ) -> InboundCall:
        """A call that goes as told; times in seconds. A number or name not given is drawn."""
        caller = draw_caller(self._draw)
        plan = CallPlan(
            number=caller.number if number is None else number,
            name=caller.name if name is None else name,
            did=did or self.shape.did,
            menu=menu,
            agent=agent,
            answer_after=answer_after,
            talk=talk,
            ended_by=ended_by,
            hold=hold,
            transfer=transfer,
            misses=misses,
            score=score,
            solved=solved,
            closed=closed,
            message=message,
            asks=asks,
            patience=patience,
        )
        return self.floor.place(towards(plan, outcome))

    def plan_outbound(self, plan: CallPlan | None) -> None:
        """How the next click-to-call goes; None: as the agents' manner has it."""
        self.floor.outbound_plan = plan

    def reserve(self, *extensions: str) -> None:
        """Let the day's calls pass these desks by; a placed call that names one still rings there."""
        self.floor.reserved.update(extensions)

    def attend(self, extension: str, present: bool = True) -> None:
        """A person sits there: the desk is rung first, always picks up, and is not left idle for long.

        With `calls_per_hour` 0 nothing is called by itself, whoever is present.
        """
        if not present:
            self.floor.attended.discard(extension)
            self._company.discard(extension)
        elif extension not in self._company:
            self.floor.attended.add(extension)
            self._company.add(extension)
            self._look_after(extension)

    def _look_after(self, extension: str) -> None:
        """Whatever the hour, somebody calls a desk that has been free for a while."""
        pause = self._draw.uniform(*COMPANY_SECONDS) / self.shape.speed
        self.timeline.after(pause, lambda: self._call_if_free(extension))

    def _call_if_free(self, extension: str) -> None:
        if extension not in self._company:
            return
        if self.shape.calls_per_hour > 0 and self.floor.is_free(extension):
            plan = day.draw_plan(self._draw, self.shape)
            self.floor.place(replace(plan, agent=extension, leaves_in_menu=False, misses=0, patience=None))
        self._look_after(extension)

    @property
    def calls(self) -> list[Call]:
        """The calls in progress."""
        return list(self.floor.calls)

    # --- misbehaving

    def freeze(self) -> None:
        """As SIGSTOP: connections stay, nothing moves, no timer fires."""
        self.timeline.frozen = True
        self.server.freeze()

    def thaw(self) -> None:
        """Go on where it stopped; what is overdue happens now."""
        self.timeline.frozen = False
        self.server.thaw()
        self.timeline.wake()

    def drop(self) -> None:
        """Cut the connections; the calls go on unseen."""
        self.server.drop()

    def restart(self, downtime: float = 0.0) -> None:
        """As `core restart now`: no goodbye, every call gone, counters at zero; shut for `downtime`."""
        self.server.drop()
        self.timeline.clear()
        self.server.down = downtime > 0
        self.timeline.after(downtime, self.server.up)
        self.pbx.boot()
        self.floor.reset()
        self.begin_day()
        for extension in self._company:
            self._look_after(extension)

    def slow(self, size: int | None, rest: float = 0.01) -> None:
        """Send `size` bytes at a time with `rest` seconds between; None: as fast as it goes."""
        self.server.trickle = None if size is None else (size, rest)

    def flood(self, count: int) -> None:
        """Send `count` events of no meaning in one go."""
        for number in range(count):
            body = [
                ("Device", f"Custom:flood{number % 7}"),
                ("State", "INUSE" if number % 2 else "NOT_INUSE"),
            ]
            self._event(event("DeviceStateChange", self.pbx.stamp(), body))

    def refuse_logins(self, refuse: bool = True) -> None:
        self.server.refuses_logins = refuse
