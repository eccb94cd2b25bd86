"""The categories in versions: edits of a tree, drafts that disturb nobody, old tickets that keep theirs."""

from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import HotlineError
from core.people.duties import Act
from tests.tickets.conftest import City
from tickets import acts, categories
from tickets.category_tree import Node, Tree
from tickets.flags import flags_of

TREE = Tree(
    [
        Node("01", "市政", None, 10),
        Node("0101", "路灯", "01", 10),
        Node("0102", "路面", "01", 20),
        Node("010201", "坑洼", "0102", 10),
        Node("02", "供水", None, 20),
    ]
)


def test_codes_are_for_good_and_names_are_not() -> None:
    after = TREE.rename("0101", "照明").add("0201", "停水", "02")
    found = {(one.kind, one.code): (one.before, one.after) for one in after.differences(TREE)}
    assert found == {("renamed", "0101"): ("路灯", "照明"), ("new", "0201"): ("", "供水 / 停水")}
    assert TREE.node("0101").name == "路灯"


def test_a_matter_moves_with_all_below_it_but_never_below_itself_or_too_deep() -> None:
    assert TREE.move("0101", "02").full_name("0101") == "供水 / 路灯"
    for code, parent, refused in (
        ("01", "0102", "category_circle"),
        ("0102", "0101", "category_too_deep"),
        ("01", "02", "category_too_deep"),
        ("0101", "99", "category_missing"),
    ):
        with pytest.raises(HotlineError, match=refused):
            TREE.move(code, parent)


def test_closing_takes_what_is_below_along_and_opening_needs_what_is_above() -> None:
    closed = TREE.close("0102")
    assert [code for code, node in closed.nodes.items() if not node.active] == ["0102", "010201"]
    with pytest.raises(HotlineError, match="category_closed"):
        closed.open("010201")
    assert closed.open("0102").open("010201").differences(TREE) == []


def test_merging_names_a_successor_that_is_followed_however_often_it_merges_again() -> None:
    once = TREE.merge("0101", "02")
    twice = once.add("03", "公用事业", None).merge("02", "03")
    assert twice.successor("0101") == twice.successor("02") == "03"
    with pytest.raises(HotlineError, match="category_successor"):
        once.close("02")
    for code, into, refused in (
        ("0102", "02", "category_has_below"),
        ("0101", "0101", "category_merge"),
        ("0101", "99", "category_missing"),
    ):
        with pytest.raises(HotlineError, match=refused):
            TREE.merge(code, into)


def test_neighbours_change_places() -> None:
    assert [node.code for node in TREE.order("0102", up=True).below("01")] == ["0102", "0101"]
    assert TREE.order("0101", up=True) is TREE


@pytest.mark.parametrize(
    ("code", "name", "parent", "refused"),
    [
        ("0101", "新", "01", "category_code_taken"),
        ("0103", "路灯", "01", "category_name_taken"),
        ("0103", "", "01", "category_name"),
        ("编码", "新", "01", "category_code"),
        ("01020101", "太深", "010201", "category_too_deep"),
    ],
)
def test_what_cannot_be_added_is_refused(code: str, name: str, parent: str, refused: str) -> None:
    with pytest.raises(HotlineError, match=refused):
        TREE.add(code, name, parent)


async def _edit(city: City, edits: int, change: Any) -> int:
    async with city.db.begin() as uow:
        return await categories.edit(uow, city.actors["admin"], edits, change, {"what": "test"})


async def _draft(city: City) -> int:
    async with city.db.begin() as uow:
        return await categories.open_draft(uow, city.actors["admin"])


async def _publish(city: City, version_id: int, edits: int) -> None:
    async with city.db.begin() as uow:
        await categories.publish(uow, city.actors["security"], version_id, edits, "调整")


