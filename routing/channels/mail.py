"""E-mail: a mailbox that is read in a thread, answers by SMTP. For development both are a folder.

A letter is marked as read when everything of it is kept; a crash before reads it once more, and its
Message-ID makes it the same letter.
"""

import asyncio
import hashlib
import imaplib
import logging
import mailbox
import ssl
from collections.abc import Awaitable, Callable
from email.message import Message
from pathlib import Path
from typing import Protocol

from core.clock import Clock
from core.db import Database
from core.errors import HotlineError
from core.notify.mail import compose
from core.notify.ports import DeliveryFailed, Mail, MailPort
from core.settings import MailChannel as Settings
from routing.channels import Kind, Outgoing
from routing.channels.letter_reading import NAME, File, read
from routing.channels.service import ChannelService
from tickets.attachments.service import AttachmentService
from tickets.attachments.store import Received, receive
from tickets.public.acts import CITIZEN

logger = logging.getLogger(__name__)
SECONDS = 20.0
MOST_BYTES = 40 * 1024 * 1024
BATCH = 20
# What the library's parsers raise for letters that are none.
ODD = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
FAILURES = (imaplib.IMAP4.error, OSError, ssl.SSLError, EOFError)


class Box(Protocol):
    """A mailbox, from a thread. Raises OSError and `imaplib.IMAP4.error`."""

    def unread(self) -> list[tuple[str, bytes | None]]:
        """Some letters nobody has read: how each is called, and its bytes; None for one that is too large."""
        ...

    def done(self, name: str, *, odd: bool) -> None:
        """Mark a letter as read; `odd`: as one that a person should look at, too."""
        ...

    def check(self) -> None:
        """Open it."""
        ...


class ImapBox:
    """A mailbox on an IMAP server; a connection lives for one look."""

    def __init__(self, settings: Settings, password: str) -> None:
        self._settings = settings
        self._password = password

    def unread(self) -> list[tuple[str, bytes | None]]:
        with self._open() as server:
            _, data = server.uid("SEARCH", "UNSEEN")
            names = (data[0] or b"").decode("ascii", "ignore").split()[:BATCH]
            return [(name, self._fetch(server, name)) for name in names]

    def done(self, name: str, *, odd: bool) -> None:
        with self._open() as server:
            server.uid("STORE", name, "+FLAGS", r"(\Seen \Flagged)" if odd else r"(\Seen)")

    def check(self) -> None:
        with self._open():
            pass

    @staticmethod
    def _fetch(server: imaplib.IMAP4, name: str) -> bytes | None:
        _, sized = server.uid("FETCH", name, "(RFC822.SIZE)")
        head = sized[0] if sized else b""
        line = head if isinstance(head, bytes) else b""
        size = line.rpartition(b"RFC822.SIZE")[2].strip(b" )")
        if size.isdigit() and int(size) > MOST_BYTES:
            return None
        _, data = server.uid("FETCH", name, "(BODY.PEEK[])")
        parts = [part[1] for part in data if isinstance(part, tuple)]
        return bytes(parts[0]) if parts else b""

    def _open(self) -> imaplib.IMAP4:
        host, port, kind = self._settings.host, self._settings.port, self._settings.security
        context = ssl.create_default_context()
        if kind == "tls":
            server: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=SECONDS)
        else:
            server = imaplib.IMAP4(host, port, timeout=SECONDS)
            if kind == "starttls":
                server.starttls(context)
        try:
            server.login(self._settings.user, self._password)
            code, _ = server.select(self._settings.box)
            if code != "OK":
                raise imaplib.IMAP4.error("no such mailbox")
        except BaseException:
            server.shutdown()
            raise
        return server


