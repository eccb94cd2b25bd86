"""The table of the three administrators, walked from end to end, and what waits for a second one."""

import json
import re
from typing import Any

import pytest
from sqlalchemy import text

from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.people import duties, org
from core.people.account_acts import EditPerson, NewPeople, NewPerson, Person, Posts
from core.people.actor import Actor
from core.people.duties import ADMINISTRATORS, DUTIES, ON_ADMINISTRATORS, Act, Concern
from core.people.permissions import Role, permissions_of
from core.people.proposals import Payload, ProposalService, Registered
from core.people.service import PeopleService
from core.settings import ROOT

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 12345"
THREE = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)

# What the hotline's rules say, written a second time: act → (who, whose approval).
WANTED: dict[str, tuple[set[str], set[str]]] = {
    "user.create": ({"system_admin"}, {"security_admin"}),
    "user.import": ({"system_admin"}, {"security_admin"}),
    "user.edit": ({"system_admin"}, set()),
    "user.roles": ({"system_admin"}, {"security_admin"}),
    "user.disable": ({"system_admin", "security_admin"}, set()),
    "user.enable": ({"system_admin"}, {"security_admin"}),
    "user.reset_password": ({"security_admin"}, set()),
    "user.unlock": ({"security_admin"}, set()),
    "user.reset_totp": ({"security_admin"}, set()),
    "user.export": ({"system_admin", "security_admin", "audit_admin"}, set()),
    "session.kill": ({"security_admin"}, set()),
    "unit.create": ({"system_admin"}, set()),
    "unit.edit": ({"system_admin"}, set()),
    "unit.open": ({"system_admin"}, set()),
    "unit.close": ({"system_admin"}, {"security_admin"}),
    "unit.merge": ({"system_admin"}, {"security_admin"}),
    "category.publish": ({"system_admin"}, {"security_admin"}),
    "catalog.edit": ({"system_admin"}, set()),
    "calendar.change": ({"system_admin", "supervision_officer"}, set()),
    "policy.publish": ({"system_admin", "supervision_officer"}, {"security_admin"}),
    "notice.publish": ({"system_admin", "shift_leader"}, set()),
    "outbox.resend": ({"system_admin"}, set()),
    "settings.read": ({"system_admin", "security_admin", "audit_admin"}, set()),
    "person.delete": ({"security_admin", "shift_leader"}, {"audit_admin"}),
    "audit.read": ({"audit_admin", "inspector"}, set()),
}
ON_ACCOUNTS = {
    "system_admin": ("security_admin", "audit_admin"),
    "security_admin": ("system_admin", "audit_admin"),
    "audit_admin": ("system_admin", "security_admin"),
}


def _actor(role: Role, user_id: int) -> Actor:
    roles = frozenset({role})
    return Actor(user_id, str(role), str(role), roles, permissions_of(roles), 1, ".1.", "市")


def test_the_table_is_what_the_rules_say() -> None:
    assert set(DUTIES) == {Act(code) for code in WANTED} == set(Act)
    for code, (by, approved_by) in WANTED.items():
        rule = DUTIES[Act(code)].rule
        assert ({str(one) for one in rule.by}, {str(one) for one in rule.approved_by}) == (by, approved_by), (
            code
        )
    shown = {
        str(post): tuple(str(next(iter(posts))) for posts in (rule.by, rule.approved_by))
        for post, rule in ON_ADMINISTRATORS.items()
    }
    assert shown == ON_ACCOUNTS


@pytest.mark.parametrize("act", list(Act))
def test_every_act_is_open_to_its_posts_and_closed_to_all_others(act: Act) -> None:
    by, approved_by = WANTED[act]
    for number, role in enumerate(Role, start=10):
        actor = _actor(role, number)
        assert duties.may_propose(actor, act) == (role in by), (act, role)
        assert duties.may_approve(actor, act, duties.NOBODY, proposed_by=1) == (role in approved_by), (
            act,
            role,
        )
        assert not duties.may_approve(actor, act, duties.NOBODY, proposed_by=number), "one's own proposal"


@pytest.mark.parametrize("act", [act for act, duty in DUTIES.items() if duty.account])
@pytest.mark.parametrize("post", THREE)
def test_an_act_on_an_administrators_account_needs_the_two_others(act: Act, post: Role) -> None:
    proposer, approver = ON_ACCOUNTS[post]
    concern = Concern(99, frozenset({post}))
    for number, role in enumerate(Role, start=10):
        actor = _actor(role, number)
        assert duties.may_propose(actor, act, concern) == (role == proposer), (act, post, role)
        assert duties.may_approve(actor, act, concern, 1) == (role == approver), (act, post, role)


