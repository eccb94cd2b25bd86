"""Numbers of tickets and records: area (4) + day (YYYYMMDD, city time) + 6 digits.

One sequence feeds all numbers, and each day of an area has a row that remembers where the sequence
stood when the day began: the day's own count is `nextval - base`. Creators therefore share nothing
but a sequence, which never blocks and is never rolled back; a counter row would make every creator
wait for the commit of the one before. Numbers have gaps where a transaction failed; none is doubled:
nextval is unique, and `base` is committed before anyone subtracts it.
"""

from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.db import UnitOfWork, constraint_of
from core.errors import HotlineError
from tickets.models import NumberDay, table_of

MOST_A_DAY = 999_999
_NEXT = """
    SELECT nextval('ticket_id_seq') AS id, nextval('ticket_number_seq') - base AS count
    FROM number_day WHERE area = $1 AND day = $2
"""
SEQUENCE = sa.Sequence("ticket_number_seq")
_day = table_of(NumberDay)


def city_day(instant: datetime) -> date:
    """The day an instant belongs to on people's calendars."""
    return to_city(instant).date()


async def insert_numbered(
    session: AsyncSession, table: sa.Table, values: dict[str, Any], *, area: str, day: date
) -> tuple[int, str]:
    """Insert one row of `table` with the next number of the day; returns (id, number).

    One statement, except for the first number of a day. Raises HotlineError `numbers_exhausted`
    (area, day) after 999,999 numbers in one day.
    """
    statement = _insert_from_day(table, tuple(values))
    parameters = {f"new_{name}": value for name, value in values.items()}
    parameters |= {"number_area": area, "number_date": f"{day:%Y%m%d}", "number_day": day}
    try:
        row = (await session.execute(statement, parameters)).first()
        if row is None:
            await open_day(session, area=area, day=day)
            row = (await session.execute(statement, parameters)).one()
    except IntegrityError as error:
        if constraint_of(error) == f"ck_{table.name}_number":
            raise HotlineError("numbers_exhausted", area=area, day=day.isoformat()) from None
        raise
    return row.id, row.number


async def next_number(uow: UnitOfWork, *, area: str, day: date) -> tuple[int, str]:
    """The id and the number of a ticket to be written in this transaction.

    Raises HotlineError `numbers_exhausted` (area, day) after 999,999 numbers in one day.
    """
    found = await uow.look(_NEXT, area, day)
    if not found:
        await open_day(uow.session, area=area, day=day)
        found = await uow.fetch(_NEXT, area, day)
    ident, count = found[0]
    return ident, number_of(area, day, count)


def number_of(area: str, day: date, count: int) -> str:
    """The number of the `count`-th of a day. Raises `numbers_exhausted`."""
    if count > MOST_A_DAY:
        raise HotlineError("numbers_exhausted", area=area, day=day.isoformat())
    return f"{area}{day:%Y%m%d}{count:06}"


async def open_day(session: AsyncSession, *, area: str, day: date) -> None:
    """Write down where the sequence stands for a new day; a day that is open already stays as it is.

    Only the very first creators of a day can meet here, and wait for one commit.
    """
    values = {"area": area, "day": day, "base": SEQUENCE.next_value()}
    await session.execute(insert(_day).values(**values).on_conflict_do_nothing())


@cache
def _insert_from_day(table: sa.Table, names: tuple[str, ...]) -> sa.Executable:
    """From the day's row: no row, no insert. to_char overflows to '#', which the check refuses.

    Built once per set of columns, and on SQLAlchemy's plain insert: PostgreSQL's own is compiled anew
    each time. Both cost more than the statement itself.
    """
    count = sa.func.to_char(SEQUENCE.next_value() - _day.c.base, "FM000000")
    number = sa.func.concat(
        sa.bindparam("number_area", type_=sa.Text), sa.bindparam("number_date", type_=sa.Text), count
    )
    values = [sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names]
    source = sa.select(number, *values).where(
        _day.c.area == sa.bindparam("number_area", type_=sa.Text),
        _day.c.day == sa.bindparam("number_day", type_=sa.Date),
    )
    return sa.insert(table).from_select(["number", *names], source).returning(table.c.id, table.c.number)
