"""The daily duty of the market: the blacklist moves on by time, ends of qualifications are warned of once."""

from datetime import date, timedelta

import sqlalchemy as sa

from core.db import UnitOfWork
from core.notify import staff
from core.notify.staff import Notice, roles_with
from core.people.permissions import Permission
from tickets.intermediaries import blacklist
from tickets.intermediaries.models import Intermediary, Qualification
from tickets.intermediaries.rows import note
from tickets.intermediaries.scope import accounts
from tickets.models import table_of

_one = table_of(Intermediary)
_qualification = table_of(Qualification)
EDITORS = roles_with(Permission.INTERMEDIARY_EDIT)


async def daily(uow: UnitOfWork, day: date, *, warn_days: int) -> int:
    """Do what time asks for on a day of the city; returns how much was done."""
    return await blacklist.keep_up(uow) + await warn(uow, day, warn_days=warn_days)


async def warn(uow: UnitOfWork, day: date, *, warn_days: int) -> int:
    """Tell department and intermediary of qualifications that end within `warn_days`, each once."""
    soon = (
        _qualification.c.revoked_on.is_(None),
        _qualification.c.warned_on.is_(None),
        _qualification.c.valid_to.between(day, day + timedelta(days=warn_days)),
    )
    active = sa.exists().where(_one.c.id == _qualification.c.intermediary_id, _one.c.state == "active")
    statement = sa.update(_qualification).where(*soon, active).values(warned_on=day)
    rows = (await uow.session.execute(statement.returning(_qualification))).all()
    units: set[int] = set()
    for row in rows:
        detail = {"number": row.number, "valid_to": row.valid_to.isoformat()}
        await note(uow, blacklist.SYSTEM, row.intermediary_id, "warned", row.name, detail)
        await staff.tell_people(uow, "qualification_ending", await accounts(uow.session, row.intermediary_id))
        unit = sa.select(_one.c.unit_id).where(_one.c.id == row.intermediary_id)
        units.add(int((await uow.session.execute(unit)).scalar_one()))
    if units:
        await staff.write(uow, [Notice("qualification_ending", None, EDITORS, tuple(sorted(units)))])
    return len(rows)
