# ruff: noqa: E501 - the lines of SQL
"""The sweep of the ladder: what an idle tick costs, and how fast a storm of due clocks is handled.

One run, one database that grows: at 10,000, 100,000 and 1,000,000 open clocks (three to a ticket, their
alarms spread over the days to come) a tick that finds nothing is timed many times; then 20,000 clocks (half
of them, where there are fewer) fall due at once and are handled by the sweep of a node whose loop also saves
twenty new tickets a second and numbers the event log. Handled is: card, receipt, history, feed, event and
notices are committed. The server is durable, as an installation's is.

    python -m bench.escalation [--sizes 10000,100000,1000000] [--storm 20000] [--saves 20]
"""

import argparse
import asyncio
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench._archive import make_city
from bench._report import console, finish, machine, median, percentile
from bench._served import settings_in
from core import startup
from core.people.actor import Actor
from core.people.permissions import Role
from node import Node
from sla.clocks import add, parse_limit
from tickets.models import Category

TICKS = 400
SETTLE = 0.5  # seconds between filling and measuring
LIMIT = "240h"  # natural hours: cards come whenever this is run
FAR = 10_000_000  # ids of the copies, out of the way of those that are saved
FORM = {
    "type": "complaint",
    "title": "中山路路灯不亮",
    "narrative": "市民来电反映中山路与三里店大道交叉口一带路灯连续三晚不亮。",
    "phone": "13800000001",
}
STAGES = """
    INSERT INTO ticket_stage (ticket_id, stage, round, unit_id, started_at, due_at, "limit", policy, alarm_at)
    SELECT t.id, s.stage, 1, t.lead_unit_id, $3, $4, '240h', 'bench',
        now() + interval '1 day' + (t.id % 100000) * interval '8 seconds'
    FROM ticket t CROSS JOIN (VALUES ('total'), ('sign'), ('contact')) AS s(stage)
    WHERE t.id > $1 AND t.id <= $2
"""
STORM = """
    UPDATE ticket_stage SET alarm_at = now() - interval '1 second'
    WHERE id IN (SELECT id FROM ticket_stage WHERE alarm_step = 0 AND policy = 'bench'
        ORDER BY hashint8(id) LIMIT $1)
"""
WRITTEN = """
    SELECT (SELECT count(*) FROM card) AS cards, (SELECT count(*) FROM card_receipt) AS receipts,
        (SELECT count(*) FROM ticket_history WHERE action = 'card') AS history,
        (SELECT count(*) FROM monitor_event) AS feed,
        (SELECT count(*) FROM event_log WHERE topic = 'card') AS events
"""


