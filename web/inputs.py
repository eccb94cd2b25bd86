"""Forms and queries become typed values here; a key nobody asked for is refused.

Views declare what they accept as a `Fields` class. A form that carries more than that (mass
assignment) and a filter or sort key that does not exist are answered with 400, never ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import HotlineError
from web.routes import rule_of

MAX_FIELDS = 200
# One of several ids in a form: what no row can have is refused before the database is asked.
Ident = Annotated[int, Field(gt=0, lt=2**63)]
# What the reader of a body raises when it is no proper one: a broken or endless multipart, a header
# without measure, an unknown charset.
MALFORMED = (ValueError, LookupError, EOFError, AssertionError, RuntimeError, HttpProcessingError)


class Fields(BaseModel):
    """Base of everything a client may send; text is stripped of blanks at both ends."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


F = TypeVar("F", bound=Fields)


def _texts(items: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """The pairs, none of them a file or a text that no database takes."""
    for key, value in items:
        if not isinstance(value, str) or "\x00" in value:
            raise HotlineError("bad_request", field=key[:40])
        yield key, value


def _pairs(items: Iterable[tuple[str, str]], model: type[Fields]) -> dict[str, Any]:
    """Collect repeated keys into lists where the model wants lists; refuse repetition elsewhere."""
    found: dict[str, Any] = {}
    for key, value in items:
        if _is_list(model, key):
            found.setdefault(key, []).append(value)
        elif key in found:
            raise HotlineError("bad_request", field=key[:40])
        else:
            found[key] = value
    return found


def _is_list(model: type[Fields], key: str) -> bool:
    field = model.model_fields.get(key)
    origin = getattr(field.annotation, "__origin__", None) if field else None
    return origin in (list, tuple)


def _check(model: type[F], data: dict[str, Any]) -> F:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        unknown = any(item["type"] == "extra_forbidden" for item in error.errors())
        names = sorted({str(item["loc"][0])[:40] for item in error.errors() if item["loc"]})
        raise HotlineError("unknown_field" if unknown else "bad_request", fields=names) from None


async def _check_length(request: web.Request) -> None:
    body = await request.read()
    rule = rule_of(request)
    if rule is not None and len(body) > rule.max_body:
        raise HotlineError("too_large")


async def read_items(request: web.Request, most: int = MAX_FIELDS) -> list[tuple[str, str]]:
    """Every posted pair, at most `most`. Raises HotlineError `too_large`, `bad_request`."""
    await _check_length(request)
    try:
        posted = await request.post()
    except MALFORMED:
        raise HotlineError("bad_request") from None
    if len(posted) > most:
        raise HotlineError("too_large")
    return list(_texts(posted.items()))


async def read_form(request: web.Request, model: type[F], *, most: int = MAX_FIELDS) -> F:
    """The posted form, of at most `most` fields, as `model`.

    Raises HotlineError `too_large`, `unknown_field`, `bad_request`.
    """
    return _check(model, _pairs(await read_items(request, most), model))


async def read_json(request: web.Request, model: type[F]) -> F:
    """The posted JSON object as `model`; the same refusals as `read_form`."""
    await _check_length(request)
    try:
        data = await request.json()
    except ValueError:
        raise HotlineError("bad_request") from None
    if not isinstance(data, dict):
        raise HotlineError("bad_request")
    return _check(model, data)


def read_query(request: web.Request, model: type[F]) -> F:
    """The query string as `model`; empty values count as not given."""
    given = ((key, value) for key, value in request.query.items() if value != "")
    names = {field.alias or name for name, field in model.model_fields.items()}
    unknown = {key for key in request.query if key not in names}
    if unknown:
        raise HotlineError("unknown_field", fields=sorted(key[:40] for key in unknown))
    return _check(model, _pairs(_texts(given), model))


def path_id(request: web.Request, name: str) -> int:
    """A positive id from the path; anything else does not exist. Raises HotlineError `not_found`."""
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text)):
        raise HotlineError("not_found")
    return int(text)
