"""Where settings are said: config.toml, config.local.toml, the environment; what has no place is refused."""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from core.errors import HotlineError

ROOT = Path(__file__).resolve().parent.parent
ENV_PREFIX = "HOTLINE_"
# Environment names that are not settings: they say where optional samples and wheels lie.
RESERVED_ENV = {"HOTLINE_CONFIG", "HOTLINE_RECORDINGS", "HOTLINE_TEXTS", "HOTLINE_WHEELS"}
RESERVED_ENV |= {"HOTLINE_REQUIRE", "HOTLINE_CACHE"}
RESERVED_PREFIXES = ("HOTLINE_TEST_", "HOTLINE_ASTERISK_")


def layers(path: Path | None = None, environ: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """What each place says, later ones winning: `config.toml`, `config.local.toml`, `environment`.

    Raises HotlineError `config_unreadable`, `config_secret_in_file`.
    """
    env = os.environ if environ is None else environ
    file = path or Path(env.get("HOTLINE_CONFIG", ROOT / "config.toml"))
    data = _read_toml(file)
    if "secrets" in data:
        raise HotlineError("config_secret_in_file", file=file.name)
    local = _read_toml(file.with_name("config.local.toml"), optional=True)
    return {"config.toml": data, "config.local.toml": local, "environment": _from_environment(env)}


def _read_toml(file: Path, *, optional: bool = False) -> dict[str, Any]:
    if optional and not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise HotlineError("config_unreadable", file=str(file), reason=str(error)) from None


def merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    """Lay `over` over `base`, table by table."""
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in env.items():
        if not name.startswith(ENV_PREFIX) or name in RESERVED_ENV or name.startswith(RESERVED_PREFIXES):
            continue
        *parents, leaf = name[len(ENV_PREFIX) :].lower().split("__")
        place = found
        for part in parents:
            place = place.setdefault(part, {})
        place[leaf] = _env_value(text)
    return found


def _env_value(text: str) -> Any:
    """Lists and tables are written as JSON; anything else is text that pydantic converts."""
    if text[:1] in "[{":
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def refuse_unknown(data: Mapping[str, Any], model: type[BaseModel], prefix: str) -> None:
    """Refuse a name that `model` does not know. Raises HotlineError `config_unknown` with the nearest one."""
    for key, value in data.items():
        field = model.model_fields.get(key)
        if field is None:
            near = difflib.get_close_matches(key, list(model.model_fields), n=1, cutoff=0.5)
            raise HotlineError(
                "config_unknown", name=prefix + key, nearest=prefix + near[0] if near else None
            )
        inner = _section_of(field.annotation)
        if inner is None:
            continue
        for table in value if isinstance(value, list) else [value]:
            if isinstance(table, Mapping):
                refuse_unknown(table, inner, f"{prefix}{key}.")


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """The section behind a field: itself, or what its tuple holds."""
    inner = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None
