"""The intake form: which fields there are and when a matter is complete enough to become a ticket.

Two strengths. A draft keeps whatever was typed, so that nothing is lost: only unknown keys and sheer
size are refused. Making a ticket asks for everything below. Failures are codes per field; the
sentences belong to `web`.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from core.clock import CITY_ZONE
from core.errors import HotlineError
from core.privacy import normalise_phone
from tickets.checks import is_id_number, is_uscc
from tickets.terms import Channel, Confidentiality, TicketType, Urgency

MAX_DRAFT_BYTES = 64 * 1024
MAX_TITLE = 120
MAX_NARRATIVE = 8000
MAX_EXPECTED = 2000
MAX_ADDRESS = 200
REACHABLE = {"mobile", "landline", "service", "foreign"}
# Cc and Cf would break lists and exports; line feeds are what people type in a narrative.
_DROPPED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def clean(text: str, *, lines: bool = False) -> str:
    """`text` in NFC without control, format and separator characters; line feeds stay if `lines`."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if text.isprintable():  # nothing of what is dropped or replaced below is
        return text.strip()
    kept = []
    for char in text:
        if char == "\n":
            kept.append(char if lines else " ")
        elif char == "\t" or unicodedata.category(char) in {"Zl", "Zp"}:
            kept.append(" ")
        elif unicodedata.category(char) not in _DROPPED:
            kept.append(char)
    return "".join(kept).strip()


def _line(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def _text(value: Any) -> Any:
    return clean(value, lines=True) if isinstance(value, str) else value


def _empty_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _phone(value: str | None, info: ValidationInfo) -> str | None:
    if value is None:
        return None
    area = (info.context or {}).get("phone_area", "")
    phone = normalise_phone(clean(value), area=area)
    if phone.number is None or phone.kind not in REACHABLE:
        raise PydanticCustomError("bad_phone", "bad_phone")
    return phone.number


def _id_number(value: str | None) -> str | None:
    if value is None:
        return None
    value = unicodedata.normalize("NFKC", clean(value)).upper().replace(" ", "")
    if not is_id_number(value):
        raise PydanticCustomError("bad_id_number", "bad_id_number")
    return value


def _uscc(value: str | None) -> str | None:
    if value is None:
        return None
    value = unicodedata.normalize("NFKC", clean(value)).upper().replace(" ", "")
    if not is_uscc(value):
        raise PydanticCustomError("bad_uscc", "bad_uscc")
    return value


def _instant(value: datetime | None) -> datetime | None:
    """What people type without a zone is the city's time; stored in UTC."""
    if value is None:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=CITY_ZONE)).astimezone(UTC)


Line = BeforeValidator(_line)
Lines = BeforeValidator(_text)
Optional = BeforeValidator(_empty_is_none)
Short = Annotated[str, Field(max_length=40)]
Reference = Annotated[Annotated[int, Field(gt=0, lt=2**63)] | None, Optional]
PhoneText = Annotated[Short | None, AfterValidator(_phone), Optional]


class TicketForm(BaseModel):
    """A complete matter, cleaned: phones in their normal form, times in UTC, texts without controls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: TicketType
    category_id: Annotated[int, Field(gt=0, lt=2**63)]
    title: Annotated[str, Field(min_length=2, max_length=MAX_TITLE), Line]
    narrative: Annotated[str, Field(min_length=2, max_length=MAX_NARRATIVE), Lines]
    expected: Annotated[str, Field(max_length=MAX_EXPECTED), Lines] = ""
    channel: Channel = Channel.PHONE
    urgency: Urgency = Urgency.NORMAL
    confidentiality: Confidentiality = Confidentiality.PUBLIC
    occurred_at: Annotated[datetime | None, AfterValidator(_instant), Optional] = None
    address: Annotated[str, Field(max_length=MAX_ADDRESS), Line] = ""
    district_id: Reference = None
    street_id: Reference = None
    subject_name: Annotated[str, Field(max_length=100), Line] = ""
    subject_uscc: Annotated[Short | None, AfterValidator(_uscc), Optional] = None
    subject_unit_id: Reference = None
    citizen_name: Annotated[str, Field(max_length=60), Line] = ""
    phone: PhoneText = None
    phone2: PhoneText = None
    id_number: Annotated[Short | None, AfterValidator(_id_number), Optional] = None
    wants_reply: bool = True
    wants_public: bool = False
    # Number of the ticket an appeal objects to (申诉); nothing to other types.
    appeal_of: Annotated[str, Field(max_length=40), Line] = ""


FIELDS: frozenset[str] = frozenset(TicketForm.model_fields)
_CODES = {
    "missing": "required",
    "enum": "unknown_choice",
    "string_too_long": "too_long",
    "string_too_short": "required",
    "bad_phone": "bad_phone",
    "bad_id_number": "bad_id_number",
    "bad_uscc": "bad_uscc",
}
_REQUIRED_CHOICES = {"type", "category_id"}


def parse_form(raw: Mapping[str, Any], *, now: datetime, phone_area: str = "") -> TicketForm:
    """The cleaned form of `raw`; `phone_area` completes landlines typed without their code.

    Raises HotlineError `unknown_field` (fields) for keys that are not part of the form and
    `form_invalid` (fields: name → required, too_long, unknown_choice, bad_phone, bad_id_number,
    bad_uscc, bad_time, in_future, bad_value) for values.
    """
    _check_keys(raw)
    try:
        given = {key: value for key, value in raw.items() if value is not None}
        form = TicketForm.model_validate(given, context={"phone_area": phone_area})
    except ValidationError as error:
        raise HotlineError("form_invalid", fields=_field_codes(error, raw)) from None
    if form.occurred_at is not None and form.occurred_at > now:
        raise HotlineError("form_invalid", fields={"occurred_at": "in_future"})
    return form


def _check_keys(raw: Mapping[str, Any]) -> None:
    unknown = sorted(str(key)[:40] for key in set(raw) - FIELDS)
    if unknown:
        raise HotlineError("unknown_field", fields=unknown[:10])


def _field_codes(error: ValidationError, raw: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0])
        value = raw.get(name)
        if name in _REQUIRED_CHOICES and (value is None or not str(value).strip()):
            found[name] = "required"
        elif name == "occurred_at":
            found[name] = "bad_time"
        else:
            found.setdefault(name, _CODES.get(problem["type"], "bad_value"))
    return found


def pack_draft(raw: Mapping[str, Any]) -> bytes:
    """The typed form as bytes to be sealed, keys in order so that equal forms are equal bytes.

    Values may be wrong; they are kept as typed. Raises HotlineError `unknown_field`,
    `form_invalid` (a value that is no text, number, yes/no or empty) or `form_too_large` (limit, bytes).
    """
    _check_keys(raw)
    odd = [key for key, value in raw.items() if not isinstance(value, str | int | float | bool | None)]
    if odd:
        raise HotlineError("form_invalid", fields=dict.fromkeys(odd, "bad_value"))
    kept = {key: _storable(value) for key, value in sorted(raw.items()) if value is not None}
    data = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()
    if len(data) > MAX_DRAFT_BYTES:
        raise HotlineError("form_too_large", limit=MAX_DRAFT_BYTES)
    return data


def _storable(value: Any) -> Any:
    """Lone surrogates cannot be written as UTF-8; everything else stays as typed."""
    return re.sub(r"[\ud800-\udfff]", "�", value) if isinstance(value, str) else value


def unpack_draft(data: bytes | None) -> dict[str, Any]:
    """What `pack_draft` packed; an empty form for None."""
    if data is None:
        return {}
    form: dict[str, Any] = json.loads(data)
    return form
