"""`doctor`: looks at the machine and the installation, says what is wrong and what helps.

It changes nothing. A check is a name and a coroutine; checks of the rooms above (the PBX) are passed
in by the command line, so that the kernel need not know them.
"""

import asyncio
import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Literal

from core import migrate
from core.clock import CITY_ZONE
from core.errors import HotlineError
from core.settings import DEVELOPMENT_SECRET, ROOT, Settings
from core.startup import check_database, check_port, check_var, connect, explain

Level = Literal["ok", "warn", "fail"]
CHECK_SECONDS = 15
LITTLE_DISK = 2 * 1024**3  # bytes; a day of a city's recordings is more
NO_DISK = 200 * 1024**2
SKEW_WARN, SKEW_FAIL = 1.0, 5.0  # seconds between this machine's clock and the database's


@dataclass(frozen=True)
class Finding:
    """One line of the report; `help` is empty when all is well."""

    name: str
    level: Level
    text: str
    help: str = ""


@dataclass(frozen=True)
class Check:
    """A question to the machine."""

    name: str
    ask: Callable[[], Awaitable[tuple[Level, str, str]]]


async def examine(checks: Sequence[Check]) -> AsyncIterator[Finding]:
    """Ask one after the other; a check that fails in its own way is a finding, not an end."""
    for check in checks:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                level, text, help_ = await check.ask()
        except HotlineError as error:
            text, help_ = explain(error)
            level = "fail"
        except TimeoutError:
            level, text, help_ = "fail", f"no answer within {CHECK_SECONDS} s", "is it overloaded, or frozen?"
        yield Finding(check.name, level, text, help_ if level != "ok" else "")


def machine_checks(settings: Settings) -> list[Check]:
    """What can be asked without a database."""
    return [
        Check("Python", _python),
        Check("packages", _packages),
        Check("mode", lambda: _mode(settings)),
        Check("secrets", lambda: _secrets(settings)),
        Check("var folder", lambda: _var(settings)),
        Check("disk", lambda: _disk(settings)),
        Check("PBX files", lambda: _pbx_files(settings)),
        Check("port", lambda: _port(settings)),
        Check("time zone", _time_zone),
    ]


def database_checks(url: str) -> list[Check]:
    """What is asked of the database."""
    return [
        Check("database", lambda: _database(url)),
        Check("migrations", lambda: _migrations(url)),
        Check("clock", lambda: _skew(url)),
    ]


async def _python() -> tuple[Level, str, str]:
    text = f"{platform.python_version()} on {platform.platform(terse=True)}"
    return ("ok", text, "") if sys.version_info >= (3, 11) else ("fail", text, "install Python 3.11 or newer")


async def _packages() -> tuple[Level, str, str]:
    wrong = [
        name
        for name, versions in locked(ROOT / "requirements.lock").items()
        if _installed(name) not in versions
    ]
    if wrong:
        return "fail", f"not as locked: {', '.join(wrong[:5])}", "rm -rf .venv && python3 hotline.py doctor"
    return "ok", "all as in requirements.lock", ""


def locked(lock: Path) -> dict[str, set[str | None]]:
    """Package → versions the lock allows; None among them when only some machines need it."""
    found: dict[str, set[str | None]] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([^\s;]+)\s*(;)?", line):
            versions = found.setdefault(match[1], set())
            versions |= {match[2], None} if match[3] else {match[2]}
    return found


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


async def _mode(settings: Settings) -> tuple[Level, str, str]:
    if settings.mode == "production":
        return "ok", "production", ""
    help_ = 'set mode = "production" before people work with it (docs/operations.md)'
    return "warn", "development: demo accounts, default secrets allowed", help_


async def _secrets(settings: Settings) -> tuple[Level, str, str]:
    known = [*settings.secrets.master_keys.values(), settings.secrets.index_key]
    if DEVELOPMENT_SECRET in known:
        return (
            "warn",
            "default keys are in use",
            "openssl rand -base64 32, into [secrets] of config.local.toml",
        )
    local = ROOT / "config.local.toml"
    if local.exists() and local.stat().st_mode & 0o077:
        return "warn", "config.local.toml can be read by other users", "chmod 600 config.local.toml"
    return "ok", f"{len(settings.secrets.master_keys)} master key(s), index key", ""


