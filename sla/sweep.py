"""The sweep: whatever the ladder has to issue is issued, by the leader of `scheduler`, exactly once.

Clocks whose alarm is over (by the database's time) are claimed in batches, each a transaction of its own
that is fenced. A clock is locked with its ticket, and passed over while somebody acts on it; so the row
that was claimed is the truth, and the card goes with it. Everything of a batch is written set-wise.
A node that slept, a clock that jumped, a restart in between: the next tick goes on where rows say, and the
cards of a clock that is several steps late come in order with one notice.
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import Instant, database_time
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from core.notify import staff
from core.notify.staff import Notice
from core.people.actor import Actor
from sla import monitor, posts
from sla.events import CardsIssued
from sla.issuing import Issue, highest, issue
from sla.ladder import Level
from sla.plain import CityLimits, parsed
from sla.posts import Named, Posts
from tickets import history
from tickets.states import Action, Stage, State

logger = logging.getLogger(__name__)
SYSTEM = Actor.system("ladder")
BATCH = 200
HANDS = 2  # batches at a time in a storm: one is made ready while the database writes the other
MANY = 3  # clocks of one batch about which a post is told singly; of more it is told in one notice
DIGEST = "cards_digest"

# The first entry of the partial index answers it, however many clocks run.
_PROBE = """
    SELECT alarm_at <= coalesce($1::timestamptz, now()) AS due FROM ticket_stage
    WHERE ended_at IS NULL AND alarm_at IS NOT NULL ORDER BY alarm_at, id LIMIT 1
"""
# FOR KEY SHARE of the ticket: nobody acts on it meanwhile, and rows that refer to it wait for nobody.
_CLAIM = """
    SELECT s.id, s.ticket_id, s.stage, s.unit_id, s.started_at, s.due_at, s."limit", s.alarm_step,
        s.card_round, t.number, t.state, t.version, coalesce($1::timestamptz, now()) AS now
    FROM ticket_stage s JOIN ticket t ON t.id = s.ticket_id
    WHERE s.ended_at IS NULL AND s.alarm_at <= coalesce($1::timestamptz, now())
    ORDER BY s.alarm_at, s.id LIMIT $2
    FOR NO KEY UPDATE OF s SKIP LOCKED FOR KEY SHARE OF t SKIP LOCKED
"""
_WRITE = """
    WITH clocks AS (
        SELECT * FROM jsonb_to_recordset($1::text::jsonb)
            AS c(id bigint, step smallint, alarm timestamptz)
    ), moved AS (
        UPDATE ticket_stage s SET alarm_step = c.step, alarm_at = c.alarm FROM clocks c WHERE s.id = c.id
    ), cards AS (
        SELECT * FROM jsonb_to_recordset($2::text::jsonb) AS c(no int, stage_id bigint, ticket_id bigint,
            stage text, level text, card_round smallint, due_at timestamptz, unit_id bigint)
    ), made AS (
        INSERT INTO card (stage_id, ticket_id, stage, level, card_round, issued_at, due_at, unit_id)
        SELECT stage_id, ticket_id, stage, level, card_round, $3::timestamptz, due_at, unit_id
        FROM cards ORDER BY no
        ON CONFLICT (stage_id, card_round, level) DO NOTHING
        RETURNING id, stage_id, level
    ), receipts AS (
        INSERT INTO card_receipt (card_id, unit_id, post)
        SELECT m.id, r.unit_id, r.post
        FROM jsonb_to_recordset($4::text::jsonb)
            AS r(no int, stage_id bigint, level text, unit_id bigint, post text)
        JOIN made m ON m.stage_id = r.stage_id AND m.level = r.level ORDER BY r.no
    )
    SELECT id, stage_id, level FROM made ORDER BY id
