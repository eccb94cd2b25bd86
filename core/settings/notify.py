"""The section about messages that go out: texts, webhooks, e-mails."""

import ipaddress
import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from core.settings.section import Section


class Notify(Section):
    sms: Literal["console", "webhook", "off"] = "console"
    sms_url: str = ""
    webhook_url: str = ""
    allowed_networks: tuple[str, ...] = ()
    quiet_hours: str = "22:00-07:30"
    smtp_host: str = ""
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_from: str = ""

    @field_validator("allowed_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            ipaddress.ip_network(text)
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _span(cls, value: str) -> str:
        if value and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError(f"{value!r} is not a span such as 22:00-07:30")
        return value

    @model_validator(mode="after")
    def _complete(self) -> "Notify":
        if self.sms == "webhook" and not self.sms_url:
            raise ValueError('sms_url is missing: sms = "webhook" needs the gateway\'s address')
        if self.smtp_host and not self.smtp_from:
            raise ValueError("smtp_from is missing: e-mails need a sender")
        return self
