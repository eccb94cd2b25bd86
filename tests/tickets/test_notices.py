"""Who of the staff is told of what, how often, and by which channel."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.clock import ManualClock, to_city
from core.db import Database
from core.event_log import EventLogRow
from core.notify import staff
from core.notify.staff import Notice
from core.people import delegation
from core.people.permissions import Role
from tests.tickets.conftest import City, Refused
from tests.tickets.post_rig import Post
from tickets import notices
from tickets.events import TicketChanged, TicketDispatched
from tickets.notices import KINDS, notices_of
from tickets.states import Action, State

ACTIONS = [action for action in Action if action is not Action.CREATE]


@pytest.fixture
def post(city: City, clock: ManualClock) -> Post:
    return Post(city, clock)


async def of(post: Post, who: str) -> list[tuple[str, int, bool]]:
    """(kind, times, unread) of everything one person was told, oldest first."""
    query = sa.text(
        "SELECT kind, times, read_at IS NULL FROM notification WHERE user_id = :u ORDER BY at, id"
    )
    async with post.city.db.read() as session:
        return [tuple(row) for row in await session.execute(query, {"u": post.city.user(who)})]


async def test_a_dispatch_is_told_to_the_officers_of_that_unit_and_to_nobody_else(post: Post) -> None:
    await post.city.dispatched("lights")
    told = {name: await of(post, name) for name in post.city.actors}
    assert {name for name, found in told.items() if found} == {"lights", "lights_head"}
    assert told["lights"] == [("dispatched", 1, True)]


async def test_the_same_again_while_unread_counts_up_and_starts_anew_once_read(post: Post) -> None:
    made = await post.city.dispatched("lights")
    for _ in range(3):
        async with post.city.db.begin() as uow:
            await post.city.tickets.urge(uow, post.city.actors["agent"], made.id)
    assert await of(post, "lights") == [("dispatched", 1, True), ("urged", 3, True)]
    async with post.city.db.begin() as uow:
        assert await staff.mark_read(uow, post.city.user("lights"), None) == 2
    async with post.city.db.begin() as uow:
        await post.city.tickets.urge(uow, post.city.actors["agent"], made.id)
    assert (await of(post, "lights"))[-1] == ("urged", 1, True)


async def test_who_does_it_is_not_told_of_it(post: Post) -> None:
    made = await post.city.dispatched("lights", urgency="urgent")
    await post.closed(made.id, "已处理完毕。")
    assert ("closing_waiting", 1, True) in await of(post, "lights_head")
    await post.act("lights_head", made.id, Action.APPROVE_CLOSING)
    assert ("closing_approved", 1, True) in await of(post, "lights")
    assert "closing_approved" not in [kind for kind, _, _ in await of(post, "lights_head")]


async def test_who_decides_for_an_absent_head_is_told_what_waits(post: Post, clock: ManualClock) -> None:
    city, day = post.city, to_city(clock.now()).date()
    async with city.db.begin() as uow:
        await delegation.create(
            uow,
            city.actors["lights_head"],
            deputy_id=city.user("lights"),
            first_day=day,
            last_day=day,
            reason="休假",
        )
    made = await city.dispatched("lights", urgency="urgent")
    for who in ("lights", "lights_head"):
        assert "closing_waiting" not in [kind for kind, _, _ in await of(post, who)]
    async with city.db.begin() as uow:
        wanted = notices.notices_of(
            TicketChanged(made.id, "n", 9, "close", city.unit("lights"), (), "closing_review")
        )
        await staff.write(uow, wanted)
    for who in ("lights", "lights_head"):
        assert "closing_waiting" in [kind for kind, _, _ in await of(post, who)]


async def test_a_return_is_told_to_the_desk_and_its_ruling_to_the_unit(post: Post) -> None:
    made = await post.city.dispatched("lights")
    reason = await post.city.scalar("SELECT code FROM reason_code WHERE kind = 'return' LIMIT 1")
    unit = post.city.unit("water")
    await post.act("lights", made.id, Action.RETURN, reason_code=reason, note="非本单位职责",
                   basis="三定方案", suggested_unit_id=unit)  # fmt: skip
    assert ("return_waiting", 1, True) in await of(post, "dispatcher")
    await post.act("dispatcher", made.id, Action.ACCEPT_RETURN, unit_id=unit, note="同意")
    assert ("return_accepted", 1, True) in await of(post, "lights")
    assert ("dispatched", 1, True) in await of(post, "water")


async def test_a_notice_of_an_undone_write_does_not_exist(post: Post) -> None:
    made = await post.city.ticket()
    with pytest.raises(RuntimeError):
        async with post.city.db.begin() as uow:
            unit = post.city.unit("lights")
            await post.city.tickets.dispatch(uow, post.city.actors["dispatcher"], made.id, 1, unit)
            raise RuntimeError("undone")
    assert await of(post, "lights") == []


async def test_screens_hear_of_a_notice_and_learn_nothing_of_the_matter(post: Post) -> None:
    await post.city.dispatched("lights")
    query = sa.select(EventLogRow).where(EventLogRow.topic == "notification")  # type: ignore[arg-type]
    async with post.city.db.read() as session:
        [note] = (await session.execute(query)).scalars()
    assert sorted(note.audience["users"]) == sorted([post.city.user("lights"), post.city.user("lights_head")])
    assert (note.audience["units"], note.audience["permissions"], note.data) == ([], [], {})


async def test_a_ticket_that_left_ones_sight_loses_its_number_in_the_list(post: Post) -> None:
    made = await post.city.dispatched("lights")
    reason = await post.city.scalar("SELECT code FROM reason_code WHERE kind = 'redispatch' LIMIT 1")
    lights, unit = post.city.actors["lights"], post.city.unit("water")
    await post.act("dispatcher", made.id, Action.REDISPATCH, unit_id=unit, reason_code=reason)
    async with post.city.db.read() as session:
        found = await notices.notice_list(session, lights, unread=False, before=None)
    assert [(one.kind, one.number, one.title) for one in found] == [
        ("taken_away", None, None),
        ("dispatched", None, None),
    ]


async def test_a_page_goes_on_where_the_last_one_ended(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "PAGE", 2)
    for _ in range(3):
        await post.city.dispatched("lights")
    async with post.city.db.read() as session:
        lights = post.city.actors["lights"]
        first = await notices.notice_list(session, lights, unread=True, before=None)
        mark = (first[1].at, first[1].id)
        rest = await notices.notice_list(session, lights, unread=True, before=mark)
    assert [one.id for one in rest] == [first[2].id]


async def test_wishes_decide_on_the_channels(post: Post) -> None:
    lights = post.city.user("lights")
    async with post.city.db.begin() as uow:
        await staff.prefer(uow, lights, ["dispatched"], ["dispatched.email", "dispatched.webhook"])
        await staff.set_address(uow, post.city.vault, lights, "li@example.gov.cn")
    made = await post.city.dispatched("lights")
    await post.deliver()
    assert await of(post, "lights") == [("dispatched", 1, False)]  # shown, but not counted as unread
    [mail] = post.gateway.mails
    assert mail.to == "li@example.gov.cn"
    assert mail.subject == f"【12345】新工单待签收 {made.number}"
    [body] = post.gateway.posts
    assert (body["user"], body["ticket"], body["kind"]) == ("lights", made.number, "dispatched")
    for secret in ("中山路", "王小明", "13800000001", made.query_code):
        assert secret not in mail.text + str(body)


async def test_without_an_address_no_email_goes_and_nothing_fails(post: Post) -> None:
    lights = post.city.user("lights")
    async with post.city.db.begin() as uow:
        await staff.prefer(uow, lights, ["dispatched"], ["dispatched.console", "dispatched.email"])
    await post.city.dispatched("lights")
    await post.deliver()
    assert post.gateway.mails == []
    assert await post.city.scalar("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0


async def test_an_address_is_kept_sealed_and_can_be_taken_back(post: Post) -> None:
    lights = post.city.user("lights")
    async with post.city.db.begin() as uow:
        await staff.set_address(uow, post.city.vault, lights, "li@example.gov.cn")
        assert await staff.address(uow.session, post.city.vault, lights) == "li@example.gov.cn"
    assert "li@" not in await post.city.scalar("SELECT json_agg(n)::text FROM notification_address n")
    async with post.city.db.begin() as uow:
        await staff.set_address(uow, post.city.vault, lights, "")
        assert await staff.address(uow.session, post.city.vault, lights) == ""


async def test_the_number_of_recipients_is_bounded(
    post: Post, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff, "MOST_PEOPLE", 1)
    async with database.begin() as uow:
        await staff.write(uow, [Notice("urged", None, notices.OFFICERS)])
        await staff.write(uow, [Notice("added", None, notices.OFFICERS, (post.city.unit("lights"),))])
    assert await post.city.scalar("SELECT count(*) FROM notification") == 2


async def test_ones_notices_are_ones_own(post: Post, refused: Refused) -> None:
    await post.city.dispatched("lights")
    ident = await post.city.scalar(
        "SELECT id FROM notification WHERE user_id = :u", u=post.city.user("lights")
    )
    async with post.city.db.begin() as uow:
        await refused("not_found", notices.target_of(uow.session, post.city.actors["water"], ident))
        assert await staff.mark_read(uow, post.city.user("water"), [ident]) == 0
    assert await of(post, "lights") == [("dispatched", 1, True)]


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_tells_known_kinds_to_somebody_or_nobody(action: Action) -> None:
    for state in ("", *State):
        for units in ((), (2, 3)):
            changed = TicketChanged(1, "n", 2, action.value, 5, units, str(state))
            sent = TicketDispatched(1, "n", 2, 5, action.value, units)
            for notice in (*notices_of(changed), *notices_of(sent)):
                assert notice.kind in KINDS
                assert notice.roles
                assert notice.units is None or notice.units


def test_everybody_who_is_told_something_finds_it_among_the_wishes(city: City) -> None:
    wishes = {name: dict(notices.kinds_for(actor)) for name, actor in city.actors.items()}
    assert "dispatched" in wishes["lights"]
    assert "closing_waiting" not in wishes["lights"]
    assert "closing_waiting" in wishes["lights_head"]
    assert "return_waiting" in wishes["dispatcher"]
    assert "message_failed" in wishes["admin"]
    assert {kind.partition("_")[0] for kind in wishes["editor"]} == {"knowledge"}
    outside = replace(city.actors["agent"], roles=frozenset({Role.INTERMEDIARY}))
    theirs = dict(notices.kinds_for(outside))
    assert {"case_served", "listing_noticed"} <= set(theirs)
    assert set().union(*wishes.values(), theirs) == set(KINDS)