"""


@dataclass(frozen=True)
class Due:
    """A claimed clock with what is issued for it."""

    row: Any
    unit_id: int | None
    issue: Issue
    posts: tuple[tuple[Level, tuple[Named, ...]], ...]

    @property
    def units(self) -> tuple[int, ...]:
        """The units whose screens should know."""
        named = (post.unit_id for _, ones in self.posts for post in ones)
        return tuple(dict.fromkeys(one for one in (self.unit_id, *named) if one is not None))


class CardSweep:
    """Issues what is due; `now` stands in for the database's time in tests."""

    def __init__(self, db: Database, limits: CityLimits, lease: Lease, now: Instant = database_time) -> None:
        self._db = db
        self._limits = limits
        self._lease = lease
        self._now = now

    async def tick(self) -> None:
        """What the leader does at every beat; a lease that was lost meanwhile is no error."""
        try:
            await self.run()
        except HotlineError as error:
            if error.code != "lease_lost":
                raise
            logger.info("another node issues the cards now")

    async def run(self) -> int:
        """Issue everything that is due; returns how many clocks that were. An idle one asks one question."""
        first = await self._db.fetch(_PROBE, self._now())
        if not first or not first[0]["due"]:
            return 0
        async with self._db.read() as session:
            known = await posts.load(session)
        digested: set[Named] = set()
        done = await self.step(known, digested)
        if done < BATCH:
            return done
        hands = (self._on(known, digested) for _ in range(HANDS))
        for found in await asyncio.gather(*hands, return_exceptions=True):
            if isinstance(found, BaseException):
                raise found
            done += found
        return done

    async def _on(self, known: Posts, digested: set[Named]) -> int:
        """Batch after batch until one is not full."""
        done = 0
        while True:
            claimed = await self.step(known, digested)
            done += claimed
            if claimed < BATCH:
                return done

    async def step(self, known: Posts, digested: set[Named]) -> int:
        """One batch in one transaction; returns how many clocks were claimed.

        `digested`: who was told in one notice for all of this run; a full batch begins a storm of such.
        """
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            claimed, told = await issue_due(uow, self._limits, known, self._now())
            notices, new = _notices(told, digested, storm=claimed == BATCH)
            if notices:
                await staff.write(uow, notices)
        digested |= new
        return claimed


Told = dict[Named, list[tuple[Due, Level]]]
"""Post → the clocks it has to know of, each with its highest level."""


async def issue_due(
    uow: UnitOfWork, limits: CityLimits, known: Posts, now: datetime | None = None
) -> tuple[int, Told]:
    """Claim a batch of what is due (by the database's time, unless `now`) and issue it.

    Returns how many clocks that were, and who is to be told; the instant becomes the transaction's.
    """
    rows = await uow.fetch(_CLAIM, now, BATCH)
    if not rows:
        return 0, {}
    uow.now = rows[0]["now"]  # one instant for the cards, the history and the feed
    due = [_due(row, limits, known) for row in rows]
    made = await _write(uow, due)
    return len(rows), await _tell(uow, due, made)


def _due(row: Any, limits: CityLimits, known: Posts) -> Due:
    found = _issue(row, limits)
    if not found.cards:
        return Due(row, None, found, ())
    stage, state, unit = Stage(row["stage"]), row["state"], row["unit_id"]
    named = tuple((level, known.named(stage, state, unit, wanted)) for level, wanted in found.cards)
    return Due(row, known.owner(stage, state, unit), found, named)


def _issue(row: Any, limits: CityLimits) -> Issue:
    """What the ladder has for it; a clock that cannot be counted stands in nobody's way."""
    if row["limit"] is None or row["due_at"] is None:
        return Issue((), row["alarm_step"], None)
    try:
        Stage(row["stage"]), State(row["state"])  # of a later version, perhaps
        return issue(
            *(limits.ladder(row["started_at"]), limits.calendar, parsed(row["limit"])),
            *(row["started_at"], row["due_at"], row["alarm_step"], row["now"]),
        )
    except (HotlineError, ValueError, OverflowError) as error:
        why = error.code if isinstance(error, HotlineError) else type(error).__name__
        logger.error("clock cannot be counted", extra={"stage_id": row["id"], "why": why})
        return Issue((), row["alarm_step"], None)


