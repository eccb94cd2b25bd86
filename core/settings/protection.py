"""Sections about people's accounts and persons' data: sessions, keys, how long something is kept."""

import re
from typing import Literal

from pydantic import Field, field_validator

from core.settings.section import Section

DEVELOPMENT_SECRET = "development-only-secret"  # noqa: S105 - refused outside development
DEMO_PASSWORD = "Guilin-12345"  # noqa: S105 - refused outside development


class Security(Section):
    session_idle_minutes: int = Field(30, ge=1)
    seat_idle_minutes: int = Field(240, ge=1)
    session_absolute_hours: int = Field(12, ge=1)
    post_idle_minutes: dict[str, int] = Field({"system_admin": 15, "security_admin": 15, "audit_admin": 15})
    post_absolute_hours: dict[str, int] = Field({})
    second_factor: Literal["auto", "required", "optional"] = "auto"
    lock_after_failures: int = Field(5, ge=1)
    lock_minutes: int = Field(30, ge=1)
    source_failures_per_minute: int = Field(30, ge=1)
    staff_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")

    @field_validator("post_idle_minutes", "post_absolute_hours")
    @classmethod
    def _posts(cls, value: dict[str, int]) -> dict[str, int]:
        for post, limit in value.items():
            if not re.fullmatch(r"[a-z_]{1,30}", post) or limit < 1:
                raise ValueError(f"{post!r} needs the code of a post and a limit of at least 1")
        return value


class Privacy(Section):
    key_id: str = Field("k1", pattern=r"^[a-z0-9]{1,16}$")
    mask_logs: bool = True


class Retention(Section):
    event_log_days: int = Field(7, ge=1)
    outbox_days: int = Field(30, ge=1)
    recording_days: int = Field(730, ge=0)
    chat_days: int = Field(730, ge=0)
    session_days: int = Field(180, ge=180)  # logs are kept six months at least (网络安全法, article 21)

    @field_validator("recording_days", "chat_days")
    @classmethod
    def _not_soon(cls, value: int) -> int:
        if 0 < value < 90:
            raise ValueError(
                "recordings and conversations are evidence: keep them 90 days at least, or 0 for ever"
            )
        return value


class Secrets(Section):
    """Never in config.toml: from config.local.toml or the environment only."""

    master_keys: dict[str, str] = Field({"k1": DEVELOPMENT_SECRET}, repr=False)
    index_key: str = Field(DEVELOPMENT_SECRET, repr=False)
    demo_password: str = Field(DEMO_PASSWORD, repr=False)
    pbx_passwords: dict[str, str] = Field({}, repr=False)
    webhook_key: str = Field(DEVELOPMENT_SECRET, repr=False)
    smtp_password: str = Field("", repr=False)
    wechat_token: str = Field("", repr=False)
    wechat_secret: str = Field("", repr=False)
    wechat_aes_key: str = Field("", repr=False, pattern=r"^([A-Za-z0-9+/]{43})?$")
    weibo_secret: str = Field("", repr=False)
    weibo_token: str = Field("", repr=False)
    mail_password: str = Field("", repr=False)
    openid_secret: str = Field("", repr=False)
