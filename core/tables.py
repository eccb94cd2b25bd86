"""What every table has in common: naming, identity keys, aware times, jsonb."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity, MetaData
from sqlalchemy import Table as CoreTable
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata


class Table(SQLModel):
    """Base of every table."""

    __tablename__: ClassVar[Any]
    __table_args__: ClassVar[Any] = ()


def table_of(model: type[Table]) -> CoreTable:
    """The SQLAlchemy table behind a model, for Core statements."""
    found: CoreTable = model.__table__  # type: ignore[attr-defined]  # set by SQLModel
    return found


def id_column() -> Any:
    """A bigint identity primary key."""
    return Column(BigInteger, Identity(), primary_key=True)


def ref_column(target: str, *, nullable: bool = False, unique: bool = False, index: bool = False) -> Any:
    """A bigint that points at `target`, for example `personal_value.id`."""
    return Column(BigInteger, ForeignKey(target), nullable=nullable, unique=unique, index=index)


def time_column(*, nullable: bool = False, index: bool = False) -> Any:
    """A timestamptz column; values are aware and in UTC."""
    return Column(DateTime(timezone=True), nullable=nullable, index=index)


def json_column(*, nullable: bool = False) -> Any:
    """A jsonb column; Python None is SQL NULL."""
    return Column(JSONB(none_as_null=True), nullable=nullable)
