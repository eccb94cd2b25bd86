"""All settings of one node, read from files and environment, checked as a whole."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError, model_validator

from core import settings_files
from core.errors import HotlineError
from core.settings.citizens import ChannelSettings, Portal, TextRoute
from core.settings.city import City, Classifier, OpenData, Sla, Supervision
from core.settings.machine import DatabaseSettings, Http, Leadership, Live, Log, NodeSettings, Outbox, Paths
from core.settings.notify import Notify
from core.settings.protection import DEVELOPMENT_SECRET, Privacy, Retention, Secrets, Security
from core.settings.section import Section
from core.settings.telephony import Agents, FloorSettings, Quality, Shifts, Telephony
from core.settings.tickets import (
    Certificates,
    Drafts,
    Export,
    Intermediaries,
    KnowledgeSettings,
    Revisit,
    Tickets,
    Uploads,
)


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
        return self.paths.var if self.paths.var.is_absolute() else settings_files.ROOT / self.paths.var


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
