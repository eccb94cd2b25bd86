"""The veils over sealed tickets, for whoever may not know who reported."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.privacy import Vault, vault_of
from tickets.models import Ticket, table_of
from tickets.terms import TicketType
from tickets.veil import Veil, veil_of
from tickets.visibility import SEALED_DEGREES, Condition, sees_every_ticket

_ticket = table_of(Ticket)
NUMBERS = ("phone_ref", "phone2_ref", "id_number_ref")
REFS = ("name_ref", *NUMBERS)


def confidential() -> Condition:
    """Tickets whose reporter is sealed from the units that handle them."""
    return sa.or_(
        _ticket.c.type == TicketType.REPORT.value, _ticket.c.confidentiality.in_(sorted(SEALED_DEGREES))
    )


async def veils(session: AsyncSession, actor: Actor, ids: Collection[int]) -> Mapping[int, Veil]:
    """The veil of each of these tickets that is sealed from this person; the others have none."""
    if not ids or sees_every_ticket(actor):
        return {}
    query = sa.select(_ticket.c.id, *(_ticket.c[name] for name in REFS))
    # As one array: an export asks about more tickets than a statement may have parameters.
    these = _ticket.c.id == sa.any_(sa.literal(list(ids), ARRAY(sa.BigInteger)))
    rows = (await session.execute(query.where(these, confidential()))).all()
    return await of_rows(session, vault_of(session), rows)


async def veil_over(session: AsyncSession, actor: Actor, ticket_id: int) -> Veil | None:
    """The veil of one ticket, None when it is not sealed from this person."""
    return (await veils(session, actor, [ticket_id])).get(ticket_id)


async def of_rows(session: AsyncSession, vault: Vault, rows: Collection[Any]) -> dict[int, Veil]:
    """The veil of each row, sealed or not; rows have `id` and the columns of REFS."""
    refs = {getattr(row, name) for row in rows for name in REFS} - {None}
    plain = await vault.plain(session, refs) if refs else {}
    return {
        row.id: veil_of(
            [plain[row.name_ref]] if row.name_ref in plain else [],
            [plain[getattr(row, name)] for name in NUMBERS if getattr(row, name) in plain],
        )
        for row in rows
    }
