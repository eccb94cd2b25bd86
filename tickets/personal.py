"""Puts a citizen's values into the vault in one statement, whatever their number."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.db import UnitOfWork
from core.privacy import Kind, PersonalValue, Vault
from tickets.models import table_of

_value = table_of(PersonalValue)


async def put_all(uow: UnitOfWork, vault: Vault, values: Mapping[str, tuple[Kind, str]]) -> dict[str, int]:
    """Keep every value of `values` (label → kind, value); returns label → personal_value id.

    Phones and ID numbers that are known keep their row; names and codes get a new one. Equal values
    share a row; rows go in a fixed order, so that two writers cannot deadlock.
    """
    rows = {label: vault.row(kind, value, uow.now) for label, (kind, value) in values.items()}
    distinct = {row["blind"] or label.encode(): row for label, row in rows.items()}
    ordered = [distinct[key] for key in sorted(distinct)]
    if not ordered:
        return {}
    if uow.hopeful:
        return await _put_hopefully(uow, rows, ordered)
    columns = ([row[name] for row in ordered] for name in _COLUMNS)
    # A known row has another ciphertext, so indexed values are told by blind and the rest by ciphertext.
    found = {row["key"]: row["id"] for row in await uow.fetch(_PUT, uow.now, *columns)}
    return {label: found[row["blind"] or row["ciphertext"]] for label, row in rows.items()}


async def _put_hopefully(
    uow: UnitOfWork, rows: Mapping[str, Any], ordered: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Ids for new values now, the values with the other writes; a twin of the same instant is refused."""
    kinds, blinds = [row["kind"] for row in ordered], [row["blind"] for row in ordered]
    ids: dict[bytes, int] = {}
    for row, found in zip(ordered, await uow.look(_IDS, kinds, blinds), strict=True):
        ids[row["blind"] or row["ciphertext"]] = found["id"]
        if not found["known"]:
            await uow.put(_value, {**row, "id": found["id"]})
    return {label: ids[row["blind"] or row["ciphertext"]] for label, row in rows.items()}


_IDS = """
    SELECT coalesce(v.id, nextval('personal_value_id_seq')) AS id, v.id IS NOT NULL AS known
    FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS g (kind, blind, place)
    LEFT JOIN personal_value v ON v.kind = g.kind AND v.blind = g.blind
    ORDER BY g.place
"""
_COLUMNS = ("kind", "blind", "key_id", "wrapped_key", "ciphertext", "masked")
# The update changes nothing; it makes a concurrent twin return the row it lost against.
_PUT = """
    WITH given AS (
        SELECT * FROM unnest($2::text[], $3::bytea[], $4::text[], $5::bytea[], $6::bytea[], $7::text[])
            WITH ORDINALITY AS t (kind, blind, key_id, wrapped_key, ciphertext, masked, place)
    ), known AS (
        SELECT v.id, v.blind FROM personal_value v JOIN given g ON g.kind = v.kind AND g.blind = v.blind
        WHERE v.blind IS NOT NULL
    ), made AS (
        INSERT INTO personal_value (kind, blind, key_id, wrapped_key, ciphertext, masked, created_at)
        SELECT kind, blind, key_id, wrapped_key, ciphertext, masked, $1 FROM given
        WHERE blind IS NULL OR blind NOT IN (SELECT blind FROM known) ORDER BY place
        ON CONFLICT (kind, blind) WHERE blind IS NOT NULL DO UPDATE SET kind = excluded.kind
        RETURNING id, coalesce(blind, ciphertext) AS key
    )
    SELECT id, blind AS key FROM known UNION ALL SELECT id, key FROM made
"""
