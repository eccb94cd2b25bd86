"""Taking orders down: any node does, in the transaction of the one who clicks; the leader carries them out.

The same click (one form, however often it arrives) is one order. Who may order: an agent about the call he
talks in, a shift leader about any call that somebody of his floor talks in. That the PBX agrees is found out
when the order is carried out; what cannot be right is refused here, with a sentence.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.ids import new_token
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from core.tables import table_of
from telephony.controls import marks
from telephony.controls.events import OrderPlaced
from telephony.controls.models import CallOrder
from telephony.controls.terms import LEADER_ACTS, SPYING, Act, Target, why_not
from telephony.floor.scope import oversees
from telephony.models import CallLeg, CallSession

_order = table_of(CallOrder)
_call = table_of(CallSession)
_leg = table_of(CallLeg)


async def place(
    uow: UnitOfWork,
    vault: Vault,
    actor: Actor,
    act: Act,
    session_id: int,
    token: str,
    target: Target | None = None,
) -> int:
    """Order `act` about a call; returns the order's id, that of the first one for a repeated click.

    Raises `call_over`, `not_your_call`, `nobody_talks`, `no_extension`, `forbidden`, and what `why_not` says.
    """
    before = await _same_click(uow, actor, token)
    if before is not None:
        return before
    extension = await _telephone(uow, actor, act, session_id)
    if act not in LEADER_ACTS and (code := why_not(act, await marks.standing(uow.session, session_id))):
        raise HotlineError(code)
    values: dict[str, Any] = {"target_kind": None, "target": None, "number_ref": None}
    if target is not None:
        values = {"target_kind": target.kind, "target": target.value, "number_ref": None}
        if target.kind == "outside":
            sealed = await vault.put(uow, "phone", target.value)
            values |= {"target": sealed.masked, "number_ref": sealed.id}
    ident = await write(uow, act, session_id, actor.user_id, extension, token, values)
    if ident is None:  # the twin of this click was faster
        return await _same_click(uow, actor, token) or 0
    detail = {"order": ident, "target_kind": values["target_kind"], "ref": values["number_ref"]}
    await audit.record(
        uow, actor=actor, action=f"call.{act.value}", object_type="call", object_id=session_id, detail=detail
    )
    return ident


async def write(
    uow: UnitOfWork,
    act: Act,
    session_id: int,
    user_id: int | None,
    extension: str,
    token: str,
    values: dict[str, Any],
) -> int | None:
    """The row; None when this click has one already."""
    prefix = "spy" if act in SPYING else "ctl"
    statement = insert(_order).values(
        kind=act.value,
        session_id=session_id,
        user_id=user_id,
        extension=extension,
        token=token,
        channel_id=f"{prefix}-{new_token(9)}",
        state="waiting",
        ordered_at=uow.now,
        **values,
    )
    statement = statement.on_conflict_do_nothing(index_elements=["user_id", "token"])
    made: int | None = (await uow.session.execute(statement.returning(_order.c.id))).scalar_one_or_none()
    if made is not None:
        await uow.emit(OrderPlaced())
    return made


async def _same_click(uow: UnitOfWork, actor: Actor, token: str) -> int | None:
    query = sa.select(_order.c.id).where(_order.c.user_id == actor.user_id, _order.c.token == token)
    found: int | None = (await uow.session.execute(query)).scalar_one_or_none()
    return found


async def own_leg(uow: UnitOfWork, actor: Actor, session_id: int) -> str:
    """The telephone with which this person talks in a call. Raises as `place`."""
    legs = await _talking(uow, session_id)
    mine = next((leg.extension for leg in legs if leg.extension == actor.extension), None)
    if mine is None:
        raise HotlineError("not_your_call")
    return str(mine)


async def _talking(uow: UnitOfWork, session_id: int) -> Any:
    query = sa.select(_call.c.ended_at).where(_call.c.id == session_id)
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("call_not_found", session_id=session_id)
    if row.ended_at is not None:
        raise HotlineError("call_over")
    legs = sa.select(_leg.c.extension, _leg.c.user_id)
    legs = legs.where(_leg.c.session_id == session_id, _leg.c.state == "talking")
    return (await uow.session.execute(legs.order_by(_leg.c.answered_at))).all()


async def _telephone(uow: UnitOfWork, actor: Actor, act: Act, session_id: int) -> str:
    """The telephone the order concerns: one's own, for a shift leader the one that rings for him."""
    if act not in LEADER_ACTS:
        return await own_leg(uow, actor, session_id)
    actor.require(Permission.FLOOR_LEAD)
    legs = await _talking(uow, session_id)
    if not legs:
        raise HotlineError("nobody_talks")
    people = {leg.user_id for leg in legs}  # a telephone that is nobody's is on every floor
    if None not in people and not await oversees(uow.session, actor, people):
        raise HotlineError("call_not_found", session_id=session_id)
    if act is not Act.END and actor.extension is None:
        raise HotlineError("no_extension")
    if act is not Act.END and any(leg.extension == actor.extension for leg in legs):
        raise HotlineError("own_call")
    return actor.extension or ""
