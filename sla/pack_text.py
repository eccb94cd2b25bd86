"""The figures of a policy pack changed in its TOML text; what is not named stays as it is. Pure."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

Values = dict[str, Any]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def with_values(text: str, changes: Mapping[tuple[str, ...], Any]) -> str:
    """The text with other values at these keys; None takes one away. Comments are not kept."""
    values = tomllib.loads(text)
    for path, value in changes.items():
        _put(values, path, value)
    return write_toml(values)


def _put(values: Values, path: tuple[str, ...], value: Any) -> None:
    """What has become empty goes with its last value."""
    name, rest = path[0], path[1:]
    if not rest and value is None:
        values.pop(name, None)
    elif not rest:
        values[name] = value
    else:
        inner = values.get(name, {})
        _put(inner, rest, value)
        if inner:
            values[name] = inner
        else:
            values.pop(name, None)


def write_toml(values: Values) -> str:
    """A TOML text of what a policy pack holds: texts, numbers, dates, lists of texts, tables."""
    lines = [f"{_key(name)} = {_value(found)}" for name, found in values.items() if not _is_table(found)]
    for name, found in values.items():
        if _is_table(found):
            lines += _table(_key(name), found)
    return "\n".join(lines) + "\n"


def _table(name: str, values: Values) -> Iterable[str]:
    """A table with a line per key; tables of the third level of their own, such as a category's."""
    deep = {key: found for key, found in values.items() if _holds_tables(found)}
    flat = {key: found for key, found in values.items() if key not in deep}
    if flat or not deep:
        yield from ("", f"[{name}]", *(f"{_key(key)} = {_value(found)}" for key, found in flat.items()))
    for key, found in deep.items():
        lines = (f"{_key(inner)} = {_value(told)}" for inner, told in found.items())
        yield from ("", f"[{name}.{_key(key)}]", *lines)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _holds_tables(value: Any) -> bool:
    return _is_table(value) and any(_is_table(inner) for inner in value.values())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if _is_table(value):
        return f"{{ {', '.join(f'{_key(key)} = {_value(found)}' for key, found in value.items())} }}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    """A basic string."""
    return '"' + "".join(_character(one) for one in text) + '"'


def _character(one: str) -> str:
    return _ESCAPED.get(one, one if " " <= one != "\x7f" else f"\\u{ord(one):04x}")
