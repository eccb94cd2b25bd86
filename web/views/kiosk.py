"""A kiosk in a village or a hall (便民服务亭): a device with its own token, a page for whoever stands there.

The page is the same for everybody and carries nobody's data, so that the device may keep it (`worker`) and
start without a network. What the device asks it asks with its token (scope `kiosk`), which lies in a cookie
that no script reads (`web.views.kiosk_device`). A submission has one key: sent again after the network was
down, it is the same ticket.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlencode

import segno
import sqlalchemy as sa
from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.errors import HotlineError
from core.people import org
from core.people.machines import Scope
from core.privacy import normalise_phone
from routing.submissions import Submission, Submitted
from tickets.attachments.service import Prepared
from tickets.models import Category, table_of
from tickets.public.acts import CITIZEN
from tickets.public.view import public_view
from tickets.query_codes import look_up
from tickets.terms import LABELS, Channel, TicketType
from web.assets import ASSETS
from web.context import context
from web.inputs import Fields, read_form
from web.render import bare_page, city_time
from web.routes import route
from web.security.machines import machine
from web.views._uploads import Upload, read_upload

TYPES = (TicketType.HELP, TicketType.COMPLAINT, TicketType.SUGGESTION, TicketType.CONSULT)
FEELINGS = ("发生过多次", "有安全隐患", "影响老人孩子", "影响生产生活", "希望有人上门看看", "希望尽快回电话")
MAX_BODY = 4 * 1024 * 1024  # a minute of speech is two
FIELDS = frozenset({"key", "type", "category_id", "district_id", "street_id", "feelings", "phone"})
SHELL = (  # all that the page asks for
    "icon.svg",
    "css/tokens.css",
    "css/kiosk.css",
    "js/kiosk.js",
    "js/kiosk/queue.js",
    "js/kiosk/recorder.js",
    "js/kiosk/rest.js",
    "js/kiosk/shell.js",
)
_category = table_of(Category)


class TrackForm(Fields):
    number: str = Field("", max_length=18)
    code: str = Field("", max_length=6)


@route("GET", "/kiosk", public=True)
async def kiosk(request: web.Request) -> web.StreamResponse:
    """The page; on a device that was not enrolled it asks for a code, and does nothing else."""
    return await _page(request)


async def _page(request: web.Request) -> web.Response:
    async with context(request).db.read() as session:
        districts = await org.units(session, kinds=("district",))
        towns = await org.units(session, kinds=("town",))
        matters = await _matters(session)
    types = [(kind.value, LABELS[TicketType][kind]) for kind in TYPES]
    return await bare_page(
        request,
        "kiosk/page.html",
        types=types,
        matters=matters,
        districts=districts,
        towns=towns,
        feelings=FEELINGS,
    )


async def _matters(session: AsyncSession) -> list[tuple[int, str]]:
    query = sa.select(_category.c.id, _category.c.name).where(_category.c.level == 1, _category.c.active)
    return [(row.id, row.name) for row in await session.execute(query.order_by(_category.c.sort))]


@route("GET", "/kiosk/worker.js", public=True)
async def worker(request: web.Request) -> web.StreamResponse:
    """The page's service worker: what the shell is made of, named by its content, before the script itself.

    A word of the page or a byte of a file changed makes another worker, and a device that has the old one
    fetches the shell anew.
    """
    assets = request.app[ASSETS]
    files = [assets.url(name) for name in SHELL]
    shown = hashlib.sha256(((await _page(request)).text or "").encode()).hexdigest()
    shell = {"version": f"{assets.digest}-{shown[:12]}", "page": "/kiosk", "files": files}
    script = assets.text("js/kiosk/worker.js")
    headers = {
        "Service-Worker-Allowed": "/kiosk",
        "Cache-Control": "no-cache",
        "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
    }
    text = f"const SHELL = {json.dumps(shell)};\n{script}"
    return web.Response(text=text, content_type="text/javascript", charset="utf-8", headers=headers)


@route("POST", "/kiosk/submit", scope=Scope.KIOSK, device=True, max_body=MAX_BODY)
async def submit(request: web.Request) -> web.StreamResponse:
    """Take a submission with its voice message; the same key again is answered with the same slip."""
    ctx = context(request)
    async with ctx.attachments.store.receiving() as room:
        upload = await read_upload(request, ctx.attachments, CITIZEN, 0, room)
        if upload.refused:
            raise upload.refused[0].error
        if len(upload.files) > 1 or set(upload.fields) - FIELDS:
            raise HotlineError("bad_request")
        voice = [await ctx.attachments.prepare(file) for file in upload.files]
    submission = await _submission(request, upload, tuple(voice))
    made = await ctx.db.retrying(lambda uow: ctx.submissions.submit(uow, submission), hopeful=True)
    return web.json_response(_slip(request, made))


async def _submission(request: web.Request, upload: Upload, voice: tuple[Prepared, ...]) -> Submission:
    """What was chosen on the screen, as a text that can be read by whoever has not heard the voice."""
    given, ctx = upload.fields, context(request)
    phone = normalise_phone(given.get("phone", ""), area=ctx.settings.city.phone_area)
    if phone.kind not in ("mobile", "landline"):
        raise HotlineError("form_invalid", fields={"phone": "bad_value"})
    if given.get("type") not in {kind.value for kind in TYPES}:
        raise HotlineError("form_invalid", fields={"type": "bad_value"})
    async with ctx.db.read() as session:
        matters = dict(await _matters(session))
    matter = matters.get(_ident(given, "category_id") or 0)
    if matter is None:
        raise HotlineError("form_invalid", fields={"category_id": "bad_value"})
    felt = [one for one in given.get("feelings", "").split("、") if one in FEELINGS]
    kind = LABELS[TicketType][given["type"]]
    told = [f"在便民服务亭“{machine(request).name}”选择：{kind}，{matter}。"]
    told += [f"补充：{'、'.join(felt)}。"] if felt else []
    told.append("详细情况见语音留言。" if voice else "没有留语音，请回电了解详细情况。")
    return Submission(
        channel=Channel.KIOSK,
        key=given.get("key", ""),
        type=given["type"],
        title=f"{matter}：便民服务亭{kind}",
        narrative="".join(told),
        district_id=_ident(given, "district_id"),
        street_id=_ident(given, "street_id"),
        phone=phone.number,
        attachments=voice,
    )


def _ident(given: dict[str, str], name: str) -> int | None:
    text = given.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise HotlineError("form_invalid", fields={name: "bad_value"})
    return int(text)


def _slip(request: web.Request, made: Submitted) -> dict[str, Any]:
    """What is printed: number and code, and the address to follow it at. The code is not in the picture:
    who finds a lost slip's picture in a photo album still lacks it."""
    base = context(request).settings.http.public_url.rstrip("/") or f"{request.scheme}://{request.host}"
    address = f"{base}/portal/track?{urlencode({'number': made.number})}"
    picture = segno.make(address, error="m", micro=False).svg_data_uri(scale=4, border=2, dark="#000")
    return {
        "number": made.number,
        "code": made.query_code,
        "picture": picture,
        "at": to_city(context(request).clock.now()).strftime("%Y-%m-%d %H:%M"),
    }


@route("POST", "/kiosk/track", scope=Scope.KIOSK, device=True, max_body=4096)
async def track(request: web.Request) -> web.StreamResponse:
    """How a ticket stands, by number and code typed on the screen; wrong pairs are counted per device."""
    form, ctx = await read_form(request, TrackForm), context(request)
    source = f"kiosk:{machine(request).id}"
    async with ctx.db.begin() as uow:
        ident = await look_up(uow, ctx.vault, number=form.number, code=form.code, source=source)
    if ident is None:
        raise HotlineError("kiosk_unknown")
    async with ctx.db.read() as session:
        found = await public_view(session, ident)
    steps = [{"at": city_time(step.at, "%m-%d %H:%M"), "words": step.words} for step in found.steps]
    told = {"headline": found.headline, "unit": found.unit, "reply": found.reply, "steps": steps}
    return web.json_response(told)
