"""Personal values: normalised, masked, encrypted at rest, found by a blind index.

Every phone, ID number, name and query code is one row of `personal_value`; everything else refers
to it by id. A value is sealed with a key of its own, which is wrapped by a master key that lives
outside the database: deleting a person is destroying that key. Phones and ID numbers carry
HMAC(index key, kind ‖ normalised value), so that equal numbers meet without being read.
"""

import contextlib
import hashlib
import hmac
import os
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, any_, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from core.db import Database, Table, UnitOfWork, id_column, time_column
from core.errors import HotlineError
from core.settings import Settings

Kind = Literal["phone", "id_number", "name", "code", "note"]
INDEXED: frozenset[str] = frozenset({"phone", "id_number"})
PhoneKind = Literal["mobile", "landline", "service", "foreign", "anonymous", "internal", "invalid"]
ANONYMOUS = {"", "anonymous", "unknown", "unavailable", "restricted", "private", "asterisk", "s", "<unknown>"}
NONCE = 12
DESTROYED = "信息已删除"  # what stands where a destroyed value stood


@dataclass(frozen=True)
class Phone:
    """A number as it was dialled: `number` without country code, null when there is none."""

    number: str | None
    kind: PhoneKind
    extension: str | None = None


def normalise_phone(raw: str, *, area: str = "") -> Phone:
    """Understand a telephone number from a PBX or a person.

    Full-width digits, spaces, dashes, brackets, +86/0086 and an extension (`转8`, `ext 8`, `-8`
    after a landline) are understood; a landline without its area code gets `area`, such as 0773.
    """
    value = unicodedata.normalize("NFKC", raw).strip().lower()
    if value in ANONYMOUS:
        return Phone(None, "anonymous")
    value = re.sub(r"^(tel:|sips?:)|@.*$", "", value)
    value, _, extension = re.sub(r"(转|ext\.?|x|#|,)\s*(\d{1,8})$", r"|\2", value).partition("|")
    landline = re.fullmatch(r"(\(?0\d{2,3}\)?[- ]?\d{7,8})-(\d{1,6})", value)
    if landline:
        value, extension = landline[1], landline[2]
    value = re.sub(r"[\s\-().·]", "", value)
    value = re.sub(r"^(\+86|0086)", "", value)
    if re.fullmatch(r"86(1[3-9]\d{9}|0\d{9,11})", value):
        value = value[2:]
    return _classify(value, extension or None, area)


def _classify(value: str, extension: str | None, area: str) -> Phone:
    if re.fullmatch(r"0?1[3-9]\d{9}", value):
        return Phone(value.lstrip("0"), "mobile", extension)
    if re.fullmatch(r"(400|800)\d{7}|1[12]\d|1[012]\d{3}|9\d{4,5}", value):
        return Phone(value, "service", extension)
    if re.fullmatch(r"0[1-9]\d{1,2}\d{7,8}", value):
        return Phone(value, "landline", extension)
    if re.fullmatch(r"[1-9]\d{1,2}\d{7,8}", value) and len(value) in (9, 10, 11) and value[0] != "1":
        return Phone("0" + value, "landline", extension)  # +86 773 … comes without its zero
    if area and re.fullmatch(r"[2-8]\d{6,7}", value):
        return Phone(area + value, "landline", extension)
    if re.fullmatch(r"(\+|00)[1-9]\d{5,14}", value):
        return Phone("+" + value.lstrip("+0"), "foreign", extension)
    if re.fullmatch(r"\d{2,6}", value):
        return Phone(value, "internal", extension)
    return Phone(None, "invalid", extension)


def mask_phone(number: str) -> str:
    """`138****1234`, `0773****56`; short numbers keep nothing but their first digit."""
    if len(number) >= 11:
        keep = 4 if not number.startswith("0") else 2
        head = 3 if not number.startswith("0") else 4
        return number[:head] + "****" + number[-keep:]
    return number if len(number) <= 6 else number[:3] + "****" + number[-2:]


def mask_name(name: str) -> str:
    """`王**`: the family name stays, whatever the length."""
    return name[:1] + "**" if name else ""


def mask_id_number(number: str) -> str:
    """`4503**********12`: area and the last two digits stay."""
    return number[:4] + "*" * max(len(number) - 6, 4) + number[-2:] if len(number) > 8 else "****"


