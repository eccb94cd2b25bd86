"""AMI bytes → session objects: events per second against the bare client library, in one run.

Both sides read the same simulated day from the same kind of sender over TCP and take turns. "bare"
is `asterisk-ami` as it comes, with a listener that does nothing; "ours" is the supervised line, the
parser and the call tracker, with every changed call read into a session object. Then: memory over a
million events, and how late the event loop is meanwhile.

    python -m bench.ami_intake [--events 100000] [--rounds 5] [--memory 1000000]
"""

import argparse
import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from asterisk.ami import AMIClient, LoginAction
from rich.progress import Progress, TaskID

from bench._feed import SECRET, Block, Feed, calls_in, make_block
from bench._report import console, finish, machine, median, percentile, progress, rss_mb
from bench._stored import store_all
from telephony.ami.connection import AmiConnection, PbxAddress
from telephony.ami.messages import AmiEvent
from telephony.calls import Tracker, interest, read_session

BLOCK = 50_000
LAG_STEP = 0.005  # seconds between two looks at the loop
PACED = 2_000  # events/s of the paced part: several times a large city's worst hour


class Bare(AMIClient):  # type: ignore[misc]  # the library publishes no types
    """The library's own reader, told how far it is only every thousand events."""

    def __init__(self, feed: Feed, port: int) -> None:
        super().__init__(address="127.0.0.1", port=port, timeout=30)
        self.feed = feed
        self.count = 0
        self.add_event_listener(self._hear)

    def _hear(self, **_: Any) -> None:
        self.count += 1
        if self.count % 1000 == 0:
            self.feed.handled(self.count)


def bare_rate(block: Block, events: int) -> tuple[float, float]:
    """Events per second, and per second of processor time, of the library with an empty listener."""
    with Feed(block, events) as feed:
        client = Bare(feed, feed.port)
        client.connect()
        client.send(LoginAction("hotline", SECRET))
        first_at = _wait_for(lambda: client.count > 0)
        worked = time.process_time()
        _wait_for(lambda: client.count >= feed.total)
        rate = feed.total / (time.perf_counter() - first_at)
        per_work = feed.total / (time.process_time() - worked)
        client.disconnect()
    return rate, per_work


def _wait_for(done: Any) -> float:
    while not done():
        time.sleep(0.002)
    return time.perf_counter()


@dataclass
class Intake:
    """Our side: what the telephony service does with a batch before it stores anything."""

    feed: Feed
    tracker: Tracker = field(default_factory=Tracker)
    count: int = 0
    sessions: int = 0
    finished: int = 0
    first_at: float = 0.0
    lags: list[float] = field(default_factory=list)
    bar: tuple[Progress, TaskID] | None = None

    async def line_up(self, line: AmiConnection) -> None:
        del line

    async def line_down(self, reason: str) -> None:
        del reason

    async def line_events(self, events: list[AmiEvent]) -> None:
        self.first_at = self.first_at or time.perf_counter()
        for event in events:
            self.tracker.apply(event)
        dirty, self.tracker.dirty = self.tracker.dirty, {}
        for call in dirty.values():
            session = read_session(self.tracker, call)
            if session is not None:
                self.sessions += 1
                if all(channel.ended is not None for channel in call.channels.values()):
                    self.finished += 1
                    self.tracker.forget(call)

    async def watch_lag(self) -> None:
        while True:
            planned = time.perf_counter() + LAG_STEP
            await asyncio.sleep(LAG_STEP)
            self.lags.append((time.perf_counter() - planned) * 1000)


async def take_in(
    block: Block, events: int, *, pace: float | None = None, bar: tuple[Progress, TaskID] | None = None
) -> tuple[Intake, float, list[float]]:
    """Read so many events; returns the intake, events per second, and RSS in MB at each tenth."""
    with Feed(block, events, window=1_000 if pace else 10_000) as feed:
        intake = Intake(feed, bar=bar)
        address = PbxAddress("bench", "127.0.0.1", feed.port, "hotline", SECRET)
        line = AmiConnection(address, intake, wanted=interest())
        tasks = [asyncio.create_task(line.run()), asyncio.create_task(intake.watch_lag())]
        memory: list[float] = []
        started = time.perf_counter()
        seen = 0
        while seen < feed.total:
            await asyncio.sleep(0.002)
            link = line._link
            if link is None:
                continue
            seen = link.inbox.seen - (link.inbox.kept - link.inbox.handled)
            allowed = seen if pace is None else min(seen, int((time.perf_counter() - started) * pace))
            feed.handled(allowed)
            if bar is not None:
                bar[0].update(bar[1], completed=seen)
            if seen >= feed.total * (len(memory) + 1) / 10:
                memory.append(rss_mb())
        rate = feed.total / (time.perf_counter() - intake.first_at)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return intake, rate, memory


