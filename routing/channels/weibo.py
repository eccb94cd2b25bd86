"""Private messages of a Weibo account (粉丝服务): its signed callback in, its programming interface out.

`signature` is the SHA-1 of the application's secret, timestamp and nonce in order; the body is JSON.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core.errors import HotlineError
from core.notify.calls import CHUNK, Calls
from core.notify.ports import DeliveryFailed
from core.settings import WeiboChannel as Settings
from routing.channels import Incoming, Kind, Outgoing, Place, Unreachable
from routing.channels.signing import Signed, check_age, check_equal, digest
from tickets.attachments.store import Received, receive

NAME = "weibo"
MEGABYTES = 20
GONE_CODES = {20016, 21103, 10023, 20206}  # does not follow us, does not take messages
ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "audio/amr": "amr"}


def read(secret: str, signed: Signed, body: bytes, now: datetime) -> Incoming | None:
    """The message; None for an event that means nothing. Raises `gateway_refused`, `bad_request`."""
    check(secret, signed, now)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise HotlineError("bad_request") from None
    if not isinstance(data, dict):
        raise HotlineError("bad_request")
    sender, kind = str(data.get("sender_id", ""))[:64], data.get("type")
    if not sender.isascii() or not sender.isdigit():
        raise HotlineError("bad_request")
    more = data.get("data")
    more = more if isinstance(more, dict) else {}
    ident = data.get("id") or data.get("mid")
    common: dict[str, Any] = {
        "channel": NAME,
        "sender": sender,
        # Older messages carry no id: equal bodies are the same message, for they hold sender and second.
        "key": str(ident) if isinstance(ident, int | str) else hashlib.sha256(body).hexdigest(),
        "at": now,
        "stamp": f"{signed.timestamp}.{signed.nonce}"[:200],
    }
    return _message(kind, _text(data.get("text")), more, common)


def check(secret: str, signed: Signed, now: datetime) -> None:
    """Raise `gateway_refused` unless the address is signed, and lately."""
    check_equal(digest(secret, signed.timestamp, signed.nonce), signed.signature, known=bool(secret))
    check_age(signed.timestamp, now)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _message(kind: object, text: str, more: Mapping[str, Any], common: dict[str, Any]) -> Incoming | None:
    media = _text(more.get("tovfid") and str(more["tovfid"]))[:64]
    match kind:
        case "text":
            return Incoming(kind=Kind.TEXT, text=text, **common)
        case "image" if media:
            return Incoming(kind=Kind.IMAGE, media=media, **common)
        case "voice" if media:
            return Incoming(kind=Kind.VOICE, media=media, **common)
        case "position":
            return Incoming(kind=Kind.LOCATION, place=_place(more), **common)
        case "event":
            return _event(more.get("subtype"), common)
    return Incoming(kind=Kind.OTHER, **common)


def _place(more: Mapping[str, Any]) -> Place:
    try:
        place = Place(float(more["latitude"]), float(more["longitude"]))
    except (KeyError, ValueError, TypeError):
        raise HotlineError("bad_request") from None
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        raise HotlineError("bad_request")
    return place


def _event(name: object, common: dict[str, Any]) -> Incoming | None:
    kinds = {
        "follow": Kind.WELCOME,
        "subscribe": Kind.WELCOME,
        "unfollow": Kind.GONE,
        "unsubscribe": Kind.GONE,
    }
    kind = kinds.get(str(name))
    return None if kind is None else Incoming(kind=kind, **common)


def answer(said: Incoming, account: str, text: str) -> bytes:
    """A passive answer."""
    body = {
        "result": True,
        "receiver_id": said.sender,
        "sender_id": account,
        "type": "text",
        "data": quote(json.dumps({"text": text}, ensure_ascii=False)),
    }
    return json.dumps(body).encode()


class Weibo:
    """The programming interface: answers, and media."""

    name = NAME
    label = "微博私信"
    passive = True

    def __init__(self, settings: Settings, token: str, calls: Calls) -> None:
        self._settings = settings
        self._token = token
        self._calls = calls

    async def send(self, out: Outgoing) -> None:
        """A private message; Weibo takes it from who wrote to us before."""
        await self._post(out.to, out.text)

    async def check(self) -> None:
        """Whether the platform knows our token."""
        answer = await self._calls.ask(
            self._settings.api + "/2/account/get_uid.json", query={"access_token": self._token}
        )
        if "error_code" in answer:
            raise DeliveryFailed(f"weibo_{answer['error_code']}"[:30])

    async def fetch(self, media: str, kind: Kind, room: Path) -> Received:
        """A picture or a sound of a private message."""
        query = {"access_token": self._token, "fid": media}
        async with self._calls.download(self._settings.media + "/2/mss/msget", query) as answer:
            if answer.content_type == "application/json":
                raise DeliveryFailed("no_media")
            ending = ENDINGS.get(answer.content_type, "amr" if kind is Kind.VOICE else "jpg")
            word = "微博语音" if kind is Kind.VOICE else "微博照片"
            limit = MEGABYTES * 1024 * 1024
            return await receive(room, f"{word}.{ending}", lambda: answer.content.read(CHUNK), limit)

    async def _post(self, to: str, text: str) -> None:
        form = {
            "access_token": self._token,
            "type": "text",
            "receiver_id": to,
            "data": json.dumps({"text": text}, ensure_ascii=False),
            "save_sender_box": "1",
        }
        answer = await self._calls.ask(self._settings.api + "/2/messages/reply.json", form=form)
        code = answer.get("error_code")
        if code in GONE_CODES:
            raise Unreachable("not_followed")
        if code is not None:
            raise DeliveryFailed(f"weibo_{code}"[:30])
