"""Certificates: nothing without consent, only what is needed, never the content; away means asked again."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.outbox import OutboxWorker
from core.privacy import Vault
from tests.numbers import id_number
from tests.tickets.conftest import City, Refused
from tickets.certificates import papers, queries
from tickets.certificates.embedded import EmbeddedRegistry
from tickets.certificates.models import CertificateRecord
from tickets.certificates.port import Registry, RegistryAway
from tickets.certificates.service import About, CertificateService
from tickets.certificates.terms import Paper, Verdict, judged
from tickets.models import table_of

ID, OTHER = id_number(), id_number("45030219850615002")
DAY = date(2026, 11, 23)
PAPERS = [Paper("身份证", "id_card"), Paper("户口簿", "household"), Paper("申请表")]


@dataclass
class Double:
    """A registry that says what it is told to; what is not told is not there."""

    answers: list[Verdict | RegistryAway]
    name: str = "http"
    asked: list[tuple[str, str]] = field(default_factory=list)

    def state(self) -> str:
        return "closed"

    async def verify(self, kind: str, id_number: str, today: date) -> Verdict:
        self.asked.append((kind, id_number))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, RegistryAway):
            raise answer
        return answer


def service(city: City, registry: Registry | None) -> CertificateService:
    return CertificateService(city.db, city.db.clock, city.vault, registry)


async def needs(city: City, *wanted: Paper) -> None:
    async with city.db.begin() as uow:
        await papers.save(uow, city.actors["admin"], city.category_id, 0, wanted or PAPERS)


async def registered(city: City, vault: Vault, kind: str = "id_card", number: str = ID, **over: Any) -> None:
    values = {
        "holder": vault.blind("id_number", number),
        "kind": kind,
        "issuer": "七星公安分局",
        "valid_from": date(2020, 1, 1),
        "valid_to": date(2040, 1, 1),
        "revoked": False,
    }
    async with city.db.begin() as uow:
        await uow.session.execute(sa.insert(table_of(CertificateRecord)).values(**(values | over)))


async def agreed(city: City, made: CertificateService, about: About, *kinds: str, who: str = "agent") -> int:
    async with city.db.begin() as uow:
        return await made.consent(
            uow, city.actors[who], about, kinds or ("id_card",), channel="phone", id_number=ID
        )


async def of_ticket(city: City, ident: int, who: str = "agent") -> queries.Matter:
    async with city.db.read() as session:
        return await queries.of_ticket(session, city.actors[who], ident)


async def test_without_consent_nothing_is_asked(city: City, refused: Refused) -> None:
    await needs(city)
    registry = Double([Verdict("valid", "", "局")])
    made, ticket = service(city, registry), await city.ticket()
    about = About(ticket_id=ticket.id)
    told = await refused("consent_needed", made.check(city.actors["agent"], about, ["id_card"]))
    assert told == {"kinds": ["id_card"]}
    await agreed(city, made, about, "id_card")
    await refused("consent_needed", made.check(city.actors["agent"], about, ["id_card", "household"]))
    assert registry.asked == []
    assert await city.scalar("SELECT count(*) FROM certificate_check") == 0


async def test_what_verifies_is_not_needed_and_counts_once(city: City, vault: Vault) -> None:
    await needs(city)
    await registered(city, vault)
    made, ticket = service(city, EmbeddedRegistry(city.db, vault)), await city.ticket()
    about = About(ticket_id=ticket.id)
    await agreed(city, made, about, "id_card", "household")
    for _ in range(2):
        found = await made.check(city.actors["agent"], about, ["id_card", "household"])
    assert found["id_card"] == Verdict("valid", "", "七星公安分局", date(2020, 1, 1), date(2040, 1, 1))
    assert found["household"] == Verdict("unknown", "not_found")
    matter = await of_ticket(city, ticket.id)
    assert [(one.paper.name, one.spared) for one in matter.papers] == [
        ("身份证", True),
        ("户口簿", False),
        ("申请表", False),
    ]
    async with city.db.read() as session:
        assert await queries.saved_since(session, city.db.clock.now() - timedelta(days=1)) == 1
        assert await queries.saved_by_kind(session, city.db.clock.now() - timedelta(days=1)) == [
            ("id_card", 1)
        ]


async def test_every_question_and_every_consent_is_audited_and_no_number_is_anywhere(
    city: City, vault: Vault
) -> None:
    await needs(city)
    made, ticket = service(city, EmbeddedRegistry(city.db, vault)), await city.ticket()
    about = About(ticket_id=ticket.id)
    consent = await agreed(city, made, about)
    await made.check(city.actors["agent"], about, ["id_card"])
    async with city.db.begin() as uow:
        await made.withdraw(uow, city.actors["agent"], about, consent, channel="phone")
    async with city.db.read() as session:
        rows = (
            await session.execute(
                sa.text("SELECT action FROM audit_log WHERE action LIKE 'cert%' ORDER BY id")
            )
        ).all()
        assert [row[0] for row in rows] == [
            "certificate.consent",
            "certificate.check",
            "certificate.withdraw",
        ]
        for table in (
            "certificate_consent",
            "certificate_check",
            "certificate_record",
            "audit_log",
            "outbox",
        ):
            text = await session.execute(sa.text(f"SELECT string_agg(t::text, '|') FROM {table} t"))
            assert ID not in (text.scalar_one() or ""), table


async def test_a_withdrawn_consent_ends_asking_and_what_it_brought(
    city: City, vault: Vault, refused: Refused
) -> None:
    await needs(city)
    await registered(city, vault)
    made, ticket = service(city, EmbeddedRegistry(city.db, vault)), await city.ticket()
    about, agent = About(ticket_id=ticket.id), city.actors["agent"]
    consent = await agreed(city, made, about)
    await made.check(agent, about, ["id_card"])
    assert (await of_ticket(city, ticket.id)).spared == 1
    for _ in range(2):  # twice is once
        async with city.db.begin() as uow:
            await made.withdraw(uow, agent, about, consent, channel="phone")
    assert (await of_ticket(city, ticket.id)).spared == 0
    await refused("consent_needed", made.check(agent, about, ["id_card"]))
    async with city.db.read() as session:
        assert await queries.saved_since(session, city.db.clock.now() - timedelta(days=1)) == 0


async def test_only_what_the_matter_needs_is_asked(city: City, refused: Refused) -> None:
    await needs(city)
    made, ticket = service(city, Double([Verdict("valid")])), await city.ticket()
    about = About(ticket_id=ticket.id)
    await refused("paper_not_needed", agreed(city, made, about, "id_card", "low_income"))
    await refused("paper_not_needed", made.check(city.actors["agent"], about, ["low_income"]))


async def test_a_check_of_a_draft_goes_with_the_ticket_it_becomes(city: City, vault: Vault) -> None:
    await needs(city)
    await registered(city, vault)
    made, agent = service(city, EmbeddedRegistry(city.db, vault)), city.actors["agent"]
    async with city.db.begin() as uow:
        draft = await city.drafts.open_manual(uow, agent)
    about = About(draft_id=draft, category_id=city.category_id)
    await agreed(city, made, about)
    await made.check(agent, about, ["id_card"])
    async with city.db.begin() as uow:
        form = city.form(id_number=ID)
        ticket = await city.tickets.create_from_draft(uow, agent, draft, form, 1)
    assert (await of_ticket(city, ticket.id)).spared == 1
    async with city.db.begin() as uow:  # another person's ticket takes nothing over
        draft = await city.drafts.open_manual(uow, agent)
    await agreed(city, made, About(draft_id=draft, category_id=city.category_id))
    await made.check(agent, About(draft_id=draft, category_id=city.category_id), ["id_card"])
    async with city.db.begin() as uow:
        form = city.form(id_number=OTHER)
        ticket = await city.tickets.create_from_draft(uow, agent, draft, form, 1)
    assert (await of_ticket(city, ticket.id)).spared == 0


async def test_a_consent_is_about_the_person_of_the_ticket(city: City, refused: Refused) -> None:
    await needs(city)
    made, ticket = service(city, Double([Verdict("valid")])), await city.ticket(id_number=OTHER)
    told = await refused("form_invalid", agreed(city, made, About(ticket_id=ticket.id)))
    assert told["fields"] == {"id_number": "other_person"}


async def test_units_check_their_own_tickets_and_never_a_sealed_one(city: City, refused: Refused) -> None:
    await needs(city)
    made = service(city, Double([Verdict("valid", "", "七星公安分局")]))
    mine = await city.dispatched("lights")
    await refused("ticket_not_found", agreed(city, made, About(ticket_id=mine.id), who="water"))
    await agreed(city, made, About(ticket_id=mine.id), who="lights")
    sealed = await city.dispatched("lights", confidentiality="secret")
    await refused("identity_sealed", agreed(city, made, About(ticket_id=sealed.id), who="lights"))
    await agreed(city, made, About(ticket_id=sealed.id))
    await made.check(city.actors["agent"], About(ticket_id=sealed.id), ["id_card"])
    shown = await of_ticket(city, sealed.id, "lights")
    assert (shown.spared, shown.consents, shown.id_number) == (1, (), None)


async def test_a_registry_that_was_away_is_asked_again_by_the_outbox(city: City, clock: Any) -> None:
    await needs(city)
    good = Verdict("valid", "", "七星公安分局")
    registry = Double([RegistryAway("timeout"), RegistryAway("open", 60.0), RegistryAway("timeout"), good])
    made, ticket = service(city, registry), await city.ticket()
    about = About(ticket_id=ticket.id)
    await agreed(city, made, about)
    found = await made.check(city.actors["agent"], about, ["id_card"])
    assert found == {"id_card": Verdict("unknown", "timeout")}
    worker = OutboxWorker(city.db, city.settings.outbox)
    made.wire(worker)
    await worker.send_due()  # put off: the breaker is open
    assert await worker.send_due() == 0
    clock.advance(61)
    await worker.send_due()  # a failure, counted as a try
    clock.advance(3600)
    await worker.send_due()
    assert (await of_ticket(city, ticket.id)).spared == 1
    clock.advance(3600)
    assert await worker.send_due() == 0
    assert len(registry.asked) == 4


async def test_nothing_is_asked_again_by_a_consent_that_was_taken_back(city: City) -> None:
    await needs(city)
    registry = Double([RegistryAway("unreachable")])
    made, ticket = service(city, registry), await city.ticket()
    about, agent = About(ticket_id=ticket.id), city.actors["agent"]
    consent = await agreed(city, made, about)
    await made.check(agent, about, ["id_card"])
    async with city.db.begin() as uow:
        await made.withdraw(uow, agent, about, consent, channel="phone")
    worker = OutboxWorker(city.db, city.settings.outbox)
    made.wire(worker)
    assert await worker.send_due() == 1
    assert len(registry.asked) == 1


async def test_results_and_consents_are_never_edited(city: City) -> None:
    await needs(city)
    made, ticket = service(city, None), await city.ticket()
    about = About(ticket_id=ticket.id)
    await agreed(city, made, about)
    found = await made.check(city.actors["agent"], about, ["id_card"])
    assert found["id_card"] == Verdict("unknown", "off")
    for statement in (
        "UPDATE certificate_check SET result = 'valid'",
        "DELETE FROM certificate_consent",
        "UPDATE paper_list SET papers = '[]'",
    ):
        with pytest.raises(DBAPIError):
            async with city.db.begin() as uow:
                await uow.session.execute(sa.text(statement))


async def test_lists_of_papers_have_editions_and_are_inherited(city: City, refused: Refused) -> None:
    await needs(city)
    admin = city.actors["admin"]
    async with city.db.begin() as uow:
        columns = "parent_id, level, code, name, full_name, initials, path, active, sort"
        values = f"{city.category_id}, 2, '0101', '照明', '市政 / 照明', 'zm', '', true, 0"
        made = sa.text(f"INSERT INTO category ({columns}) VALUES ({values}) RETURNING id")
        below = await uow.session.execute(made)
        ident = below.scalar_one()
        await uow.session.execute(
            sa.text(f"UPDATE category SET path = '.{city.category_id}.{ident}.' WHERE id = {ident}")
        )
    async with city.db.read() as session:
        above = await papers.needed(session, ident)
        assert (above.named, len(above.papers)) == ("市政", 3)
    async with city.db.begin() as uow:
        await papers.save(uow, admin, ident, 0, [])
    async with city.db.read() as session:
        assert (await papers.needed(session, ident)).papers == ()
    async with city.db.begin() as uow:
        await refused("version_conflict", papers.save(uow, admin, ident, 0, PAPERS))
        await refused("forbidden", papers.save(uow, city.actors["agent"], ident, 1, PAPERS))
        wrong = [Paper("身份证", "id_card"), Paper("身份证件", "id_card")]
        assert (await refused("papers_invalid", papers.save(uow, admin, ident, 1, wrong)))["line"] == 2


async def test_who_is_forgotten_is_forgotten_by_the_checks_too(city: City) -> None:
    await needs(city)
    made, ticket = service(city, None), await city.ticket()
    await agreed(city, made, About(ticket_id=ticket.id))
    from tickets.citizens import forgetting  # here: the module is large and of another room of the house

    async with city.db.begin() as uow:
        phone = sa.text("SELECT phone_ref FROM ticket WHERE id = :id")
        ref = (await uow.session.execute(phone, {"id": ticket.id})).scalar_one()
        found = await forgetting._asked_about(uow.session, [ref], [ticket.id])
    assert found == [await city.scalar("SELECT subject_ref FROM certificate_consent")]


@pytest.mark.parametrize(
    ("first", "last", "revoked", "result", "why"),
    [
        (date(2020, 1, 1), DAY, False, "valid", ""),
        (None, None, False, "valid", ""),
        (None, DAY - timedelta(days=1), False, "invalid", "expired"),
        (DAY + timedelta(days=1), None, False, "invalid", "not_yet"),
        (None, None, True, "invalid", "revoked"),
    ],
)
def test_a_certificate_counts_on_its_days(
    first: date | None, last: date | None, revoked: bool, result: str, why: str
) -> None:
    found = judged("局", first, last, revoked=revoked, today=DAY)
    assert (found.result, found.why) == (result, why)
