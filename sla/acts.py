"""Acts of administration on the clocks that the table of duties puts before a second person."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.people.actor import Actor
from core.people.duties import Act
from core.people.proposals import Change, Payload, ProposalService, Registered
from sla import pack_service
from sla.pack_compare import differences


class PublishPolicy(Payload):
    """A version of the limits is to count from a day on."""

    version_id: int
    effective: date
    note: str = ""


def register(proposals: ProposalService) -> None:
    """Say how these acts are done."""
    proposals.register(
        Act.POLICY_PUBLISH,
        Registered(
            PublishPolicy,
            _publish,
            preview=_preview,
            prepare=_check,
            subject=lambda asked: ("policy", asked.version_id),
        ),
    )


async def _publish(uow: UnitOfWork, actor: Actor, asked: PublishPolicy) -> int:
    return await pack_service.publish(uow, actor, asked.version_id, asked.effective, asked.note)


async def _check(uow: UnitOfWork, _actor: Actor, asked: PublishPolicy) -> None:
    await pack_service.check(uow.session, asked.version_id, asked.effective, uow.now)


async def _preview(session: AsyncSession, asked: PublishPolicy) -> Sequence[Change]:
    """What it says otherwise than the one that would count on that day without it."""
    found = await pack_service.version(session, asked.version_id)
    counting = pack_service.in_force(await pack_service.publications(session), asked.effective)
    day = asked.effective.isoformat()
    if counting is None:
        return [Change("时限政策", "—", f"{found.pack.name}，{day} 起")]
    present = await pack_service.version(session, counting.version_id)
    first = Change("时限政策", present.pack.name, f"{found.pack.name}，{day} 起")
    lines = differences(present.pack, found.pack)
    return [first, *(Change(one.label, one.before, one.after) for one in lines)]
