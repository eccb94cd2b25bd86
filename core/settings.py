"""Settings: config.toml, then config.local.toml, then the environment; unknown names are refused.

Everything is frozen. The product reads settings once, at start; what can change while it runs
lives in the database.
"""

import ipaddress
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from core import settings_files
from core.errors import HotlineError

ROOT = settings_files.ROOT
DEVELOPMENT_SECRET = "development-only-secret"  # noqa: S105 - refused outside development
DEMO_PASSWORD = "Guilin-12345"  # noqa: S105 - refused outside development


class Section(BaseModel):
    """A table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class City(Section):
    name: str = "桂林"
    area_code: str = Field("4503", pattern=r"^\d{4}$")
    phone_area: str = Field("0773", pattern=r"^0\d{2,3}$")
    office_hours: tuple[str, ...] = ("09:00-12:00", "13:00-18:00")
    calendar: str = "sla/calendars/guilin.csv"

    @field_validator("office_hours")
    @classmethod
    def _spans(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for span in value:
            if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)", span):
                raise ValueError(f"{span!r} is not a span such as 09:00-12:00")
        if not value:
            raise ValueError("a calendar without working time cannot hold a limit")
        return value


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


class Security(Section):
    session_idle_minutes: int = Field(30, ge=1)
    seat_idle_minutes: int = Field(240, ge=1)
    session_absolute_hours: int = Field(12, ge=1)
    post_idle_minutes: dict[str, int] = {"system_admin": 15, "security_admin": 15, "audit_admin": 15}
    post_absolute_hours: dict[str, int] = {}
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


class SimulatorSettings(Section):
    calls_per_hour: float = Field(90.0, ge=0)
    seed: int = 12345
    speed: float = Field(1.0, gt=0)
    agents: int = Field(40, ge=0, le=999)


class Pbx(Section):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")
    host: str = "127.0.0.1"
    port: int = Field(5038, ge=1, le=65535)
    username: str = "hotline"
    trunks: tuple[str, ...] = ("trunk",)
    queue_log: Path | None = None
    recordings: Path | None = None
    voicemails: Path | None = None


class Telephony(Section):
    source: Literal["simulator", "asterisk"] = "simulator"
    ping_seconds: float = Field(5.0, gt=0)
    dead_seconds: float = Field(12.0, gt=0)
    batch_size: int = Field(100, ge=1)
    queue_limit: int = Field(20_000, ge=100)
    night_callback_by: str = Field("10:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    callback_minutes: int = Field(30, ge=1)
    callback_tries: int = Field(3, ge=1)
    callback_pause_minutes: int = Field(15, ge=0, le=24 * 60)
    callback_claim_minutes: int = Field(15, ge=1, le=24 * 60)
    short_abandon_seconds: int = Field(5, ge=0)
    voicemail_seconds: int = Field(3, ge=1, le=60)
    simulator: SimulatorSettings = SimulatorSettings()
    pbx: tuple[Pbx, ...] = ()

    @field_validator("pbx")
    @classmethod
    def _names(cls, value: tuple[Pbx, ...]) -> tuple[Pbx, ...]:
        names = [pbx.name for pbx in value]
        if len(set(names)) != len(names):
            raise ValueError("two PBXs have the same name")
        return value


class FloorSettings(Section):
    help_seconds: int = Field(30, ge=5, le=600)
    wrap_up_seconds: int = Field(120, ge=10, le=3600)
    pause_minutes: int = Field(15, ge=1, le=480)
    planned_pause_minutes: int = Field(60, ge=1, le=480)
    talk_minutes: int = Field(15, ge=1, le=240)
    hold_seconds: int = Field(90, ge=5, le=3600)
    wait_seconds: int = Field(60, ge=5, le=3600)
    missed_rings: int = Field(2, ge=0, le=20)


class Agents(Section):
    wrap_up_seconds: int = Field(30, ge=0, le=600)
    wrap_up_extension_seconds: int = Field(60, ge=10, le=600)
    wrap_up_extensions: int = Field(2, ge=0, le=20)
    missed_rings: int = Field(3, ge=0, le=50)


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


class Drafts(Section):
    stale_minutes: int = Field(30, ge=1)


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


class Sla(Section):
    pack: str = Field("guilin", min_length=1)


class KnowledgeSettings(Section):
    correction_days: int = Field(3, ge=1, le=60)
    remind_days: int = Field(30, ge=1, le=365)
    gap_days: int = Field(180, ge=7, le=1095)


class Certificates(Section):
    registry: Literal["embedded", "http", "off"] = "embedded"
    url: str = ""
    seconds: float = Field(3.0, gt=0, le=10)
    tries: int = Field(2, ge=1, le=5)
    failures: int = Field(3, ge=1, le=100)
    rest_seconds: float = Field(60.0, ge=1, le=3600)

    @model_validator(mode="after")
    def _complete(self) -> "Certificates":
        if self.registry == "http" and not self.url:
            raise ValueError('url is missing: registry = "http" needs the address of the city\'s registry')
        return self


class Intermediaries(Section):
    operator: str = "shuju"
    appeal_days: int = Field(10, ge=1, le=60)
    warn_days: int = Field(60, ge=1, le=365)
    least_ratings: int = Field(5, ge=1, le=100)


class Supervision(Section):
    overdue_days: int = Field(5, ge=1, le=60)
    redos: int = Field(3, ge=2, le=20)
    units: int = Field(3, ge=2, le=20)
    look_back_days: int = Field(90, ge=7, le=730)


class Shifts(Section):
    grace_minutes: int = Field(5, ge=0, le=60)
    overtime_minutes: int = Field(15, ge=0, le=240)
    rest_hours: int = Field(8, ge=0, le=24)


class Quality(Section):
    appeal_days: int = Field(5, ge=1, le=30)
    new_days: int = Field(90, ge=1, le=730)
    long_minutes: int = Field(6, ge=1, le=120)


class OpenData(Section):
    prepare_day: int = Field(5, ge=1, le=28)


class Classifier(Section):
    starter: bool = True
    months: int = Field(24, ge=1, le=120)
    most: int = Field(30_000, ge=1_000, le=500_000)
    least: int = Field(300, ge=50, le=100_000)


class Tickets(Section):
    archive_days: int = Field(30, ge=1, le=3650)
    contact_gap_minutes: int = Field(60, ge=1, le=1440)

    @property
    def contact_gap(self) -> timedelta:
        """What lies between two tries to reach a citizen that both count."""
        return timedelta(minutes=self.contact_gap_minutes)


class Revisit(Section):
    sample_percent: int = Field(30, ge=0, le=100)


class Uploads(Section):
    image_megabytes: int = Field(20, ge=1, le=100)
    image_megapixels: int = Field(50, ge=1, le=200)
    document_megabytes: int = Field(30, ge=1, le=500)
    audio_megabytes: int = Field(60, ge=1, le=500)
    video_megabytes: int = Field(300, ge=1, le=2000)
    per_ticket: int = Field(60, ge=1)
    scanner: str = ""
    scanner_seconds: float = Field(60.0, gt=0)


class Export(Section):
    max_rows: int = Field(20_000, ge=1, le=1_000_000)
    keep_hours: int = Field(24, ge=1)


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


class WechatChannel(Section):
    mode: Literal["off", "double", "platform"] = "double"
    app_id: str = Field("", max_length=64)
    account: str = Field("", max_length=64)
    api: str = "https://api.weixin.qq.com"
    template_id: str = ""
    template_fields: dict[str, Literal["number", "state", "time", "note"]] = {
        "character_string1": "number",
        "phrase2": "state",
        "time3": "time",
        "thing4": "note",
    }


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


class Log(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    file: str = ""


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


class Settings(Section):
    """All settings of one node."""

    mode: Literal["development", "production"] = "development"
    city: City = City()
    paths: Paths = Paths()
    node: NodeSettings = NodeSettings()
    http: Http = Http()
    database: DatabaseSettings = DatabaseSettings()
    security: Security = Security()
    privacy: Privacy = Privacy()
    telephony: Telephony = Telephony()
    floor: FloorSettings = FloorSettings()
    agents: Agents = Agents()
    live: Live = Live()
    outbox: Outbox = Outbox()
    leadership: Leadership = Leadership()
    drafts: Drafts = Drafts()
    text: TextRoute = TextRoute()
    portal: Portal = Portal()
    retention: Retention = Retention()
    sla: Sla = Sla()
    supervision: Supervision = Supervision()
    shifts: Shifts = Shifts()
    quality: Quality = Quality()
    open_data: OpenData = OpenData()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    certificates: Certificates = Certificates()
    intermediaries: Intermediaries = Intermediaries()
    classifier: Classifier = Classifier()
    tickets: Tickets = Tickets()
    revisit: Revisit = Revisit()
    uploads: Uploads = Uploads()
    export: Export = Export()
    notify: Notify = Notify()
    channels: ChannelSettings = ChannelSettings()
    log: Log = Log()
    secrets: Secrets = Secrets()

    @model_validator(mode="after")
    def _answered(self) -> "Settings":
        if self.channels.mail.mode == "imap" and not self.notify.smtp_host:
            raise ValueError("notify.smtp_host is missing: letters to channels.mail are answered by it")
        return self

    @property
    def var(self) -> Path:
        """The folder everything is written to, absolute."""
        return self.paths.var if self.paths.var.is_absolute() else ROOT / self.paths.var


def load_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read config.toml (or `path`, or HOTLINE_CONFIG), its local sibling and the environment.

    Raises HotlineError `config_unreadable`, `config_unknown`, `config_invalid`, `config_secret_in_file`
    or `config_default_secret`, each with the names a person needs to mend it.
    """
    data: dict[str, Any] = {}
    for layer in settings_files.layers(path, environ).values():
        settings_files.merge(data, layer)
    settings_files.refuse_unknown(data, Settings, "")
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise HotlineError("config_invalid", name=name, reason=first["msg"]) from None
    if settings.mode == "production":
        _refuse_default_secrets(settings)
    return settings


