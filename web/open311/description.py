"""This city's GeoReport v2 in OpenAPI 3.1, from the shapes `items.py` makes."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
INSTANT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
NOTHING: Schema = {"type": "null"}
FLAG: Schema = {"type": "boolean"}
DEGREES: Schema = {"type": ["number", "null"]}
STATUS: Schema = {"type": "string", "enum": ["open", "closed"]}


def _object(needed: Schema, more: Schema | None = None) -> Schema:
    properties = {**needed, **(more or {})}
    return {"type": "object", "properties": properties, "required": list(needed)}


def _list(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


SCHEMAS: dict[str, Schema] = {
    "Error": _object({"code": {"type": "integer"}, "description": TEXT}),
    "Service": _object(
        {
            **dict.fromkeys(("service_code", "service_name", "description", "keywords", "group"), TEXT),
            "metadata": {"type": "boolean"},
            "type": {"type": "string", "enum": ["realtime", "batch", "blackbox"]},
        }
    ),
    "Definition": _object(
        {
            "service_code": TEXT,
            "attributes": {
                "type": "array",
                "items": _object(
                    {
                        **dict.fromkeys(("code", "datatype", "datatype_description", "description"), TEXT),
                        **dict.fromkeys(("variable", "required"), FLAG),
                        "order": {"type": "integer"},
                        "values": {"type": "array", "items": _object({"key": TEXT, "name": TEXT})},
                    }
                ),
            },
        }
    ),
    "Request": _object(
        {
            "service_request_id": TEXT,
            "status": STATUS,
            **dict.fromkeys(("status_notes", "service_name", "service_code", "description"), TEXT),
            **dict.fromkeys(("agency_responsible", "service_notice", "address", "media_url"), TEXT),
            **dict.fromkeys(("address_id", "zipcode"), TEXT),
            **dict.fromkeys(("requested_datetime", "updated_datetime"), INSTANT),
            "expected_datetime": {"anyOf": [INSTANT, NOTHING]},
            **dict.fromkeys(("lat", "long"), DEGREES),
        }
    ),
    "Made": _object(dict.fromkeys(("service_request_id", "service_notice", "account_id"), TEXT)),
    "Token": _object(dict.fromkeys(("service_request_id", "token"), TEXT)),
    "Update": _object(
        {
            **dict.fromkeys(("update_id", "service_request_id", "description", "media_url"), TEXT),
            "status": STATUS,
            "updated_datetime": INSTANT,
        }
    ),
}


def _parameter(name: str, schema: Schema, words: str = "", *, place: str = "query") -> Schema:
    found: Schema = {"name": name, "in": place, "required": place == "path", "schema": schema}
    return found | ({"description": words} if words else {})


FORMAT = _parameter("format", {"type": "string", "enum": ["json", "xml"]}, place="path")
JURISDICTION = _parameter("jurisdiction_id", {"type": "string", "maxLength": 100}, "本接口只有一个辖区")
DATES = [
    _parameter("start_date", {**TEXT, "format": "date-time"}, "与 end_date 相距不超过 90 天"),
    _parameter("end_date", {**TEXT, "format": "date-time"}),
]
IDS = _parameter("service_request_id", {**TEXT, "maxLength": 200}, "可多个，用逗号分隔")


def _page(default: int, most: int) -> Schema:
    return _parameter("page_size", {"type": "integer", "minimum": 1, "maximum": most, "default": default})


def _answers(schema: Schema, *more: str) -> Schema:
    errors = {"400": "请求有误", "404": "没有", "413": "过大", "429": "过于频繁", "503": "暂时不能服务"}
    errors |= {"403": "令牌无效或没有权限"} if "403" in more else {}

    def content(of: Schema) -> Schema:
        return {"application/json": {"schema": of}, "text/xml": {"schema": {}}}

    found = {"200": {"description": "成功", "content": content(schema)}}
    failed = content(_list("Error"))
    return found | {code: {"description": word, "content": failed} for code, word in errors.items()}


def _reading(summary: str, schema: Schema, *parameters: Schema) -> Schema:
    operation = {
        "summary": summary,
        "security": [],
        "parameters": [FORMAT, JURISDICTION, *parameters],
        "responses": _answers(schema),
    }
    return {"get": operation}


def _posting() -> Schema:
    names = ("service_code", "address_string", "address_id", "description", "phone", "first_name")
    more = ("last_name", "email", "device_id", "account_id", "media_url", "api_key", "jurisdiction_id")
    fields: Schema = dict.fromkeys((*names, *more), TEXT)
    fields |= {"lat": {"type": "number", "minimum": -90, "maximum": 90}}
    fields |= {"long": {"type": "number", "minimum": -180, "maximum": 180}}
    fields |= {
        f"attribute[{name}]": TEXT for name in ("expected", "occurred_at", "confidentiality", "wants_reply")
    }
    needed = ["service_code", "description", "phone"]
    schema = {"type": "object", "properties": fields, "required": needed, "additionalProperties": False}
    return {
        "summary": "提交诉求",
        "description": "地址或坐标（lat 和 long）至少填一项；图片以 media 上传。",
        "parameters": [
            FORMAT,
            _parameter("Idempotency-Key", {"type": "string", "pattern": "^[!-~]{8,80}$"}, place="header"),
        ],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": schema}},
        },
        "responses": _answers(_list("Made"), "403"),
    }


def description(city: str) -> Schema:
    """The whole description."""
    code = _parameter("service_code", TEXT, place="path")
    number = _parameter("request_id", TEXT, place="path")
    token = _parameter("token", TEXT, place="path")
    wanted = _parameter("service_code", {**TEXT, "maxLength": 200}, "可多个，用逗号分隔")
    status = _parameter("status", {**TEXT, "pattern": "^(open|closed)(,(open|closed))*$"})
    mark = _parameter("after", TEXT, "上一页 Link 中的标记")
    last = _parameter("after", {"type": "integer", "minimum": 0}, "上一页最后一条的 update_id")
    requests = _reading("诉求列表", _list("Request"), IDS, wanted, *DATES, status, _page(50, 200), mark)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{city}12345 Open311（GeoReport v2）", "version": "2"},
        "servers": [{"url": "/open311/v2"}],
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"api_key": {"type": "apiKey", "in": "query", "name": "api_key"}},
        },
        "security": [{"api_key": []}],
        "paths": {
            "/services.{format}": _reading("可反映的事项", _list("Service")),
            "/services/{service_code}.{format}": _reading(
                "事项的补充项目", {"$ref": "#/components/schemas/Definition"}, code
            ),
            "/requests.{format}": {**requests, "post": _posting()},
            "/requests/{request_id}.{format}": _reading("一件诉求", _list("Request"), number),
            "/tokens/{token}.{format}": _reading("令牌对应的编号", _list("Token"), token),
            "/servicerequestupdates.{format}": _reading(
                "办理进展", _list("Update"), IDS, *DATES, _page(200, 500), last
            ),
        },
    }
