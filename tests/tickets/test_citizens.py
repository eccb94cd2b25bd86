"""Citizen records: whose numbers and names belong together, and what becomes of them."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from core.audit import AuditRow
from core.catalog import holds
from core.clock import ManualClock
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import DESTROYED
from tests.tickets.conftest import SYSTEM, City, Refused
from tickets.citizens import finding, names, queries, records, service
from tickets.models import Ticket, table_of
from tickets.points import service as points
from tickets.points.datum import Point

USCC = "91450300MA5K0A000X"
_ticket = table_of(Ticket)


class Rig:
    """Short words for what these tests do."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.agent = city.actors["agent"]

    async def do(self, work: Any, *args: Any, **options: Any) -> Any:
        async with self.city.db.begin() as uow:
            return await work(uow, *args, **options)

    async def of(self, phone: str) -> int:
        """The record of a number, made when there is none."""
        async with self.city.db.begin() as uow:
            ref = (await self.city.vault.put(uow, "phone", phone)).id
            ident = await records.ensure(uow, ref)
            await names.learn(uow, self.city.vault, [ref])
            return ident

    async def page(self, ident: int, actor: Actor | None = None) -> queries.CitizenPage:
        async with self.city.db.read() as session:
            return await queries.citizen_page(session, actor or self.agent, self.city.vault, ident)

    async def numbers(self, ident: int) -> list[str]:
        """The numbers of a record in the clear, sorted."""
        async with self.city.db.read() as session:
            refs = await queries.phones_of(session, ident)
            return sorted([await self.city.vault.reveal(session, item.ref) for item in refs])

    async def tickets(self, ident: int, actor: Actor | None = None, **more: Any) -> Any:
        async with self.city.db.read() as session:
            refs = [item.ref for item in await queries.phones_of(session, ident)]
            return await queries.tickets_of(session, actor or self.agent, refs, **more)

    async def search(self, typed: str, actor: Actor | None = None) -> finding.Found:
        found = await self.do(finding.search, actor or self.agent, self.city.vault, typed, area="0773")
        assert isinstance(found, finding.Found)
        return found

    async def merged(self, *phones: str) -> int:
        """A record that leads the records of these numbers."""
        lead = await self.of(phones[0])
        for phone in phones[1:]:
            other = await self.of(phone)
            versions = (await self.page(lead)).version, (await self.page(other)).version
            await self.do(service.merge, self.agent, lead, versions[0], other, versions[1], "同一个人")
        return lead

    async def audits(self, action: str) -> list[Any]:
        query = sa.select(table_of(AuditRow)).where(table_of(AuditRow).c.action == action)
        async with self.city.db.read() as session:
            return list((await session.execute(query.order_by("id"))).all())


@pytest.fixture
def rig(city: City) -> Rig:
    return Rig(city)


# ---- made and found -------------------------------------------------------------------------


async def test_a_number_has_one_record_however_often_and_at_once_it_is_asked_for(rig: Rig) -> None:
    first = await asyncio.gather(*(rig.of("13800000007") for _ in range(8)))
    assert len(set(first)) == 1
    assert await rig.of("13800000007") == first[0]
    assert await rig.city.scalar("SELECT count(*) FROM citizen") == 1


async def test_the_record_gathers_the_names_of_its_tickets_each_once(rig: Rig) -> None:
    for name in ("王小明", "王 小明", "王大力"):
        await rig.city.ticket(citizen_name=name)
    page = await rig.page(await rig.of("13800000001"))
    assert [item.masked for item in page.names] == ["王**", "王**"]
    assert await rig.of("13800000001") == page.id
    assert len((await rig.page(page.id)).names) == 2


async def test_the_record_of_a_ticket_is_made_when_somebody_opens_it(rig: Rig, refused: Refused) -> None:
    made = await rig.city.ticket()
    ident = await rig.do(service.of_ticket, rig.agent, made.id)
    assert ident == await rig.of("13800000001")
    nobody = await rig.city.ticket(confidentiality="anonymous", phone=None)
    await refused("citizen_without_number", rig.do(service.of_ticket, rig.agent, nobody.id))
    await refused("ticket_not_found", rig.do(service.of_ticket, rig.agent, 987654))


