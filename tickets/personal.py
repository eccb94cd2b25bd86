"""Puts a citizen's values into the vault in one statement, whatever their number."""

from collections.abc import Mapping
from typing import Any

from core.db import UnitOfWork
from core.privacy import Kind, Vault


async def put_all(uow: UnitOfWork, vault: Vault, values: Mapping[str, tuple[Kind, str]]) -> dict[str, int]:
    """Keep every value of `values` (label → kind, value); returns label → personal_value id.

    Phones and ID numbers that are known keep their row; names and codes get a new one. Equal values
    share a row; rows go in a fixed order, so that two writers cannot deadlock.
    """
    rows, ordered = sealed(uow, vault, values)
    if not ordered:
        return {}
    columns = ([row[name] for row in ordered] for name in _COLUMNS)
    found = {row["key"]: row["id"] for row in await uow.fetch(_PUT, uow.now, *columns)}
    return {label: found[key_of(row)] for label, row in rows.items()}


def sealed(
    uow: UnitOfWork, vault: Vault, values: Mapping[str, tuple[Kind, str]]
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """The rows of `values` by label, and the different ones among them in their fixed order."""
    rows = {label: vault.row(kind, value, uow.now) for label, (kind, value) in values.items()}
    distinct = {row["blind"] or label.encode(): row for label, row in rows.items()}
    return rows, [distinct[key] for key in sorted(distinct)]


def key_of(row: Mapping[str, Any]) -> bytes:
    """What tells a value's row: a known value has another ciphertext, so indexed ones go by blind."""
    return row["blind"] or row["ciphertext"]  # type: ignore[no-any-return]  # one of them is bytes


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
