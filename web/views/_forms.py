"""What the browser sends for a draft, and what the ticket room understands by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from core.clock import CITY_ZONE
from core.errors import HotlineError
from web.inputs import Fields

# Longer than any field may be: a draft keeps what was typed, the ticket room says what is too long.
TEXT = Field("", max_length=20000)


class DraftFields(Fields):
    """The intake form as it is typed; everything may be empty or wrong while it is a draft."""

    version: int = Field(ge=1, lt=2**31)
    type: str = TEXT
    urgency: str = TEXT
    confidentiality: str = TEXT
    channel: str = TEXT
    category_id: str = TEXT
    title: str = TEXT
    narrative: str = TEXT
    expected: str = TEXT
    occurred_at: str = TEXT
    area_id: str = Field("", pattern=r"^(\d{1,18}(\.\d{1,18})?)?$")
    address: str = TEXT
    citizen_name: str = TEXT
    phone: str = TEXT
    phone2: str = TEXT
    subject_name: str = TEXT
    subject_uscc: str = TEXT
    id_number: str = TEXT
    wants_reply: bool = False
    wants_public: bool = False
    appeal_of: str = TEXT


class RecordFields(DraftFields):
    """… ended as a numbered record."""

    code: str = Field("", max_length=40)
    note: str = TEXT


class OnTicketFields(DraftFields):
    """… ended as an urge of, or an addition to, another ticket."""

    ticket_id: int = Field(gt=0, lt=2**63)
    note: str = TEXT


class HandOverFields(DraftFields):
    """… passed to a colleague."""

    to_user_id: int | None = Field(None, gt=0, lt=2**63)


_OURS = frozenset({"version", "area_id", "code", "note", "ticket_id", "to_user_id"})

LABELS = {
    "type": "类型",
    "urgency": "紧急",
    "confidentiality": "保密",
    "channel": "来源",
    "category_id": "分类",
    "title": "标题",
    "narrative": "内容",
    "expected": "诉求点",
    "occurred_at": "发生时间",
    "area_id": "区县 / 街道",
    "address": "详细地址",
    "citizen_name": "姓名",
    "phone": "联系电话",
    "phone2": "备用电话",
    "subject_name": "被反映对象",
    "subject_uscc": "统一社会信用代码",
    "id_number": "公民身份号码",
    "wants_reply": "需要回复",
    "wants_public": "同意公开",
    "appeal_of": "原工单号",
}


def to_form(fields: DraftFields) -> dict[str, Any]:
    """The ticket room's form: `area_id` is `district` or `district.street`; empty fields left out."""
    form = {key: value for key, value in fields.model_dump().items() if key not in _OURS and value != ""}
    if fields.area_id:
        district, _, street = fields.area_id.partition(".")
        form["district_id"] = district
        if street:
            form["street_id"] = street
    return form


DEFAULTS = {"type": "help", "urgency": "normal", "confidentiality": "public", "channel": "phone"}


def to_fields(form: Mapping[str, Any]) -> dict[str, Any]:
    """The values the template shows for a stored form; an empty form gets the usual choices."""
    shown: dict[str, Any] = {name: str(form.get(name) or "") for name in LABELS}
    for name, usual in DEFAULTS.items():
        shown[name] = shown[name] or usual
    shown["area_id"] = ".".join(str(form[key]) for key in ("district_id", "street_id") if form.get(key))
    shown["occurred_at"] = _local(str(form.get("occurred_at") or ""))
    shown["wants_reply"] = bool(form.get("wants_reply", True))
    shown["wants_public"] = bool(form.get("wants_public", False))
    return shown


def _local(text: str) -> str:
    """What a datetime-local field takes; an instant with a zone is shown in the city's time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return ""
    if found.tzinfo is not None:
        found = found.astimezone(UTC).astimezone(CITY_ZONE)
    return found.strftime("%Y-%m-%dT%H:%M")


_FIELD_SENTENCES = {
    "required": "请填写。",
    "too_long": "内容过长，请精简。",
    "unknown_choice": "请从列表中选择。",
    "bad_phone": "号码不正确，请核对（手机 11 位，固定电话带区号）。",
    "bad_id_number": "公民身份号码不正确，请核对。",
    "bad_uscc": "统一社会信用代码不正确，请核对。",
    "bad_time": "时间不正确。",
    "in_future": "发生时间不能晚于现在。",
    "bad_value": "内容不正确，请核对。",
    "unknown_ticket": "没有这个工单号，请核对（18 位数字）。",
}
_REQUIRED = {
    "category_id": "请选择分类。",
    "appeal_of": "申诉要连到原工单：在“最近五件”里按“申诉”，或填写工单号。",
    "title": "请填写标题（至少两个字）。",
    "narrative": "请填写内容（至少两个字）。",
    "phone": "没有来电号码，请填写联系电话；来电人要求匿名时，保密请选“匿名”。",
}
_SINGLE: dict[str, tuple[str, str]] = {
    "category_unknown": ("category_id", "该分类已停用，请另选。"),
    "place_unknown": ("area_id", "区县或街道不正确，请重新选择。"),
    "note_required": ("note", "请填写说明。"),
    "note_too_long": ("note", "说明过长，请精简。"),
    "unknown_disposition": ("code", "请选择结果。"),
    "user_cannot_take": ("to_user_id", "该同事不能接收草稿，请另选。"),
    "form_too_large": ("narrative", "登记内容过长，请精简。"),
}
_PLACES = {"district_id": "area_id", "street_id": "area_id"}


def field_errors(error: HotlineError) -> dict[str, str] | None:
    """A sentence per field of the form on screen; None when the error is not about fields."""
    if error.code in _SINGLE:
        name, sentence = _SINGLE[error.code]
        return {name: sentence}
    if error.code != "form_invalid":
        return None
    found: dict[str, str] = {}
    for name, code in dict(error.params.get("fields", {})).items():
        sentence = _FIELD_SENTENCES.get(str(code), _FIELD_SENTENCES["bad_value"])
        if code == "required":
            sentence = _REQUIRED.get(str(name), sentence)
        found[_PLACES.get(str(name), str(name))] = sentence
    return found
