"""The floors: aiohttp and asyncpg alone, with as many commits per request as the product makes.

No session, no permission, no audit, no encryption, no events for screens, no HTML. Two of them:

  row   each request reads its form and writes one row: nothing with this many commits can be faster
  job   each request does by hand what the process asks for: the draft is locked and ended, the ticket
        gets its number and its history, the dispatch checks the version and adds to the history

The pool is as large as the product's. Each runs in a process of its own, as a node does.

    python -m bench._bare URL POOL_SIZE row|job
"""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

import asyncpg
from aiohttp import web

from core.startup import address

POOL = web.AppKey("pool", asyncpg.Pool)
TABLES = """
    CREATE SEQUENCE IF NOT EXISTS bare_number;
    CREATE TABLE IF NOT EXISTS bare_draft (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ticket_id bigint, ended_at timestamptz,
        opened_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE IF NOT EXISTS bare_ticket (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, draft_id bigint NOT NULL, number text,
        version int NOT NULL DEFAULT 1, state text NOT NULL, type text NOT NULL, urgency text NOT NULL,
        category_id bigint NOT NULL, title text NOT NULL, narrative text NOT NULL, address text NOT NULL,
        name text NOT NULL, phone text NOT NULL, unit_id bigint, note text,
        created_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE IF NOT EXISTS bare_history (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ticket_id bigint NOT NULL REFERENCES bare_ticket,
        at timestamptz NOT NULL DEFAULT now(), action text NOT NULL, to_state text NOT NULL, note text);
"""
OPEN = "INSERT INTO bare_draft DEFAULT VALUES RETURNING id"
CREATE = """
    INSERT INTO bare_ticket
        (draft_id, number, state, type, urgency, category_id, title, narrative, address, name, phone)
    SELECT $1, to_char(nextval('bare_number'), 'FM000000'), 'waiting_dispatch', $2, $3, $4, $5, $6, $7, $8, $9
    RETURNING id
"""
DISPATCH = """
    UPDATE bare_ticket SET version = version + 1, state = 'waiting_sign', unit_id = $3, note = $4
    WHERE id = $1 AND version = $2
"""


LOCK_DRAFT = "SELECT ended_at FROM bare_draft WHERE id = $1 FOR UPDATE"
END_DRAFT = "UPDATE bare_draft SET ended_at = now(), ticket_id = $2 WHERE id = $1"
LOCK_TICKET = "SELECT version, state FROM bare_ticket WHERE id = $1 FOR UPDATE"
HISTORY = "INSERT INTO bare_history (ticket_id, action, to_state, note) VALUES ($1, $2, $3, $4)"
Form = Mapping[str, Any]


async def open_draft(request: web.Request) -> web.Response:
    """One row, one commit, for both floors."""
    await request.post()
    made = await request.app[POOL].fetchval(OPEN)
    return web.Response(text=f"draft={made}")


def _ticket(request: web.Request, form: Form) -> tuple[Any, ...]:
    texts = [str(form[name]) for name in ("title", "narrative", "address", "citizen_name", "phone")]
    head = (int(request.match_info["id"]), str(form["type"]), str(form["urgency"]))
    return *head, int(str(form["category_id"])), *texts


def _dispatch(request: web.Request, form: Form) -> tuple[Any, ...]:
    numbers = (int(request.match_info["id"]), int(str(form["version"])), int(str(form["unit_id"])))
    return *numbers, str(form["note"])


async def create_row(request: web.Request) -> web.Response:
    """One row, one commit."""
    values = _ticket(request, await request.post())
    made = await request.app[POOL].fetchval(CREATE, *values)
    return web.Response(text=f"/tickets/{made}")


async def dispatch_row(request: web.Request) -> web.Response:
    """One row, one commit."""
    values = _dispatch(request, await request.post())
    changed = await request.app[POOL].execute(DISPATCH, *values)
    return web.Response(text="dispatched", status=200 if changed == "UPDATE 1" else 409)


async def create_job(request: web.Request) -> web.Response:
    """The draft is locked, becomes a numbered ticket with its history, and ends; one commit."""
    values = _ticket(request, await request.post())
    async with request.app[POOL].acquire() as connection, connection.transaction():
        draft = await connection.fetchrow(LOCK_DRAFT, values[0])
        if draft is None or draft["ended_at"] is not None:
            return web.Response(status=409)
        made = await connection.fetchval(CREATE, *values)
        await connection.execute(HISTORY, made, "create", "waiting_dispatch", "")
        await connection.execute(END_DRAFT, values[0], made)
    return web.Response(text=f"/tickets/{made}")


async def dispatch_job(request: web.Request) -> web.Response:
    """The ticket is locked, its version checked, it moves and says so in its history; one commit."""
    values = _dispatch(request, await request.post())
    async with request.app[POOL].acquire() as connection, connection.transaction():
        ticket = await connection.fetchrow(LOCK_TICKET, values[0])
        if ticket is None or ticket["version"] != values[1] or ticket["state"] != "waiting_dispatch":
            return web.Response(status=409)
        await connection.execute(DISPATCH, *values)
        await connection.execute(HISTORY, values[0], "dispatch", "waiting_sign", values[3])
    return web.Response(text="dispatched")


HANDLERS = {"row": (create_row, dispatch_row), "job": (create_job, dispatch_job)}


async def serve(url: str, pool_size: int, kind: str) -> None:
    """Listen on a free port, print it, live until standard input ends."""
    async with asyncpg.create_pool(
        **address(url), min_size=pool_size, max_size=pool_size * 2, server_settings={"timezone": "UTC"}
    ) as pool:
        await pool.execute(TABLES)
        app = web.Application()
        app[POOL] = pool
        app.router.add_post("/drafts", open_draft)
        create, dispatch = HANDLERS[kind]
        app.router.add_post(r"/drafts/{id:\d+}/ticket", create)
        app.router.add_post(r"/tickets/{id:\d+}/dispatch", dispatch)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
