"""Sections about citizens who do not telephone: the portal, conversations, WeChat, Weibo, letters."""

import re
from typing import Literal

from pydantic import Field, model_validator

from core.settings.section import Section


class OpenId(Section):
    issuer: str = ""
    client_id: str = ""
    name: str = Field("统一身份认证", min_length=1, max_length=20)
    scope: str = "openid phone"
    phone_claim: str = "phone_number"

    @model_validator(mode="after")
    def _complete(self) -> "OpenId":
        if self.issuer and not re.match(r"https?://[^/]+", self.issuer):
            raise ValueError(f"{self.issuer!r} is no address: an issuer begins with https://")
        if self.issuer and not self.client_id:
            raise ValueError("client_id is missing: the provider must know who asks")
        return self


class Portal(Section):
    enabled: bool = True
    notice: str = Field("2026-12", pattern=r"^[0-9A-Za-z.-]{1,20}$")
    submissions_per_second: int = Field(10, ge=1, le=10_000)
    submissions_per_hour: int = Field(20, ge=1, le=1_000_000)
    lookups_per_minute: int = Field(20, ge=1, le=1_000_000)
    codes_per_hour: int = Field(10, ge=1, le=1_000_000)
    openid: OpenId = OpenId()


class TextRoute(Section):
    enabled: bool = True
    skill: str = ""
    offer_seconds: int = Field(20, ge=5, le=300)
    wait_seconds: int = Field(180, ge=30, le=3600)
    at_once: int = Field(2, ge=1, le=10)
    idle_minutes: int = Field(15, ge=2, le=240)
    missed_days: int = Field(3, ge=1, le=30)
    most_waiting: int = Field(50, ge=1, le=1000)
    opens_per_hour: int = Field(6, ge=1, le=1000)
    messages_per_minute: int = Field(20, ge=1, le=600)
    missed_text: str = Field(
        "现在没有空闲的话务员，您的留言已经记下，我们会尽快在这里回复您。紧急情况请请人代拨 110、119、120。",
        min_length=1,
        max_length=300,
    )


class WechatChannel(Section):
    mode: Literal["off", "double", "platform"] = "double"
    app_id: str = Field("", max_length=64)
    account: str = Field("", max_length=64)
    api: str = "https://api.weixin.qq.com"
    template_id: str = ""
    template_fields: dict[str, Literal["number", "state", "time", "note"]] = Field(
        {"character_string1": "number", "phrase2": "state", "time3": "time", "thing4": "note"}
    )


class WeiboChannel(Section):
    mode: Literal["off", "platform"] = "off"
    account: str = Field("", max_length=64)
    api: str = "https://m.api.weibo.com"
    media: str = "https://upload.api.weibo.com"


class MailChannel(Section):
    mode: Literal["off", "folder", "imap"] = "folder"
    address: str = ""
    host: str = ""
    port: int = Field(993, ge=1, le=65535)
    security: Literal["tls", "starttls", "none"] = "tls"
    user: str = ""
    box: str = "INBOX"
    seconds: float = Field(30.0, ge=1)

    @model_validator(mode="after")
    def _complete(self) -> "MailChannel":
        if self.mode == "imap" and not (self.host and self.user and self.address):
            raise ValueError("host, user and address are needed to read a mailbox")
        return self


class ChannelSettings(Section):
    wechat: WechatChannel = WechatChannel()
    weibo: WeiboChannel = WeiboChannel()
    mail: MailChannel = MailChannel()
    messages_per_minute: int = Field(30, ge=1, le=600)
    tickets_per_day: int = Field(20, ge=1, le=1000)
    keep_days: int = Field(30, ge=2, le=365)