async def _write(uow: UnitOfWork, due: Sequence[Due]) -> dict[tuple[int, str], int]:
    """The clocks' next alarms, the cards and their receipts; (clock, level) → the new card's id."""
    clocks: list[dict[str, Any]] = []
    cards: list[dict[str, Any]] = []
    receipts: list[dict[str, Any]] = []
    for one in due:
        row, alarm = one.row, one.issue.alarm
        clocks.append(
            {"id": row["id"], "step": one.issue.step, "alarm": alarm.isoformat() if alarm else None}
        )
        for level, named in one.posts:
            key = {"stage_id": row["id"], "level": level.value}
            cards.append(
                key
                | {"no": len(cards), "ticket_id": row["ticket_id"], "stage": row["stage"]}
                | {"card_round": row["card_round"], "due_at": row["due_at"].isoformat()}
                | {"unit_id": one.unit_id}
            )
            for post in named:
                places = {"no": len(receipts), "unit_id": post.unit_id, "post": post.role.value}
                receipts.append(key | places)
    texts = (json.dumps(clocks), json.dumps(cards), uow.now, json.dumps(receipts))
    made = await uow.fetch(_WRITE, *texts)
    return {(row["stage_id"], row["level"]): row["id"] for row in made}


async def _tell(uow: UnitOfWork, due: Sequence[Due], made: dict[tuple[int, str], int]) -> Told:
    """History, the feed and screens, of the cards that were really made; returns whom to notify."""
    entries, lines = [], []
    told: Told = defaultdict(list)
    for one in due:
        row = one.row
        new = [(level, named) for level, named in one.posts if (row["id"], level.value) in made]
        if not new:
            continue
        levels = [level for level, _ in new]
        entries.append(_entry(one, levels))
        for level in levels:
            card = made[(row["id"], level.value)]
            detail = {"stage": row["stage"], "round": row["card_round"], "due_at": row["due_at"].isoformat()}
            lines.append(
                monitor.Line("card_issued", row["ticket_id"], one.unit_id, level.value, card, detail)
            )
        for post in dict.fromkeys(post for _, named in new for post in named):
            told[post].append((one, highest([level for level, named in new if post in named])))
        codes = tuple(level.value for level in levels)
        await uow.emit(CardsIssued(row["ticket_id"], row["number"], row["version"], codes, one.units))
    if entries:
        await history.append(uow, SYSTEM, entries)
        await monitor.tell(uow, lines)
    return told


def _entry(one: Due, levels: Sequence[Level]) -> history.Entry:
    """A card is no version of the ticket: whoever has it open goes on with what he sees."""
    row, state = one.row, State(one.row["state"])
    told = {"levels": [level.value for level in levels], "stage": row["stage"]}
    changes = {"told": told | {"due_at": row["due_at"].isoformat(), "card_round": row["card_round"]}}
    return history.Entry(row["ticket_id"], Action.CARD, state, state, history.BESIDE, changes=changes)


def _notices(told: Told, digested: set[Named], *, storm: bool) -> tuple[list[Notice], set[Named]]:
    """Few are told one by one; many, and all in a storm, in one notice of the run. And who got that one."""
    notices, new = [], set()
    for post, ones in told.items():
        if post in digested:
            continue
        units = None if post.unit_id is None else (post.unit_id,)
        roles = (post.role.value,)
        if storm or len(ones) > MANY:
            notices.append(Notice(DIGEST, None, roles, units, deputies=True))
            new.add(post)
            continue
        for one, level in ones:
            ticket = one.row["ticket_id"]
            notices.append(Notice(f"card_{level}", ticket, roles, units, deputies=True))
    return notices, new
