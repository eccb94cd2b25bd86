"""Administrative acts: done at once or put before another administrator, as the table of duties says.

A part of the product registers, for each of its acts, what is asked for (a pydantic model), what
doing it means, and what will change by it. `submit` is the one way in: it does the act when nobody
has to approve, and keeps it as a proposal when somebody has to. The payload is checked again when it
is approved: what was proposed last week is done to the state of today or not at all.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people import duties
from core.people.actor import Actor
from core.people.duties import NOBODY, Act, Concern
from core.people.models import AdminProposal, User, UserRole

NOTE_LIMIT = 500


class Payload(BaseModel):
    """What an act needs; kept as jsonb while it waits. Ids and codes, never personal values."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Change:
    """One line of a preview: what it is called, how it is now, how it will be."""

    label: str
    before: str
    after: str


P = TypeVar("P", bound=Payload)
Execute = Callable[[UnitOfWork, Actor, P], Awaitable[Any]]
Preview = Callable[[AsyncSession, P], Awaitable[Sequence[Change]]]


async def _no_changes(_session: AsyncSession, _payload: Any) -> Sequence[Change]:
    return ()


async def _nobody(_session: AsyncSession, _payload: Any) -> Concern:
    return NOBODY


async def _nothing(_uow: UnitOfWork, _actor: Actor, _payload: Any) -> None:
    return None


@dataclass(frozen=True)
class Registered(Generic[P]):
    """How one act is done.

    `execute` does it (and writes its own audit row) and may return something for the person who made
    it effective, such as a one-time password. `prepare` runs when the act becomes a proposal (it may
    return a `Prepared`), `drop` when that is refused or withdrawn. `concern` says whose account it is about.
    """

    payload: type[P]
    execute: Execute[P]
    preview: Preview[P] = _no_changes
    concern: Callable[[AsyncSession, P], Awaitable[Concern]] = _nobody
    prepare: Execute[P] = _nothing
    drop: Execute[P] = _nothing
    subject: Callable[[P], tuple[str, int | None]] = lambda _payload: ("proposal", None)


@dataclass(frozen=True)
class Prepared:
    """What `prepare` made of a payload before it waits, and what is shown once to who proposed it."""

    payload: Payload
    result: Any = None


@dataclass(frozen=True)
class Submitted:
    """What became of an act: done (`result` is what it returned), or waiting as `proposal_id`."""

    proposal_id: int | None
    result: Any = None


