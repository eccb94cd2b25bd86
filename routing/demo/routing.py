"""What the demo city sends its tickets by: catalogue, rules, places; and what was sent in its past."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.catalog.versions import touch
from core.db import UnitOfWork
from routing import suggest
from routing.catalogue_service import insert
from routing.demo import places
from routing.demo.catalogue import rows
from routing.demo.making import Making
from routing.known import CATALOGUE, PLACES, RULES, knowledge
from routing.matter import Matter
from routing.models import DispatchAdvice, DispatchChoice, GazetteerPlace, RuleSet
from routing.rules import Conditions, Rule, as_data
from routing.suggest import Knowledge
from tickets.bulk import insert_rows
from tickets.models import Ticket, TicketHistory, table_of

_ticket, _history = table_of(Ticket), table_of(TicketHistory)
DEMO_RULES = (
    Rule(
        "gas",
        "燃气泄漏由燃气公司抢险",
        "ranqi",
        Conditions(words=("燃气泄漏", "煤气泄漏", "天然气泄漏", "闻到煤气味", "闻到燃气味")),
        ("xiaofang",),
        "危及安全，先抢险后分责",
    ),
    Rule(
        "night_site",
        "夜间施工由城管查处",
        "chengguan",
        Conditions(categories=("0501",), words=("工地", "施工", "打桩", "混凝土")),
        ("huanjing",),
        "夜间施工许可由城管核发",
    ),
    Rule(
        "shared_bike",
        "共享单车归城管",
        "chengguan",
        Conditions(words=("共享单车", "共享电动车")),
        ("jiaotong",),
        "停放秩序由城管牵头",
    ),
    Rule(
        "migrant_wages",
        "工地欠薪由人社牵头、住建协办",
        "renshe",
        Conditions(categories=("0601",), words=("农民工", "工地", "包工头", "项目部")),
        ("zhujian",),
        "《保障农民工工资支付条例》",
    ),
    Rule(
        "appeal",
        "对属地办理的申诉由属地上级复核",
        "@district",
        Conditions(categories=("1503",), types=("appeal",)),
        (),
        "申诉由属地区县复核",
    ),
    Rule(
        "fireworks",
        "春节期间烟花爆竹联合查处",
        "gongan",
        Conditions(categories=("110501",), words=("春节", "除夕", "元宵")),
        ("yingji",),
        "节日期间由公安牵头",
    ),
)
SHARED = frozenset(places.TOWN_SCHOOLS) | frozenset(places.TOWN_HOSPITALS)  # named in every district


async def make_routing(uow: UnitOfWork) -> None:
    """Catalogue, live rules and the gazetteer."""
    for part in (CATALOGUE, RULES, PLACES):
        await touch(uow, part)
    await insert(uow, list(rows()), note="初始清单")
    live = {
        "number": 1,
        "state": "live",
        "edits": 0,
        "rules": as_data(DEMO_RULES),
        "note": "初始规则",
        "made_at": uow.now,
        "published_at": uow.now,
    }
    await uow.session.execute(sa.insert(table_of(RuleSet)).values(**live))
    await insert_rows(uow.session, table_of(GazetteerPlace), gazetteer_rows())


def gazetteer_rows() -> list[dict[str, Any]]:
    """The names of the demo city: roads, villages, sights, parks, schools and hospitals of the counties."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in places.DISTRICTS:
        towns = {name: f"{one.code}-{number:02d}" for number, name in enumerate(one.towns, 1)}
        named = [(name, "road", one.code, "") for name in one.roads]
        named += [(name, "community", towns[town], name) for town, name in one.villages]
        named += [(name, "landmark", one.code, "") for name in (*one.sights, *one.parks)]
        named += [
            (name, "school", one.code, "") for name in (*one.schools, *one.hospitals) if name not in SHARED
        ]
        for name, kind, unit, community in named:
            found.setdefault((name, unit), {"name": name, "kind": kind, "unit": unit, "community": community})
    return list(found.values())


async def make_choices(making: Making) -> None:
    """What was sent so far, and what the desk would have been shown for it."""
    session = making.uow.session
    sent = (await session.execute(_sent())).all()
    known = await knowledge(session, making.now)
    chosen = [
        {
            "ticket_id": row.id,
            "version": row.version,
            "unit_id": row.sent_to,
            "chosen_by": row.actor_id,
            "chosen_at": row.at,
        }
        for row in sent
    ]
    await insert_rows(session, table_of(DispatchChoice), chosen)
    await insert_rows(session, table_of(DispatchAdvice), [_advice(known, row, row.at) for row in sent])


def _sent() -> sa.Select[Any]:
    names = ("title", "narrative", "type", "urgency", "channel", "category_id", "district_id", "street_id")
    lead = _history.c.changes["lead_unit_id"][1].as_integer().label("sent_to")
    return (
        sa.select(
            _ticket.c.id,
            *(_ticket.c[name] for name in (*names, "subject_name")),
            *(_history.c[name] for name in ("version", "actor_id", "at")),
            lead,
        )
        .join(_ticket, _ticket.c.id == _history.c.ticket_id)
        .where(_history.c.action == "dispatch")
        .order_by(_history.c.id)
    )


def _advice(known: Knowledge, row: Any, at: datetime) -> dict[str, Any]:
    matter = Matter(
        row.title,
        row.narrative,
        known.directory.chains.get(row.category_id, ()),
        known.directory.areas_of(row.district_id, row.street_id),
        row.subject_name,
        row.type,
        row.urgency,
        row.channel,
    )
    found = suggest.suggest(known, matter)
    return suggest.kept(found, row.id, row.version - 1, at)
