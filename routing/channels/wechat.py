"""A WeChat official account (公众号): its signed callback in, its programming interface out.

As the platform documents it: `signature` is the SHA-1 of token, timestamp and nonce in order; in the
encrypted mode `msg_signature` covers the ciphertext as well, which is AES-256-CBC with a random head, a
length and the account's id inside. With a key set, nothing in the clear is taken.
"""

import base64
import hashlib
import hmac
import json
import os
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.clock import to_city
from core.errors import HotlineError
from core.notify.calls import CHUNK, Calls
from core.notify.ports import DeliveryFailed
from core.settings import WechatChannel as Settings
from routing.channels import Incoming, Kind, Outgoing, Place, Unreachable
from routing.channels.signing import Signed, check_age, check_equal, digest
from routing.channels.words import shorten
from routing.channels.xml import BadXml, cdata, fields
from tickets.attachments.store import Received, receive

NAME = "wechat"
MEGABYTES = 20
BLOCK = 32
GONE_CODES = {43004, 43005, 40003, 45047}  # not followed, forbidden by the person, no such person
WINDOW_CODES = {45015}  # said nothing for 48 hours: only templates may be sent
TOKEN_CODES = {40001, 40014, 42001}
ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "audio/amr": "amr",
    "audio/mpeg": "mp3",
}


class Codec:
    """Reads and writes the callback's bodies."""

    def __init__(self, token: str, app_id: str, aes_key: str = "") -> None:
        self._token = token
        self._app_id = app_id
        self._key = base64.b64decode(aes_key + "=") if aes_key else b""

    @property
    def sealed(self) -> bool:
        """Whether only encrypted bodies are taken."""
        return bool(self._key)

    def check(self, signed: Signed, now: datetime) -> None:
        """Raise `gateway_refused` unless the address is signed, and lately."""
        wanted = digest(self._token, signed.timestamp, signed.nonce)
        check_equal(wanted, signed.signature, known=bool(self._token))
        check_age(signed.timestamp, now)

    def read(self, signed: Signed, body: bytes, now: datetime) -> Incoming | None:
        """The message; None for an event that means nothing. Raises `gateway_refused`, `bad_request`."""
        self.check(signed, now)
        try:
            found = fields(body)
            if self._key:
                found = fields(self._open(signed, found.get("Encrypt", "")))
            return message_of(found, f"{signed.timestamp}.{signed.nonce}")
        except BadXml:
            raise HotlineError("bad_request") from None

    def opened(self, found: Mapping[str, str]) -> dict[str, str]:
        """The fields of an encrypted answer, as the platform reads it."""
        signed = Signed("", found["TimeStamp"], found["Nonce"], found["MsgSignature"])
        return fields(self._open(signed, found["Encrypt"]))

    def _open(self, signed: Signed, encrypted: str) -> bytes:
        wanted = digest(self._token, signed.timestamp, signed.nonce, encrypted)
        check_equal(wanted, signed.msg_signature, known=bool(encrypted))
        try:
            raw = base64.b64decode(encrypted, validate=True)
            reader = Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16])).decryptor()
            plain = reader.update(raw) + reader.finalize()
        except ValueError:
            raise HotlineError("bad_request") from None
        pad = plain[-1] if plain else 0
        if not 1 <= pad <= BLOCK or len(plain) < 20 + pad:
            raise HotlineError("bad_request")
        size = struct.unpack(">I", plain[16:20])[0]
        text, owner = plain[20 : 20 + size], plain[20 + size : len(plain) - pad]
        if not hmac.compare_digest(owner, self._app_id.encode()):
            raise HotlineError("gateway_refused")
        return text

    def seal(self, text: bytes, timestamp: str, nonce: str) -> bytes:
        """An encrypted body, as both sides post it."""
        whole = os.urandom(16) + struct.pack(">I", len(text)) + text + self._app_id.encode()
        pad = BLOCK - len(whole) % BLOCK
        writer = Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16])).encryptor()
        sealed = base64.b64encode(writer.update(whole + bytes([pad]) * pad) + writer.finalize()).decode()
        mark = digest(self._token, timestamp, nonce, sealed)
        return (
            f"<xml><Encrypt>{cdata(sealed)}</Encrypt><MsgSignature>{cdata(mark)}</MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
        ).encode()

    def answer(self, said: Incoming, account: str, text: str, now: datetime, nonce: str) -> bytes:
        """A passive answer, encrypted where the callback is."""
        at = str(int(now.timestamp()))
        body = (
            f"<xml><ToUserName>{cdata(said.sender)}</ToUserName><FromUserName>{cdata(account)}</FromUserName>"
            f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content>{cdata(text)}</Content></xml>"
        ).encode()
        return self.seal(body, at, nonce) if self._key else body


