"""Every write of attachments: taken in, withdrawn, opened to others, refused. Each leaves an audit row."""

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core import audit, redact
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.settings import Settings
from tickets.attachments import office, pictures, queries, scanner, sniff
from tickets.attachments.events import AttachmentsChanged
from tickets.attachments.models import Attachment
from tickets.attachments.names import clean_name, extension_of
from tickets.attachments.queries import AttachmentItem, TicketFacts
from tickets.attachments.store import Received, Store
from tickets.flow import TicketUnit
from tickets.forms import clean
from tickets.models import table_of
from tickets.visibility import is_system, sees_every_ticket
from tickets.workflow import State

logger = logging.getLogger(__name__)
Audience = Literal["hotline", "handling", "public"]
CLOSED_STATES = frozenset({State.ARCHIVED.value, State.MERGED.value, State.VOID.value})
MAX_REASON = 200
SWEEP_STEP = 500
_TEXT_KINDS = frozenset({"txt", "docx", "xlsx"})
_file = table_of(Attachment)
_held = table_of(TicketUnit)


@dataclass(frozen=True)
class Choice:
    """What the person chose at the upload. `checked`: they say that nothing personal is in it."""

    audience: Audience | None = None
    identifies: bool = False
    checked: bool = False
    redacted_of_id: int | None = None


@dataclass(frozen=True)
class _Made:
    """A file that may be kept: looked at, re-made where it is a picture."""

    path: Path
    thumb: Path | None
    kind: sniff.FileKind
    scanned: bool


@dataclass(frozen=True)
class Prepared:
    """A file that was looked at and lies in its place, before its ticket is known."""

    key: str
    values: dict[str, Any]