async def _var(settings: Settings) -> tuple[Level, str, str]:
    check_var(settings)
    return "ok", str(settings.var), ""


async def _disk(settings: Settings) -> tuple[Level, str, str]:
    folder = next(path for path in (settings.var, *settings.var.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    level: Level = "fail" if free < NO_DISK else "warn" if free < LITTLE_DISK else "ok"
    return level, f"{free / 1024**3:.1f} GB free", f"make room on the disk of {folder}"


async def _pbx_files(settings: Settings) -> tuple[Level, str, str]:
    if not settings.telephony.pbx:
        return "ok", "no PBX configured; the simulator plays the calls", ""
    for pbx in settings.telephony.pbx:
        for setting in ("recordings", "voicemails", "queue_log"):
            path: Path | None = getattr(pbx, setting)
            if path and not os.access(path, os.R_OK):
                help_ = f"mount it read-only here, join the group that may read it, or correct {setting}"
                return "warn", f"{path} of {pbx.name} cannot be read", help_
        if pbx.recordings and not pbx.voicemails:
            help_ = "set voicemails in its [[telephony.pbx]]; messages are tickets that nobody can hear"
            return "warn", f"the folder of messages of {pbx.name} is not set", help_
    return "ok", f"{len(settings.telephony.pbx)} PBX configured, all their files readable", ""


async def _port(settings: Settings) -> tuple[Level, str, str]:
    where = f"{settings.http.host}:{settings.http.port}"
    try:
        check_port(settings)
    except HotlineError as error:
        if error.code == "port_used" and await asyncio.to_thread(_is_ours, settings):
            return "ok", f"a node of ours answers on {where}", ""
        raise
    return "ok", f"{where} is free", ""


def _is_ours(settings: Settings) -> bool:
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(settings.http.host, settings.http.port, timeout=3)
    try:
        connection.request("GET", "/healthz")
        return isinstance(json.loads(connection.getresponse().read(10_000)), dict)
    except (OSError, HTTPException, ValueError):
        return False
    finally:
        connection.close()


async def _time_zone() -> tuple[Level, str, str]:
    here = datetime.now(CITY_ZONE)  # the machine's own clock is the question here
    if not here.utcoffset():
        return "fail", "Asia/Shanghai is unknown to this Python", "rm -rf .venv && python3 hotline.py doctor"
    return "ok", f"in the city it is {here:%Y-%m-%d %H:%M}; the machine's zone is {time.tzname[0]}", ""


async def _database(url: str) -> tuple[Level, str, str]:
    return "ok", f"PostgreSQL {await check_database(url)}", ""


async def _migrations(url: str) -> tuple[Level, str, str]:
    found, wanted = await migrate.current(url), migrate.head()
    if found is None:
        return "warn", "the database is empty", "python3 hotline.py migrate (run does it as well)"
    if found not in migrate.revisions():
        raise HotlineError("database_newer", found=found, known=wanted)
    if found != wanted:
        raise HotlineError("database_behind", found=found, wanted=wanted)
    return "ok", f"revision {found}", ""


async def _skew(url: str) -> tuple[Level, str, str]:
    connection = await connect(url)
    try:
        asked = datetime.now(UTC)  # the machine's own clock is the question here
        theirs = await connection.fetchval("SELECT clock_timestamp()")
        answered = datetime.now(UTC)
    finally:
        await connection.close()
    middle = asked + (answered - asked) / 2
    skew = abs((theirs - middle).total_seconds())
    level: Level = "fail" if skew > SKEW_FAIL else "warn" if skew > SKEW_WARN else "ok"
    return (
        level,
        f"{skew:.2f} s between this machine and the database",
        "set up time synchronisation (chrony)",
    )