class Scene:
    """A node's objects, the leader's lease in its hand, one ticket to copy."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.tickets = 0
        self.form: dict[str, Any] = {}
        self.seat: Actor | None = None
        self.start, self.due = _about_to_warn(node)

    async def lay_out(self) -> None:
        await make_city(self.node)
        actor = Actor.system("bench")
        async with self.node.db.begin() as uow:
            category = Category(level=1, code="L", name="路灯", full_name="路灯", initials="ld", path=".0.")
            uow.session.add(category)
            await uow.session.flush()
            self.form = FORM | {"category_id": category.id}
            for row in await uow.fetch("SELECT id FROM unit WHERE kind IN ('bureau', 'district', 'town')"):
                await self.node.people.create_user(
                    uow, actor, login=f"o{row['id']}", name="联络员",
                    password=self.node.settings.secrets.demo_password, unit_id=row["id"],
                    roles=frozenset({Role.DEPT_OFFICER}),
                )  # fmt: skip
            seat = await self.node.people.create_user(
                uow, actor, login="seat", name="坐席", password=self.node.settings.secrets.demo_password,
                unit_id=(await uow.fetch("SELECT id FROM unit WHERE kind = 'hotline'"))[0]["id"],
                roles=frozenset({Role.AGENT}),
            )  # fmt: skip
        async with self.node.db.read() as session:
            self.seat = await self.node.people.actor_for_user(session, seat)
        await self.save()
        assert await self.node.leases["scheduler"].try_take()

    async def save(self) -> None:
        """A new ticket, as an agent makes one."""
        tickets, drafts, seat = self.node.tickets, self.node.drafts, self.seat
        assert seat is not None
        async with self.node.db.begin() as uow:
            draft = await drafts.open_manual(uow, seat)
        await self.node.db.retrying(
            lambda uow: tickets.create_from_draft(uow, seat, draft, self.form, 1), hopeful=True
        )

    async def grow(self, clocks: int) -> None:
        """Copies of the first ticket, at all the units in turn, up to so many clocks."""
        fetch = self.node.db.fetch
        names = "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'ticket'"
        own = {
            "id": f"{FAR} + g.n", "number": "'450320200' || lpad(g.n::text, 9, '0')", "state": "'handling'", "dispatched_at": "$3::timestamptz",
            "due_at": "$4::timestamptz", "lead_unit_id": "u.id", "desk_unit_id": "u.id", "stage": "'handle'",
        }  # fmt: skip
        columns = [row["name"] for row in await fetch(names)]
        values = ", ".join(own.get(name, f"t.{name}") for name in columns)
        last = clocks // 3
        units = "(SELECT id, row_number() OVER (ORDER BY id) - 1 AS no, count(*) OVER () AS all FROM unit WHERE kind IN ('bureau', 'district', 'town'))"
        await fetch(
            f"INSERT INTO ticket ({', '.join(columns)}) SELECT {values} FROM ticket t "
            f"CROSS JOIN generate_series($1::bigint, $2::bigint) AS g(n) JOIN {units} u ON u.no = g.n % u.all "
            "WHERE t.id = (SELECT min(id) FROM ticket)",
            *(self.tickets + 1, last, self.start, self.due),
        )
        await fetch(STAGES, FAR + self.tickets, FAR + last, self.start, self.due)
        self.tickets = last
        for table in ("ticket", "ticket_stage"):
            await fetch(f"VACUUM (ANALYZE) {table}")
        await asyncio.sleep(SETTLE)

    async def idle(self) -> list[float]:
        """Milliseconds of ticks that find nothing."""
        found = []
        for _ in range(TICKS):
            began = time.perf_counter()
            assert await self.node.cards.run() == 0
            found.append((time.perf_counter() - began) * 1000)
        return found

    async def storm(self, clocks: int, saves: int) -> dict[str, Any]:
        """So many clocks at once, while people save; and what was written."""
        fetch = self.node.db.fetch
        before = dict((await fetch(WRITTEN))[0])
        await fetch(STORM, clocks)
        times: list[float] = []
        saving = asyncio.create_task(self._saving(saves, times))
        await asyncio.sleep(1)
        began = time.perf_counter()
        handled = await self.node.cards.run()
        seconds = time.perf_counter() - began
        saving.cancel()
        with suppress(asyncio.CancelledError):
            await saving
        written = {name: count - before[name] for name, count in dict((await fetch(WRITTEN))[0]).items()}
        assert handled == clocks, (handled, clocks)
        assert {written[name] for name in ("cards", "history", "feed", "events")} == {clocks}, written
        save = {"n": len(times), "p50": median(times), "p95": percentile(times, 0.95)}
        return {"clocks": clocks, "seconds": seconds, "per_second": clocks / seconds, "saves_ms": save}

    async def _saving(self, each_second: int, times: list[float]) -> None:
        async def one() -> None:
            began = time.perf_counter()
            await self.save()
            times.append((time.perf_counter() - began) * 1000)

        async with asyncio.TaskGroup() as group:
            planned = time.perf_counter()
            while True:
                group.create_task(one())
                planned += 1 / each_second
                await asyncio.sleep(max(0.0, planned - time.perf_counter()))


def _about_to_warn(node: Node) -> tuple[datetime, datetime]:
    """A start whose first step is over and whose second is still to come."""
    limit, calendar, ladder = parse_limit(LIMIT), node.limits.calendar, node.limits.pack.ladder
    now = datetime.now(UTC)
    for hours in range(24 * 30):
        start = now - timedelta(hours=hours)
        due = add(calendar, start, limit)
        first, second = (ladder.alarm(calendar, limit, start, due, step=step).at for step in (0, 1))
        if first is not None and second is not None and first < now < second - timedelta(hours=1):
            return start, due
    raise AssertionError("no such start within a month")


async def measure(sizes: list[int], storm: int, saves: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"machine": machine(), "sizes": {}}
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        settings = settings_in(Path(folder))
        async with startup.database(settings) as url:
            await startup.prepare(url)
            node = Node(settings, url)
            scene = Scene(node)
            await scene.lay_out()
            keeping = asyncio.create_task(_keep(node))
            numbering = asyncio.create_task(node.relay.run())
            try:
                for size in sizes:
                    await scene.grow(size)
                    ticks = await scene.idle()
                    found = {"idle_ms": median(ticks), "idle_p95_ms": percentile(ticks, 0.95)}
                    figures["sizes"][size] = found | {
                        "storm": await scene.storm(min(storm, size // 2), saves)
                    }
                    console.print(f"{size:,} clocks: {figures['sizes'][size]}")
            finally:
                for task in (keeping, numbering):
                    task.cancel()
                await asyncio.gather(keeping, numbering, return_exceptions=True)
                await node.stop()
    idle = [figures["sizes"][size]["idle_ms"] for size in sizes]
    figures["idle_ratio"] = idle[-1] / idle[0]
    return figures


async def _keep(node: Node) -> None:
    """The lease is renewed as the node would."""
    while True:
        await asyncio.sleep(node.settings.leadership.heartbeat_seconds)
        await node.leases["scheduler"].renew()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.escalation", description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--storm", type=int, default=20_000)
    parser.add_argument("--saves", type=int, default=20)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    figures = asyncio.run(measure(sizes, options.storm, options.saves))
    rows = []
    for size, found in figures["sizes"].items():
        storm = found["storm"]
        rows += [
            (
                f"{size:,} clocks: idle tick",
                f"{found['idle_ms']:.2f} ms (p95 {found['idle_p95_ms']:.2f})",
                "",
            ),
            (
                f"{size:,} clocks: storm of {storm['clocks']:,}",
                f"{storm['per_second']:,.0f} clocks/s",
                "≥ 3,000",
            ),
            (
                f"{size:,} clocks: saves meanwhile",
                f"{storm['saves_ms']['n']}, p50 {storm['saves_ms']['p50']:.0f} ms, p95 {storm['saves_ms']['p95']:.0f} ms",
                "",
            ),
        ]
    rows.append(("idle tick, largest to smallest", f"{figures['idle_ratio']:.2f}", "≤ 1.2"))
    console.print(figures["machine"])
    finish("escalation", "The sweep of the ladder", rows, figures)


if __name__ == "__main__":
    main()
