"""Writes of one transaction that nobody waits for, sent together as one statement.

History rows, stages, notes for screens, the changed row itself: none of them returns anything, yet
each would cost a journey to the database of its own. A `Batch` takes them down in the order they are
made and becomes one statement of data-modifying CTEs; PostgreSQL checks keys at its end, so a row and
what refers to it may go together. What must not go together (the same table written twice in a way
that depends on the order) is refused, and the caller sends what there is first.

One change of a batch may be its guard: it names the version of a row that was looked at without a
lock. When it meets no row, somebody was faster, and every other write of the statement does nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
_encode = json.JSONEncoder(ensure_ascii=False).encode
MOST_PARAMETERS = 2_000  # PostgreSQL takes 65,535; a statement should stay readable
MANY = 32  # rows from which on they go as one array per column


@dataclass(frozen=True)
class Other:
    """In the condition of a change: any value but this one."""

    value: Any


@dataclass(frozen=True)
class Among:
    """In the condition of a change: any of these values."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class _Shape:
    """One write without its values: what its SQL depends on."""

    kind: str  # insert, bulk, update, guard or parts
    table: sa.Table | None
    columns: tuple[str, ...]
    rows: int = 1
    where: tuple[tuple[str, str], ...] = ()  # column, one of: = <> any null
    parts: "Parts" = ()
    size: int = 0  # of the parameters of `parts`


Parts = tuple[tuple[str, str], ...]
"""CTEs in SQL of their own: name and text, with $1 … for parameters and {valid} as a condition to meet."""


class Batch:
    """The writes of a transaction since they were last sent."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []
        self._values: list[list[Any]] = []
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._shapes)

    def clear(self) -> None:
        """Forget everything: the savepoint it belonged to was undone."""
        self._shapes, self._values, self._count = [], [], 0

    def insert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Take down new rows, all with the same columns; False: send what there is first.

        Very many go as one array per column.
        """
        columns = tuple(rows[0])
        bulk = len(rows) >= MANY and _plain(table)
        size = len(columns) * (1 if bulk else len(rows))
        if self._shapes and self._count + size > MOST_PARAMETERS:
            return False
        if bulk:
            if any(shape.table is table for shape in self._shapes):
                return False
            encoded = [_encoded(table, columns, row) for row in rows]
            self._add(_Shape("bulk", table, columns), [list(column) for column in zip(*encoded, strict=True)])
            return True
        values = [value for row in rows for value in _encoded(table, columns, row)]
        for place, shape in enumerate(self._shapes):
            if shape.table is table and shape.kind == "bulk":
                return False
            if shape.kind == "insert" and shape.table is table:
                if shape.columns != columns:
                    return False
                self._shapes[place] = _Shape("insert", table, columns, shape.rows + len(rows))
                self._values[place] += values
                self._count += size
                return True
        self._add(_Shape("insert", table, columns, len(rows)), values)
        return True

    def update(
        self, table: sa.Table, where: Mapping[str, Any], values: Mapping[str, Any], *, guard: bool = False
    ) -> bool:
        """Take down a change of the rows that meet `where`; False: send what there is first."""
        if any(shape.table is table for shape in self._shapes) or self._count > MOST_PARAMETERS:
            return False
        if guard and self.guarded:
            return False
        columns = tuple(values)
        parameters = _encoded(table, columns, values)
        conditions = []
        for name, value in where.items():
            how, parameter = _condition(value)
            conditions.append((name, how))
            parameters += parameter
        self._add(_Shape("guard" if guard else "update", table, columns, 1, tuple(conditions)), parameters)
        return True

    def include(self, parts: Parts, values: Sequence[Any]) -> bool:
        """Take down SQL of its own; False: send what there is first."""
        if any(shape.kind == "parts" for shape in self._shapes):
            return False
        self._add(_Shape("parts", None, (), parts=parts, size=len(values)), list(values))
        return True

    @property
    def guarded(self) -> bool:
        """Whether one of the changes is the guard; the statement then returns how often it was met."""
        return any(shape.kind == "guard" for shape in self._shapes)

    def _add(self, shape: _Shape, values: list[Any]) -> None:
        self._shapes.append(shape)
        self._values.append(values)
        self._count += len(values)

    def take(self) -> tuple[str, list[Any]]:
        """The statement and its parameters; the batch is empty afterwards."""
        parameters = [value for values in self._values for value in values]
        text = statement(tuple(self._shapes))
        self.clear()
        return text, parameters


def _condition(value: Any) -> tuple[str, list[Any]]:
    """How a column is compared, and with what."""
    if value is None:
        return "null", []
    if isinstance(value, Among):
        return "any", [list(value.values)]
    return ("<>", [value.value]) if isinstance(value, Other) else ("=", [value])


def _encoded(table: sa.Table, columns: Sequence[str], row: Mapping[str, Any]) -> list[Any]:
    """The values as the driver takes them: jsonb as text."""
    documents = _documents(table)
    if documents.isdisjoint(columns):
        return [row[name] for name in columns]
    return [
        _encode(row[name]) if name in documents and row[name] is not None else row[name] for name in columns
    ]


@cache
def _documents(table: sa.Table) -> frozenset[str]:
    return frozenset(column.name for column in table.columns if isinstance(column.type, JSONB))


@cache
def _plain(table: sa.Table) -> bool:
    """Whether no column is an array: an array of those would be taken apart too far."""
    return not any(isinstance(column.type, sa.ARRAY) for column in table.columns)