def measure(events: int, rounds: int, memory_events: int) -> dict[str, Any]:
    """Run everything; returns the figures."""
    figures: dict[str, Any] = {"machine": machine(), "events_per_round": events}
    with progress() as bars:
        block = make_block(BLOCK)
        figures["bytes_per_event"] = round(sum(map(len, block)) / len(block))
        task = bars.add_task("bare library, then ours", total=rounds * 2)
        bare, ours = [], []
        for _ in range(rounds):
            bare.append(bare_rate(block, events))
            bars.advance(task)
            worked = time.process_time()
            intake, rate, _ = asyncio.run(take_in(block, events))
            ours.append((rate, intake.feed.total / (time.process_time() - worked)))
            bars.advance(task)
        for place, unit in enumerate(("per_second", "per_cpu_second")):
            by_bare, by_ours = ([pair[place] for pair in side] for side in (bare, ours))
            figures |= {f"bare_{unit}": by_bare, f"ours_{unit}": by_ours}
            figures[f"ratio_{unit}"] = median(by_ours) / median(by_bare)
        figures["finished_calls"] = intake.finished
        task = bars.add_task("memory and lag, at full speed", total=memory_events)
        flat, rate, memory = asyncio.run(take_in(block, memory_events, bar=(bars, task)))
        figures |= {"memory_events": memory_events, "rss_mb": memory, "flood_per_second": rate}
        figures["lag_ms_flood"] = _lags(flat)
        task = bars.add_task(f"lag at {PACED} events/s", total=BLOCK)
        paced, rate, _ = asyncio.run(take_in(block, BLOCK, pace=PACED, bar=(bars, task)))
        figures |= {"paced_per_second": rate, "lag_ms_paced": _lags(paced)}
        bars.add_task("with the database beside it", total=None)
        figures["with_database"] = asyncio.run(store_all(block, calls_in(block)))
    return figures


def _lags(intake: Intake) -> dict[str, float]:
    return {name: percentile(intake.lags, share) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.ami_intake", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, default=1_000_000)
    options = parser.parse_args()
    figures = measure(options.events, options.rounds, options.memory)
    memory = figures["rss_mb"]
    flood, paced = figures["lag_ms_flood"], figures["lag_ms_paced"]
    rows = [
        ("bare asterisk-ami", f"{median(figures['bare_per_second']):,.0f} events/s", ""),
        ("to session objects", f"{median(figures['ours_per_second']):,.0f} events/s", ""),
        ("ratio of rates", f"{figures['ratio_per_second']:.2f}", "≥ 0.5"),
        ("ratio per processor second", f"{figures['ratio_per_cpu_second']:.2f}", ""),
        ("RSS after a tenth and at the end", f"{memory[0]:.0f} → {memory[-1]:.0f} MB", "flat"),
        ("loop lag at full speed, p50 / p99", f"{flood['p50']:.1f} / {flood['p99']:.1f} ms", "p99 < 20 ms"),
        (
            f"loop lag at {PACED} events/s, p50 / p99",
            f"{paced['p50']:.1f} / {paced['p99']:.1f} ms",
            "p99 < 20 ms",
        ),
    ]
    stored = figures["with_database"]
    rows += [
        ("with the database: until stored", f"{stored['stored_per_second']:,.0f} events/s", ""),
        ("with the database: sessions", f"{stored['sessions_per_second']:,.0f}/s", ""),
        ("with the database: loop lag p99", f"{stored['lag_ms']['p99']:.1f} ms", "< 20 ms"),
    ]
    console.print(figures["machine"])
    finish("ami_intake", "AMI intake", rows, figures)


if __name__ == "__main__":
    main()