@pytest.mark.parametrize("act", [act for act, duty in DUTIES.items() if duty.account])
def test_nobody_acts_on_or_approves_his_own_account(act: Act) -> None:
    for role in THREE:
        actor = _actor(role, 7)
        for posts in (frozenset({role}), frozenset({Role.AGENT})):
            assert not duties.may_propose(actor, act, Concern(7, posts))
            assert not duties.may_approve(actor, act, Concern(7, posts), 1)


def test_nobody_approves_in_an_act_he_could_propose_alone() -> None:
    rules = [duty.rule for duty in DUTIES.values()] + list(ON_ADMINISTRATORS.values())
    assert all(not rule.by & rule.approved_by for rule in rules)
    assert all(post not in rule.by | rule.approved_by for post, rule in ON_ADMINISTRATORS.items())


@pytest.mark.parametrize("post", THREE)
def test_an_administrators_post_is_held_alone(post: Role) -> None:
    duties.check_posts(frozenset({post}))
    for other in set(Role) - {post}:
        with pytest.raises(HotlineError, match="posts_incompatible"):
            duties.check_posts(frozenset({post, other}))
    duties.check_posts(frozenset(set(Role) - ADMINISTRATORS))


def test_posts_of_two_administrators_are_not_exchanged_in_one_step() -> None:
    with pytest.raises(HotlineError, match="admin_post_exchange"):
        duties.rule_of(Act.USER_ROLES, Concern(5, frozenset({Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN})))


def test_the_operations_guide_shows_the_same_table() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| [^|]+ \| (.+) \|$", guide, re.MULTILINE))
    for act, duty in DUTIES.items():
        by, approved = (
            "、".join(word for code, word in duties.POST_LABELS.items() if code in posts) or "—"
            for posts in (duty.rule.by, duty.rule.approved_by)
        )
        assert rows.get(str(act)) == f"{by} | {approved}", act
    for post, rule in ON_ADMINISTRATORS.items():
        line = "| {} | {} | {} |".format(
            *(duties.POST_LABELS[one] for one in (post, *rule.by, *rule.approved_by))
        )
        assert line in guide


# ---- proposals ------------------------------------------------------------------------------


class Probe(Payload):
    thing: int = 1


@pytest.fixture
async def three(database: Database, people: PeopleService) -> dict[str, Actor]:
    """Two of each administrator, a shift leader, an agent: real accounts."""
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="450300")
        found = {}
        for role in (*THREE, Role.SHIFT_LEADER, Role.AGENT):
            for number in ("1", "2"):
                login = f"{role}{number}"
                ident = await people.create_user(
                    uow, SYSTEM, login=login, name=login, password=PASSWORD, unit_id=city.id,
                    roles=frozenset({role}),
                )  # fmt: skip
                actor = await people.actor_for_user(uow.session, ident)
                assert actor is not None
                found[login] = actor
    return found


async def test_every_act_is_done_at_once_or_waits_for_exactly_its_approver(
    database: Database, three: dict[str, Actor]
) -> None:
    for act in Act:
        await _walk(database, three, act)


async def _walk(database: Database, three: dict[str, Actor], act: Act) -> None:
    service, done = ProposalService(), []

    async def execute(_uow: UnitOfWork, actor: Actor, payload: Probe) -> str:
        done.append(actor.login)
        return "result"

    service.register(act, Registered(Probe, execute))
    by, approved_by = WANTED[act]
    for login, actor in three.items():
        done.clear()
        if not by & actor.roles:
            assert await _refused(database, service.submit, actor, act, Probe()) == "forbidden"
            continue
        async with database.begin() as uow:
            sent = await service.submit(uow, actor, act, Probe(), note="why")
        if not approved_by:
            assert (done, sent.proposal_id) == ([login], None)
            continue
        assert sent.proposal_id is not None
        assert await _refused(database, service.approve, actor, sent.proposal_id) == "proposal_own"
        for judge in three.values():
            if not approved_by & judge.roles and judge is not actor:
                assert await _refused(database, service.approve, judge, sent.proposal_id) == "forbidden"
        assert done == []
        approver = three[f"{next(iter(approved_by))}2"]
        async with database.begin() as uow:
            assert await service.approve(uow, approver, sent.proposal_id, note="yes") == "result"
        assert done == [approver.login]
        assert await _refused(database, service.approve, approver, sent.proposal_id) == "proposal_decided"


