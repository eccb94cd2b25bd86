"""Logs as JSON lines with request and call ids, and no personal data.

Messages are fixed sentences; what varies goes into `extra`. As a last line of defence runs of
seven and more digits are masked, because that is what phones and ID numbers look like.
"""

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.settings import Settings

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
call_id: ContextVar[str | None] = ContextVar("call_id", default=None)
source_ip: ContextVar[str | None] = ContextVar("source_ip", default=None)

LONG_DIGITS = re.compile(
    r"(?<![A-Za-z0-9_.-])(\+?\d{3})\d{4,}"
)  # not \w: Chinese letters are word characters
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
PLAIN = {"at", "level", "logger", "request_id", "call_id"}  # never personal, and useless when masked
STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def mask_digits(value: str) -> str:
    """Keep the first three digits of every run of seven or more."""
    return LONG_DIGITS.sub(r"\1****", value)


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def __init__(self, *, mask: bool = True) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, var in (("request_id", request_id), ("call_id", call_id)):
            if (value := var.get()) is not None:
                line[name] = value
        line.update({k: v for k, v in vars(record).items() if k not in STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if self._mask:
            line = {
                k: mask_digits(v) if isinstance(v, str) and k not in PLAIN else v for k, v in line.items()
            }
        return _encode(line)


def configure_logging(settings: Settings) -> None:
    """Send the root logger's lines to the configured file or to standard error."""
    handler: logging.Handler
    if settings.log.file:
        handler = logging.FileHandler(Path(settings.log.file), encoding="utf-8")
    else:
        handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(mask=settings.privacy.mask_logs))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log.level)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("asterisk").setLevel(logging.WARNING)
