"""Sections about one machine: its node, database, doors, logs, and what the parts of a node agree on."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.settings.section import Section


class Paths(Section):
    var: Path = Path("var")


class NodeSettings(Section):
    name: str = ""
    roles: tuple[Literal["web", "telephony", "scheduler"], ...] = ("web", "telephony", "scheduler")


class Http(Section):
    host: str = "127.0.0.1"
    port: int = Field(8012, ge=0, le=65535)
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    metrics_token: str = ""


class DatabaseSettings(Section):
    url: str = ""
    pool_size: int = Field(10, ge=1, le=200)
    statement_cache: int = Field(200, ge=0)


class Live(Section):
    heartbeat_seconds: float = Field(15.0, gt=0)
    catch_up_limit: int = Field(500, ge=1)
    poll_milliseconds: int = Field(50, ge=5)


class Outbox(Section):
    poll_seconds: float = Field(1.0, gt=0)
    max_attempts: int = Field(12, ge=1)
    backoff_seconds: float = Field(2.0, gt=0)
    backoff_max_seconds: float = Field(3600.0, gt=0)


class Leadership(Section):
    heartbeat_seconds: float = Field(1.0, gt=0)
    lease_seconds: float = Field(3.0, gt=0)
    self_fence_seconds: float = Field(2.0, gt=0)


class Log(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    file: str = ""