async def _refused(database: Database, call: Any, actor: Actor, *values: object) -> str:
    with pytest.raises(HotlineError) as caught:
        async with database.begin() as uow:
            await call(uow, actor, *values)
    return caught.value.code


async def test_a_new_account_is_closed_until_the_security_administrator_approves_its_posts(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    new = NewPerson(login="newcomer", name="新人", unit_id=1, roles=(Role.AGENT,))
    async with database.begin() as uow:
        sent = await people.proposals.submit(uow, three["system_admin1"], Act.USER_CREATE, new)
    assert sent.proposal_id is not None
    with pytest.raises(HotlineError, match="login_refused"):
        await people.authenticate("newcomer", sent.result, source="127.0.0.1")
    async with database.begin() as uow:
        await people.proposals.approve(uow, three["security_admin1"], sent.proposal_id)
    actor = (await people.authenticate("newcomer", sent.result, source="127.0.0.1")).actor
    assert (actor.roles, actor.must_change_password) == (frozenset({Role.AGENT}), True)
    async with database.read() as session:
        stored = (await session.execute(text("SELECT p::text FROM admin_proposal p"))).scalar_one()
        trail = (await session.execute(text("SELECT action FROM audit_log WHERE id > 0"))).scalars().all()
    assert sent.result not in stored
    assert {"proposal.made", "proposal.approved", "user.roles", "user.enable"} <= set(trail)


async def test_a_refused_account_stays_closed_and_a_refusal_needs_its_reason(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    new = NewPerson(login="newcomer", name="新人", unit_id=1, roles=(Role.AGENT,))
    async with database.begin() as uow:
        sent = await people.proposals.submit(uow, three["system_admin1"], Act.USER_CREATE, new)
    assert sent.proposal_id is not None
    with pytest.raises(HotlineError, match="refusal_needs_reason"):
        async with database.begin() as uow:
            await people.proposals.refuse(uow, three["security_admin1"], sent.proposal_id, note="  ")
    async with database.begin() as uow:
        await people.proposals.refuse(uow, three["security_admin1"], sent.proposal_id, note="不需要")
    with pytest.raises(HotlineError, match="login_refused"):
        await people.authenticate("newcomer", sent.result, source="127.0.0.1")


async def test_the_same_act_on_the_same_person_waits_only_once_and_can_be_withdrawn(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    agent = three["agent1"]
    assert agent.user_id is not None
    wanted = Posts(user_id=agent.user_id, roles=(Role.DISPATCHER,))
    async with database.begin() as uow:
        sent = await people.proposals.submit(uow, three["system_admin1"], Act.USER_ROLES, wanted)
    with pytest.raises(HotlineError, match="proposal_waiting"):
        async with database.begin() as uow:
            await people.proposals.submit(uow, three["system_admin2"], Act.USER_ROLES, wanted)
    assert sent.proposal_id is not None
    with pytest.raises(HotlineError, match="proposal_not_found"):
        async with database.begin() as uow:
            await people.proposals.withdraw(uow, three["system_admin2"], sent.proposal_id)
    async with database.begin() as uow:
        await people.proposals.withdraw(uow, three["system_admin1"], sent.proposal_id)
    async with database.read() as session:
        assert await people.roles_of(session, agent.user_id) == frozenset({Role.AGENT})


async def test_an_administrators_account_is_closed_only_by_the_two_others_together(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    target = three["audit_admin1"]
    assert target.user_id is not None
    person = Person(user_id=target.user_id)
    with pytest.raises(HotlineError, match="forbidden"):
        async with database.begin() as uow:
            await people.proposals.submit(uow, three["security_admin1"], Act.USER_DISABLE, person)
    async with database.begin() as uow:
        sent = await people.proposals.submit(uow, three["system_admin1"], Act.USER_DISABLE, person)
    assert sent.proposal_id is not None
    with pytest.raises(HotlineError, match="forbidden"):
        async with database.begin() as uow:
            await people.proposals.approve(uow, three["audit_admin2"], sent.proposal_id)
    async with database.begin() as uow:
        await people.proposals.approve(uow, three["security_admin1"], sent.proposal_id)
    with pytest.raises(HotlineError, match="login_refused"):
        await people.authenticate(target.login, PASSWORD, source="127.0.0.1")


async def test_the_last_administrator_of_a_kind_cannot_be_closed_or_moved(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    first, second = three["audit_admin1"].user_id, three["audit_admin2"].user_id
    assert first is not None
    assert second is not None
    async with database.begin() as uow:
        await people.disable_user(uow, SYSTEM, first)
    with pytest.raises(HotlineError, match="last_administrator"):
        async with database.begin() as uow:
            await people.disable_user(uow, SYSTEM, second)
    with pytest.raises(HotlineError, match="last_administrator"):
        async with database.begin() as uow:
            await people.set_roles(uow, SYSTEM, second, frozenset({Role.AGENT}))


async def test_moving_to_another_unit_ends_sessions_and_a_taken_extension_is_refused(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    here = await people.authenticate("agent1", PASSWORD, source="127.0.0.1")
    ident, other = three["agent1"].user_id, three["agent2"].user_id
    assert ident is not None
    assert other is not None
    async with database.begin() as uow:
        bureau = await org.create_unit(uow, SYSTEM, kind="bureau", name="水利局", code="w")
        edit = EditPerson(user_id=ident, name="agent1", unit_id=1, extension="1001")
        await people.proposals.submit(uow, three["system_admin1"], Act.USER_EDIT, edit)
    assert await people.actor_for_token(here.token) is not None
    with pytest.raises(HotlineError, match="extension_taken"):
        async with database.begin() as uow:
            taken = EditPerson(user_id=other, name="agent2", unit_id=1, extension="1001")
            await people.proposals.submit(uow, three["system_admin1"], Act.USER_EDIT, taken)
    async with database.begin() as uow:
        moved = EditPerson(user_id=ident, name="agent1", unit_id=bureau.id, extension="1001")
        await people.proposals.submit(uow, three["system_admin1"], Act.USER_EDIT, moved)
    assert await people.actor_for_token(here.token) is None


async def _propose(
    database: Database, people: PeopleService, actor: Actor, act: Act, payload: Payload
) -> int:
    async with database.begin() as uow:
        sent = await people.proposals.submit(uow, actor, act, payload)
    assert sent.proposal_id is not None
    return sent.proposal_id


@pytest.mark.parametrize("lost", ["account", "post"])
async def test_what_somebody_proposed_who_lost_account_or_post_is_not_carried_out(
    database: Database, people: PeopleService, three: dict[str, Actor], lost: str
) -> None:
    agent, proposer = three["agent1"].user_id, three["system_admin1"].user_id
    assert agent is not None
    assert proposer is not None
    wanted = Posts(user_id=agent, roles=(Role.DISPATCHER,))
    ident = await _propose(database, people, three["system_admin1"], Act.USER_ROLES, wanted)
    async with database.begin() as uow:
        if lost == "account":
            await people.disable_user(uow, SYSTEM, proposer)
        else:
            await people.set_roles(uow, SYSTEM, proposer, frozenset({Role.AGENT}))
    judge = three["security_admin1"]
    assert await _refused(database, people.proposals.approve, judge, ident) == "proposal_outdated"
    async with database.begin() as uow:
        assert await people.roles_of(uow.session, agent) == frozenset({Role.AGENT})
        await people.proposals.refuse(uow, judge, ident, note="提出人已离任")


async def test_a_change_of_posts_is_not_carried_out_over_posts_given_meanwhile(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    agent = three["agent1"].user_id
    assert agent is not None
    wanted = Posts(user_id=agent, roles=(Role.AGENT, Role.DISPATCHER))
    ident = await _propose(database, people, three["system_admin1"], Act.USER_ROLES, wanted)
    async with database.begin() as uow:
        await people.set_roles(uow, SYSTEM, agent, frozenset({Role.CALLBACK_OFFICER}))
    judge = three["security_admin1"]
    assert await _refused(database, people.proposals.approve, judge, ident) == "proposal_outdated"
    async with database.read() as session:
        assert await people.roles_of(session, agent) == frozenset({Role.CALLBACK_OFFICER})


async def test_posts_are_not_given_to_an_account_that_was_closed_meanwhile(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    agent = three["agent1"].user_id
    assert agent is not None
    wanted = Posts(user_id=agent, roles=(Role.DISPATCHER,))
    ident = await _propose(database, people, three["system_admin1"], Act.USER_ROLES, wanted)
    async with database.begin() as uow:
        await people.disable_user(uow, SYSTEM, agent)
    judge = three["security_admin1"]
    assert await _refused(database, people.proposals.approve, judge, ident) == "proposal_outdated"


async def test_approving_a_list_leaves_who_was_closed_or_given_other_posts_meanwhile_alone(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    async with database.begin() as uow:
        fresh = await people.create_user(
            uow, SYSTEM, login="fresh", name="新人", password=PASSWORD, unit_id=1,
            roles=frozenset(), active=False,
        )  # fmt: skip
    ids = {login: three[login].user_id or 0 for login in ("agent1", "agent2", "shift_leader1")}
    wanted = tuple(
        Posts(user_id=ident, roles=(Role.DISPATCHER,), held=tuple(three[login].roles))
        for login, ident in ids.items()
    )
    many = NewPeople(import_id=7, people=(*wanted, Posts(user_id=fresh, roles=(Role.AGENT,), held=())))
    proposal = await _propose(database, people, three["system_admin1"], Act.USER_IMPORT, many)
    async with database.begin() as uow:
        await people.disable_user(uow, SYSTEM, ids["agent1"])
        await people.set_roles(uow, SYSTEM, ids["agent2"], frozenset({Role.AUDIT_ADMIN}))
    async with database.begin() as uow:
        changes = await people.proposals.preview(uow.session, Act.USER_IMPORT, many)
        assert [change.after for change in changes] == ["提交后有变动，不作变更"] * 2 + ["派单员", "话务员"]
        assert await people.proposals.approve(uow, three["security_admin1"], proposal) == 2
    async with database.read() as session:
        agent1 = await people.user(session, ids["agent1"])
        opened = await people.user(session, fresh)
        assert (agent1.active, opened.active) == (False, True)
        assert await people.roles_of(session, ids["agent1"]) == frozenset({Role.AGENT})
        assert await people.roles_of(session, ids["agent2"]) == frozenset({Role.AUDIT_ADMIN})
        assert await people.roles_of(session, ids["shift_leader1"]) == frozenset({Role.DISPATCHER})
        left = text("SELECT (detail -> 'left')::text FROM audit_log WHERE action = 'user.import'")
        assert json.loads((await session.execute(left)).scalar_one()) == [ids["agent1"], ids["agent2"]]


async def test_no_account_is_made_or_opened_in_a_unit_that_was_closed(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    async with database.begin() as uow:
        bureau = await org.create_unit(uow, SYSTEM, kind="bureau", name="水利局", code="w")
    new = NewPerson(login="newcomer", name="新人", unit_id=bureau.id, roles=(Role.DEPT_OFFICER,))
    waiting = await _propose(database, people, three["system_admin1"], Act.USER_CREATE, new)
    async with database.begin() as uow:
        await org.set_active(uow, SYSTEM, bureau.id, active=False)
    assert await _refused(database, people.proposals.approve, three["security_admin1"], waiting) == (
        "unit_closed"
    )
    later = new.model_copy(update={"login": "later"})
    for unit_id in (bureau.id, 10**6):
        wanted = later.model_copy(update={"unit_id": unit_id})
        assert await _refused(
            database, people.proposals.submit, three["system_admin1"], Act.USER_CREATE, wanted
        ) == ("unit_not_found")


async def test_many_matters_of_others_do_not_crowd_out_what_waits_for_one(
    database: Database, people: PeopleService, three: dict[str, Actor]
) -> None:
    agent = three["agent1"].user_id
    assert agent is not None
    wanted = Posts(user_id=agent, roles=(Role.DISPATCHER,))
    ident = await _propose(database, people, three["system_admin1"], Act.USER_ROLES, wanted)
    people.proposals.register(Act.PERSON_DELETE, Registered(Probe, _nothing))
    many = text(
        "INSERT INTO admin_proposal (act, payload, subject_type, state, note, proposed_by, proposed_at,"
        " decision_note) SELECT 'person.delete', '{}', 'proposal', 'waiting', '', :by, now(), ''"
        " FROM generate_series(1, 120)"
    )
    async with database.begin() as uow:
        await uow.session.execute(many, {"by": three["shift_leader1"].user_id})
    async with database.read() as session:
        for login in ("system_admin1", "system_admin2"):
            seen = await people.proposals.visible(session, three[login], waiting=True)
            assert [row.id for row, _, _ in seen] == [ident], login


async def _nothing(_uow: UnitOfWork, _actor: Actor, _payload: Probe) -> None:
    return None
