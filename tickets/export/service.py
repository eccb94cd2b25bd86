"""Lists on their way out of the house: written in the background, fetched by who asked, gone a day later."""

import asyncio
import dataclasses
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, redact
from core.clock import Clock
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.settings import Settings
from tickets import queries
from tickets.attachments.models import TicketExport
from tickets.export import listing
from tickets.export.cells import instant
from tickets.export.writers import CsvFile, Writer, XlsxFile
from tickets.models import table_of

logger = logging.getLogger(__name__)
Format = Literal["xlsx", "csv"]
SILENT = timedelta(minutes=2)  # an export that has written nothing so long has died with its node
STEP = 5  # pages between two notes of how far it is
_export = table_of(TicketExport)


@dataclass(frozen=True)
class ExportItem:
    """One export of a person: state running, ready, failed or gone."""

    id: int
    key: str
    format: str
    source: str
    state: str
    rows: int
    total: int
    cut: bool
    size: int
    created_at: datetime

    @property
    def percent(self) -> int:
        """How much is written, of a hundred."""
        return min(100, self.rows * 100 // self.total) if self.total else 0

    @property
    def file_name(self) -> str:
        """What the file is called on the desk of who fetches it."""
        stamp = "".join(char for char in instant(self.created_at) if char.isdigit())
        return f"工单-{stamp}.{self.format}"


_COLUMNS = tuple(_export.c[field.name] for field in dataclasses.fields(ExportItem))


class ExportService:
    """Writes lists into files and hands them out."""

    def __init__(self, db: Database, clock: Clock, settings: Settings) -> None:
        self._db = db
        self._clock = clock
        self._limits = settings.export
        self._folder = settings.var / "exports"
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def max_rows(self) -> int:
        """Tickets of one export."""
        return self._limits.max_rows

    def path(self, item: ExportItem) -> Path:
        """Where the file lies."""
        return self._folder / f"{item.key}.{item.format}"

    async def start(
        self, actor: Actor, filters: queries.TicketFilters, *, source: str, format: Format
    ) -> int:
        """Begin to write the list this person sees; returns the export's id.

        Raises `forbidden`, and `export_running` while another one of theirs is being written.
        """
        actor.require(Permission.TICKET_EXPORT)
        async with self._db.read() as session:
            total = await listing.count(session, actor, filters, self.max_rows + 1)
        item = await self._open(actor, source, format, total)
        task = asyncio.create_task(self._write(actor, filters, item), name=f"export {item.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return item.id

    async def _open(self, actor: Actor, source: str, format: Format, total: int) -> ExportItem:
        values = {
            "owner_id": actor.user_id,
            "key": secrets.token_hex(20),
            "format": format,
            "source": source,
            "state": "running",
            "rows": 0,
            "total": min(total, self.max_rows),
            "cut": total > self.max_rows,
            "size": 0,
        }
        try:
            async with self._db.begin() as uow:
                await self._bury(uow, actor.user_id)
                statement = sa.insert(_export).values(**values, created_at=uow.now, updated_at=uow.now)
                row = (await uow.session.execute(statement.returning(*_COLUMNS))).one()
        except IntegrityError:
            raise HotlineError("export_running") from None
        return ExportItem(**row._mapping)

    async def _bury(self, uow: UnitOfWork, owner_id: int | None = None) -> None:
        """An export nobody writes any more has failed."""
        dead = sa.and_(_export.c.state == "running", _export.c.updated_at < uow.now - SILENT)
        if owner_id is not None:
            dead = sa.and_(dead, _export.c.owner_id == owner_id)
        await uow.session.execute(sa.update(_export).where(dead).values(state="failed", updated_at=uow.now))

    # ---- writing ----------------------------------------------------------------------------

    async def _write(self, actor: Actor, filters: queries.TicketFilters, item: ExportItem) -> None:
        try:
            rows = await self._fill(actor, filters, item)
            size = self.path(item).stat().st_size
            async with self._db.begin() as uow:
                await self._note(uow, item, state="ready", rows=rows, size=size)
                await audit.record(
                    uow,
                    actor=actor,
                    action="ticket.export",
                    object_type="export",
                    object_id=item.id,
                    detail={
                        "source": item.source,
                        "format": item.format,
                        "rows": rows,
                        "cut": item.cut,
                        "filters": told(filters),
                    },
                )
        except BaseException as error:
            self.path(item).unlink(missing_ok=True)
            if isinstance(error, asyncio.CancelledError):
                raise
            logger.exception("export failed", extra={"export": item.id})
            async with self._db.begin() as uow:
                await self._note(uow, item, state="failed")

    async def _fill(self, actor: Actor, filters: queries.TicketFilters, item: ExportItem) -> int:
        mark = (
            f"{actor.name}（{actor.login}）{actor.unit_name}  {instant(item.created_at)} 导出，仅限工作使用"
        )
        opening = asyncio.ensure_future(asyncio.to_thread(self._writer, item, mark, self._sentence(item)))
        done = step = 0
        try:
            writer = await asyncio.shield(opening)
            async for lines in listing.pages(self._db, actor, filters, self.max_rows):
                await asyncio.to_thread(writer.rows, lines)
                done, step = done + len(lines), step + 1
                if step % STEP == 0:
                    async with self._db.begin() as uow:
                        await self._note(uow, item, rows=done)
        except BaseException:
            await asyncio.shield(asyncio.to_thread((await opening).close, "未完成"))
            raise
        await asyncio.to_thread(writer.close, f"共 {done} 件")
        return done

    def _writer(self, item: ExportItem, mark: str, note: str) -> Writer:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.path(item)
        if item.format == "csv":
            return CsvFile(path, mark, note, listing.HEADS)
        return XlsxFile(path, mark, note, listing.HEADS, listing.WIDTHS)

    def _sentence(self, item: ExportItem) -> str:
        if item.cut:
            most = f"{self.max_rows} 件"
            return f"符合条件的工单超过 {most}，本表只有最新的 {most}，其余请缩小范围后另行导出。"
        return "个人信息已隐去；电话不随表导出，需要时请在工单上逐件查看。"

    async def _note(self, uow: UnitOfWork, item: ExportItem, **values: Any) -> None:
        statement = sa.update(_export).where(_export.c.id == item.id)
        await uow.session.execute(statement.values(**values, updated_at=uow.now))

    # ---- handing out ------------------------------------------------------------------------

    async def mine(self, session: AsyncSession, actor: Actor, limit: int = 20) -> list[ExportItem]:
        """One's own exports, newest first."""
        query = sa.select(*_COLUMNS).where(_export.c.owner_id == actor.user_id)
        rows = await session.execute(query.order_by(_export.c.id.desc()).limit(limit))
        return [ExportItem(**row._mapping) for row in rows]

    async def item(self, session: AsyncSession, actor: Actor, export_id: int) -> ExportItem:
        """One of one's own exports. Raises `export_not_found`."""
        query = sa.select(*_COLUMNS).where(_export.c.id == export_id, _export.c.owner_id == actor.user_id)
        row = (await session.execute(query)).first()
        if row is None:
            raise HotlineError("export_not_found", export_id=export_id)
        return ExportItem(**row._mapping)

    async def fetched(self, actor: Actor, item: ExportItem) -> None:
        """Leave an audit row of a file that was handed out."""
        async with self._db.begin() as uow:
            await audit.record(
                uow,
                actor=actor,
                action="export.download",
                object_type="export",
                object_id=item.id,
                detail={"rows": item.rows, "format": item.format},
            )

    async def sweep(self) -> int:
        """Take away what is past its time; returns how many files went."""
        async with self._db.begin() as uow:
            await self._bury(uow)
            before = uow.now - timedelta(hours=self._limits.keep_hours)
            old = sa.and_(_export.c.state.in_(["ready", "failed"]), _export.c.updated_at < before)
            query = sa.update(_export).where(old).values(state="gone", updated_at=uow.now)
            gone = (await uow.session.execute(query.returning(*_COLUMNS))).all()
        for row in gone:
            self.path(ExportItem(**row._mapping)).unlink(missing_ok=True)
        return len(gone)

    async def stop(self) -> None:
        """End what is being written; it is told as failed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def told(filters: queries.TicketFilters) -> Mapping[str, Any]:
    """The filters as the audit log keeps them: what was typed goes in masked."""
    given = {name: value for name, value in dataclasses.asdict(filters).items() if value not in (None, False)}
    plain = {name: value.isoformat() if isinstance(value, date) else value for name, value in given.items()}
    return {name: redact.masked(value) if isinstance(value, str) else value for name, value in plain.items()}
