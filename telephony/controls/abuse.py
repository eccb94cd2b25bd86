"""Abuse on the line: an agent may not hang up, but calls a shift leader, who may (domain.md §6)."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.tables import table_of
from telephony.controls import marks
from telephony.controls.events import AbuseReported
from telephony.controls.models import AbuseReport
from telephony.controls.orders import own_leg
from telephony.floor.scope import on_floor_of

_report, _user = table_of(AbuseReport), table_of(User)
REASONS = {"insult": "辱骂", "threat": "威胁恐吓", "sexual": "性骚扰", "endless": "无理纠缠"}


async def report(uow: UnitOfWork, actor: Actor, session_id: int, reason: str) -> int:
    """Mark the call one talks in; a second mark while the first is open is the first.

    Raises `not_your_call`, `call_over`, `call_not_found`, `reason_unknown`.
    """
    if reason not in REASONS:
        raise HotlineError("reason_unknown")
    extension = await own_leg(uow, actor, session_id)
    query = sa.select(_report.c.id).where(_report.c.session_id == session_id, _report.c.state == "open")
    known: int | None = (await uow.session.execute(query)).scalar_one_or_none()
    if known is not None:
        return known
    values = {
        "session_id": session_id, "user_id": actor.user_id, "extension": extension, "reason": reason,
        "reported_at": uow.now, "state": "open",
    }  # fmt: skip
    statement = insert(_report).values(**values).on_conflict_do_nothing().returning(_report.c.id)
    made: int | None = (await uow.session.execute(statement)).scalar_one_or_none()
    if made is None:  # a twin of this click was faster
        return int((await uow.session.execute(query)).scalar_one())
    await marks.add(uow, session_id, "abuse", actor.user_id, {"reason": reason})
    await audit.record(
        uow, actor=actor, action="call.abuse", object_type="call", object_id=session_id, reason=reason
    )
    await uow.emit(AbuseReported(made, session_id, extension, "open", actor.user_id or 0))
    return made


async def close(uow: UnitOfWork, actor: Actor, report_id: int) -> None:
    """The shift leader has looked after it and the call goes on. Closing it again changes nothing.

    Raises `forbidden`, `not_found`.
    """
    actor.require(Permission.FLOOR_LEAD)
    query = sa.select(_report).join(_user, _user.c.id == _report.c.user_id)
    query = query.where(_report.c.id == report_id, on_floor_of(actor)).with_for_update(of=_report)
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("not_found")
    if row.state != "open":
        return
    values = {"state": "closed", "decided_at": uow.now, "decided_by": actor.user_id}
    await uow.session.execute(sa.update(_report).where(_report.c.id == report_id).values(**values))
    await audit.record(
        uow, actor=actor, action="call.abuse_closed", object_type="call", object_id=row.session_id
    )
    await uow.emit(AbuseReported(row.id, row.session_id, row.extension, "closed", row.user_id))