async def test_records_are_closed_to_everybody_but_the_hotline(rig: Rig, refused: Refused) -> None:
    made = await rig.city.dispatched("lights")
    ident = await rig.of("13800000001")
    for who in ("lights", "district", "admin", "audit", "editor"):
        person = rig.city.actors[who]
        await refused("forbidden", rig.page(ident, person))
        await refused("forbidden", rig.search("13800000001", person))
        await refused("forbidden", rig.do(service.of_ticket, person, made.id))
        await refused("forbidden", rig.do(service.add_note, person, rig.city.vault, ident, "x"))


async def test_who_may_only_read_changes_nothing(rig: Rig, refused: Refused) -> None:
    ident = await rig.of("13800000001")
    reader, vault = rig.city.actors["inspector"], rig.city.vault
    assert (await rig.page(ident, reader)).id == ident
    writes: list[Any] = [
        rig.do(service.add_note, reader, vault, ident, "x"),
        rig.do(service.set_flag, reader, ident, 1, "care", "x"),
        rig.do(service.add_phone, reader, vault, ident, 1, "13800000002"),
        rig.do(service.set_business, reader, ident, 1, business=True, company="x", uscc=""),
        rig.do(service.merge, reader, ident, 1, ident + 1, 1, "x"),
        rig.do(service.split, reader, ident, 1, [1], [], "x"),
    ]
    for work in writes:
        await refused("forbidden", work)


async def test_search_finds_by_number_phone_name_and_uscc_and_never_by_a_part(rig: Rig) -> None:
    made = await rig.city.ticket(citizen_name="覃 丽华")
    ident = await rig.of("13800000001")
    await rig.do(service.set_business, rig.agent, ident, 1, business=True, company="漓江餐饮", uscc=USCC)
    for typed, kind in (
        (made.number, "number"),
        ("138-0000-0001", "phone"),
        ("覃丽华", "name"),
        (USCC.lower(), "uscc"),
        ("漓江餐饮", "name"),
    ):
        found = await rig.search(typed)
        assert (found.kind, [hit.citizen_id for hit in found.hits]) == (kind, [ident]), typed
    for typed in ("覃", "丽华", "1380000", "漓江", "%", "", "13899999999", "91450300"):
        assert (await rig.search(typed)).hits == (), typed
    hit = (await rig.search("覃丽华")).hits[0]
    assert (hit.phones, hit.names) == (("138****0001",), ("覃**",))


async def test_a_search_is_audited_without_what_was_typed(rig: Rig) -> None:
    await rig.city.ticket()
    ident = await rig.of("13800000001")
    await rig.search("王小明")
    row = (await rig.audits("citizen.search"))[-1]
    assert row.detail == {"by": "name", "found": [ident]}
    assert "王小明" not in str(row._mapping)


async def test_a_number_only_the_staff_uses_gets_no_record(rig: Rig) -> None:
    async with rig.city.db.begin() as uow:
        await rig.city.vault.put(uow, "phone", "13877777777")
    assert (await rig.search("13877777777")).hits == ()
    assert await rig.city.scalar("SELECT count(*) FROM citizen") == 0


