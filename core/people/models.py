"""Units, users, posts, sessions, second factors, proposals of administrators, delegations."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlmodel import Field

from core.tables import Table, id_column, json_column, ref_column, time_column


class Unit(Table, table=True):
    """A node of the organisation tree; `path` is `.1.5.9.`, from the city down to the unit itself."""

    __tablename__: ClassVar[str] = "unit"
    __table_args__: ClassVar[Any] = (
        Index("ix_unit_path", "path", postgresql_ops={"path": "text_pattern_ops"}),
    )
    id: int = Field(default=None, sa_column=id_column())
    parent_id: int | None = Field(default=None, sa_column=ref_column("unit.id", nullable=True, index=True))
    kind: str = Field(sa_type=Text)  # city hotline bureau district town village
    name: str = Field(sa_type=Text)
    short_name: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text, unique=True)
    path: str = Field(sa_type=Text)
    active: bool = True
    sort: int = 0


class User(Table, table=True):
    """A person with an account."""

    __tablename__: ClassVar[str] = "user_account"
    id: int = Field(default=None, sa_column=id_column())
    login: str = Field(sa_type=Text, unique=True)
    name: str = Field(sa_type=Text)
    password_hash: str = Field(sa_type=Text)
    unit_id: int = Field(sa_column=ref_column("unit.id", index=True))
    extension: str | None = Field(default=None, sa_column=Column(Text, unique=True, nullable=True))
    active: bool = True
    must_change_password: bool = False
    failed: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    hotkeys: dict[str, str] = Field(default_factory=dict, sa_column=json_column())  # see core.people.hotkeys


class UserRole(Table, table=True):
    """A post a user holds."""

    __tablename__: ClassVar[str] = "user_role"
    __table_args__: ClassVar[Any] = (PrimaryKeyConstraint("user_id", "role"),)
    user_id: int = Field(sa_column=Column(BigInteger, ForeignKey("user_account.id"), nullable=False))
    role: str = Field(sa_type=Text)


class WebSession(Table, table=True):
    """A signed-in browser; only the hash of its token is kept."""

    __tablename__: ClassVar[str] = "web_session"
    id: int = Field(default=None, sa_column=id_column())
    token_hash: bytes = Field(sa_column=Column(LargeBinary, unique=True, nullable=False))
    user_id: int = Field(sa_column=ref_column("user_account.id", index=True))
    created_at: datetime = Field(sa_column=time_column())
    seen_at: datetime = Field(sa_column=time_column())
    expires_at: datetime = Field(sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    source: str | None = Field(default=None, sa_type=Text)
    agent: str | None = Field(default=None, sa_type=Text)


class AdminProposal(Table, table=True):
    """An administrative act that waits for another administrator, or waited."""

    __tablename__: ClassVar[str] = "admin_proposal"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('waiting', 'approved', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_once"),
        CheckConstraint("state <> 'approved' OR decided_by <> proposed_by", name="two_people"),
        Index("ix_admin_proposal_waiting", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_admin_proposal_subject", "subject_type", "subject_id"),
    )
    id: int = Field(default=None, sa_column=id_column())
    act: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_column=json_column())
    subject_type: str = Field(sa_type=Text)
    subject_id: int | None = Field(default=None, sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    proposed_by: int = Field(sa_column=ref_column("user_account.id"))
    proposed_at: datetime = Field(sa_column=time_column())
    decided_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))
    decided_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    decision_note: str = Field(default="", sa_type=Text)


class Delegation(Table, table=True):
    """Somebody decides for an absent head or supervision officer, from one instant to another."""

    __tablename__: ClassVar[str] = "delegation"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("ends_at > starts_at", name="span"),
        CheckConstraint("deputy_id <> principal_id", name="two_people"),
        Index("ix_delegation_deputy", "deputy_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_delegation_principal", "principal_id", "starts_at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    principal_id: int = Field(sa_column=ref_column("user_account.id"))
    deputy_id: int = Field(sa_column=ref_column("user_account.id"))
    unit_id: int = Field(sa_column=ref_column("unit.id"))
    post: str = Field(sa_type=Text)
    scope: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    starts_at: datetime = Field(sa_column=time_column())
    ends_at: datetime = Field(sa_column=time_column())
    created_at: datetime = Field(sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    ended_by: int | None = Field(default=None, sa_column=ref_column("user_account.id", nullable=True))


class UserTotp(Table, table=True):
    """The second factor of a person; the secret is sealed, `confirmed_at` null until a first code fits."""

    __tablename__: ClassVar[str] = "user_totp"
    user_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("user_account.id"), primary_key=True, autoincrement=False)
    )
    secret_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    last_step: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime = Field(sa_column=time_column())
    confirmed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class RecoveryCode(Table, table=True):
    """A code for who has lost the authenticator; only its keyed hash is kept, it works once."""

    __tablename__: ClassVar[str] = "recovery_code"
    id: int = Field(default=None, sa_column=id_column())
    user_id: int = Field(sa_column=ref_column("user_account.id", index=True))
    code_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=time_column())
    used_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class SecondStep(Table, table=True):
    """Between the password and the code: nobody is signed in by this, it only opens the second step."""

    __tablename__: ClassVar[str] = "second_step"
    id: int = Field(default=None, sa_column=id_column())
    token_hash: bytes = Field(sa_column=Column(LargeBinary, unique=True, nullable=False))
    user_id: int = Field(sa_column=ref_column("user_account.id", index=True))
    created_at: datetime = Field(sa_column=time_column())
    expires_at: datetime = Field(sa_column=time_column())
    tries: int = 0
    done_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class UserImport(Table, table=True):
    """A list of people that was uploaded: checked rows first, then made step by step."""

    __tablename__: ClassVar[str] = "user_import"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("state IN ('checked', 'running', 'done')", name="state"),
    )
    id: int = Field(default=None, sa_column=id_column())
    created_by: int = Field(sa_column=ref_column("user_account.id"))
    created_at: datetime = Field(sa_column=time_column())
    file_name: str = Field(sa_type=Text)
    rows: list[dict[str, Any]] = Field(sa_column=json_column())
    state: str = Field(sa_type=Text)
    done: int = 0
    passwords_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    proposal_id: int | None = Field(default=None, sa_column=ref_column("admin_proposal.id", nullable=True))