@lru_cache(maxsize=1000)
def statement(shapes: tuple[_Shape, ...]) -> str:
    """One statement for all of them. An insert waits for a change of the same table before it."""
    used, ctes = 0, []
    changed: dict[sa.Table, str] = {}
    guard = next((f"w{place}" for place, shape in enumerate(shapes) if shape.kind == "guard"), None)
    valid = None if guard is None else f"EXISTS (SELECT 1 FROM {guard})"  # noqa: S608 - we made the name
    for place, shape in enumerate(shapes):
        name = f"w{place}"
        if shape.kind == "parts":
            ctes += _parts(shape, used, valid)
            used += shape.size
        elif shape.kind == "bulk":
            text, used = _bulk(shape, used, valid)
            ctes.append((name, text))
        elif shape.kind == "insert":
            waits = changed.get(_table(shape))
            text, used = _insert(shape, used, waits, valid)
            ctes.append((name, text))
        else:
            text, used = _update(shape, used, None if name == guard else valid)
            changed[_table(shape)] = name
            ctes.append((name, text))
    return _joined(ctes, guard, {*changed.values()}, alone=shapes[-1].kind != "parts")


def _joined(ctes: list[tuple[str, str]], guard: str | None, referred: set[str], *, alone: bool) -> str:
    """The CTEs as one statement. The guard stands first, since each may refer to those before it."""
    last = "SELECT 1"
    if guard is not None:
        ctes = sorted(ctes, key=lambda cte: cte[0] != guard)
        last = f"SELECT count(*) AS met FROM {guard}"  # noqa: S608 - we made the name
    elif alone:
        last = ctes.pop()[1]
    named = [f"{name} AS ({text}{' RETURNING 1' if name in referred else ''})" for name, text in ctes]
    return f"WITH {', '.join(named)} {last}" if named else last


def _table(shape: _Shape) -> sa.Table:
    assert shape.table is not None
    return shape.table


def _parts(shape: _Shape, used: int, valid: str | None) -> list[tuple[str, str]]:
    """Each part with its parameters counted on from those before."""
    return [
        (
            name,
            re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + used}", text).replace(
                "{valid}", valid or "true"
            ),
        )
        for name, text in shape.parts
    ]


def _insert(shape: _Shape, used: int, waits_for: str | None, valid: str | None) -> tuple[str, int]:
    """Without the wait a unique index could still see the row that is given up in the same statement."""
    table = _table(shape)
    types = [""] * len(shape.columns)
    if waits_for is not None or valid is not None:  # a VALUES list of its own knows no target
        types = ["::" + _kind(table.c[name]) for name in shape.columns]
    rows = []
    for _ in range(shape.rows):
        rows.append("(" + ", ".join(f"${used + place + 1}{kind}" for place, kind in enumerate(types)) + ")")
        used += len(types)
    head = f"INSERT INTO {table.name} ({', '.join(map(_name, shape.columns))}) "
    values = "VALUES " + ", ".join(rows)
    conditions = [valid] if valid is not None else []
    if waits_for is not None:
        conditions.append(f"(SELECT count(*) FROM {waits_for}) IS NOT NULL")  # noqa: S608 - we made the name
    if not conditions:
        return head + values, used
    after = " AND ".join(conditions)
    return f"{head}SELECT * FROM ({values}) AS r WHERE {after}", used  # noqa: S608 - our tables' names


def _bulk(shape: _Shape, used: int, valid: str | None) -> tuple[str, int]:
    """The rows as one array per column, in their order; no other write of the statement is of this table."""
    table = _table(shape)
    arrays, taken = [], []
    for place, name in enumerate(shape.columns):
        kind, document = _kind(table.c[name]), name in _documents(table)
        arrays.append(f"${used + place + 1}::{'TEXT' if document else kind}[]")
        taken.append(f"c{place}::{kind}" if document else f"c{place}")
    columns = ", ".join(map(_name, shape.columns))
    names = ", ".join(f"c{place}" for place in range(len(taken)))
    rows = f"unnest({', '.join(arrays)}) AS r ({names})"
    after = f" WHERE {valid}" if valid is not None else ""
    text = f"INSERT INTO {table.name} ({columns}) SELECT {', '.join(taken)} FROM {rows}{after}"  # noqa: S608 - our tables' names
    return text, used + len(arrays)


def _name(column: str) -> str:
    """A column's name, in quotes where SQL has a word of its own for it (`limit`)."""
    return _DIALECT.identifier_preparer.quote(column)


def _kind(column: sa.Column[Any]) -> str:
    """The type to cast to; text without its length, since a cast would cut where the column refuses."""
    return "TEXT" if isinstance(column.type, sa.String) else str(column.type.compile(_DIALECT))


def _update(shape: _Shape, used: int, valid: str | None) -> tuple[str, int]:
    sets = [f"{_name(name)} = ${used + place + 1}" for place, name in enumerate(shape.columns)]
    used += len(sets)
    wheres = []
    for name, how in shape.where:
        if how == "null":
            wheres.append(f"{name} IS NULL")
            continue
        used += 1
        wheres.append(f"{name} = ANY(${used})" if how == "any" else f"{name} {how} ${used}")
    if valid is not None:
        wheres.append(valid)
    changes, condition = ", ".join(sets), " AND ".join(wheres)
    return f"UPDATE {_table(shape).name} SET {changes} WHERE {condition}", used  # noqa: S608 - our tables' names
