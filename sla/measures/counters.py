"""Puts down what each step moves, with the step itself: no question, no lock, nothing two writers share."""

from collections.abc import Sequence

from core.db import UnitOfWork
from sla.measures.models import MeasureDelta
from sla.measures.steps import Step, noted, steps
from tickets.measures import Move, Noted
from tickets.models import table_of

_delta = table_of(MeasureDelta)


class Counters:
    """`tickets.counting.Measures` by the tables of this room."""

    async def moved(self, uow: UnitOfWork, move: Move) -> None:
        """A ticket took a step."""
        await put(uow, move.ticket_id, steps(move), left_out=move.after.excluded)

    async def noted(self, uow: UnitOfWork, record: Noted) -> None:
        """A contact ended as a record."""
        await put(uow, record.id, noted(record), record=True)


async def put(
    uow: UnitOfWork, ref_id: int, found: Sequence[Step], *, left_out: bool = False, record: bool = False
) -> None:
    """Put `found` down; it goes out with the other writes of the transaction."""
    if not found:
        return
    now = uow.now
    rows = [
        {
            "at": now,
            "record": record,
            "ref_id": ref_id,
            "code": code,
            "seq": seq,
            "n": n,
            "day": day,
            "unit_id": unit,
            "category_id": category,
            "district_id": district,
            "type": kind,
            "left_out": left_out,
        }
        for code, seq, n, day, unit, category, district, kind in found
    ]
    await uow.put(_delta, *rows)