def message_of(found: Mapping[str, str], stamp: str) -> Incoming | None:
    """The message the fields hold. Raises `bad_request` for what cannot be one."""
    sender, kind = found.get("FromUserName", ""), found.get("MsgType", "")
    if not 0 < len(sender) <= 128 or not found.get("CreateTime", "").strip().isdigit():
        raise HotlineError("bad_request")
    created = found["CreateTime"].strip()
    if not created.isascii() or len(created) > 11:
        raise HotlineError("bad_request")
    at = datetime.fromtimestamp(int(created), UTC)
    if kind == "event":
        return _event(found, sender, at, stamp)
    key = found.get("MsgId", "").strip()
    if not key.isascii() or not key.isdigit() or len(key) > 40:
        raise HotlineError("bad_request")
    common: dict[str, Any] = {"channel": NAME, "sender": sender, "key": key, "at": at, "stamp": stamp}
    media = found.get("MediaId", "")[:200]
    match kind:
        case "text" if found.get("bizmsgmenuid"):
            return Incoming(kind=Kind.CHOICE, choice=found["bizmsgmenuid"][:64], **common)
        case "text":
            return Incoming(kind=Kind.TEXT, text=found.get("Content", ""), **common)
        case "image" if media:
            return Incoming(kind=Kind.IMAGE, media=media, **common)
        case "voice" if media:
            return Incoming(kind=Kind.VOICE, media=media, text=found.get("Recognition", ""), **common)
        case "location":
            return Incoming(kind=Kind.LOCATION, place=_place(found), **common)
    return Incoming(kind=Kind.OTHER, **common)


def _event(found: Mapping[str, str], sender: str, at: datetime, stamp: str) -> Incoming | None:
    """Events have no id: the platform says to tell them apart by sender and time."""
    name = found.get("Event", "").lower()
    key = f"{sender}.{int(at.timestamp())}.{name}"[:200]
    common: dict[str, Any] = {"channel": NAME, "sender": sender, "key": key, "at": at, "stamp": stamp}
    match name:
        case "subscribe":
            return Incoming(kind=Kind.WELCOME, **common)
        case "unsubscribe":
            return Incoming(kind=Kind.GONE, **common)
        case "click":  # the account's own menu: its keys are our commands
            return Incoming(kind=Kind.TEXT, text=found.get("EventKey", "")[:20], **common)
    return None


def _place(found: Mapping[str, str]) -> Place:
    try:
        place = Place(float(found["Location_X"]), float(found["Location_Y"]), found.get("Label", "")[:200])
    except (KeyError, ValueError):
        raise HotlineError("bad_request") from None
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        raise HotlineError("bad_request")
    return place


class Tokens(Protocol):
    """Keeps the access token for all nodes."""

    async def token(self, channel: str) -> str | None: ...

    async def keep(self, channel: str, token: str, seconds: int) -> None: ...

    async def forget(self, channel: str) -> None: ...