async def test_names_of_tickets_are_followed_in_their_order_and_once(rig: Rig, clock: ManualClock) -> None:
    for index in range(5):
        await rig.city.ticket(phone=f"1380000001{index}", citizen_name=f"韦{index}号")
    assert await rig.do(names.follow, rig.city.vault) == 0, "the newest tickets are left for the next time"
    clock.advance(60)
    assert [await rig.do(names.follow, rig.city.vault, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert len((await rig.search("韦4号")).hits) == 1
    assert await rig.city.scalar("SELECT count(*) FROM citizen_name") == 5


# ---- numbers, names, enterprise -------------------------------------------------------------


async def test_a_number_is_added_once_and_only_if_it_is_nobody_elses(rig: Rig, refused: Refused) -> None:
    ident, other = await rig.of("13800000001"), await rig.of("13800000002")
    vault, area = rig.city.vault, "0773"
    version = await rig.do(service.add_phone, rig.agent, vault, ident, 1, "2811234", area=area)
    assert version == 2
    assert await rig.do(service.add_phone, rig.agent, vault, ident, 2, "0773-2811234", area=area) == 2
    assert await rig.numbers(ident) == ["07732811234", "13800000001"]
    taken = await refused(
        "phone_elsewhere", rig.do(service.add_phone, rig.agent, vault, ident, 2, "13800000002")
    )
    assert taken == {"citizen_id": other}
    await refused("bad_phone", rig.do(service.add_phone, rig.agent, vault, ident, 2, "12ab"))


async def test_a_number_two_people_add_at_once_goes_to_one_record_and_the_other_is_told_whose_it_is(
    rig: Rig,
) -> None:
    vault, idents = rig.city.vault, [await rig.of(f"1380000000{end}") for end in "1234"]
    await rig.do(vault.put, "phone", "13900000009")  # seen before, but nobody's yet

    async def add(ident: int) -> str:
        try:
            await rig.do(service.add_phone, rig.agent, vault, ident, 1, "13900000009")
        except HotlineError as error:
            return error.code
        return "added"

    results = await asyncio.gather(*(add(ident) for ident in idents))
    assert sorted(results) == ["added"] + ["phone_elsewhere"] * 3


async def test_a_name_is_added_once(rig: Rig) -> None:
    await rig.city.ticket(citizen_name="王小明")
    ident = await rig.of("13800000001")
    assert await rig.do(service.add_name, rig.agent, rig.city.vault, ident, 1, "王小明") == 1
    assert await rig.do(service.add_name, rig.agent, rig.city.vault, ident, 1, "王晓明") == 2
    assert len((await rig.page(ident)).names) == 2


async def test_an_enterprise_needs_a_code_that_checks(rig: Rig, refused: Refused) -> None:
    ident = await rig.of("13800000001")
    wrong = rig.do(
        service.set_business, rig.agent, ident, 1, business=True, company="", uscc="91450300MA5K0A0001"
    )
    await refused("bad_uscc", wrong)
    await rig.do(
        service.set_business, rig.agent, ident, 1, business=True, company="漓江餐饮", uscc=f" {USCC} "
    )
    page = await rig.page(ident)
    assert (page.business, page.company, page.uscc, page.version) == (True, "漓江餐饮", USCC, 2)


async def test_a_stale_version_is_refused(rig: Rig, refused: Refused) -> None:
    ident = await rig.of("13800000001")
    await rig.do(service.set_flag, rig.agent, ident, 1, "care", "高龄独居")
    late = await refused(
        "version_conflict", rig.do(service.set_flag, rig.agent, ident, 1, "dialect", "桂柳话")
    )
    assert (late["ours"], late["theirs"]) == (1, 2)


# ---- notes and marks ------------------------------------------------------------------------


async def test_notes_are_sealed_signed_and_withdrawn_but_never_deleted(rig: Rig, refused: Refused) -> None:
    ident, vault = await rig.of("13800000001"), rig.city.vault
    note = await rig.do(service.add_note, rig.agent, vault, ident, "只在下午接电话")
    assert await rig.city.scalar("SELECT count(*) FROM personal_value WHERE kind = 'note'") == 1
    other = rig.city.actors["agent2"]
    await refused("note_not_yours", rig.do(service.withdraw_note, other, vault, ident, note, "不对"))
    for _ in range(2):
        await rig.do(service.withdraw_note, rig.agent, vault, ident, note, "记错了人")
    (shown,) = (await rig.page(ident)).notes
    assert (shown.text, shown.author, shown.withdrawn_by, shown.withdrawn_why) == (
        "只在下午接电话", "agent", "agent", "记错了人",
    )  # fmt: skip
    await refused("note_required", rig.do(service.add_note, rig.agent, vault, ident, "  "))
    await refused("note_not_found", rig.do(service.withdraw_note, rig.agent, vault, ident, 98765, "x"))


async def test_notes_and_history_cannot_be_changed_in_the_database(rig: Rig) -> None:
    ident = await rig.of("13800000001")
    await rig.do(service.add_note, rig.agent, rig.city.vault, ident, "甲")
    await rig.do(service.set_flag, rig.agent, ident, 1, "care", "乙")
    writes = ("UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {} CASCADE")
    for statement in (
        write.format(table) for write in writes for table in ("citizen_note", "citizen_history")
    ):
        with pytest.raises(Exception, match="append-only"):
            async with rig.city.db.begin() as uow:
                await uow.session.execute(sa.text(statement))


async def test_a_mark_stands_once_with_its_author_until_it_is_taken_off(rig: Rig, refused: Refused) -> None:
    ident = await rig.of("13800000001")
    await rig.do(service.set_flag, rig.agent, ident, 1, "harassment", "劝阻三次后仍辱骂")
    assert await rig.do(service.set_flag, rig.agent, ident, 2, "harassment", "又来") == 2
    (flag,) = (await rig.page(ident)).flags
    assert (flag.label, flag.by, flag.reason) == ("反复骚扰", "agent", "劝阻三次后仍辱骂")
    await rig.do(service.clear_flag, rig.agent, ident, 2, flag.id, "已道歉")
    page = await rig.page(ident)
    assert page.flags == ()
    assert [step.action for step in page.history] == ["flag_cleared", "flag_set"]
    await refused("flag_not_found", rig.do(service.clear_flag, rig.agent, ident, 3, flag.id, "再次"))
    await refused("unknown_flag", rig.do(service.set_flag, rig.agent, ident, 3, "vip", "x"))
    await refused("reason_missing", rig.do(service.set_flag, rig.agent, ident, 3, "care", " "))


async def test_a_value_is_shown_for_a_reason_and_audited_only_to_its_own_record(
    rig: Rig, refused: Refused
) -> None:
    ident, other = await rig.of("13800000001"), await rig.of("13800000002")
    ref, foreign = (await rig.page(ident)).refs[0], (await rig.page(other)).refs[0]
    reveal, vault = service.reveal, rig.city.vault
    assert await rig.do(reveal, rig.agent, vault, ident, ref, "回电核实") == "13800000001"
    row = (await rig.audits("person.reveal"))[-1]
    assert (row.object_type, row.object_id, row.reason, row.detail["ref"]) == (
        "citizen",
        ident,
        "回电核实",
        ref,
    )
    await refused("nothing_to_reveal", rig.do(reveal, rig.agent, vault, ident, foreign, "x"))
    await refused("reason_required", rig.do(reveal, rig.agent, vault, ident, ref, " "))


# ---- tickets --------------------------------------------------------------------------------


async def test_tickets_of_all_numbers_are_leafed_through_newest_first_without_gap_or_repeat(
    rig: Rig, clock: ManualClock
) -> None:
    made = []
    for index in range(11):
        clock.advance(index % 3 * 60)
        made.append((await rig.city.ticket(phone=f"1380000000{index % 3 + 1}")).id)
    lead = await rig.merged("13800000001", "13800000002", "13800000003")
    seen: list[int] = []
    cursor = None
    while True:
        page = await rig.tickets(lead, cursor=cursor, limit=4)
        seen += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted(made, reverse=True)


async def test_a_record_leads_nobody_to_a_sealed_ticket(rig: Rig, refused: Refused) -> None:
    open_one = await rig.city.dispatched("lights")
    sealed = [await rig.city.dispatched("lights", **over) for over in (
        {"type": "report"}, {"confidentiality": "secret"})]  # fmt: skip
    ident = await rig.of("13800000001")
    base = rig.city.actors["lights"]
    person = Actor(**{**base.__dict__, "permissions": base.permissions | {Permission.CITIZEN_READ}})
    assert [item.id for item in (await rig.tickets(ident, person)).items] == [open_one.id]
    assert (await rig.page(ident, person)).summary.tickets == 1
    for hidden in sealed:
        assert (await rig.search(hidden.number, person)).hits == ()
        await refused("ticket_not_found", rig.do(service.of_ticket, person, hidden.id))
    assert len((await rig.tickets(ident)).items) == 3


async def test_the_summary_counts_the_three_answers(rig: Rig) -> None:
    answers: list[dict[str, Any]] = [
        {"responded": True, "solved": True, "satisfied": 5, "stage": None},
        {"responded": True, "solved": False, "satisfied": 2},
        {"solved": True},
        {},
    ]
    for values in answers:
        made = await rig.city.ticket()
        async with rig.city.db.begin() as uow:
            if values:
                await uow.session.execute(sa.update(_ticket).where(_ticket.c.id == made.id).values(**values))
    found = (await rig.page(await rig.of("13800000001"))).summary
    assert (found.tickets, found.open, found.asked, found.judged) == (4, 3, 2, 3)
    assert (found.responded, found.solved, found.rated, found.satisfied) == (2, 2, 2, 1)


# ---- merging and splitting ------------------------------------------------------------------


async def test_merged_records_show_everything_together_and_come_apart_as_they_were(
    rig: Rig, refused: Refused
) -> None:
    vault = rig.city.vault
    one, two, three = [await rig.of(f"1380000000{index}") for index in (1, 2, 3)]
    await rig.do(service.add_note, rig.agent, vault, two, "乙的备注")
    await rig.do(service.set_flag, rig.agent, two, 1, "dialect", "只讲壮话")
    await rig.do(service.merge, rig.agent, two, 2, three, 1, "一家人共用")
    await rig.do(service.merge, rig.agent, one, 1, two, 3, "同一个人")
    page = await rig.page(one)
    assert len(page.phones) == 3
    assert [note.text for note in page.notes] == ["乙的备注"]
    assert [flag.kind for flag in page.flags] == ["dialect"]
    assert page.merged == (two, three)
    assert (await refused("citizen_merged", rig.page(three)))["into"] == one
    assert await rig.of("13800000003") == one
    await rig.do(service.unmerge, rig.agent, one, 2, two, "号码已换人")
    assert await rig.numbers(one) == ["13800000001"]
    assert await rig.numbers(two) == ["13800000002", "13800000003"]
    assert [note.text for note in (await rig.page(two)).notes] == ["乙的备注"]
    await refused("not_merged", rig.do(service.unmerge, rig.agent, one, 3, two, "再来"))
    merges = [(row.object_id, row.reason) for row in await rig.audits("citizen.merge")]
    assert merges == [(two, "一家人共用"), (one, "同一个人")]
    assert len(await rig.audits("citizen.unmerge")) == 1


async def test_the_enterprise_of_a_merged_record_is_shown_by_the_one_that_leads(rig: Rig) -> None:
    one, two = await rig.of("13800000001"), await rig.of("13800000002")
    await rig.do(service.set_business, rig.agent, two, 1, business=True, company="漓江餐饮", uscc=USCC)
    await rig.do(service.merge, rig.agent, one, 1, two, 2, "同一个人")
    page = await rig.page(one)
    assert (page.business, page.company, page.uscc) == (True, "漓江餐饮", USCC)
    (hit,) = (await rig.search(USCC)).hits
    assert (hit.citizen_id, hit.company, hit.business) == (one, "漓江餐饮", True)
    await rig.do(service.unmerge, rig.agent, one, 2, two, "弄错了")
    assert [(await rig.page(ident)).company for ident in (one, two)] == ["", "漓江餐饮"]


async def test_an_undone_merge_leaves_what_was_merged_later_where_it_is(rig: Rig) -> None:
    one = await rig.merged("13800000001", "13800000002", "13800000003")
    two = (await rig.page(one)).merged[0]
    await rig.do(service.unmerge, rig.agent, one, 3, two, "弄错了")
    assert await rig.numbers(one) == ["13800000001", "13800000003"]


async def test_a_record_is_not_merged_with_itself_nor_twice(rig: Rig, refused: Refused) -> None:
    one = await rig.merged("13800000001", "13800000002")
    two = (await rig.page(one)).merged[0]
    await refused("merge_with_itself", rig.do(service.merge, rig.agent, one, 2, one, 2, "x"))
    await refused("citizen_merged", rig.do(service.merge, rig.agent, one, 2, two, 2, "x"))
    await refused("citizen_not_found", rig.do(service.merge, rig.agent, one, 2, 98765, 1, "x"))
    await refused("reason_missing", rig.do(service.merge, rig.agent, one, 2, two, 2, ""))


async def test_records_merged_crosswise_at_once_neither_deadlock_nor_form_a_circle(rig: Rig) -> None:
    idents = [await rig.of(f"1380000000{index}") for index in range(1, 5)]
    pairs = [(a, b) for a in idents for b in idents if a != b]

    async def merge(lead: int, other: int) -> str:
        try:
            await rig.do(service.merge, rig.agent, lead, 1, other, 1, "同一个人")
        except HotlineError as error:
            return error.code
        return "merged"

    results = await asyncio.gather(*(merge(*pair) for pair in pairs))
    assert results.count("merged") == 2, results
    assert set(results) == {"merged", "citizen_merged", "version_conflict"}
    circle = """SELECT count(*) FROM citizen a JOIN citizen b ON b.id = a.merged_into_id
                WHERE b.merged_into_id IS NOT NULL"""
    assert await rig.city.scalar(circle) == 0


async def test_chosen_numbers_and_names_are_split_off_into_a_new_record(rig: Rig, refused: Refused) -> None:
    await rig.city.ticket(phone="13800000001", citizen_name="王小明")
    await rig.city.ticket(phone="13800000002", citizen_name="李芳")
    lead = await rig.merged("13800000001", "13800000002")
    page = await rig.page(lead)
    ref = next(item.ref for item in page.phones if item.masked.endswith("0002"))
    name = next(item.id for item in page.names if item.masked.startswith("李"))
    split = service.split
    await refused("split_takes_all", rig.do(split, rig.agent, lead, 2, page.refs, [], "x"))
    await refused("split_needs_numbers", rig.do(split, rig.agent, lead, 2, [], [name], "x"))
    await refused("nothing_to_split", rig.do(split, rig.agent, lead, 2, [98765], [], "x"))
    await refused("nothing_to_split", rig.do(split, rig.agent, lead, 2, [ref], [98765], "x"))
    new = await rig.do(split, rig.agent, lead, 2, [ref], [name], "号码已过户")
    assert (await rig.numbers(lead), await rig.numbers(new)) == (["13800000001"], ["13800000002"])
    assert [item.masked for item in (await rig.page(new)).names] == ["李**"]
    assert [hit.citizen_id for hit in (await rig.search("李芳")).hits] == [new]
    assert len((await rig.tickets(new)).items) == 1
    assert [step.action for step in (await rig.page(new)).history] == ["split_from"]


async def test_a_name_both_records_had_is_split_off_for_good(rig: Rig) -> None:
    for phone in ("13800000001", "13800000002"):
        await rig.city.ticket(phone=phone, citizen_name="李芳")
    await rig.city.ticket(phone="13800000001", citizen_name="王小明")
    lead = await rig.merged("13800000001", "13800000002")
    page = await rig.page(lead)
    ref = next(item.ref for item in page.phones if item.masked.endswith("0002"))
    name = next(item.id for item in page.names if item.masked.startswith("李"))
    new = await rig.do(service.split, rig.agent, lead, 2, [ref], [name], "号码已过户")
    assert [item.masked for item in (await rig.page(lead)).names] == ["王**"]
    assert [hit.citizen_id for hit in (await rig.search("李芳")).hits] == [new]


# ---- the card of a caller -------------------------------------------------------------------


async def test_the_card_shows_names_marks_and_the_last_three_standing_notes(rig: Rig) -> None:
    await rig.city.ticket()
    ident, vault = await rig.of("13800000001"), rig.city.vault
    notes = [await rig.do(service.add_note, rig.agent, vault, ident, f"备注{index}") for index in range(5)]
    await rig.do(service.withdraw_note, rig.agent, vault, ident, notes[-1], "撤回")
    ref = (await rig.page(ident)).refs[0]
    async with rig.city.db.read() as session:
        card = await queries.brief(session, rig.agent, vault, ref)
        assert card is not None
        assert ([note.text for note in card.notes], card.names) == (["备注3", "备注2", "备注1"], ("王**",))
        assert await queries.brief(session, rig.city.actors["lights"], vault, ref) is None
        assert await queries.brief(session, rig.agent, vault, 98765) is None


# ---- forgetting -----------------------------------------------------------------------------


async def _closed(rig: Rig, **over: Any) -> int:
    made = await rig.city.ticket(**over)
    async with rig.city.db.begin() as uow:
        ended = {"state": "closed", "stage": None, "stage_due_at": None, "closed_at": uow.now}
        await uow.session.execute(sa.update(_ticket).where(_ticket.c.id == made.id).values(**ended))
    return made.id


async def test_forgetting_destroys_every_value_and_the_page_still_works(rig: Rig) -> None:
    vault, auditor = rig.city.vault, rig.city.actors["audit"]
    ticket = await _closed(rig, phone2="13900000001", id_number="11010519491231002X")
    await _closed(rig, phone="13900000009", citizen_name="别人")
    for at, other in enumerate((ticket, await _closed(rig, phone="13900000008", citizen_name="又一人"))):
        await rig.do(points.keep, other, Point(25.27 + at, 110.29))
    ident = await rig.of("13800000001")
    await rig.do(service.add_note, rig.agent, vault, ident, "住在解放东路")
    await rig.do(service.set_flag, rig.agent, ident, 1, "care", "独居老人")
    await rig.do(service.set_business, rig.agent, ident, 2, business=True, company="王记米粉", uscc=USCC)
    async with rig.city.db.read() as session:
        preview = await service.preview_forget(session, auditor, ident)
    assert preview.possible
    went = await rig.do(service.forget, auditor, ident, "本人申请")
    assert went == preview
    assert (went.phones, went.names, went.id_numbers, went.second_phones) == (1, 1, 1, 1)
    assert (went.codes, went.notes, went.drafts, went.tickets) == (1, 1, 1, 1)
    page = await rig.page(ident)
    assert page.forgotten_at is not None
    assert [item.masked for item in (*page.phones, *page.names)] == [DESTROYED, DESTROYED]
    assert (page.notes[0].text, page.flags[0].reason, page.company, page.uscc) == (DESTROYED, "", "", None)
    assert [item.id for item in (await rig.tickets(ident)).items] == [ticket]
    assert (await rig.search("王小明")).hits == ()
    assert (await rig.search("13800000001")).hits == ()
    assert (await rig.search("王记米粉")).hits == ()
    assert await rig.city.scalar("SELECT count(*) FROM ticket_draft WHERE form_sealed IS NULL") == 1
    (row,) = await rig.audits("citizen.forget")
    assert (row.object_id, row.reason) == (ident, "本人申请")
    left = "SELECT latitude FROM ticket_point"  # of another citizen's ticket alone
    assert await rig.city.scalar(left) == 26.27
    kept = "SELECT count(*) FROM citizen_history h WHERE h::text LIKE :code OR h::text LIKE '%王记米粉%'"
    assert await rig.city.scalar(kept, code=f"%{USCC}%") == 0


async def test_a_forgotten_number_that_calls_again_is_somebody_new(rig: Rig) -> None:
    await _closed(rig)
    ident = await rig.of("13800000001")
    await rig.do(service.forget, SYSTEM, ident)
    again = await rig.city.ticket()
    new = await rig.do(service.of_ticket, rig.agent, again.id)
    assert new != ident
    assert await rig.of("13800000001") == new
    assert await rig.numbers(new) == ["13800000001"]
    assert (await rig.page(new)).names[0].masked == "王**"


async def test_others_keep_their_values_when_one_is_forgotten(rig: Rig) -> None:
    await _closed(rig, phone2="13900000009")
    await _closed(rig, phone="13900000009", citizen_name="李芳")
    await rig.do(service.forget, SYSTEM, await rig.of("13800000001"))
    other = await rig.of("13900000009")
    assert await rig.numbers(other) == ["13900000009"]
    assert [hit.citizen_id for hit in (await rig.search("李芳")).hits] == [other]


async def test_a_second_number_two_people_gave_outlives_one_of_them(rig: Rig) -> None:
    for phone in ("13800000001", "13800000002"):
        await _closed(rig, phone=phone, phone2="13900000009")
    preview = await rig.do(service.forget, SYSTEM, await rig.of("13800000001"))
    assert preview.second_phones == 0
    live = """SELECT count(*) FROM personal_value v JOIN ticket t ON t.phone2_ref = v.id
              WHERE v.destroyed_at IS NULL"""
    assert await rig.city.scalar(live) == 2
    last = await rig.do(service.forget, SYSTEM, await rig.of("13800000002"))
    assert last.second_phones == 1


async def test_nobody_is_forgotten_while_a_matter_runs_or_a_hold_stands(rig: Rig, refused: Refused) -> None:
    await rig.city.ticket()
    ident, auditor = await rig.of("13800000001"), rig.city.actors["audit"]
    busy = await refused("citizen_in_use", rig.do(service.forget, auditor, ident))
    assert busy["open_tickets"] == 1
    async with rig.city.db.begin() as uow:
        await uow.session.execute(sa.update(_ticket).values(state="closed", stage=None))
        hold = (
            "INSERT INTO legal_hold (subject, subject_id, reason, placed_at) "
            "VALUES ('citizen', :id, '案件', now())"
        )
        await uow.session.execute(sa.text(hold), {"id": ident})
    await refused("citizen_held", rig.do(service.forget, auditor, ident))
    await refused("forbidden", rig.do(service.forget, rig.agent, ident))
    assert await rig.numbers(ident) == ["13800000001"]


async def test_what_a_hold_keeps_is_not_set_free_by_taking_the_record_apart(
    rig: Rig, refused: Refused
) -> None:
    auditor = rig.city.actors["audit"]
    for end in "123":
        await _closed(rig, phone=f"1380000000{end}")
    lead = await rig.merged("13800000001", "13800000002", "13800000003")
    two = (await rig.page(lead)).merged[0]
    await rig.do(holds.place, auditor, "citizen", lead, "案件")
    page = await rig.page(lead)
    ref = next(item.ref for item in page.phones if item.masked.endswith("0003"))
    part = await rig.do(service.split, rig.agent, lead, page.version, [ref], [], "号码已过户")
    await rig.do(service.unmerge, rig.agent, lead, page.version + 1, two, "弄错了")
    for ident in (lead, part, two):
        await refused("citizen_held", rig.do(service.forget, auditor, ident))
    assert [row.object_id for row in await rig.audits("hold.place")] == [lead, part, two]


async def test_a_hold_of_before_a_merge_holds_only_whom_it_was_placed_on(
    rig: Rig, clock: ManualClock
) -> None:
    await _closed(rig, phone="13800000002")
    await rig.do(holds.place, rig.city.actors["audit"], "citizen", await rig.of("13800000001"), "案件")
    clock.advance(60)
    lead = await rig.merged("13800000001", "13800000002")
    two = (await rig.page(lead)).merged[0]
    await rig.do(service.unmerge, rig.agent, lead, 2, two, "弄错了")
    assert (await rig.do(service.forget, rig.city.actors["audit"], two)).held == 0


async def test_a_forgotten_record_takes_no_more_writes(rig: Rig, refused: Refused) -> None:
    await _closed(rig)
    ident, vault = await rig.of("13800000001"), rig.city.vault
    await rig.do(service.forget, SYSTEM, ident)
    await refused("citizen_forgotten", rig.do(service.add_note, rig.agent, vault, ident, "x"))
    await refused("citizen_forgotten", rig.do(service.forget, SYSTEM, ident))
    await refused(
        "value_destroyed",
        rig.do(service.reveal, rig.agent, vault, ident, (await rig.page(ident)).refs[0], "x"),
    )