class AttachmentService:
    """Takes files in and hands them out."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self.limits = settings.uploads
        self.store = Store(settings.var / "attachments")
        self._workers = asyncio.Semaphore(2)  # pictures are large once unpacked

    # ---- coming in --------------------------------------------------------------------------

    async def expect(self, actor: Actor, ticket_id: int) -> TicketFacts:
        """The ticket that is to get files, before a byte of them is read.

        Raises `forbidden`, `ticket_not_found`, `attachment_closed`.
        """
        actor.require(Permission.TICKET_NOTE)
        return await self.check_open(actor, ticket_id)

    async def check_open(self, actor: Actor, ticket_id: int) -> TicketFacts:
        """The ticket, if it may still get files. Raises `ticket_not_found`, `attachment_closed`."""
        async with self._db.read() as session:
            facts = await queries.ticket_facts(session, actor, ticket_id)
        _check_open(facts)
        return facts

    async def keep(self, actor: Actor, ticket_id: int, received: Received, choice: Choice) -> int:
        """Look at a received file and make it an attachment; returns its id.

        The same file sent twice is one attachment. Raises the codes `attachment_…` of
        `web.sentences.files`; a refused file is kept nowhere.
        """
        made = await self._look_at(received)
        audience = await self._audience(actor, ticket_id, choice, made, received.name)
        kept = await self._store(received, made)
        try:
            values = kept.values | {
                "audience": audience,
                "identifies": choice.identifies,
                "redacted_of_id": choice.redacted_of_id,
            }
            ident, twice = await self._db.retrying(lambda uow: self._insert(uow, actor, ticket_id, values))
        except BaseException:
            await asyncio.to_thread(self.store.drop, kept.key)
            raise
        if twice:
            await asyncio.to_thread(self.store.drop, kept.key)
        return ident

    async def prepare(self, received: Received) -> Prepared:
        """Look at a received file of a ticket that is not there yet; it lies in its place without a row.

        `add` makes it an attachment; what never becomes one is taken away by `sweep`. Raises the codes
        `attachment_…`.
        """
        return await self._store(received, await self._look_at(received))

    async def add(
        self,
        uow: UnitOfWork,
        actor: Actor,
        ticket_id: int,
        prepared: Prepared,
        *,
        client_id: int | None = None,
    ) -> int:
        """Make a prepared file an attachment in the caller's transaction; the same file twice is one.

        What a citizen sends is for whoever handles the matter; of a sealed reporter, for the hotline alone.
        `client_id`: the machine client that brought it. Raises `ticket_not_found`,
        `attachment_closed`, `attachment_too_many`.
        """
        facts = await queries.ticket_facts(uow.session, actor, ticket_id)
        above = sees_every_ticket(actor) or is_system(actor)
        audience = "hotline" if facts.is_confidential and above else "handling"
        more = {"audience": audience, "identifies": False, "redacted_of_id": None, "client_id": client_id}
        ident, _ = await self._insert(uow, actor, ticket_id, prepared.values | more)
        return ident

    async def bring(self, actor: Actor, ticket_id: int, received: Received) -> int:
        """`prepare` and `add` in a transaction of its own, for a file of a ticket that is there already."""
        prepared = await self.prepare(received)
        try:
            return await self._db.retrying(lambda uow: self.add(uow, actor, ticket_id, prepared))
        finally:
            await self.tidy(prepared)

    async def tidy(self, prepared: Prepared) -> None:
        """Take a prepared file away if it has become no attachment; a day later `sweep` would."""
        async with self._db.read() as session:
            query = sa.select(_file.c.id).where(_file.c.key == prepared.key)
            kept = (await session.execute(query)).first() is not None
        if not kept:
            await asyncio.to_thread(self.store.drop, prepared.key)

    async def _store(self, received: Received, made: _Made) -> Prepared:
        """Move a file that was looked at to its place."""
        key = await asyncio.to_thread(self.store.keep, made.path, made.thumb)
        try:
            size, sha256 = await asyncio.to_thread(_measure, self.store.path(key))
        except BaseException:
            await asyncio.to_thread(self.store.drop, key)
            raise
        values = {
            "key": key,
            "name": clean_name(received.name, made.kind.code),
            "kind": made.kind.code,
            "size": size,
            "sha256": sha256,
            "source_sha256": received.sha256,
            "scanned": made.scanned,
        }
        return Prepared(key, values)

    async def _look_at(self, received: Received) -> _Made:
        """Scan, sniff, re-make; in this order, so that a decoder never meets what the scanner refuses."""
        kind = sniff.kind_of(received.name)
        if received.size > sniff.limit_of(kind, self.limits):
            raise HotlineError("attachment_too_large", limit=sniff.limit_of(kind, self.limits))
        scanned = await scanner.scan(received.path, self.limits)
        async with self._workers:
            await asyncio.to_thread(sniff.check, received.path, kind)
            if kind.family != "image":
                return _Made(received.path, None, kind, scanned)
            made, thumb = received.path.with_suffix(".made"), received.path.with_suffix(".thumb")
            await asyncio.to_thread(
                pictures.remake,
                received.path,
                made,
                thumb,
                kind.code,
                megapixels=self.limits.image_megapixels,
            )
            return _Made(made, thumb, kind, scanned)

    async def _audience(
        self, actor: Actor, ticket_id: int, choice: Choice, made: _Made, name: str
    ) -> Audience:
        """Who is to see it; what is open to the public must be free of personal data."""
        async with self._db.read() as session:
            facts = await queries.ticket_facts(session, actor, ticket_id)
            if choice.redacted_of_id is not None:  # of this ticket, and seen by this person
                await queries.attachment(session, actor, ticket_id, choice.redacted_of_id)
        audience = choice.audience or default_audience(actor, facts)
        _check_audience(actor, facts, audience, identifies=choice.identifies, checked=choice.checked)
        if audience == "public":
            await self._check_words(made.path, made.kind, name)
        return audience

    async def _check_words(self, path: Path, kind: sniff.FileKind, name: str) -> None:
        """Raise `attachment_personal` (found: what) when readable text points at somebody."""
        found = await asyncio.to_thread(_personal, path, kind.code)
        words = sorted({finding.word for finding in (*found, *redact.find(name))})
        if words:
            raise HotlineError("attachment_personal", found=words)

    async def _insert(
        self, uow: UnitOfWork, actor: Actor, ticket_id: int, values: dict[str, Any]
    ) -> tuple[int, bool]:
        facts = await queries.ticket_facts(uow.session, actor, ticket_id, lock=True)
        _check_open(facts)
        # Again: the ticket may have been sealed while the file was looked at.
        _check_audience(actor, facts, values["audience"], identifies=values["identifies"], checked=True)
        living = sa.and_(_file.c.ticket_id == ticket_id, _file.c.withdrawn_at.is_(None))
        same = [_file.c[name] == values[name] for name in ("source_sha256", "audience")]
        same.append(_file.c.client_id.is_not_distinct_from(values.get("client_id")))
        twice = (await uow.session.execute(sa.select(_file.c.id).where(living, *same))).scalar()
        if twice is not None:
            return twice, True
        count = await uow.session.scalar(sa.select(sa.func.count()).select_from(_file).where(living))
        if (count or 0) >= self.limits.per_ticket:
            raise HotlineError("attachment_too_many", limit=self.limits.per_ticket)
        who = {"uploaded_by": actor.user_id, "uploaded_at": uow.now, "unit_id": actor.unit_id}
        statement = sa.insert(_file).values(ticket_id=ticket_id, **values, **who).returning(_file.c.id)
        ident: int = (await uow.session.execute(statement)).scalar_one()
        detail = {name: values[name] for name in ("kind", "size", "sha256", "audience", "identifies")}
        await _record(uow, actor, "attachment.add", ticket_id, {"attachment": ident, **detail})
        await self._tell(uow, facts, ident, values["audience"])
        return ident, False

    async def refuse(
        self, actor: Actor, ticket_id: int | None, error: HotlineError, name: str, size: int | None = None
    ) -> None:
        """Leave an audit row of a file that was not taken in; without a ticket where there is none yet.

        Its name may tell too much: only its ending.
        """
        detail = {"code": error.code, "extension": extension_of(name)[:10], "size": size}
        async with self._db.begin() as uow:
            await _record(uow, actor, "attachment.refuse", ticket_id, detail)

    # ---- afterwards -------------------------------------------------------------------------

    async def withdraw(
        self, uow: UnitOfWork, actor: Actor, ticket_id: int, attachment_id: int, reason: str
    ) -> None:
        """Take an attachment back; it stays visible as withdrawn. Twice is once.

        Raises `attachment_not_found`, `forbidden`, `attachment_reason`.
        """
        facts, item = await self._locked(uow, actor, ticket_id, attachment_id)
        if item.withdrawn_at is not None:
            return
        if not queries.may_withdraw(actor, item):
            raise HotlineError("forbidden", permission="attachment.withdraw")
        reason = clean(reason)
        if not reason or len(reason) > MAX_REASON:
            raise HotlineError("attachment_reason", limit=MAX_REASON)
        values = {"withdrawn_at": uow.now, "withdrawn_by": actor.user_id, "withdrawn_reason": reason}
        await uow.session.execute(sa.update(_file).where(_file.c.id == item.id).values(**values))
        await _record(uow, actor, "attachment.withdraw", ticket_id, {"attachment": item.id}, reason)
        await self._tell(uow, facts, item.id, item.audience)

    async def share(
        self,
        uow: UnitOfWork,
        actor: Actor,
        ticket_id: int,
        attachment_id: int,
        audience: Audience,
        *,
        checked: bool = False,
    ) -> None:
        """Change who sees an attachment.

        Raises `attachment_not_found`, `forbidden`, `attachment_identifies` (a redacted copy is needed),
        `attachment_unchecked`, `attachment_personal`, `attachment_twice`.
        """
        facts = await queries.ticket_facts(uow.session, actor, ticket_id)
        item = await queries.attachment(uow.session, actor, ticket_id, attachment_id)
        _check_share(actor, facts, item, audience, checked=checked)
        if audience == "public":  # reading takes time: nobody waits for the ticket meanwhile
            await self._check_words(self.store.path(item.key), item.kind, item.name)
        facts, item = await self._locked(uow, actor, ticket_id, attachment_id)
        _check_share(actor, facts, item, audience, checked=checked)
        try:
            statement = sa.update(_file).where(_file.c.id == item.id).values(audience=audience)
            await uow.session.execute(statement)
        except IntegrityError:
            raise HotlineError("attachment_twice") from None
        detail = {"attachment": item.id, "from": item.audience, "to": audience}
        await _record(uow, actor, "attachment.share", ticket_id, detail)
        await self._tell(uow, facts, item.id, audience)

    async def _locked(
        self, uow: UnitOfWork, actor: Actor, ticket_id: int, attachment_id: int
    ) -> tuple[TicketFacts, AttachmentItem]:
        """The ticket, which keeps two changes of its attachments apart, and the attachment."""
        facts = await queries.ticket_facts(uow.session, actor, ticket_id, lock=True)
        lock = sa.select(_file.c.id).where(_file.c.id == attachment_id).with_for_update()
        await uow.session.execute(lock)
        return facts, await queries.attachment(uow.session, actor, ticket_id, attachment_id)

    async def fetched(self, actor: Actor, ticket_id: int, attachment_id: int) -> None:
        """Leave an audit row of a file that was handed out."""
        async with self._db.begin() as uow:
            await _record(uow, actor, "attachment.download", ticket_id, {"attachment": attachment_id})

    async def _tell(self, uow: UnitOfWork, facts: TicketFacts, ident: int, audience: str) -> None:
        query = sa.select(_held.c.unit_id).where(_held.c.ticket_id == facts.id, _held.c.until.is_(None))
        units = () if audience == "hotline" else tuple((await uow.session.execute(query)).scalars())
        await uow.emit(AttachmentsChanged(facts.id, facts.version, ident, units))

    # ---- keeping house ----------------------------------------------------------------------

    async def sweep(self) -> int:
        """Take away files that a crash left without a row; returns how many went."""
        gone = await asyncio.to_thread(self.store.clear_entrance)
        old = await asyncio.to_thread(lambda: sorted(set(self.store.old_files())))
        for at in range(0, len(old), SWEEP_STEP):
            keys = old[at : at + SWEEP_STEP]
            async with self._db.read() as session:
                known = set(await session.scalars(sa.select(_file.c.key).where(_file.c.key.in_(keys))))
            for key in set(keys) - known:
                await asyncio.to_thread(self.store.drop, key)
                gone += 1
        if gone:
            logger.info("files without a row removed", extra={"count": gone})
        return gone


def default_audience(actor: Actor, facts: TicketFacts) -> Audience:
    """Who sees an attachment when nothing was chosen: of a sealed reporter, the hotline alone."""
    return "hotline" if facts.is_confidential and sees_every_ticket(actor) else "handling"


def _check_open(facts: TicketFacts) -> None:
    if facts.state in CLOSED_STATES:
        raise HotlineError("attachment_closed", state=facts.state)


def _check_audience(
    actor: Actor, facts: TicketFacts, audience: str, *, identifies: bool, checked: bool
) -> None:
    if audience == "hotline" and not (sees_every_ticket(actor) or is_system(actor)):
        raise HotlineError("forbidden", permission="attachment.hotline")  # they would not see it themselves
    if identifies and audience != "hotline" and (facts.is_confidential or audience == "public"):
        raise HotlineError("attachment_identifies")
    if audience == "public" and not checked:
        raise HotlineError("attachment_unchecked")


def _check_share(
    actor: Actor, facts: TicketFacts, item: AttachmentItem, audience: str, *, checked: bool
) -> None:
    if not queries.may_share(actor, item):
        raise HotlineError("forbidden", permission="attachment.share")
    _check_audience(actor, facts, audience, identifies=item.identifies, checked=checked)


def _personal(path: Path, code: str) -> list[redact.Finding]:
    """What points at somebody in the text of a file; pictures, sound and PDF cannot be read here."""
    if code not in _TEXT_KINDS:
        return []
    if code == "txt":
        raw = path.read_bytes()
        try:
            return redact.find(raw.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return redact.find(raw.decode("gb18030", errors="replace"))
    return [finding for text in office.texts(path) for finding in redact.find(text)]


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


async def _record(
    uow: UnitOfWork,
    actor: Actor,
    action: str,
    ticket_id: int | None,
    detail: dict[str, Any],
    reason: str | None = None,
) -> None:
    await audit.record(
        uow,
        actor=actor,
        action=action,
        object_type="ticket",
        object_id=ticket_id,
        reason=reason,
        detail=detail,
    )