async def test_publishing_keeps_old_tickets_with_their_category_and_new_ones_take_the_new(city: City) -> None:
    old = await city.ticket()
    ident = await _draft(city)
    edits = await _edit(city, 0, lambda tree: tree.add("02", "市容环境", None))
    edits = await _edit(city, edits, lambda tree: tree.add("0201", "路灯绿化", "02"))
    edits = await _edit(city, edits, lambda tree: tree.merge("01", "02"))
    assert await city.scalar("SELECT count(*) FROM category") == 1  # a draft disturbs nobody
    await _publish(city, ident, edits)
    row = "SELECT {} FROM category WHERE code = '0201'"
    assert await city.scalar(row.format("full_name")) == "市容环境 / 路灯绿化"
    assert await city.scalar(row.format("initials")) == "ldlh"
    assert await city.scalar(row.format("level")) == 2
    path = "'.' || p.id || '.' || c.id || '.' = c.path FROM category c JOIN category p ON p.id = c.parent_id"
    assert await city.scalar(f"SELECT {path}")
    assert not await city.scalar("SELECT active FROM category WHERE code = '01'")
    assert await city.scalar("SELECT category_id FROM ticket WHERE id = :id", id=old.id) == city.category_id
    with pytest.raises(HotlineError, match="category_unknown"):
        await city.ticket(phone="13800000002")
    city.category_id = await city.scalar("SELECT id FROM category WHERE code = '0201'")
    assert await city.ticket(phone="13800000003")
    async with city.db.read() as session:
        tree = await categories.present(session)
        assert tree.successor("01") == "02"
        assert [one.number for one in await categories.published(session)] == [2, 1]
        first = (await categories.published(session))[1]
        assert [node["name"] for node in first.tree] == ["市政"]


async def test_two_who_edit_the_same_draft_do_not_overwrite_each_other(city: City) -> None:
    ident = await _draft(city)
    assert await _draft(city) == ident
    await _edit(city, 0, lambda tree: tree.add("02", "甲", None))
    with pytest.raises(HotlineError, match="version_conflict"):
        await _edit(city, 0, lambda tree: tree.add("03", "乙", None))
    with pytest.raises(HotlineError, match="version_conflict"):
        await _publish(city, ident, 0)


async def test_what_was_approved_is_what_is_published_or_nothing(city: City) -> None:
    acts.register(city.people.proposals)
    ident = await _draft(city)
    edits = await _edit(city, 0, lambda tree: tree.rename("01", "市政设施"))
    asked = acts.PublishCategories(version_id=ident, edits=edits, note="调整")
    async with city.db.begin() as uow:
        sent = await city.people.proposals.submit(uow, city.actors["admin"], Act.CATEGORY_PUBLISH, asked)
        changes = await city.people.proposals.preview(uow.session, Act.CATEGORY_PUBLISH, asked)
    assert [(one.label, one.before, one.after) for one in changes] == [("改名", "市政", "市政设施")]
    assert sent.proposal_id is not None
    await _edit(city, edits, lambda tree: tree.rename("01", "悄悄改的"))
    with pytest.raises(HotlineError, match="version_conflict"):
        async with city.db.begin() as uow:
            await city.people.proposals.approve(uow, city.actors["security"], sent.proposal_id)
    assert await city.scalar("SELECT name FROM category") == "市政"


async def test_a_list_becomes_the_draft_and_wrong_lines_are_named(city: City) -> None:
    await _draft(city)
    lines = ("编码,名称,上级编码,启用,并入编码", "01,市政设施,,是,", "0101,路灯,01,是,", "0102,旧类,01,否,")
    given = "\n".join((*lines, "0101,重复,99,是,"))
    async with city.db.read() as session:
        tree = await categories.present(session)
    after, wrong = categories.read_list(tree, given)
    assert [(number, code, error.code) for number, code, error in wrong] == [(5, "0101", "category_missing")]
    assert {one.kind for one in after.differences(tree)} == {"renamed", "new"}
    again, wrong = categories.read_list(after, categories.export(after))
    assert wrong == []
    assert again.differences(after) == []


async def test_a_dropped_draft_comes_to_nothing_and_makes_room_for_another(city: City) -> None:
    first = await _draft(city)
    await _edit(city, 0, lambda tree: tree.rename("01", "别的"))
    async with city.db.begin() as uow:
        await categories.drop(uow, city.actors["admin"])
    assert await _draft(city) != first
    async with city.db.read() as session:
        actions = await session.execute(
            sa.text("SELECT action FROM audit_log WHERE object_type = 'category' ORDER BY id")
        )
        assert list(actions.scalars()) == [
            "category.draft",
            "category.edit",
            "category.drop",
            "category.draft",
        ]


async def test_sensitive_words_of_a_new_ticket_are_noted_with_it(city: City) -> None:
    made = await city.ticket(title="多户停水", narrative="有人扬言 集 体 上访，还说要曝光")
    plain = await city.ticket(phone="13800000002")
    async with city.db.read() as session:
        found = await flags_of(session, [made.id, plain.id])
    assert {one.word for one in found[made.id]} == {"停水", "集体", "上访", "曝光"}
    assert plain.id not in found
