"""What the Integration API takes and gives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tickets.exchange import files, reading
from tickets.exchange.numbers import OuterNumber
from tickets.points.datum import Datum, as_wgs84
from tickets.terms import Confidentiality, TicketType
from web.inputs import Fields
from web.words import TICKET_WORDS

Code = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9._-]*$")]
Cursor = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_-]*$")]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Outer = Annotated[str, Field(max_length=60, description="对方系统的编号")]


class TicketIn(Fields):
    """一件诉求。没有选择的类型、标题和分类由系统根据内容补上，并注明不是人选的。"""

    narrative: str = Field(min_length=2, max_length=8000, description="诉求内容")
    type: TicketType | None = None
    title: str | None = Field(None, max_length=120)
    expected: str = Field("", max_length=2000, description="希望怎样解决")
    address: str = Field("", max_length=200)
    latitude: Latitude | None = Field(None, description="与 longitude 同时填写")
    longitude: Longitude | None = None
    datum: Datum = Field(Datum.WGS84, description="坐标系；微信等国内地图给出的是 gcj02")
    category_code: Code = ""
    district_code: Code = ""
    street_code: Code = ""
    occurred_at: datetime | None = None
    name: str = Field("", max_length=60)
    phone: str | None = Field(None, max_length=40, description="除匿名外必填")
    confidentiality: Confidentiality = Confidentiality.NORMAL
    wants_reply: bool = True
    wants_public: bool = False
    outer_number: Outer | None = None


class TicketMade(BaseModel):
    """编号和查询码；市民凭这两项查询。`again`：此前已用同一键提交。"""

    number: str
    query_code: str
    again: bool


class TicketsQuery(Fields):
    own: bool = Field(False, description="只看本系统提交或承接的")
    open: bool = Field(False, description="只看未办结的")
    outer_number: Outer = ""
    created_from: date | None = None
    created_to: date | None = None
    cursor: Cursor = ""
    limit: int = Field(25, ge=1, le=100)


class TicketLine(BaseModel):
    """列表中的一件工单。"""

    number: str
    outer_number: str | None
    version: int
    type: str
    urgency: str
    channel: str
    state: str
    state_name: str
    title: str
    category: str
    district: str | None
    lead_unit: str | None
    created_at: datetime
    dispatched_at: datetime | None
    due_at: datetime | None

    @staticmethod
    def of(line: reading.Line) -> TicketLine:
        return TicketLine(**vars(line), state_name=TICKET_WORDS["state"](line.state))


class TicketPage(BaseModel):
    """一页工单；`next_cursor` 为空表示没有下一页。"""

    items: list[TicketLine]
    next_cursor: str | None


class NumberOut(BaseModel):
    """某系统对这件工单的编号；came：由其转来，went：由其承接。"""

    system: str
    name: str
    number: str | None
    way: Literal["came", "went"]

    @staticmethod
    def of(found: OuterNumber) -> NumberOut:
        return NumberOut.model_validate(vars(found))


class StepOut(BaseModel):
    """办理过程中的一步。"""

    at: datetime
    action: str
    words: str
    text: str


class TicketOut(BaseModel):
    """一件工单，不含个人信息。"""

    number: str
    version: int
    outer_numbers: list[NumberOut]
    type: str
    urgency: str
    channel: str
    confidentiality: str
    state: str
    state_name: str
    words: str
    is_open: bool
    title: str
    narrative: str
    expected: str
    address: str
    latitude: float | None = Field(description="WGS-84；没有坐标或不得查看时为空")
    longitude: float | None
    given_datum: Datum | None = Field(description="提交时的坐标系；gcj02 是换算过来的")
    category_code: str
    category: str
    district_code: str | None
    street_code: str | None
    lead_unit_code: str | None
    lead_unit: str
    occurred_at: datetime | None
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    reply: str
    replied_at: datetime | None
    steps: list[StepOut]

    @staticmethod
    def of(found: reading.Whole) -> TicketOut:
        view = found.view
        names = ("version", "urgency", "channel", "confidentiality", "title", "narrative", "expected")
        point = None if found.point is None else as_wgs84(found.point)
        more = ("address", "category_code", "district_code", "street_code", "lead_unit_code", "occurred_at")
        return TicketOut(
            **{name: getattr(found, name) for name in (*names, *more, "closed_at")},
            **{name: getattr(view, name) for name in ("number", "type", "state", "words", "is_open")},
            **{name: getattr(view, name) for name in ("created_at", "updated_at", "reply", "replied_at")},
            state_name=TICKET_WORDS["state"](view.state),
            latitude=None if point is None else point.latitude,
            longitude=None if point is None else point.longitude,
            given_datum=None if found.point is None else found.point.datum,
            category=view.category,
            lead_unit=view.unit,
            due_at=view.promised,
            outer_numbers=[NumberOut.of(number) for number in found.outer_numbers],
            steps=[StepOut(**vars(step)) for step in view.steps],
        )


class ActIn(Fields):
    """代市民做的一件事；评价（rate）需要三个问题的回答，其余需要说明（催办可以不写）。"""

    act: Literal["supplement", "add", "urge", "withdraw", "object", "rate"]
    text: str = Field("", max_length=2000)
    responded: bool | None = None
    solved: bool | None = None
    satisfied: int | None = Field(None, ge=1, le=5)


class ActionIn(Fields):
    """承办单位做的一件事。`data` 的内容随动作而定，见 docs/integration.md。"""

    action: Literal["sign", "contact", "close", "return", "note", "report_back", "co_opinion", "ask_relay"]
    version: int = Field(ge=1, lt=2**31, description="看到的版本")
    data: dict[str, Any] = Field(default_factory=dict)


class PointBackIn(Fields):
    """撤回坐标的原因，会保留在工单里。"""

    reason: str = Field(min_length=1, max_length=200)


class OuterIn(Fields):
    """本系统对这件工单的编号。"""

    number: Outer = Field(min_length=1)


class Done(BaseModel):
    """做完之后的工单。`number` 在申诉时是新工单的编号。"""

    number: str
    version: int
    state: str
    state_name: str


class FileMade(BaseModel):
    """收下的附件；同一文件再次提交得到同一编号。"""

    id: int


class FileLine(BaseModel):
    """一个附件。`own`：由本系统提交。图片经过重新生成，`size` 和 `sha256` 是保存后的文件的。"""

    id: int
    name: str
    kind: str
    media_type: str
    size: int
    sha256: str
    own: bool
    uploaded_at: datetime

    @staticmethod
    def of(found: files.FileOf) -> FileLine:
        names = ("id", "name", "size", "sha256", "own", "uploaded_at")
        plain = {name: getattr(found, name) for name in names}
        return FileLine(**plain, kind=found.kind.code, media_type=found.kind.mime)


class FileList(BaseModel):
    """一件工单的附件，先收到的在前。"""

    items: list[FileLine]


class CategoryOut(BaseModel):
    """一项可以选择的分类。"""

    code: str
    name: str
    full_name: str


class CategoryList(BaseModel):
    """全部可以选择的分类。"""

    items: list[CategoryOut]


class UnitOut(BaseModel):
    """一个单位。"""

    code: str
    name: str
    kind: str
    parent_code: str | None


class UnitList(BaseModel):
    """全部单位，上级在前。"""

    items: list[UnitOut]


class WebhookIn(Fields):
    """订阅：地址必须是 https，不能指向内网。"""

    url: str = Field(min_length=8, max_length=500)
    events: list[Literal["created", "dispatched", "changed", "closed", "emergency"]] = Field(
        min_length=1, max_length=5
    )


class WebhookOut(BaseModel):
    """一项订阅。"""

    id: int
    url: str
    events: list[str]
    created_at: datetime
    revoked: bool


class WebhookMade(BaseModel):
    """新的订阅。`secret` 用于核对签名，只显示这一次。"""

    id: int
    secret: str


class WebhookList(BaseModel):
    """本系统的订阅。"""

    items: list[WebhookOut]


class PageQuery(Fields):
    cursor: int | None = Field(None, ge=1, lt=2**62)
    limit: int = Field(25, ge=1, le=100)


class DeliveryOut(BaseModel):
    """一次通知；`delivered_at` 为空表示还没有送达。"""

    id: int
    event: str
    number: str
    created_at: datetime
    tries: int
    last_error: str | None
    delivered_at: datetime | None


class DeliveryPage(BaseModel):
    """一页通知，新的在前。"""

    items: list[DeliveryOut]
    next_cursor: int | None


class Replayed(BaseModel):
    """重新排入发送的通知。"""

    id: int