class ProposalService:
    """Every write of `admin_proposal`; reach it as `people.proposals`."""

    def __init__(self) -> None:
        self._acts: dict[Act, Registered[Any]] = {}

    def register(self, act: Act, how: Registered[Any]) -> None:
        """Say how `act` is done; each act once."""
        if act in self._acts:
            raise ValueError(f"{act} is registered twice")
        self._acts[act] = how

    def knows(self, act: Act) -> bool:
        """True when somebody registered `act`."""
        return act in self._acts

    # ---- writing ----------------------------------------------------------------------------

    async def submit(
        self, uow: UnitOfWork, actor: Actor, act: Act, payload: Payload, *, note: str = ""
    ) -> Submitted:
        """Do `act`, or propose it when another administrator has to approve.

        Errors: forbidden, admin_post_exchange, proposal_waiting (the same act on the same subject
        waits already), those of the act itself.
        """
        how = self._acts[act]
        concern = await how.concern(uow.session, payload)
        if not duties.may_propose(actor, act, concern):
            raise HotlineError("forbidden", act=str(act))
        if duties.rule_of(act, concern).at_once:
            return Submitted(None, await how.execute(uow, actor, payload))
        prepared = await how.prepare(uow, actor, payload) or Prepared(payload)
        kept = await self._keep(uow, actor, act, prepared.payload, note)
        return Submitted(kept, prepared.result)

    async def _keep(self, uow: UnitOfWork, actor: Actor, act: Act, payload: Payload, note: str) -> int:
        subject_type, subject_id = self._acts[act].subject(payload)
        await self._check_alone(uow.session, act, subject_type, subject_id)
        values = {
            "act": str(act),
            "payload": payload.model_dump(mode="json"),
            "subject_type": subject_type,
            "subject_id": subject_id,
            "state": "waiting",
            "note": note.strip()[:NOTE_LIMIT],
            "proposed_by": actor.user_id,
            "proposed_at": uow.now,
            "decision_note": "",
        }
        made = await uow.session.execute(
            insert(AdminProposal).values(**values).returning(col(AdminProposal.id))
        )
        proposal_id = int(made.scalar_one())
        await self._audit(uow, actor, "proposal.made", proposal_id, act, note)
        return proposal_id

    async def _check_alone(
        self, session: AsyncSession, act: Act, subject_type: str, subject_id: int | None
    ) -> None:
        if subject_id is None:
            return
        query = select(col(AdminProposal.id)).where(
            col(AdminProposal.state) == "waiting",
            col(AdminProposal.act) == str(act),
            col(AdminProposal.subject_type) == subject_type,
            col(AdminProposal.subject_id) == subject_id,
        )
        if (await session.execute(query)).first() is not None:
            raise HotlineError("proposal_waiting", act=str(act))

    async def approve(self, uow: UnitOfWork, actor: Actor, proposal_id: int, *, note: str = "") -> Any:
        """Do what was proposed; returns what the act returns.

        Errors: those of `_lock`, proposal_own, forbidden, proposal_outdated (who proposed it could not
        do so any more), those of the act.
        """
        row, how, payload = await self._lock(uow, proposal_id)
        await self._check_decider(uow.session, actor, row, how, payload)
        await self._check_proposer(uow.session, row, how, payload)
        await self._decide(uow, actor, row, "approved", note)
        return await how.execute(uow, actor, payload)

    async def refuse(self, uow: UnitOfWork, actor: Actor, proposal_id: int, *, note: str) -> None:
        """Say no, with the reason. Errors: refusal_needs_reason, those of `approve`."""
        if not note.strip():
            raise HotlineError("refusal_needs_reason")
        row, how, payload = await self._lock(uow, proposal_id)
        await self._check_decider(uow.session, actor, row, how, payload)
        await self._decide(uow, actor, row, "refused", note)
        await how.drop(uow, actor, payload)

    async def withdraw(self, uow: UnitOfWork, actor: Actor, proposal_id: int) -> None:
        """Take back one's own proposal. Errors: proposal_not_found, proposal_decided."""
        row, how, payload = await self._lock(uow, proposal_id)
        if row.proposed_by != actor.user_id:
            raise HotlineError("proposal_not_found", proposal_id=proposal_id)
        await self._decide(uow, actor, row, "withdrawn", "")
        await how.drop(uow, actor, payload)

    async def _lock(
        self, uow: UnitOfWork, proposal_id: int
    ) -> tuple[AdminProposal, Registered[Any], Payload]:
        query = select(AdminProposal).where(col(AdminProposal.id) == proposal_id).with_for_update()
        query = query.execution_options(populate_existing=True)
        row = (await uow.session.execute(query)).scalar_one_or_none()
        if row is None:
            raise HotlineError("proposal_not_found", proposal_id=proposal_id)
        if row.state != "waiting":
            raise HotlineError("proposal_decided", proposal_id=proposal_id, state=row.state)
        how = self._acts[Act(row.act)]
        return row, how, how.payload.model_validate(row.payload)

    async def _check_decider(
        self, session: AsyncSession, actor: Actor, row: AdminProposal, how: Registered[Any], payload: Payload
    ) -> None:
        if actor.user_id == row.proposed_by:
            raise HotlineError("proposal_own", proposal_id=row.id)
        concern = await how.concern(session, payload)
        if not duties.may_approve(actor, Act(row.act), concern, row.proposed_by):
            raise HotlineError("forbidden", act=row.act)

    async def _check_proposer(
        self, session: AsyncSession, row: AdminProposal, how: Registered[Any], payload: Payload
    ) -> None:
        """Two people stand behind an act: one who lost account or post since is none of them."""
        roles = select(col(UserRole.role)).join(User, col(User.id) == col(UserRole.user_id))
        held = await session.execute(roles.where(col(User.id) == row.proposed_by, col(User.active)))
        rule = duties.rule_of(Act(row.act), await how.concern(session, payload))
        if not rule.by & set(held.scalars()):
            raise HotlineError("proposal_outdated", proposal_id=row.id)

    async def _decide(self, uow: UnitOfWork, actor: Actor, row: AdminProposal, state: str, note: str) -> None:
        values = {
            "state": state,
            "decided_by": actor.user_id,
            "decided_at": uow.now,
            "decision_note": note.strip()[:NOTE_LIMIT],
        }
        await uow.session.execute(
            update(AdminProposal).where(col(AdminProposal.id) == row.id).values(**values)
        )
        await self._audit(uow, actor, f"proposal.{state}", row.id, Act(row.act), note)

    async def _audit(
        self, uow: UnitOfWork, actor: Actor, action: str, proposal_id: int, act: Act, note: str
    ) -> None:
        await audit.record(
            uow,
            actor=actor,
            action=action,
            object_type="proposal",
            object_id=proposal_id,
            reason=note.strip()[:NOTE_LIMIT] or None,
            detail={"act": str(act)},
        )

    # ---- questions --------------------------------------------------------------------------

    async def preview(self, session: AsyncSession, act: Act, payload: Payload) -> Sequence[Change]:
        """What the act would change, as things stand now. Errors: those of the act."""
        return await self._acts[act].preview(session, payload)

    async def rule(self, session: AsyncSession, act: Act, payload: Payload) -> duties.Rule:
        """Who does and who approves the act with this payload."""
        return duties.rule_of(act, await self._acts[act].concern(session, payload))

    async def concern(self, session: AsyncSession, act: Act, payload: Payload) -> Concern:
        """Whose account the act with this payload is about."""
        return await self._acts[act].concern(session, payload)

    def payload_of(self, row: AdminProposal) -> Payload:
        """The payload of a stored proposal as its model."""
        payload: Payload = self._acts[Act(row.act)].payload.model_validate(row.payload)
        return payload

    async def visible(
        self, session: AsyncSession, actor: Actor, *, waiting: bool, limit: int = 100
    ) -> list[tuple[AdminProposal, duties.Rule, Concern]]:
        """Proposals whose act is the actor's to propose or to approve, newest first."""
        state = col(AdminProposal.state) == "waiting"
        # Asked for by act, so that many of somebody else's matters do not crowd out one's own.
        his = or_(
            col(AdminProposal.act).in_(duties.acts_of(actor)),
            col(AdminProposal.proposed_by) == actor.user_id,
            col(AdminProposal.decided_by) == actor.user_id,
        )
        query = select(AdminProposal).where(state if waiting else ~state, his)
        rows = (await session.execute(query.order_by(col(AdminProposal.id).desc()).limit(limit))).scalars()
        return [found for row in rows if (found := await self._seen(session, actor, row)) is not None]

    async def one(
        self, session: AsyncSession, actor: Actor, proposal_id: int
    ) -> tuple[AdminProposal, duties.Rule, Concern]:
        """One proposal the actor may see. Errors: proposal_not_found."""
        row = await session.get(AdminProposal, proposal_id)
        found = await self._seen(session, actor, row) if row is not None else None
        if found is None:
            raise HotlineError("proposal_not_found", proposal_id=proposal_id)
        return found

    async def _seen(
        self, session: AsyncSession, actor: Actor, row: AdminProposal
    ) -> tuple[AdminProposal, duties.Rule, Concern] | None:
        act = Act(row.act)
        if act not in self._acts:
            return None
        try:
            concern = await self.concern(session, act, self.payload_of(row))
            rule = duties.rule_of(act, concern)
        except HotlineError:  # the account moved on: only its table line is left to judge by
            concern, rule = NOBODY, duties.DUTIES[act].rule
        mine = actor.user_id in (row.proposed_by, row.decided_by)
        return (row, rule, concern) if mine or actor.roles & (rule.by | rule.approved_by) else None