def _refuse_default_secrets(settings: Settings) -> None:
    secrets = settings.secrets
    if settings.privacy.key_id not in secrets.master_keys:
        raise HotlineError("config_default_secret", name=f"secrets.master_keys.{settings.privacy.key_id}")
    for key_id, key in secrets.master_keys.items():
        if key == DEVELOPMENT_SECRET or len(key) < 16:
            raise HotlineError("config_default_secret", name=f"secrets.master_keys.{key_id}")
    if secrets.index_key == DEVELOPMENT_SECRET or len(secrets.index_key) < 16:
        raise HotlineError("config_default_secret", name="secrets.index_key")
    posts = settings.notify.sms == "webhook" or settings.notify.webhook_url
    if posts and (secrets.webhook_key == DEVELOPMENT_SECRET or len(secrets.webhook_key) < 16):
        raise HotlineError("config_default_secret", name="secrets.webhook_key")
    used = {"wechat_token": settings.channels.wechat.mode, "weibo_secret": settings.channels.weibo.mode}
    for name, mode in used.items():  # what proves who posts to us
        if mode == "platform" and len(getattr(secrets, name)) < 3:
            raise HotlineError("config_default_secret", name=f"secrets.{name}")
    if settings.telephony.source == "simulator":
        raise HotlineError("config_simulator_in_production", name="telephony.source")