def _mask(kind: str, value: str) -> str:
    if kind == "phone":
        return mask_phone(value)
    if kind == "name":
        return mask_name(value)
    return mask_id_number(value) if kind == "id_number" else "******"


class PersonalValue(Table, table=True):
    """One personal value, sealed; `wrapped_key` is null once the value was destroyed."""

    __tablename__: ClassVar[str] = "personal_value"
    __table_args__: ClassVar[Any] = (
        Index(
            "uq_personal_value_kind_blind",
            "kind",
            "blind",
            unique=True,
            postgresql_where=text("blind IS NOT NULL"),
        ),
    )
    id: int = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_type=Text)
    blind: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    key_id: str = Field(sa_type=Text)
    wrapped_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    ciphertext: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    masked: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_column=time_column())
    destroyed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


@dataclass(frozen=True)
class PersonalRef:
    """Where a value lies, and what everybody may see of it."""

    id: int
    masked: str


_LENT = "vault"


def vault_of(session: AsyncSession) -> "Vault":
    """The vault that was lent to the database of this session.

    Raises LookupError where none was: a text that should be veiled is rather not shown.
    """
    vault: Vault = session.info[_LENT]
    return vault


class Vault:
    """Seals and finds personal values. Keys come from settings.secrets, never from the database."""

    def __init__(self, settings: Settings) -> None:
        self._key_id = settings.privacy.key_id
        self._masters = {
            key_id: AESGCM(hashlib.sha256(b"master:" + secret.encode()).digest())
            for key_id, secret in settings.secrets.master_keys.items()
        }
        self._index_key = hashlib.sha256(b"index:" + settings.secrets.index_key.encode()).digest()

    @cached_property
    def _nobodys(self) -> PersonalValue:
        """What is unsealed where there is nothing."""
        return PersonalValue(**self.row("code", "------", datetime.min.replace(tzinfo=UTC)))

    def blind(self, kind: str, value: str) -> bytes:
        """The blind index of a normalised value: equal values, equal bytes, and nothing else."""
        return hmac.new(self._index_key, f"{kind}\0{value}".encode(), hashlib.sha256).digest()

    def row(self, kind: Kind, value: str, at: datetime) -> dict[str, Any]:
        """The sealed row of `value`, for callers that insert many at once."""
        blind = self.blind(kind, value) if kind in INDEXED else None
        key = AESGCM.generate_key(128)
        aad = f"personal_value:{kind}".encode() + (blind or b"")
        return {
            "kind": kind,
            "blind": blind,
            "key_id": self._key_id,
            "wrapped_key": self._encrypt(self._masters[self._key_id], key, aad),
            "ciphertext": self._encrypt(AESGCM(key), value.encode(), aad),
            "masked": _mask(kind, value),
            "created_at": at,
        }

    async def put(self, uow: UnitOfWork, kind: Kind, value: str) -> PersonalRef:
        """Keep `value`; a phone or ID number that is known already keeps its row."""
        if kind in INDEXED:
            found = await self.find(uow.session, kind, value)
            if found is not None:
                return PersonalRef(found, _mask(kind, value))
        statement = insert(PersonalValue).values(**self.row(kind, value, uow.now))
        if kind in INDEXED:
            # The no-op update makes a concurrent twin return the row it lost against.
            statement = statement.on_conflict_do_update(
                index_elements=["kind", "blind"],
                index_where=text("blind IS NOT NULL"),
                set_={"kind": kind},
            )
        result = await uow.session.execute(statement.returning(col(PersonalValue.id)))
        return PersonalRef(result.scalar_one(), _mask(kind, value))

    async def find(self, session: AsyncSession, kind: Kind, value: str) -> int | None:
        """The id of a known phone or ID number (normalised), None when it was never seen."""
        query = select(col(PersonalValue.id)).where(
            col(PersonalValue.kind) == kind, col(PersonalValue.blind) == self.blind(kind, value)
        )
        return (await session.execute(query)).scalar_one_or_none()

    async def reveal(self, session: AsyncSession, ref: int) -> str:
        """The plain value. The caller has checked the permission and written the audit row.

        Raises `value_destroyed` when it was deleted, `value_unreadable` when the key is not here.
        """
        row = await session.get(PersonalValue, ref)
        if row is None:
            raise HotlineError("value_destroyed", ref=ref)
        return self._opened(row)

    async def matches(self, session: AsyncSession, ref: int | None, typed: str) -> bool:
        """Whether `typed` is the value behind `ref`, which nobody is shown.

        Of no value, or one that was destroyed, it is false after the same work: one question, the keys of
        one row, one comparison. Raises `value_unreadable`.
        """
        names = ("id", "kind", "blind", "key_id", "wrapped_key", "ciphertext")
        query = select(*(getattr(PersonalValue, name) for name in names))
        # Where there is none another row is read: to find nothing is faster than to find something.
        row = (await session.execute(query.where(col(PersonalValue.id) == (ref or 1)))).first()
        there = (
            ref is not None and row is not None and row.wrapped_key is not None and row.ciphertext is not None
        )
        real = self._opened(row if there else self._nobodys)
        return hmac.compare_digest(real.encode(), typed.encode()) and there

    def _opened(self, row: Any) -> str:
        if row.wrapped_key is None or row.ciphertext is None:
            raise HotlineError("value_destroyed", ref=row.id)
        master = self._masters.get(row.key_id)
        if master is None:
            raise HotlineError("value_unreadable", key_id=row.key_id)
        aad = f"personal_value:{row.kind}".encode() + (row.blind or b"")
        try:
            key = self._decrypt(master, row.wrapped_key, aad)
            return self._decrypt(AESGCM(key), row.ciphertext, aad).decode()
        except InvalidTag:
            raise HotlineError("value_unreadable", key_id=row.key_id) from None

    def lend(self, db: Database) -> None:
        """Let the reads of `db` take out of texts what the vault knows of a person, see `vault_of`."""
        db.lent[_LENT] = self

    async def plain(self, session: AsyncSession, refs: Collection[int]) -> Mapping[int, str]:
        """Values in the clear, to find them in texts and take them out: they never leave the read.

        What was destroyed, or is sealed with a key that is not here, is left out.
        """
        these = col(PersonalValue.id) == any_(literal(list(refs), ARRAY(BigInteger)))
        rows = (await session.execute(select(PersonalValue).where(these))).scalars().all()
        found: dict[int, str] = {}
        for row in rows:
            with contextlib.suppress(HotlineError):
                found[row.id] = self._opened(row)
        return found

    async def masked(self, session: AsyncSession, refs: Collection[int]) -> Mapping[int, str]:
        """What everybody may see of each value."""
        if not refs:
            return {}
        query = select(col(PersonalValue.id), col(PersonalValue.masked)).where(
            col(PersonalValue.id).in_(refs)
        )
        return {row.id: row.masked for row in await session.execute(query)}

    @staticmethod
    async def destroy(uow: UnitOfWork, refs: Collection[int]) -> int:
        """Destroy values for ever by destroying their keys; returns how many there still were.

        The blind index goes too: the same number, seen again, is a new value. Whoever calls has
        asked for permission and writes the audit row.
        """
        statement = (
            update(PersonalValue)
            .where(col(PersonalValue.id).in_(refs), col(PersonalValue.destroyed_at).is_(None))
            .values(wrapped_key=None, ciphertext=None, blind=None, masked=DESTROYED, destroyed_at=uow.now)
            .returning(col(PersonalValue.id))
            .execution_options(synchronize_session=False)
        )
        return len((await uow.session.execute(statement)).all()) if refs else 0

    def seal(self, data: bytes, *, aad: str) -> bytes:
        """Encrypt a whole blob; `aad` says where it belongs, such as `ticket_draft:form:17`."""
        sealed = self._encrypt(self._masters[self._key_id], data, aad.encode())
        return self._key_id.encode() + b"." + sealed

    def unseal(self, blob: bytes, *, aad: str) -> bytes:
        """Undo `seal`; raises `value_unreadable` when the key is missing or the blob was moved."""
        key_id, _, sealed = blob.partition(b".")
        master = self._masters.get(key_id.decode())
        if master is None:
            raise HotlineError("value_unreadable", key_id=key_id.decode())
        try:
            return self._decrypt(master, sealed, aad.encode())
        except InvalidTag:
            raise HotlineError("value_unreadable", key_id=key_id.decode()) from None

    @staticmethod
    def _encrypt(cipher: AESGCM, data: bytes, aad: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + cipher.encrypt(nonce, data, aad)

    @staticmethod
    def _decrypt(cipher: AESGCM, data: bytes, aad: bytes) -> bytes:
        return cipher.decrypt(data[:NONCE], data[NONCE:], aad)
