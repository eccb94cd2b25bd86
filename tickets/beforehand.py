"""What a new ticket must know before it is written, in one question: for transactions without a lock.

Whether what its form refers to exists, its id and number, the ids of the citizen's values. A value that
is not known yet gets its id here and is written with the ticket; a twin of the same instant is refused
by the index, and its ticket is made again with locks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.db import UnitOfWork
from core.privacy import Kind, PersonalValue, Vault
from tickets.forms import TicketForm
from tickets.models import table_of
from tickets.numbers import city_day, number_of
from tickets.personal import key_of, sealed

_value = table_of(PersonalValue)
# $1 category, $2 district, $3 street, $4 the unit complained about: the columns of `References`
REFERENCES = """
    (SELECT active FROM category WHERE id = $1) AS category,
    (SELECT path FROM unit WHERE id = $2 AND kind = 'district') AS district,
    (SELECT path FROM unit WHERE id = $3 AND kind IN ('town', 'village')) AS street,
    (SELECT path FROM unit WHERE id = $4) AS subject
"""
_ASK = f"""
    SELECT {REFERENCES},
        nextval('ticket_id_seq') AS id,
        (SELECT nextval('ticket_number_seq') - base FROM number_day WHERE area = $5 AND day = $6) AS count,
        v.ids, v.known
    FROM (
        SELECT array_agg(coalesce(p.id, nextval('personal_value_id_seq')) ORDER BY g.place) AS ids,
            array_agg(p.id IS NOT NULL ORDER BY g.place) AS known
        FROM unnest($7::text[], $8::bytea[]) WITH ORDINALITY AS g (kind, blind, place)
        LEFT JOIN personal_value p ON p.kind = g.kind AND p.blind = g.blind
    ) AS v
"""  # noqa: S608 - texts of our own


@dataclass(frozen=True)
class References:
    """What the ids of a form lead to; None: nothing."""

    category: bool | None
    district: str | None
    street: str | None
    subject: str | None


@dataclass(frozen=True)
class Beforehand:
    """The answer. `numbered` is None before the first ticket of a day; `refs` goes by label."""

    references: References
    numbered: tuple[int, str] | None
    refs: dict[str, int]


async def ask(
    uow: UnitOfWork, vault: Vault, form: TicketForm, area: str, values: Mapping[str, tuple[Kind, str]]
) -> Beforehand:
    """Look everything up; new values are taken down for the ticket's own statement."""
    rows, ordered = sealed(uow, vault, values)
    day = city_day(uow.now)
    asked = (form.category_id, form.district_id, form.street_id, form.subject_unit_id, area, day)
    kinds, blinds = [row["kind"] for row in ordered], [row["blind"] for row in ordered]
    (found,) = await uow.look(_ASK, *asked, kinds, blinds)
    ids: dict[bytes, int] = {}
    for row, ident, known in zip(ordered, found["ids"], found["known"], strict=True):
        ids[key_of(row)] = ident
        if not known:
            await uow.put(_value, {**row, "id": ident})
    references = References(found["category"], found["district"], found["street"], found["subject"])
    numbered = None if found["count"] is None else (found["id"], number_of(area, day, found["count"]))
    return Beforehand(references, numbered, {label: ids[key_of(row)] for label, row in rows.items()})
