"""E-mail by SMTP. A line break in anything that becomes a header is refused, never repaired."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from core.clock import Clock
from core.errors import HotlineError
from core.notify.ports import DeliveryFailed, Mail
from core.settings import Notify

SECONDS = 10.0
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}")

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,250}>")


def check_address(text: str) -> str:
    """An e-mail address as it may stand in a header. Raises `email_invalid`."""
    if not _ADDRESS.fullmatch(text) or len(text) > 254 or ".." in text:
        raise HotlineError("email_invalid")
    return text


def check_header(text: str) -> str:
    """A header's text; raises `DeliveryFailed` header_refused for control signs and line breaks."""
    if any(ord(sign) < 32 or sign in "\x7f\x85\u2028\u2029" for sign in text):
        raise DeliveryFailed("header_refused")
    return text


def compose(message: Mail, sender: str, clock: Clock) -> EmailMessage:
    """The e-mail as it goes over the wire. Raises `DeliveryFailed`."""
    try:
        from_, to = check_address(check_header(sender)), check_address(check_header(message.to))
    except HotlineError:
        raise DeliveryFailed("address_invalid") from None
    mail = EmailMessage()
    mail["From"] = Address("12345 热线", addr_spec=from_)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = check_header(message.subject)
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = f"<{check_header(message.key)}@{from_.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-replied" if message.answers else "auto-generated"
    if _MESSAGE_ID.fullmatch(message.answers):
        mail["In-Reply-To"] = mail["References"] = message.answers
    mail.set_content(message.text)
    return mail


class Smtp:
    """One mail server; a connection lives for one message."""

    def __init__(self, settings: Notify, password: str, clock: Clock) -> None:
        self._settings = settings
        self._password = password
        self._clock = clock

    async def send(self, message: Mail) -> None:
        """Hand over one e-mail. Raises `DeliveryFailed`; what the server said stays out of the log."""
        mail = compose(message, self._settings.smtp_from, self._clock)
        security = self._settings.smtp_security
        try:
            await aiosmtplib.send(
                mail,
                hostname=self._settings.smtp_host,
                port=self._settings.smtp_port,
                username=self._settings.smtp_user or None,
                password=self._password or None,
                use_tls=security == "tls",
                start_tls=security == "starttls",
                timeout=SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused:
            raise DeliveryFailed("recipient_refused") from None
        except aiosmtplib.SMTPAuthenticationError:
            raise DeliveryFailed("login_refused") from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryFailed(type(error).__name__) from None
