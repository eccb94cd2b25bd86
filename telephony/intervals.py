"""Figures of the telephone by quarter of an hour and queue. The only writer of call_interval.

They are kept in the transaction that writes the call: what the call counted as before is taken away
and what it counts as now is added. A call written again changes nothing, one whose outcome or talk
becomes better known later is corrected where it stands, and a rolled back call was never counted.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from core.db import UnitOfWork
from telephony.calls.counts import COUNTERS, Agents, Place, counted
from telephony.models import CallInterval

INTERVAL: Table = CallInterval.__table__  # type: ignore[attr-defined]  # set by SQLModel
ZERO = dict.fromkeys(COUNTERS, 0)
_WRITE = f"""
    INSERT INTO call_interval (starts_at, queue, {", ".join(COUNTERS)})
    SELECT * FROM jsonb_to_recordset($1::text::jsonb)
        AS r(starts_at timestamptz, queue text, {", ".join(f"{name} bigint" for name in COUNTERS)})
    ON CONFLICT (starts_at, queue)
        DO UPDATE SET {", ".join(f"{name} = call_interval.{name} + excluded.{name}" for name in COUNTERS)}
"""  # noqa: S608 - names of ours


class Changes:
    """What one transaction adds to and takes from the intervals."""

    def __init__(self, short_abandon_seconds: float) -> None:
        self._short = short_abandon_seconds
        self._sums: dict[Place, Counter[str]] = {}

    def note(self, old: Mapping[str, Any], before: Agents, new: Mapping[str, Any], after: Agents) -> None:
        """A call was `old` and is `new`."""
        was, now = counted(old, before, self._short), counted(new, after, self._short)
        if was == now:
            return
        for found, sign in ((was, -1), (now, 1)):
            if found is not None:
                sums = self._sums.setdefault(found[0], Counter())
                for name, amount in found[1].items():
                    sums[name] += sign * amount

    async def write(self, uow: UnitOfWork) -> None:
        """Bring the rows up to date, in one order for everybody."""
        rows = [
            {"starts_at": place.starts_at.isoformat(), "queue": place.queue, **ZERO, **sums}
            for place, sums in sorted(self._sums.items())
            if any(sums.values())
        ]
        self._sums.clear()
        if rows:
            await uow.fetch(_WRITE, json.dumps(rows))
