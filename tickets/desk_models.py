"""Tables of what people arrange for themselves: saved views, reply templates, text snippets."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, String, Text, UniqueConstraint, text
from sqlmodel import Field

from core.db import Table, id_column, json_column, ref_column, time_column


class SavedView(Table, table=True):
    """Filters and columns of a list under a name; with `shared_with_unit` colleagues of `unit_id` see it."""

    __tablename__: ClassVar[str] = "saved_view"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("user_id", "surface", "name"),
        Index("ix_saved_view_shared", "unit_id", "surface", postgresql_where=text("shared_with_unit")),
    )
    id: int = Field(default=None, sa_column=id_column())
    user_id: int = Field(sa_column=ref_column("user_account.id"))
    surface: str = Field(sa_column=Column(String(20), nullable=False))
    name: str = Field(sa_column=Column(String(40), nullable=False))
    query: dict[str, Any] = Field(sa_column=json_column())
    columns: list[str] = Field(sa_column=json_column())
    shared_with_unit: bool = False
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True))
    position: int = 0
    created_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())


class ReplyTemplate(Table, table=True):
    """A beginning of a reply; without a unit for everybody, without a category for every matter."""

    __tablename__: ClassVar[str] = "reply_template"
    id: int = Field(default=None, sa_column=id_column())
    unit_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True, index=True))
    category_id: int | None = Field(default=None, sa_column=ref_column("category.id", nullable=True))
    title: str = Field(sa_column=Column(String(60), nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    active: bool = True
    version: int = 1
    created_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())


class Snippet(Table, table=True):
    """A piece of text under a short code; without an owner it is everybody's at the floor."""

    __tablename__: ClassVar[str] = "snippet"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("code ~ '^[a-z0-9]{1,12}$'", name="code"),
        Index(
            "uq_snippet_own", "owner_id", "code", unique=True, postgresql_where=text("owner_id IS NOT NULL")
        ),
        Index("uq_snippet_shared", "code", unique=True, postgresql_where=text("owner_id IS NULL")),
    )
    id: int = Field(default=None, sa_column=id_column())
    owner_id: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    code: str = Field(sa_column=Column(String(12), nullable=False))
    title: str = Field(sa_column=Column(String(40), nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    version: int = 1
    created_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())
