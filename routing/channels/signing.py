"""Signatures of platforms that sign token, timestamp and nonce in a callback's address. Pure."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from core.errors import HotlineError

OLDEST = 300.0  # seconds between a signature and its arrival


@dataclass(frozen=True)
class Signed:
    """What stands in the callback's address."""

    signature: str
    timestamp: str
    nonce: str
    msg_signature: str = ""


def digest(*parts: str) -> str:
    """The platforms' signature over parts, in whatever order they come."""
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "replace")).hexdigest()  # noqa: S324 - theirs


def check_equal(wanted: str, given: str, *, known: bool) -> None:
    """Raise `gateway_refused` for another signature, or when there is no secret to compare by."""
    if not known or not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise HotlineError("gateway_refused")


def check_age(timestamp: str, now: datetime) -> None:
    """Raise `gateway_refused` for a signature of before, or of a time to come."""
    plain = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not plain or abs(now.timestamp() - int(timestamp)) > OLDEST:
        raise HotlineError("gateway_refused")
