"""The ports to the outside: what is handed over, and how a failure looks."""

from dataclasses import dataclass
from typing import Any, Protocol


class DeliveryFailed(Exception):
    """A channel did not take a message; `code` says why and holds nothing personal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Sms:
    """A text message. `key` is the same for every try, so that a receiver can tell repetitions."""

    key: str
    to: str
    text: str

    def __repr__(self) -> str:  # number and text stay out of logs and tracebacks
        return f"Sms(key={self.key!r})"


@dataclass(frozen=True)
class Mail:
    """An e-mail of plain text. `answers`: the Message-ID it answers, with its brackets; empty for none."""

    key: str
    to: str
    subject: str
    text: str
    answers: str = ""

    def __repr__(self) -> str:
        return f"Mail(key={self.key!r})"


class SmsPort(Protocol):
    """Takes text messages; idempotent by `key`. Raises `DeliveryFailed`."""

    async def send(self, message: Sms) -> None: ...


class MailPort(Protocol):
    """Takes e-mails. Raises `DeliveryFailed`."""

    async def send(self, message: Mail) -> None: ...


class HookPort(Protocol):
    """Posts a JSON object; idempotent by `key`. Raises `DeliveryFailed`."""

    async def post(self, key: str, body: dict[str, Any]) -> None: ...