class FolderBox:
    """A maildir: what lies in `new` was not read yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _box(self) -> "mailbox.Maildir":
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        return mailbox.Maildir(self.folder, create=True)

    def unread(self) -> list[tuple[str, bytes | None]]:
        box = self._box()
        names = [name for name in box.iterkeys() if box.get_message(name).get_subdir() == "new"]
        return [(name, box.get_bytes(name)) for name in names[:BATCH]]

    def done(self, name: str, *, odd: bool) -> None:
        box = self._box()
        message = box.get_message(name)
        message.set_subdir("cur")
        message.set_flags("FS" if odd else "S")
        box[name] = message

    def check(self) -> None:
        self._box()


class FolderMail:
    """Takes e-mails into a maildir instead of sending them: for development and for tests."""

    def __init__(self, folder: Path, sender: str, clock: Clock) -> None:
        self.folder = folder
        self._sender = sender
        self._clock = clock

    async def send(self, message: Mail) -> None:
        """Keep one e-mail as it would go over the wire. Raises `DeliveryFailed`."""
        mail = compose(message, self._sender, self._clock)
        await asyncio.to_thread(self._keep, mail)

    def _keep(self, mail: Message) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        mailbox.Maildir(self.folder, create=True).add(mail)


class EmailChannel:
    """E-mails out, and the mailbox they are answers to."""

    name = NAME
    label = "电子邮件"
    passive = False

    def __init__(self, box: Box, port: MailPort, office: str) -> None:
        self.box = box
        self._port = port
        self._office = office

    async def send(self, out: Outgoing) -> None:
        """One e-mail; subject and Message-ID carry the ticket's number, so that an answer finds back."""
        about = f"工单 {out.number}" if out.number else "来信已收到"
        mark = hashlib.sha256(out.key.encode()).hexdigest()[:24]
        key = f"ticket.{out.number}.{mark}" if out.number else f"letter.{mark}"
        text = f"{out.text}\n\n{self._office}\n"
        await self._port.send(Mail(key, out.to, f"【{self._office}】{about}", text, out.answers))

    async def fetch(self, media: str, kind: Kind, room: Path) -> Received:  # noqa: ARG002 - the port's
        """Files come with the letter; there is nothing to fetch. Raises `DeliveryFailed`."""
        raise DeliveryFailed("no_media")

    async def check(self) -> None:
        """Open the mailbox. Raises `DeliveryFailed`."""
        try:
            await asyncio.to_thread(self.box.check)
        except FAILURES as error:
            raise DeliveryFailed(_code(error)) from None


def _code(error: BaseException) -> str:
    """A server's words may hold an address: only their kind is kept."""
    return "imap_refused" if isinstance(error, imaplib.IMAP4.error) else f"imap_{type(error).__name__}"[:30]


class MailReader:
    """A tick of the leader: reads what is new, and makes of it what it is."""

    def __init__(
        self,
        db: Database,
        channel: EmailChannel,
        service: ChannelService,
        attachments: AttachmentService,
        own: tuple[str, ...],
        refused: Callable[[int, str, str], Awaitable[None]],
    ) -> None:
        self._db = db
        self._channel = channel
        self._service = service
        self._attachments = attachments
        self._own = own
        self._refused = refused

    async def tick(self) -> int:
        """Read the mailbox once; returns how many letters were dealt with."""
        try:
            found = await asyncio.to_thread(self._channel.box.unread)
        except FAILURES as error:
            await self._service.trouble(NAME, _code(error))
            return 0
        for name, raw in found:
            odd = await self._take(raw)
            try:
                await asyncio.to_thread(self._channel.box.done, name, odd=odd)
            except FAILURES as error:  # it is read again, and known by then
                await self._service.trouble(NAME, _code(error))
                return 0
        if not found:
            await self._service.works(NAME)
        return len(found)

    async def _take(self, raw: bytes | None) -> bool:
        """Deal with one letter; True when a person should look at it."""
        if raw is None:
            await self._service.trouble(NAME, "letter_too_large")
            return True
        try:
            letter = await asyncio.to_thread(read, raw, self._own, self._db.clock.now())
        except ODD as error:
            logger.warning("a letter cannot be read", extra={"error": type(error).__name__})
            await self._service.trouble(NAME, "letter_unreadable")
            return True
        if letter is None:
            return False
        heard = await self._service.hear(letter.said)
        if heard.ticket_id is not None:
            for file in letter.files:
                await self._attach(heard.ticket_id, file)
        return False

    async def _attach(self, ticket_id: int, file: File) -> None:
        """Through the service as every file; twice is once."""
        try:
            async with self._attachments.store.receiving() as room:
                left = [file.data]
                received = await receive(room, file.name, lambda: _next(left), MOST_BYTES)
                await self._attachments.bring(CITIZEN, ticket_id, received)
        except HotlineError as error:
            logger.warning("a file of a letter was refused", extra={"code": error.code})
            mark = hashlib.sha256(file.data).hexdigest()[:16]
            await self._refused(ticket_id, f"file:{ticket_id}:{mark}", file.name)


async def _next(left: list[bytes]) -> bytes:
    return left.pop() if left else b""
