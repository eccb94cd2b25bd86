# ruff: noqa: E501 - the lines of SQL
"""Tickets by the million, with believable lives, made by the database itself.

The texts are those of the demo city: some twenty thousand matters are told once and each ticket takes
one. Units hold shares as uneven as in a city (the first a tenth of all), of the newest tickets one in
twenty is open, the rest went the whole way: dispatched, signed, the citizen contacted, closed, checked,
called back. Times lie evenly over three years, whatever the number, so that what is open grows with it.

Foreign keys and indexes of the tables are taken down while they are filled and put back as they were.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from core.people.actor import Actor
from core.people.permissions import Role
from core.privacy import Vault
from core.startup import address
from core.text import bigrams, joined
from node import Node
from routing.demo import matters
from routing.demo.org import HOTLINE
from routing.demo.people import Folk, make_units
from routing.demo.places import DISTRICTS
from routing.demo.seed import make_categories
from tickets.search.index import tsvector

MATTERS = 20_000
CITIZENS = 20_000
YEARS = 3
CHUNK = 50_000  # tickets per statement
TABLES = (
    "ticket",
    "ticket_history",
    "ticket_stage",
    "ticket_unit",
    "ticket_contact",
    "ticket_reply",
    "revisit",
    "ticket_text",
    "measure_fact",
)
Progress = Callable[[int], None]


@dataclass(frozen=True)
class City:
    """Who looks, and at what."""

    logins: tuple[str, ...]
    password: str
    busiest_unit: int


async def make_city(node: Node) -> City:
    """The demo city's units and categories, and five people: two departments, three of the hotline."""
    actor, folk = Actor.system("bench"), Folk()
    password = node.settings.secrets.demo_password
    async with node.db.begin() as uow:
        await make_units(uow, node.settings.city.name, node.settings.city.area_code, folk)
        await make_categories(uow)
        hotline = folk.units[HOTLINE.code]
        offices = [row["id"] for row in await uow.fetch(_HANDLING)]
        district = next(row["id"] for row in await uow.fetch(_DISTRICT))
        for login, role, unit in (
            ("bureau", Role.DEPT_OFFICER, offices[0]),
            ("district", Role.DEPT_OFFICER, district),
            ("dispatcher", Role.DISPATCHER, hotline),
            ("callback", Role.CALLBACK_OFFICER, hotline),
            ("supervision", Role.SUPERVISION_OFFICER, hotline),
        ):
            await node.people.create_user(
                uow, actor, login=login, name=login, password=password, unit_id=unit, roles=frozenset({role})
            )
    return City(("bureau", "district", "dispatcher", "callback", "supervision"), password, offices[0])


# The order of the shares: bureaus first, then districts and their towns, as the organisation lists them.
_HANDLING = """
    SELECT id FROM unit WHERE active AND kind IN ('bureau', 'district', 'town')
    ORDER BY kind <> 'bureau', sort, id
"""
_DISTRICT = "SELECT id FROM unit WHERE kind = 'district' ORDER BY sort, id LIMIT 1"


async def fill(url: str, vault: Vault, count: int, now: datetime, progress: Progress) -> None:
    """Make `count` tickets that were created in the three years before `now`; calls `progress` with each
    chunk's size."""
    connection = await asyncpg.connect(**address(url), server_settings={"timezone": "UTC"})
    try:
        await connection.execute("SET synchronous_commit = off")
        await _lay_out(connection, vault, now)
        kept = await _take_down(connection)
        for first in range(1, count + 1, CHUNK):
            last = min(first + CHUNK - 1, count)
            async with connection.transaction():
                await connection.execute("TRUNCATE bench_life")
                await connection.execute(LIFE, first, last, count, now)
                for statement in LIVED:
                    await connection.execute(statement)
            progress(last - first + 1)
        for statement in kept:
            await connection.execute(statement)
        for statement in AFTERWARDS:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _lay_out(connection: "asyncpg.Connection[asyncpg.Record]", vault: Vault, now: datetime) -> None:
    """What tickets draw from: matters with their index tokens, citizens, units by their shares."""
    await connection.execute(LAY_OUT)
    columns = ["no", "type", "title", "narrative", "expected", "address", "answer", "body", "tokens"]
    await connection.copy_records_to_table("bench_matter", records=_matters(), columns=columns)
    sealed = [vault.row("phone", f"138{number:08}", now) for number in range(CITIZENS)]
    names = ("kind", "blind", "key_id", "wrapped_key", "ciphertext", "masked", "created_at")
    rows = [tuple(row[name] for name in names) for row in sealed]
    rows += [tuple(vault.row("name", "王小明", now)[name] for name in names) for _ in range(1_000)]
    rows += [tuple(vault.row("code", "123456", now)[name] for name in names) for _ in range(1_000)]
    await connection.copy_records_to_table("personal_value", records=rows, columns=list(names))
    await connection.execute(PEOPLE)


