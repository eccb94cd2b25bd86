"""The description of the Integration API in OpenAPI 3.1, made from the declared operations and models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from core.people.machines import Scope
from web.api.contract import BASE, KEY, File, Operation
from web.api.problems import CONTENT_TYPE

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/{model}"
# What any operation may answer when it cannot do what was asked.
REFUSALS = (400, 401, 403, 404, 409, 413, 422, 429, 503)
PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457；code 供程序判断，fields 指出有问题的字段。",
    "properties": {
        **dict.fromkeys(("type", "title", "detail", "instance", "code"), {"type": "string"}),  # noqa: RUF024 - never changed
        "status": {"type": "integer"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["type", "title", "status", "detail", "instance", "code", "fields"],
}
BYTES: Schema = {"type": "string", "format": "binary"}
UPLOAD: Schema = {
    "type": "object",
    "properties": {"files": {**BYTES, "description": "图片、PDF、Word、Excel、文本、录音或视频，一次一个"}},
    "required": ["files"],
    "additionalProperties": False,
}
PLACES: dict[str, Schema] = {
    "number": {"type": "string", "pattern": "^[0-9]{18}$", "description": "工单编号"},
    "ident": {"type": "integer", "minimum": 1, "maximum": 2**62},
}


def description(city: str, operations: Iterable[Operation]) -> Schema:
    """The whole description."""
    found = list(operations)
    schemas = _schemas(found)
    paths: dict[str, Schema] = {}
    for one in found:
        paths.setdefault(re.sub(r":[^}]*}", "}", one.path), {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{city}12345 集成接口",
            "version": "1",
            "description": "供网上办事大厅、110、上下级平台等系统使用。令牌在“接入系统”中发放。",
        },
        "servers": [{"url": BASE}],
        "components": {
            "schemas": {**schemas, "Problem": PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
        "paths": paths,
    }


def _models(operations: Iterable[Operation]) -> list[tuple[type[BaseModel], Any]]:
    found: list[tuple[type[BaseModel], Any]] = []
    for one in operations:
        if one.answer is not File:
            found.append((one.answer, "serialization"))
        if one.body is not None:
            found.append((one.body, "validation"))
    return list(dict.fromkeys(found))


def _schemas(operations: Iterable[Operation]) -> Schema:
    _, made = models_json_schema(_models(operations), ref_template=REFERENCE)
    defined: Schema = made.get("$defs", {})
    return defined


def _operation(one: Operation) -> Schema:
    found: Schema = {
        "operationId": one.name,
        "summary": one.summary,
        "description": one.words,
        "x-scopes": [scope.value for scope in one.scopes],
        "parameters": [*_path(one), *_query(one), *_key(one)],
        "responses": _answers(one),
    }
    if one.body is not None:
        content = {"application/json": {"schema": _reference(one.body)}}
        found["requestBody"] = {"required": True, "content": content}
    if one.takes_file:
        found["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": UPLOAD}}}
    return found


def _reference(model: type[BaseModel]) -> Schema:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _path(one: Operation) -> list[Schema]:
    names = re.findall(r"{(\w+)[:}]", one.path)
    return [
        {"name": name, "in": "path", "required": True, "schema": PLACES.get(name, PLACES["ident"])}
        for name in names
    ]


def _query(one: Operation) -> list[Schema]:
    schema = one.query.model_json_schema(ref_template=REFERENCE)
    return [
        {"name": name, "in": "query", "required": False, "schema": _plain(part)}
        for name, part in schema.get("properties", {}).items()
    ]


def _plain(part: Schema) -> Schema:
    """Without null, which a query cannot carry."""
    if "anyOf" in part:
        kinds = [kind for kind in part["anyOf"] if kind.get("type") != "null"]
        rest = {key: value for key, value in part.items() if key not in ("anyOf", "default")}
        return {**kinds[0], **rest}
    return part


def _key(one: Operation) -> list[Schema]:
    if not one.keyed:
        return []
    words = "每件事一个，重试时不变；30 天内同一键只执行一次。"
    schema = {"type": "string", "pattern": f"^{KEY.pattern}$"}
    return [
        {"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema, "description": words}
    ]


def _answers(one: Operation) -> Schema:
    json = {"application/json": {"schema": _reference(one.answer)}}
    answer = {"application/octet-stream": {"schema": BYTES}} if one.answer is File else json
    done = {"description": "成功", "content": answer}
    refused = {CONTENT_TYPE: {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
    more = (410,) if one.answer is File else (415,) if one.takes_file else ()
    words = {status: HTTPStatus(status).phrase for status in (*REFUSALS, *more)}
    failed = {str(status): {"description": word, "content": refused} for status, word in words.items()}
    return {str(one.status): done, **failed}


SCOPES = tuple(Scope)
