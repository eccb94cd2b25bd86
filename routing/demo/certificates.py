"""Certificates of the demo's invented citizens in the embedded registry, papers of matters, some checks.

ID numbers are made up like their holders and the same each time; nobody has them (their area ends in 99).
"""

import random
from datetime import date, timedelta

import sqlalchemy as sa

from core.clock import to_city
from core.people.permissions import Role
from core.people.service import PeopleService
from routing.demo.making import Making, Row
from telephony.simulator.callers import PEOPLE
from tickets.bulk import insert_rows, reserve_ids
from tickets.certificates import papers
from tickets.certificates.models import CertificateCheck, CertificateConsent, CertificateRecord
from tickets.certificates.terms import PURPOSE, UNKNOWN, Paper, judged
from tickets.checks import is_id_number
from tickets.models import Ticket, table_of

_ticket = table_of(Ticket)
ID, HOUSEHOLD = Paper("居民身份证", "id_card"), Paper("户口簿", "household")
PAPERS: dict[str, tuple[Paper, ...]] = {
    "030401": (ID, HOUSEHOLD, Paper("不动产情况证明", "property"), Paper("收入证明")),
    "0305": (ID, Paper("不动产权证书", "property"), Paper("提取申请表")),
    "0703": (ID, Paper("近期证件照片")),
    "0704": (ID, HOUSEHOLD, Paper("低保证", "low_income"), Paper("家庭收入承诺书")),
    "070403": (ID, Paper("残疾人证", "disability")),
    "080201": (ID, HOUSEHOLD, Paper("医保参保凭证", "medical")),
    "080203": (ID, Paper("医保参保凭证", "medical"), Paper("医疗费用票据")),
    "090101": (ID, HOUSEHOLD, Paper("居住证", "residence"), Paper("预防接种证")),
    "0204": (ID, Paper("机动车驾驶证", "driving"), Paper("机动车行驶证", "vehicle")),
    "100401": (ID, Paper("经营场所证明")),
    "110203": (ID, Paper("居住地址证明")),
}
SHARES = {"id_card": 0.98, "household": 0.85, "social_security": 0.9, "medical": 0.88, "driving": 0.55}
SHARES |= {"vehicle": 0.4, "property": 0.45, "residence": 0.2, "disability": 0.05, "low_income": 0.06}
ISSUERS = {
    "id_card": "桂林市公安局",
    "household": "桂林市公安局",
    "residence": "桂林市公安局",
    "driving": "桂林市公安局交通警察支队",
    "vehicle": "桂林市公安局交通警察支队",
    "property": "桂林市不动产登记中心",
    "social_security": "桂林市人力资源和社会保障局",
    "medical": "桂林市医疗保障局",
    "disability": "桂林市残疾人联合会",
    "low_income": "桂林市民政局",
}
CHECKED = 90  # of the tickets that need papers, about so many over the whole time


def id_number(index: int) -> str:
    """The ID number of the invented citizen `index`."""
    born = date(1950, 1, 1) + timedelta(days=(index * 6271) % 20_000)
    body = f"450399{born:%Y%m%d}{index % 1000:03d}"
    return next(body + last for last in "0123456789X" if is_id_number(body + last))


def held(index: int, today: date) -> dict[str, Row]:
    """The certificates of a citizen by kind."""
    draw = random.Random(f"certificates-{index}")
    found: dict[str, Row] = {}
    for kind, share in SHARES.items():
        if draw.random() >= share:
            continue
        begun = today - timedelta(days=draw.randrange(200, 3500))
        ends = None if kind in ("household", "property") else begun + timedelta(days=3650)
        if draw.random() < 0.06:
            ends = today - timedelta(days=draw.randrange(1, 300))
            begun = ends - timedelta(days=3650)
        days = {"valid_from": begun, "valid_to": ends, "revoked": draw.random() < 0.01}
        found[kind] = {"kind": kind, "issuer": ISSUERS[kind], **days}
    return found


async def make(making: Making, people: PeopleService) -> None:
    """The registry, the lists of papers, and checks of the last weeks."""
    uow, vault = making.uow, making.values.vault
    today = to_city(uow.now).date()
    rows = [
        {"holder": vault.blind("id_number", id_number(index)), **record}
        for index in range(PEOPLE)
        for record in held(index, today).values()
    ]
    await insert_rows(uow.session, table_of(CertificateRecord), rows)
    admin = await people.actor_for_user(uow.session, making.folk.posts[Role.SYSTEM_ADMIN][0].id)
    assert admin is not None
    for code, needed in PAPERS.items():
        await papers.save(uow, admin, making.categories[code], 0, needed, "首版清单")
    await _checks(making, today)


async def _checks(making: Making, today: date) -> None:
    """Consents by telephone and what the registry said, at the time of the call."""
    uow, draw = making.uow, random.Random(20262)
    query = (
        sa.select(_ticket.c.id, _ticket.c.category_id, _ticket.c.created_at, _ticket.c.created_by)
        .where(_ticket.c.channel == "phone", _ticket.c.category_id.in_(_needing(making)))
        .order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc())
    )
    found = (await uow.session.execute(query)).all()
    tickets = found[:: max(1, len(found) // CHECKED)]
    consents, checks = table_of(CertificateConsent), table_of(CertificateCheck)
    ids = iter(await reserve_ids(uow.session, consents, len(tickets)))
    given: list[Row] = []
    said: list[Row] = []
    for ticket in tickets:
        index, ident = draw.randrange(PEOPLE), next(ids)
        kinds = sorted(one.kind for one in _needing(making)[ticket.category_id] if one.kind)
        subject = await making.values.vault.put(uow, "id_number", id_number(index))
        about = {"ticket_id": ticket.id, "subject_ref": subject.id, "kinds": kinds, "purpose": PURPOSE}
        by = {"channel": "phone", "given_at": ticket.created_at, "recorded_by": ticket.created_by}
        given.append({"id": ident, **about, **by})
        has = held(index, to_city(ticket.created_at).date())
        for kind in kinds:
            answer = {"consent_id": ident, "kind": kind, "source": "embedded", "at": ticket.created_at}
            said.append(answer | _answer(has.get(kind), today) | {"asked_by": ticket.created_by})
    await insert_rows(uow.session, consents, given)
    await insert_rows(uow.session, checks, said)


def _answer(record: Row | None, today: date) -> Row:
    if record is None:
        blank = {"issuer": "", "valid_from": None, "valid_to": None}
        return {"result": UNKNOWN, "why": "not_found", **blank}
    days = (record["valid_from"], record["valid_to"])
    found = judged(record["issuer"], *days, revoked=record["revoked"], today=today)
    return {"result": found.result, "why": found.why, **{k: record[k] for k in ("issuer", *_DAYS)}}


_DAYS = ("valid_from", "valid_to")


def _needing(making: Making) -> dict[int, tuple[Paper, ...]]:
    """Categories by id with the papers of the nearest list."""
    found: dict[int, tuple[Paper, ...]] = {}
    for code, ident in making.categories.items():
        near = [listed for listed in PAPERS if code.startswith(listed)]
        if near:
            found[ident] = PAPERS[max(near, key=len)]
    return found