def _matters() -> Iterator[tuple[object, ...]]:
    draw, told = random.Random(20), matters.load()
    weights = [matter.weight for matter in told]
    for number in range(MATTERS):
        (matter,) = draw.choices(told, weights)
        story = matters.Scene(draw, draw.choice(DISTRICTS)).tell(matter, "phone")
        title, address = story.title[:120], story.address[:200]
        body = joined(title, story.narrative, story.expected, address, "")
        tokens = tsvector(sorted(bigrams(body)))
        yield (
            number, matter.type, title, story.narrative, story.expected, address, story.answer, body, tokens
        )  # fmt: skip


async def _take_down(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Drop foreign keys and plain indexes of the tables; returns the statements that put them back."""
    kept = []
    for row in await connection.fetch(FOREIGN_KEYS, list(TABLES)):
        await connection.execute(f"ALTER TABLE {row['name']} DROP CONSTRAINT {row['key']}")
        kept.append(f"ALTER TABLE {row['name']} ADD CONSTRAINT {row['key']} {row['definition']}")
    for row in await connection.fetch(INDEXES, list(TABLES)):
        await connection.execute(f"DROP INDEX {row['name']}")
        kept.insert(0, row["definition"])
    return kept


FOREIGN_KEYS = """
    SELECT conrelid::regclass::text AS name, conname AS key, pg_get_constraintdef(oid) AS definition
    FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text = ANY($1)
"""
INDEXES = """
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i WHERE i.indrelid::regclass::text = ANY($1)
    AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
LAY_OUT = """
    CREATE UNLOGGED TABLE bench_matter (no int PRIMARY KEY, type text, title text, narrative text,
        expected text, address text, answer text, body text, tokens text);
    CREATE UNLOGGED TABLE bench_unit (place int PRIMARY KEY, id bigint, upto float);
    CREATE UNLOGGED TABLE bench_value (kind text, place int, id bigint, PRIMARY KEY (kind, place));
    CREATE UNLOGGED TABLE bench_life (
        id bigint PRIMARY KEY, created timestamptz, lived interval, ends text, unit bigint, matter int,
        dispatched timestamptz, signed timestamptz, contacted timestamptz, closed timestamptz,
        checked timestamptz, asked timestamptz, due timestamptz);
"""
# Shares fall off as 1/place, so that the first unit has about a sixth and many have little.
PEOPLE = """
    INSERT INTO bench_value SELECT kind, row_number() OVER (PARTITION BY kind ORDER BY id) - 1, id
        FROM personal_value;
    INSERT INTO bench_unit
        SELECT place, id, sum(1.0 / (place + 2)) OVER (ORDER BY place) / sum(1.0 / (place + 2)) OVER ()
        FROM (SELECT id, row_number() OVER (ORDER BY kind <> 'bureau', sort, id) AS place FROM unit
              WHERE active AND kind IN ('bureau', 'district', 'town')) u;
    ANALYZE bench_matter, bench_unit, bench_value;
"""
_RANDOM = "mod(hashint8extended({0}, {1}) & 4611686018427387903, 1000000) / 1000000.0"


def _drawn(seed: int, key: str = "g") -> str:
    """A number 0 … 1 that hangs on the ticket alone: the same city every time."""
    return _RANDOM.format(key, seed)


# How a ticket stands: the newest twentieth is on its way, spread over the stations of the way.
LIFE = f"""
    INSERT INTO bench_life
    SELECT g, created, now - created,
        CASE WHEN g <= n * 0.95 THEN 'archived'
             WHEN {_drawn(1)} < 0.10 THEN 'waiting_dispatch' WHEN {_drawn(1)} < 0.25 THEN 'waiting_sign'
             WHEN {_drawn(1)} < 0.80 THEN 'handling' WHEN {_drawn(1)} < 0.90 THEN 'waiting_check'
             ELSE 'waiting_callback' END,
        (SELECT u.id FROM bench_unit u WHERE u.upto >= {_drawn(2)} ORDER BY u.place LIMIT 1),
        ({_drawn(3)} * {MATTERS - 1})::int,
        least(created + interval '20 minutes', now), least(created + interval '3 hours', now),
        least(created + interval '8 hours', now),
        least(created + interval '1 day' * (1 + 4 * {_drawn(4)}), now),
        least(created + interval '6 days', now), least(created + interval '8 days', now),
        CASE WHEN g <= n * 0.95 THEN created + interval '7 days'
             ELSE now + interval '1 hour' * (140 * {_drawn(5)} - 20) END
    FROM (SELECT g, $3::bigint AS n, $4::timestamptz AS now,
              $4::timestamptz - interval '{YEARS * 365} days' * (1 - g::float / $3) - interval '1 minute' AS created
          FROM generate_series($1::bigint, $2::bigint) g) AS t
"""
_OVER = "l.ends = 'archived'"
_WITH = "l.ends <> 'waiting_dispatch'"
_LATE = "l.ends IN ('waiting_check', 'waiting_callback', 'archived')"
_STAGE = """CASE l.ends WHEN 'waiting_dispatch' THEN 'dispatch' WHEN 'waiting_sign' THEN 'sign'
    WHEN 'handling' THEN 'handle' WHEN 'waiting_check' THEN 'check' WHEN 'waiting_callback' THEN 'call_back' END"""
_SINCE = """CASE l.ends WHEN 'waiting_dispatch' THEN l.created WHEN 'waiting_sign' THEN l.dispatched
    WHEN 'handling' THEN l.signed WHEN 'waiting_check' THEN l.closed WHEN 'waiting_callback' THEN l.checked END"""
TICKET = f"""
    INSERT INTO ticket (id, number, query_code_ref, version, state, channel, type, urgency, confidentiality,
        category_id, title, narrative, expected, address, subject_name, name_ref, phone_ref, wants_reply,
        wants_public, urges, lead_unit_id, desk_unit_id, stage, stage_since, stage_due_at, round, returns, extensions,
        supervised, ruled, excluded, contacted_at, closed_as, responded, solved, satisfied, created_at,
        archived_at, dispatched_at, closed_at, due_at, updated_at)
    SELECT l.id, '4503' || to_char(l.created, 'YYYYMMDD') || to_char(mod(l.id, 1000000), 'FM000000'), code.id, 7,
        l.ends, (ARRAY['phone', 'phone', 'phone', 'web', 'wechat'])[1 + (4 * {_drawn(6, "l.id")})::int],
        m.type, CASE WHEN {_drawn(7, "l.id")} < 0.05 THEN 'urgent' ELSE 'normal' END,
        CASE WHEN {_drawn(8, "l.id")} < 0.03 THEN 'secret' ELSE 'normal' END,
        c.id, m.title, m.narrative, m.expected, m.address, '', name.id, phone.id, true, false, 0,
        CASE WHEN {_WITH} THEN l.unit END, CASE WHEN {_WITH} THEN l.unit END, {_STAGE}, {_SINCE},
        CASE WHEN {_OVER} THEN NULL WHEN l.ends = 'handling' THEN l.due ELSE l.due - interval '1 day' END,
        1, 0, 0, false, false, false, CASE WHEN {_LATE} THEN l.contacted END,
        CASE WHEN {_OVER} THEN 'handled' END, CASE WHEN {_OVER} THEN true END, CASE WHEN {_OVER} THEN true END,
        CASE WHEN {_OVER} THEN 4 END, l.created, CASE WHEN {_OVER} THEN l.asked + interval '1 day' END,
        CASE WHEN {_WITH} THEN l.dispatched END, CASE WHEN {_OVER} THEN l.asked END,
        CASE WHEN {_WITH} THEN l.due END, l.created + interval '8 days'
    FROM bench_life l JOIN bench_matter m ON m.no = l.matter
    JOIN bench_value code ON code.kind = 'code' AND code.place = mod(l.id, 1000)
    JOIN bench_value name ON name.kind = 'name' AND name.place = mod(l.id, 1000)
    JOIN bench_value phone ON phone.kind = 'phone' AND phone.place = ({_drawn(9, "l.id")} * {CITIZENS - 1})::int
    CROSS JOIN LATERAL (SELECT id FROM category WHERE id >= 1 + mod(l.matter, 200) ORDER BY id LIMIT 1) c
"""
# place on the way, action, state before, state after, when, whose unit, who of those it concerns
_WAY = (
    (1, "create", None, "waiting_dispatch", "created", False, "true"),
    (2, "dispatch", "waiting_dispatch", "waiting_sign", "dispatched", False, _WITH),
    (3, "sign", "waiting_sign", "handling", "signed", True, f"{_WITH} AND l.ends <> 'waiting_sign'"),
    (4, "contact", "handling", "handling", "contacted", True, _LATE),
    (5, "close", "handling", "waiting_check", "closed", True, _LATE),
    (6, "pass_check", "waiting_check", "waiting_callback", "checked", False, "l.ends IN ('waiting_callback', 'archived')"),
    (7, "revisit", "waiting_callback", "closed", "asked", False, _OVER),
)  # fmt: skip
HISTORY = (
    """
    INSERT INTO ticket_history (ticket_id, at, actor_name, role, unit_id, action, note, from_state, to_state,
        version, changes)
"""
    + " UNION ALL ".join(
        f"SELECT l.id, l.{at}, '{'承办人' if unit else '话务员'}', '{'dept_officer' if unit else 'agent'}', "
        f"{'l.unit' if unit else 'NULL::bigint'}, '{action}', '', {repr(before) if before else 'NULL'}, '{after}', {no}, "
        + (
            "jsonb_build_object('lead_unit_id', jsonb_build_array(NULL, l.unit)) "
            if action == "dispatch"
            else "'{}'::jsonb "
        )
        + f"FROM bench_life l WHERE {concerns}"
        for no, action, before, after, at, unit, concerns in _WAY
    )
    + " ORDER BY 1, 10"
)
_STAGES = (
    ("dispatch", "created", "dispatched", "true", _WITH),
    ("total", "dispatched", "closed", _WITH, _LATE),
    ("sign", "dispatched", "signed", _WITH, f"{_WITH} AND l.ends <> 'waiting_sign'"),
    ("handle", "signed", "closed", f"{_WITH} AND l.ends <> 'waiting_sign'", _LATE),
    ("check", "closed", "checked", _LATE, "l.ends IN ('waiting_callback', 'archived')"),
    ("call_back", "checked", "asked", "l.ends IN ('waiting_callback', 'archived')", _OVER),
)
STAGES = (
    "INSERT INTO ticket_stage (ticket_id, stage, round, unit_id, started_at, due_at, ended_at, ended_by) "
    + " UNION ALL ".join(
        f"SELECT l.id, '{stage}', 1, l.unit, l.{begin}, l.due, CASE WHEN {over} THEN l.{end} END, "
        f"CASE WHEN {over} THEN 'sign' END FROM bench_life l WHERE {begun}"
        for stage, begin, end, begun, over in _STAGES
    )
)
# What each station counts for: code, seq, the day it counts for, whether it is the unit's, who has it.
_ASKED = ("responded", "solved", "satisfied")
_FACTS = (
    ("'accepted'", 0, "created", False, "true"),
    ("'sent'", 2, "dispatched", True, _WITH),
    ("'due'", 1, "due", True, _WITH),
    ("'signed'", 3, "dispatched", True, f"{_WITH} AND l.ends <> 'waiting_sign'"),
    ("'contacted'", 4, "dispatched", True, _LATE),
    ("'on_time'", 1, "due", True, f"{_LATE} AND l.closed <= l.due"),
    ("'passed'", 6, "checked", True, "l.ends IN ('waiting_callback', 'archived')"),
    *((f"'{prefix}{name}'", 7, "asked", True, _OVER) for name in _ASKED for prefix in ("asked_", "")),
    (f"'open_' || {_STAGE}", 0, "since", True, f"NOT {_OVER}"),
)
_DAY = "(l.{0} AT TIME ZONE 'Asia/Shanghai')::date"
FACTS = (
    "INSERT INTO measure_fact (ref_id, code, seq, record, day, unit_id, category_id, district_id, type, left_out) "
    + " UNION ALL ".join(
        f"SELECT l.id, {code}, {seq}, false, {_DAY.format(at) if at != 'since' else _DAY.replace('l.{0}', f'({_SINCE})')}, "
        + ("CASE WHEN l.ends = 'waiting_dispatch' THEN 0 ELSE l.unit END, " if unit else "0, ")
        + "split_part(c.path, '.', 2)::bigint, 0, t.type, false "
        f"FROM bench_life l JOIN ticket t ON t.id = l.id JOIN category c ON c.id = t.category_id WHERE {counts}"
        for code, seq, at, unit, counts in _FACTS
    )
)
SUMS = tuple(
    f"""INSERT INTO measure_sum (scope, code, grain, start, key, left_out, n)
        SELECT '{scope}', code, 'd', day, {key}, left_out, count(*) FROM measure_fact
        WHERE {known} GROUP BY code, day, {key}, left_out"""
    for scope, key, known in (
        ("all", "''::text", "true"),
        ("unit", "unit_id::text", "unit_id <> 0 OR code LIKE 'open%'"),
        ("category", "category_id::text", "category_id <> 0 AND code NOT LIKE 'open%'"),
        ("type", "type", "code NOT LIKE 'open%'"),
    )
) + tuple(
    f"""INSERT INTO measure_sum (scope, code, grain, start, key, left_out, n)
        SELECT scope, code, '{grain[0]}', date_trunc('{grain}', start)::date, key, left_out, sum(n) FROM measure_sum
        WHERE grain = 'd' AND code NOT LIKE 'open%'
        GROUP BY scope, code, date_trunc('{grain}', start), key, left_out"""
    for grain in ("week", "month")
)
LIVED = (
    TICKET,
    FACTS,
    HISTORY,
    STAGES,
    f"""INSERT INTO ticket_unit
            (ticket_id, unit_id, role, created_at, since, signed_at, due_at, answered_at, asked, opinion)
        SELECT l.id, l.unit, 'lead', l.created, l.dispatched, l.signed, NULL::timestamptz, NULL::timestamptz, '', ''
        FROM bench_life l WHERE {_WITH}
        UNION ALL
        SELECT l.id, u.id, 'co', l.created, l.dispatched, NULL, l.due - interval '1 day',
            CASE WHEN {_LATE} THEN l.dispatched + interval '1 day' END, '请协助核实', ''
        FROM bench_life l JOIN bench_unit u ON u.place = 1 + mod(l.id, 7)
        WHERE {_WITH} AND mod(l.id, 25) = 0 AND u.id <> l.unit""",
    f"""INSERT INTO ticket_contact (ticket_id, round, at, unit_id, purpose, means, result, note)
        SELECT l.id, 1, l.contacted, l.unit, 'handling', 'phone', 'reached', '已向市民说明情况'
        FROM bench_life l WHERE {_LATE}""",
    f"""INSERT INTO ticket_reply (ticket_id, round, at, unit_id, handling, public_reply, solved)
        SELECT l.id, 1, l.closed, l.unit, '已派人到现场核实处理。', m.answer, true
        FROM bench_life l JOIN bench_matter m ON m.no = l.matter WHERE {_LATE}""",
    f"""INSERT INTO revisit (ticket_id, round, opened_at, due_at, mandatory, attempts, closed_at, result,
            responded, solved, satisfied, note)
        SELECT l.id, 1, l.checked, l.checked + interval '2 days', false, 0,
            CASE WHEN {_OVER} THEN l.asked END, CASE WHEN {_OVER} THEN 'done' END,
            CASE WHEN {_OVER} THEN true END, CASE WHEN {_OVER} THEN true END, CASE WHEN {_OVER} THEN 4 END, ''
        FROM bench_life l WHERE l.ends IN ('waiting_callback', 'archived')""",
    """INSERT INTO ticket_text (ticket_id, field, ref, piece, created_at, body, tsv)
        SELECT l.id, 'matter', 0, 0, l.created, m.body, (m.tokens || times.tokens)::tsvector
        FROM bench_life l JOIN bench_matter m ON m.no = l.matter
        CROSS JOIN LATERAL (
            SELECT string_agg(' ''@' || level || ':' ||
                (extract(epoch FROM l.created)::bigint / 3600 >> 2 * level) || '''', '') AS tokens
            FROM generate_series(0, 8) level) times""",
)
AFTERWARDS = (
    *SUMS,
    "UPDATE measure_count SET upto = NULL, records_upto = NULL",
    "SELECT setval('ticket_id_seq', (SELECT max(id) FROM ticket))",
    "DROP TABLE bench_matter, bench_unit, bench_value, bench_life",
    "VACUUM (ANALYZE)",
)
