"""Integration API: the files of tickets, sent and fetched; looked at and re-made like everybody's."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from core.errors import HotlineError
from core.people.machines import Scope
from tickets.exchange import files, requests
from tickets.exchange.files import FileOf
from web.api.contract import Call, File, operation
from web.api.models import FileLine, FileList, FileMade
from web.inputs import path_id
from web.views._uploads import Size, read_upload
from web.views.attachments import MAX_UPLOAD, SANDBOX

READS = (Scope.TICKETS_READ, Scope.TICKETS_HANDLE, Scope.TICKETS_SUBMIT)
SENDS = (Scope.TICKETS_SUBMIT, Scope.TICKETS_HANDLE)
ONE = Size(files=1, fields=0)


@operation(
    "POST",
    "/tickets/{number}/attachments",
    "添加附件",
    scope=SENDS,
    answer=FileMade,
    status=201,
    keyed=True,
    takes_file=True,
    max_body=MAX_UPLOAD,
)
async def add_attachment(call: Call) -> FileMade:
    """为本系统提交的工单，或本单位承办的工单，添加一个文件。类型、大小和检查与页面上传相同。"""
    if not requests.KEY.fullmatch(call.key):
        raise HotlineError("idempotency_key")
    ctx, number = call.ctx, call.path("number")
    async with ctx.db.read() as session:
        ident, actor = await files.sender(session, call.machine, number)
        again = await requests.known(session, call.machine, call.key)
    service = ctx.attachments
    if not again:
        await service.check_open(actor, ident)
    async with service.store.receiving() as room:
        found = await read_upload(call.request, service, actor, ident, room, ONE)
        if found.refused:
            raise found.refused[0].error
        if not found.files:
            raise HotlineError("attachment_empty")
        try:
            prepared = await service.prepare(found.files[0])
        except HotlineError as error:
            await service.refuse(actor, ident, error, found.files[0].name, found.files[0].size)
            raise
    try:
        made = await ctx.db.retrying(
            lambda uow: files.add(uow, service, call.machine, number, prepared, call.key)
        )
    finally:
        await service.tidy(prepared)
    return FileMade(id=made)


@operation("GET", "/tickets/{number}/attachments", "附件列表", scope=READS, answer=FileList)
async def list_attachments(call: Call) -> FileList:
    """本系统可以取得的附件：承办单位可见的，或只提交时本系统自己的和可公开的；不含仅热线内部的。"""
    async with call.ctx.db.read() as session:
        found = await files.files_of(session, call.machine, call.path("number"))
    return FileList(items=[FileLine.of(one) for one in found])


@operation("GET", "/tickets/{number}/attachments/{attachment_id}", "下载附件", scope=READS, answer=File)
async def fetch_attachment(call: Call) -> web.StreamResponse:
    """文件本身；类型见列表中的 media_type。每次下载都有审计记录。"""
    ident = path_id(call.request, "attachment_id")
    async with call.ctx.db.read() as session:
        found = await files.file_of(session, call.machine, call.path("number"), ident)
    service = call.ctx.attachments
    path = service.store.path(found.key)
    if not path.is_file():
        raise HotlineError("attachment_missing", attachment_id=found.id)
    await service.fetched(call.machine.actor, found.ticket_id, found.id)
    return web.FileResponse(path, headers=_headers(found))


def _headers(found: FileOf) -> dict[str, str]:
    plain = f"attachment-{found.id}.{found.kind.code}"
    name = quote(found.name, safe="")
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{name}",
        "Content-Security-Policy": SANDBOX,
    }