class Wechat:
    """The programming interface: template messages, answers of the customer service, media."""

    name = NAME
    label = "微信公众号"
    passive = True

    def __init__(self, settings: Settings, secret: str, codec: Codec, calls: Calls, tokens: Tokens) -> None:
        self._settings = settings
        self._secret = secret
        self._calls = calls
        self._tokens = tokens
        self._api = settings.api
        self.codec = codec

    def use(self, api: str) -> None:
        """Call another address from now on: a double is there once it listens."""
        self._api = api

    async def send(self, out: Outgoing) -> None:
        """A template message where there is a state to tell, what was said in words otherwise."""
        if out.state and self._settings.template_id:
            await self._post("/cgi-bin/message/template/send", self._template(out))
            if not (out.options or out.whole):
                return
        try:
            await self._post("/cgi-bin/message/custom/send", _custom(out))
        except DeliveryFailed as error:
            if not (out.state and self._settings.template_id and error.code == "window"):
                raise  # the template has told them, and asks to write us a word

    def _template(self, out: Outgoing) -> dict[str, Any]:
        names = self._settings.template_fields
        here = to_city(out.at)
        values = {
            "number": out.number[:32],
            "state": out.state[:5],
            "time": f"{here:%Y-%m-%d %H:%M}",
            "note": shorten(out.text, 20),
        }
        data = {field: {"value": values[name]} for field, name in names.items()}
        body = {"touser": out.to, "template_id": self._settings.template_id, "data": data}
        return body | ({"url": out.link} if out.link else {}) | {"client_msg_id": _short(out.key)}

    async def check(self) -> None:
        """Ask for a fresh access token: account, secret and the list of our addresses are right."""
        await self._tokens.forget(NAME)
        await self._token()

    async def fetch(self, media: str, kind: Kind, room: Path) -> Received:
        """A picture or a voice message; the platform keeps them for three days."""
        query = {"access_token": await self._token(), "media_id": media}
        async with self._calls.download(self._api + "/cgi-bin/media/get", query) as answer:
            if answer.content_type in ("application/json", "text/plain"):
                raise DeliveryFailed(_code_of(await answer.content.read(4096)))
            ending = ENDINGS.get(answer.content_type, "amr" if kind is Kind.VOICE else "jpg")
            word = "微信语音" if kind is Kind.VOICE else "微信照片"
            limit = MEGABYTES * 1024 * 1024
            return await receive(room, f"{word}.{ending}", lambda: answer.content.read(CHUNK), limit)

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        for last in (False, True):
            answer = await self._calls.ask(
                self._api + path, query={"access_token": await self._token()}, body=body
            )
            code = answer.get("errcode", 0)
            if code == 0:
                return
            if code in TOKEN_CODES and not last:
                await self._tokens.forget(NAME)
                continue
            _refuse(code)

    async def _token(self) -> str:
        """The access token of this account; the platform gives the same one to every node that asks."""
        kept = await self._tokens.token(NAME)
        if kept is not None:
            return kept
        body = {
            "grant_type": "client_credential",
            "appid": self._settings.app_id,
            "secret": self._secret,
        }
        answer = await self._calls.ask(self._api + "/cgi-bin/stable_token", body=body)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int) or not token:
            _refuse(answer.get("errcode", 0))
        await self._tokens.keep(NAME, str(token), int(str(seconds)))
        return str(token)


def _refuse(code: object) -> None:
    if code in GONE_CODES:
        raise Unreachable("not_followed")
    raise DeliveryFailed("window" if code in WINDOW_CODES else f"wechat_{code}"[:30])


def _code_of(text: bytes) -> str:
    try:
        return f"wechat_{int(json.loads(text)['errcode'])}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "no_media"


def _short(key: str) -> str:
    """The platform takes 32 signs to tell repetitions by."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _custom(out: Outgoing) -> dict[str, Any]:
    """Words, or a menu of which one line is tapped."""
    if not out.options:
        return {"touser": out.to, "msgtype": "text", "text": {"content": out.text}}
    lines: Sequence[dict[str, str]] = [{"id": one.code, "content": one.label} for one in out.options]
    menu = {"head_content": out.text.partition("\n")[0], "list": list(lines), "tail_content": "点一下即可。"}
    return {"touser": out.to, "msgtype": "msgmenu", "msgmenu": menu}
