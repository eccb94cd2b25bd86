"""Our matters and tickets as items of GeoReport v2, and a posted one as a submission. Pure."""

from __future__ import annotations

import math
from typing import Any

from core.errors import HotlineError
from routing.submissions import Submission
from tickets.exchange.open311 import Request311, Service, Update311
from tickets.points.datum import Point
from tickets.terms import Channel, Confidentiality, TicketType, label
from web.open311.form import Posted
from web.open311.formats import instant

NOTICE = "热线会在承诺时间内答复，编号可在本接口或 12345 查询。"


def service(found: Service) -> dict[str, Any]:
    """An item of the service list."""
    return {
        "service_code": found.code,
        "service_name": found.name,
        "description": found.full_name,
        "metadata": True,
        "type": "realtime",
        "keywords": ",".join(part.strip() for part in found.full_name.split("/")),
        "group": found.group,
    }


def definition(found: Service) -> dict[str, Any]:
    """What may be said besides the standard fields; nothing of it must."""
    words = {
        "expected": ("text", "希望怎样解决"),
        "occurred_at": ("datetime", "什么时候发生的"),
        "confidentiality": ("singlevaluelist", "谁可以知道是您反映的"),
        "wants_reply": ("singlevaluelist", "是否需要答复"),
    }
    values = {
        "confidentiality": [
            {"key": code.value, "name": label(Confidentiality, code)} for code in Confidentiality
        ],
        "wants_reply": [{"key": "true", "name": "需要"}, {"key": "false", "name": "不需要"}],
    }
    return {
        "service_code": found.code,
        "attributes": [
            {
                "variable": True,
                "code": code,
                "datatype": datatype,
                "required": False,
                "datatype_description": "",
                "order": order,
                "description": description,
                "values": values.get(code, []),
            }
            for order, (code, (datatype, description)) in enumerate(words.items(), 1)
        ],
    }


def request(found: Request311) -> dict[str, Any]:
    """An item of the request list."""
    return {
        "service_request_id": found.number,
        "status": _status(is_open=found.is_open),
        "status_notes": found.state,
        "service_name": found.service_name,
        "service_code": found.service_code,
        "description": found.description,
        "agency_responsible": found.unit or "",
        "service_notice": "",
        "requested_datetime": instant(found.requested_at),
        "updated_datetime": instant(found.updated_at),
        "expected_datetime": instant(found.expected_at),
        "address": found.place,
        "address_id": "",
        "zipcode": "",
        "lat": None if found.point is None else found.point.latitude,
        "long": None if found.point is None else found.point.longitude,
        "media_url": "",
    }


def update(found: Update311) -> dict[str, Any]:
    """An item of the updates."""
    return {
        "update_id": str(found.id),
        "service_request_id": found.number,
        "status": _status(is_open=found.is_open),
        "updated_datetime": instant(found.at),
        "description": found.state,
        "media_url": "",
    }


def _status(*, is_open: bool) -> str:
    return "open" if is_open else "closed"


def submission(posted: Posted, category_id: int, key: str) -> Submission:
    """What was posted, as the one way in takes it. E-mail and ids of devices and accounts are not kept.

    Raises `form_invalid` (address_string, lat, long, description: code).
    """
    given = posted.fields
    narrative = given.get("description", "")
    if "media_url" in given:
        narrative += f"\n附图：{given['media_url'][:500]}"
    if not narrative.strip():
        raise HotlineError("form_invalid", fields={"description": "required"})
    return Submission(
        channel=Channel.WEB,
        key=f"{posted.machine.code}:{key}",
        narrative=narrative,
        type=TicketType.HELP,
        category_id=category_id,
        address=_address(given),
        point=_point(given),
        name=_name(given.get("first_name", ""), given.get("last_name", "")),
        phone=given.get("phone"),
        expected=posted.attributes.get("expected", ""),
        occurred_at=posted.attributes.get("occurred_at"),
        confidentiality=posted.attributes.get("confidentiality", Confidentiality.NORMAL),
        wants_reply=posted.attributes.get("wants_reply", "true") != "false",
        attachments=posted.media,
    )


def _address(given: dict[str, str]) -> str:
    """The address in words; either it or a point there must be."""
    found = " ".join(given[name] for name in ("address_string", "address_id") if name in given)
    if not found and "lat" not in given and "long" not in given:
        raise HotlineError("form_invalid", fields={"address_string": "required"})
    return found


def _point(given: dict[str, str]) -> Point | None:
    """The point, which GeoReport has in WGS-84. Half a point is none: `form_invalid` (lat, long)."""
    if "lat" not in given and "long" not in given:
        return None
    return Point(_degrees(given, "lat", 90), _degrees(given, "long", 180))


def _degrees(given: dict[str, str], name: str, most: float) -> float:
    try:
        value = float(given[name])
    except (KeyError, ValueError):
        value = math.nan
    if not -most <= value <= most:
        raise HotlineError("form_invalid", fields={name: "bad_value"})
    return value


def _name(first: str, last: str) -> str:
    """Family name first where both are Chinese."""
    chinese = any("\u3400" <= sign <= "\u9fff" for sign in first + last)
    return f"{last}{first}" if chinese else f"{first} {last}".strip()
