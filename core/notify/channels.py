"""The channels of one node, as the settings want them; a channel that is not set up is None."""

import logging
from dataclasses import dataclass

from core.clock import Clock
from core.db import Database
from core.notify.console import ConsoleSms
from core.notify.guard import networks
from core.notify.mail import Smtp
from core.notify.ports import HookPort, MailPort, SmsPort
from core.notify.webhook import SmsWebhook, Webhook
from core.privacy import Vault
from core.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Channels:
    """What there is to reach people with."""

    sms: SmsPort | None = None
    mail: MailPort | None = None
    hook: HookPort | None = None
    console: ConsoleSms | None = None  # set when it is the double that takes the text messages


def make_channels(settings: Settings, db: Database, vault: Vault, clock: Clock) -> Channels:
    """The channels of the settings. Whether they hold together was checked when they were loaded."""
    wanted, secret = settings.notify, settings.secrets.webhook_key
    allowed = networks(wanted.allowed_networks)
    console = None
    sms: SmsPort | None = None
    if wanted.sms == "console" and settings.mode == "development":
        sms = console = ConsoleSms(db, vault)
    elif wanted.sms == "console":
        logger.warning(
            "no gateway for text messages: citizens are told nothing", extra={"setting": "notify.sms"}
        )
    elif wanted.sms == "webhook":
        sms = SmsWebhook(Webhook(wanted.sms_url, secret, clock, allowed=allowed))
    mail = Smtp(wanted, settings.secrets.smtp_password, clock) if wanted.smtp_host else None
    hook = Webhook(wanted.webhook_url, secret, clock, allowed=allowed) if wanted.webhook_url else None
    return Channels(sms, mail, hook, console)
