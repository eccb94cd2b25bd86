"""What the feed of 电子监察 is told of documents: number, kind, state; never what was written."""

from core.db import UnitOfWork
from sla import monitor
from sla.monitor import Line
from sla.supervision.events import OrderMoved
from sla.supervision.terms import Step

KINDS: dict[str, str] = {
    Step.ISSUE: "order_issued",
    Step.ACKNOWLEDGE: "order_acknowledged",
    Step.REPORT: "order_reported",
    Step.SEND_BACK: "order_sent_back",
    Step.REMIND: "order_late",
    Step.RAISE: "order_raised",
    Step.CLOSE: "order_closed",
    Step.REVOKE: "order_revoked",
    Step.RECORD: "interview_recorded",
    Step.LOOK: "interview_looked",
}


async def write(uow: UnitOfWork, told: OrderMoved) -> None:
    """Append the step to the feed; the level is the kind of document."""
    detail = {"number": told.number, "state": told.state}
    line = Line(
        KINDS[told.step], told.ticket_id, told.unit_id, level=told.kind, ref_id=told.order_id, detail=detail
    )
    await monitor.tell(uow, [line])
