"""What agents and shift leaders do with states, and what calls do to them. Every act locks one session.

Acts are safe to repeat: a second click finds the state there and changes nothing. What a person asks
for takes effect in the rows at once; the PBX follows (`telephony.agents.steward`).
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from core import audit
from core.catalog import reasons
from core.db import UnitOfWork, constraint_of
from core.errors import HotlineError
from core.events import EventBus
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.settings import Settings
from core.tables import table_of
from telephony.agents import choices, machine, store
from telephony.agents.calls import leg_of, legs_at
from telephony.agents.machine import Event
from telephony.agents.skew import Skews
from telephony.agents.store import SESSION, WRAP, Held
from telephony.events import LegsMoved
from telephony.floor.scope import oversees
from telephony.models import AgentState

PBX_SAYS, USER = table_of(AgentState), table_of(User)
MAX_NOTE = 200
CODE_LATE = timedelta(hours=4)  # the code of a call may be given afterwards for so long


class AgentService:
    """Acts of people in the caller's transaction, and the reaction to calls."""

    def __init__(self, settings: Settings) -> None:
        self.rules = store.rules_of(settings)
        self.skews = Skews()
        self.pbxs: Sequence[str] = tuple(pbx.name for pbx in settings.telephony.pbx)

    def wire(self, bus: EventBus) -> None:
        """Hear of calls within the transaction that writes them."""
        bus.within(LegsMoved, self.on_legs)

    # ---- the agent's own acts ---------------------------------------------------------------

    async def sign_in(
        self,
        uow: UnitOfWork,
        actor: Actor,
        *,
        queues: Iterable[str] = (),
        reason: str | None = None,
        take_over: bool = False,
    ) -> None:
        """Sign the actor in at his telephone, ready, or not ready for a `reason`.

        No `queues`: all he may take. Signing in again where he sits changes nothing. Raises
        `no_extension`, `no_queue`, `queue_not_yours` (queue), `reason_unknown`, and unless `take_over`
        `seat_elsewhere` (extension) or `seat_taken` (name); `seat_busy` while that seat has a call.
        """
        user_id, extension = _own(actor)
        if actor.extension is None:
            raise HotlineError("no_extension")
        if reason is not None:
            await reasons.check(uow.session, "not_ready", reason)
        wanted = await self._queues(uow, user_id, queues)
        if await self._make_room(uow, actor, extension, take_over=take_over):
            return
        event = machine.SignIn(wanted, ready=reason is None, reason=reason)
        await self._open(uow, user_id, extension, event)

    async def sign_out(self, uow: UnitOfWork, actor: Actor) -> None:
        """Go; during a call or the work after it, when that is over. Raises `not_signed_in`."""
        await self._act(uow, actor, machine.SignOut())

    async def leave(self, uow: UnitOfWork, actor: Actor) -> None:
        """Like `sign_out`, for who leaves the console; nothing happens to who is not signed in."""
        for held in await store.lock(uow, SESSION.c.user_id == actor.user_id):
            await store.apply(uow, held, [(uow.now, machine.SignOut())], self.rules)

    async def ready(self, uow: UnitOfWork, actor: Actor) -> None:
        """Take calls again; ends work after a call. Raises `not_signed_in`."""
        await self._act(uow, actor, machine.SetReady())

    async def not_ready(self, uow: UnitOfWork, actor: Actor, reason: str) -> None:
        """Take no calls, for a reason of the catalogue; in a call, as soon as that is over.

        Raises `reason_unknown`, `not_signed_in`.
        """
        await reasons.check(uow.session, "not_ready", reason)
        await self._act(uow, actor, machine.SetNotReady(reason))

    async def extend_wrap_up(self, uow: UnitOfWork, actor: Actor) -> None:
        """More time after a call. Raises `wrap_up_over`, `wrap_up_longest` (times), `not_signed_in`."""
        held = await self._own_session(uow, actor)
        # The deadline may have passed a moment ago, and the leader not have come to it.
        await store.write(uow, held, machine.deadline(held.agent, uow.now, held.row["changed_at"]))
        if held.agent.wrap_up is None:
            raise HotlineError("wrap_up_over")
        if not await store.apply(uow, held, [(uow.now, machine.ExtendWrapUp())], self.rules):
            raise HotlineError("wrap_up_longest", times=self.rules.extensions)

    async def finish_wrap_up(
        self, uow: UnitOfWork, actor: Actor, *, code: str | None, note: str = "", stay: bool = False
    ) -> None:
        """Give the code of the last call and end the work after it, unless one `stay`s.

        The code may still be given when the time is over already. Raises `reason_unknown`,
        `wrap_up_over` when there is no call to give it to, `not_signed_in`.
        """
        held = await self._own_session(uow, actor)
        if code is not None:
            await reasons.check(uow.session, "wrap_up", code)
            await self._code(uow, held, code, note[:MAX_NOTE])
        if not stay:
            await store.apply(uow, held, [(uow.now, machine.EndWrapUp())], self.rules)

    async def _code(self, uow: UnitOfWork, held: Held, code: str, note: str) -> None:
        """To the work under way, else to the latest of this person's calls that has none yet."""
        recent = WRAP.c.started_at > uow.now - CODE_LATE
        query = select(WRAP.c.id, WRAP.c.code).where(WRAP.c.user_id == held.row["user_id"], recent)
        if held.wrap_id is not None:
            query = query.where(WRAP.c.id == held.wrap_id)
        rows = (await uow.session.execute(query.order_by(WRAP.c.id.desc()).limit(20))).all()
        if rows and rows[0].code == code:
            return  # a second click
        found = next((row.id for row in rows if row.code is None or held.wrap_id is not None), None)
        if found is None:
            raise HotlineError("wrap_up_over")
        values = {"code": code, "note": note, "logged": False}
        await uow.session.execute(update(WRAP).where(WRAP.c.id == found).values(**values))

    # ---- the shift leader's -----------------------------------------------------------------

    async def lead_ready(self, uow: UnitOfWork, leader: Actor, user_id: int) -> None:
        """Set somebody ready; audited. Raises `forbidden`, `agent_not_signed_in`."""
        await self._lead(uow, leader, user_id, "ready", machine.SetReady("leader"))

    async def lead_not_ready(self, uow: UnitOfWork, leader: Actor, user_id: int, reason: str) -> None:
        """Set somebody not ready; audited. Raises `forbidden`, `reason_unknown`, `agent_not_signed_in`."""
        await reasons.check(uow.session, "not_ready", reason)
        event = machine.SetNotReady(reason, "leader", leader.user_id)
        await self._lead(uow, leader, user_id, "not_ready", event, reason=reason)

    async def lead_sign_out(self, uow: UnitOfWork, leader: Actor, user_id: int) -> None:
        """Sign somebody out, after his call; audited. Raises `forbidden`, `agent_not_signed_in`."""
        await self._lead(uow, leader, user_id, "sign_out", machine.SignOut("leader"))

    async def lead_queues(self, uow: UnitOfWork, leader: Actor, user_id: int, queues: Iterable[str]) -> None:
        """Say which queues ring somebody; audited.

        Raises `forbidden`, `queue_not_theirs` (queue), `queue_none`, `agent_not_signed_in`.
        """
        names = tuple(dict.fromkeys(queues))
        await _overseen(uow, leader, user_id)
        if not names:
            raise HotlineError("queue_none")
        allowed = [name for name, _ in await choices.queues_of(uow.session, user_id)]
        for name in names:
            if name not in allowed:
                raise HotlineError("queue_not_theirs", queue=name[:40])
        ordered = tuple(name for name in allowed if name in names)
        await self._lead(uow, leader, user_id, "queues", machine.SetQueues(ordered), queues=list(ordered))

    async def _lead(
        self, uow: UnitOfWork, leader: Actor, user_id: int, act: str, event: Event, **detail: object
    ) -> None:
        leader.require(Permission.FLOOR_LEAD)
        await _overseen(uow, leader, user_id)
        held = await store.lock(uow, SESSION.c.user_id == user_id)
        if not held:
            raise HotlineError("agent_not_signed_in", user_id=user_id)
        await store.apply(uow, held[0], [(uow.now, event)], self.rules)
        await audit.record(
            uow, actor=leader, action=f"agent.{act}", object_type="user", object_id=user_id, detail=detail
        )

    # ---- what the PBX tells -----------------------------------------------------------------

    async def on_legs(self, uow: UnitOfWork, event: LegsMoved) -> None:
        """Calls moved at telephones: those of signed-in agents change their agents' states."""
        extensions = {leg.extension for leg in event.legs}
        where = (SESSION.c.extension.in_(extensions), SESSION.c.pbx == event.pbx)
        skew = self.skews.of(event.pbx)
        for held in await store.lock(uow, *where):
            told = [
                leg_of(leg, skew, uow.now) for leg in event.legs if leg.extension == held.row["extension"]
            ]
            # One that is left goes last: a call that became part of another has not ended.
            told.sort(key=lambda leg: (leg.over is not None, leg.version))
            await store.apply(uow, held, [(uow.now, leg) for leg in told], self.rules)

    async def sign_in_at_phone(self, uow: UnitOfWork, pbx: str, extension: str, queue: str) -> bool:
        """Somebody signed in by a key of the telephone; False when the plan does not know that queue."""
        query = select(USER.c.id).where(USER.c.extension == extension, USER.c.active)
        user_id = (await uow.session.execute(query)).scalar_one_or_none()
        if user_id is None or queue not in [
            name for name, _ in await choices.queues_of(uow.session, user_id)
        ]:
            return False
        if await store.lock(uow, (SESSION.c.user_id == user_id) | (SESSION.c.extension == extension)):
            return False
        await self._open(uow, user_id, extension, machine.SignIn((queue,)), pbx)
        return True

    # ---- within -----------------------------------------------------------------------------

    async def _act(self, uow: UnitOfWork, actor: Actor, event: Event) -> None:
        held = await self._own_session(uow, actor)
        await store.apply(uow, held, [(uow.now, event)], self.rules)

    async def _own_session(self, uow: UnitOfWork, actor: Actor) -> Held:
        user_id, _ = _own(actor)
        found = await store.lock(uow, SESSION.c.user_id == user_id)
        if not found:
            raise HotlineError("not_signed_in")
        return found[0]

    async def _queues(self, uow: UnitOfWork, user_id: int, wanted: Iterable[str]) -> tuple[str, ...]:
        allowed = [name for name, _ in await choices.queues_of(uow.session, user_id)]
        if not allowed:
            raise HotlineError("no_queue")
        chosen = set(wanted)
        for name in chosen:
            if name not in allowed:
                raise HotlineError("queue_not_yours", queue=name[:40])
        return tuple(name for name in allowed if not chosen or name in chosen)

    async def _make_room(self, uow: UnitOfWork, actor: Actor, extension: str, *, take_over: bool) -> bool:
        """End what stands in the way if that is wanted; True when the actor sits there already."""
        mine, theirs = SESSION.c.user_id == actor.user_id, SESSION.c.extension == extension
        for held in await store.lock(uow, mine | theirs):
            own = held.row["user_id"] == actor.user_id
            if own and held.row["extension"] == extension:
                return True
            if not take_over:
                raise await _in_the_way(uow, held, own=own)
            if held.agent.on_the_phone:
                raise HotlineError("seat_busy", extension=held.row["extension"])
            leave = machine.SignOut("takeover", at_once=True)
            await store.apply(uow, held, [(uow.now, leave)], self.rules)
            await audit.record(
                uow, actor=actor, action="agent.take_over", object_type="user",
                object_id=held.row["user_id"], detail={"extension": held.row["extension"]},
            )  # fmt: skip
        return False

    async def _open(
        self, uow: UnitOfWork, user_id: int, extension: str, event: machine.SignIn, pbx: str | None = None
    ) -> None:
        """A new session; a call that is at the telephone already is part of it."""
        where = pbx or await self._pbx_of(uow, extension)
        try:
            async with uow.savepoint():
                held = await store.open_session(
                    uow, user_id=user_id, extension=extension, pbx=where, event=event
                )
        except IntegrityError as error:
            if constraint_of(error) not in ("uq_agent_session_user", "uq_agent_session_extension"):
                raise
            return  # another click of the same person was faster
        for leg in await legs_at(uow.session, extension, where):
            await store.apply(uow, held, [(uow.now, leg)], self.rules)

    async def _pbx_of(self, uow: UnitOfWork, extension: str) -> str:
        """The PBX that knows this telephone; failing that, the first one there is."""
        query = select(PBX_SAYS.c.pbx).where(PBX_SAYS.c.extension == extension)
        known = list((await uow.session.execute(query.order_by(PBX_SAYS.c.since.desc()))).scalars())
        best = next((name for name in known if name in self.pbxs), None)
        found = best or next(iter(self.pbxs), None) or next(iter(known), None)
        if found is None:
            raise HotlineError("no_pbx")
        return found


def _own(actor: Actor) -> tuple[int, str]:
    if actor.user_id is None:
        raise HotlineError("not_signed_in")
    return actor.user_id, actor.extension or ""


async def _overseen(uow: UnitOfWork, leader: Actor, user_id: int) -> None:
    """Raise `not_found` when there is no such person on this leader's floor."""
    if not await oversees(uow.session, leader, [user_id]):
        raise HotlineError("not_found", user_id=user_id)


async def _in_the_way(uow: UnitOfWork, held: Held, *, own: bool) -> HotlineError:
    extension = held.row["extension"]
    if own:
        return HotlineError("seat_elsewhere", extension=extension)
    name = await uow.session.scalar(select(USER.c.name).where(USER.c.id == held.row["user_id"]))
    return HotlineError("seat_taken", extension=extension, name=name)
