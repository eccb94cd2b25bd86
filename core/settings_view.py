"""The settings as they are in force: each with its value, its default and the place it comes from.

The value is the one the node was started with. A place that says something else by now is named too:
it counts after the next start. Secrets are never shown, not even their length.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from core.errors import HotlineError
from core.settings import ROOT, Settings
from core.settings_files import layers

HIDDEN = re.compile(r"(secret|password|token|_key$|_keys$)", re.IGNORECASE)
ADDRESS = re.compile(r"://([^/@\s]*)@")
QUERY = re.compile(r"(://[^\s?\"]*)\?[^\s\"]*")  # gateways take keys in the address


@dataclass(frozen=True)
class Line:
    """One setting. `origin` is default, config.toml, config.local.toml or environment."""

    name: str
    value: str
    default: str
    origin: str
    meaning: str
    secret: bool
    stale: bool  # the files or the environment say something else since the start

    @property
    def section(self) -> str:
        """The table of config.toml, empty for the top."""
        return self.name.rpartition(".")[0].split(".")[0]


def in_force(settings: Settings) -> list[Line]:
    """Every setting of the node, in the order of config.toml."""
    try:
        places = layers()
        present: Settings | None = Settings.model_validate(_merged(places))
    except (HotlineError, ValueError):  # somebody is editing the file at this moment
        places, present = {}, None
    meanings, default = _comments(), Settings()
    found = []
    for name, value in _walk(settings):
        secret = name.startswith("secrets.") or bool(HIDDEN.search(name.rpartition(".")[2]))
        now = _get(present, name) if present is not None else value
        found.append(
            Line(
                name,
                _shown(value, secret=secret),
                _shown(_get(default, name), secret=secret),
                _origin(places, name, same=value == _get(default, name)),
                meanings.get(name, ""),
                secret,
                now != value,
            )
        )
    return found


def _merged(places: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in places.values():
        _lay(merged, layer)
    return merged


def _lay(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _lay(base[key], value)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def _walk(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _walk(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _get(model: BaseModel, name: str) -> Any:
    value: Any = model
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _origin(places: Mapping[str, Mapping[str, Any]], name: str, *, same: bool) -> str:
    """The last place that names the setting; the shipped config.toml repeats every default."""
    found = "default"
    for place, layer in places.items():
        value: Any = layer
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            found = place
    return "default" if same and found == "config.toml" else found


def _shown(value: Any, *, secret: bool) -> str:
    if secret or isinstance(value, SecretStr):
        return "已设置" if value else "未设置"
    if isinstance(value, tuple) and any(isinstance(one, BaseModel) for one in value):
        value = [_public(one) for one in value]
    if isinstance(value, str):
        return _without_keys(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple | dict):
        return _without_keys(json.dumps(value, ensure_ascii=False, default=str))
    return str(value)


def _without_keys(text: str) -> str:
    """Addresses without the person and the key that may stand in them."""
    return QUERY.sub(r"\1?***", ADDRESS.sub("://***@", text))


def _public(one: BaseModel) -> dict[str, Any]:
    return {key: value for key, value in one.model_dump(mode="json").items() if not HIDDEN.search(key)}


def _comments() -> dict[str, str]:
    """Name → the comment on its line of the shipped config.toml."""
    found: dict[str, str] = {}
    table = ""
    for line in (ROOT / "config.toml").read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\[([\w.]+)\]", line.strip()):
            table = match[1] + "."
        elif match := re.match(r"(\w+) = .*?#\s+(.*)$", line):
            found[table + match[1]] = match[2]
    return found
