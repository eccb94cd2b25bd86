"""What is true of this node's database, of the leaders and of the telephone systems."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from core.clock import to_city
from core.leadership import LeaseRow
from telephony.models import PbxState
from web.context import WebContext

TELEPHONY = "telephony"


@dataclass(frozen=True)
class PhoneLight:
    """One light of the status line: `tone` is good, warn or bad; the words say it without colour."""

    name: str
    tone: str
    words: str


def _since(instant: datetime | None) -> str:
    return f"（自 {to_city(instant):%H:%M:%S}）" if instant else ""


def light_of(state: PbxState, *, several: bool) -> PhoneLight:
    """What the status line says of one PBX."""
    name = f"电话系统 {state.pbx}" if several else "电话系统"
    if not state.connected:
        return PhoneLight(state.pbx, "bad", f"{name}：连接中断{_since(state.silent_since)}，来电可能不弹屏")
    if state.gap_since is not None:
        return PhoneLight(state.pbx, "warn", f"{name}：有缺口{_since(state.gap_since)}，正在核对通话记录")
    return PhoneLight(state.pbx, "good", f"{name}正常")


async def phone_lights(ctx: WebContext) -> list[PhoneLight]:
    """The lights of all telephone systems; one bad light when nobody minds them."""
    async with ctx.db.read() as session:
        states = list((await session.execute(select(PbxState).order_by(col(PbxState.pbx)))).scalars())
        leader = select(col(LeaseRow.until) > text("now()")).where(col(LeaseRow.role) == TELEPHONY)
        led = (await session.execute(leader)).scalar_one_or_none()
    if states and led is not True:
        return [PhoneLight("", "bad", "电话系统：接入服务未运行，正在切换")]
    return [light_of(state, several=len(states) > 1) for state in states]


async def check_health(ctx: WebContext) -> dict[str, Any]:
    """The report of /healthz: `status` is ok, degraded (telephones in trouble) or down (no database)."""
    try:
        await ctx.db.ping()
        lights = await phone_lights(ctx)
        leases = await _leases(ctx)
    except (SQLAlchemyError, OSError):
        return {"status": "down", "database": False}
    calm = all(light.tone == "good" for light in lights) and all(lease["held"] for lease in leases)
    return {
        "status": "ok" if calm else "degraded",
        "database": True,
        "leases": leases,
        "certificates": _registry(ctx),
        "pbx": [{"name": light.name, "state": light.tone} for light in lights],
    }


def _registry(ctx: WebContext) -> str:
    """Whether this node asks the registry of certificates: closed (it does), open, half_open; off."""
    found = ctx.certificates.registry if ctx.certificates is not None else None
    return found.state() if found is not None else "off"


async def _leases(ctx: WebContext) -> list[dict[str, Any]]:
    held = (col(LeaseRow.until) > text("now()")).label("held")
    query = select(col(LeaseRow.role), col(LeaseRow.owner), col(LeaseRow.epoch), held)
    async with ctx.db.read() as session:
        rows = await session.execute(query.order_by(col(LeaseRow.role)))
        return [{"role": r.role, "owner": r.owner, "epoch": r.epoch, "held": r.held} for r in rows]
