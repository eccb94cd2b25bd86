"""What a PBX may push: `newCall`, `answer` and `hangup`, as Zammad's generic CTI names them. Pure.

Fields of others are left alone: PBXs add their own. An event may carry nothing but its `callId`; what an
earlier one said still holds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.errors import HotlineError

CALL_ID = re.compile(r"[!-~]{1,120}")
PARTY = re.compile(r"[0-9A-Za-z+*#@._:-]{1,64}")  # a number, an extension, a SIP address, "anonymous"
QUEUE = re.compile(r"[^\x00-\x1f\x7f]{1,60}")


class PushKind(StrEnum):
    """What happened."""

    NEW_CALL = "newCall"
    ANSWER = "answer"
    HANGUP = "hangup"


@dataclass(frozen=True)
class PushEvent:
    """One event. `outbound` None: it did not say. Numbers as the PBX wrote them."""

    kind: PushKind
    call_id: str
    source: str | None = None
    target: str | None = None
    outbound: bool | None = None
    queue: str | None = None
    answering: str | None = None
    cause: str | None = None


def parse(raw: Mapping[str, Any]) -> PushEvent:
    """The event of a posted form or JSON object.

    Raises HotlineError `push_invalid` (fields: the names of what cannot be used).
    """
    wrong: list[str] = []
    kind = _kind(raw.get("event"))
    call_id = _text(raw, "callId", CALL_ID, wrong)
    if kind is None:
        wrong.append("event")
    if call_id is None and "callId" not in wrong:
        wrong.append("callId")
    direction = raw.get("direction") or None
    if direction not in (None, "in", "out"):
        wrong.append("direction")
    found = PushEvent(
        kind=kind or PushKind.HANGUP,
        call_id=call_id or "",
        source=_party(raw, "from", wrong),
        target=_party(raw, "to", wrong),
        outbound=None if direction is None else direction == "out",
        queue=_text(raw, "queue", QUEUE, wrong),
        answering=_party(raw, "answeringNumber", wrong),
        cause=_text(raw, "cause", PARTY, wrong),
    )
    if wrong:
        raise HotlineError("push_invalid", fields=sorted(wrong))
    return found


def _kind(value: Any) -> PushKind | None:
    return PushKind(value) if isinstance(value, str) and value in set(PushKind) else None


def _text(raw: Mapping[str, Any], name: str, pattern: re.Pattern[str], wrong: list[str]) -> str | None:
    value = raw.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**20 else "\x00"
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        wrong.append(name)
        return None
    return value


def _party(raw: Mapping[str, Any], name: str, wrong: list[str]) -> str | None:
    """A number without the blanks and brackets people write into it."""
    value = raw.get(name)
    if isinstance(value, str):
        raw = {name: re.sub(r"[\s()]", "", value)}
    return _text(raw, name, PARTY, wrong)
