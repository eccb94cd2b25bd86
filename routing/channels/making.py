"""The channels of one node, as the settings want them. Doubles stand in for platforms in development only."""

import logging
from dataclasses import dataclass, field

from core.clock import Clock
from core.db import Database
from core.notify.calls import Calls
from core.notify.guard import networks
from core.notify.mail import Smtp
from core.notify.ports import MailPort
from core.privacy import Vault
from core.settings import Settings
from routing.channels import Channel, Channels
from routing.channels.letter_reading import NAME as EMAIL
from routing.channels.mail import Box, EmailChannel, FolderBox, FolderMail, ImapBox, MailReader
from routing.channels.sending import ChannelSender
from routing.channels.service import ChannelService
from routing.channels.wechat import Codec, Wechat
from routing.channels.wechat_double import ACCOUNT, APP_ID, SECRET, TOKEN, WechatDouble
from routing.channels.weibo import Weibo
from routing.submissions import Submissions
from tickets.attachments.service import AttachmentService
from tickets.public.acts import CitizenActs

logger = logging.getLogger(__name__)
LOCAL = ("127.0.0.1/32",)
NAMES = {"wechat": "微信公众号", "weibo": "微博私信", EMAIL: "电子邮件"}


@dataclass
class CitizenChannels:
    """The channels in writing of one node, and what feeds them."""

    service: ChannelService
    sender: ChannelSender
    wechat: Wechat | None = None
    account: str = ""
    weibo: Weibo | None = None
    mail: MailReader | None = None
    double: WechatDouble | None = None
    letters: FolderBox | None = None
    modes: dict[str, str] = field(default_factory=dict)

    def point_to(self, port: int) -> None:
        """Let the double, where there is one, talk to the callback of this node."""
        if self.double is not None:
            self.double.callback = f"http://127.0.0.1:{port}/channels/wechat"

    async def listen(self) -> None:
        """Start the double, before anything is sent to it."""
        if self.double is not None and self.wechat is not None:
            await self.double.start()
            self.wechat.use(self.double.url)

    async def stop(self) -> None:
        """End the double."""
        if self.double is not None:
            await self.double.stop()


def make(
    settings: Settings,
    db: Database,
    clock: Clock,
    vault: Vault,
    submissions: Submissions,
    acts: CitizenActs,
    attachments: AttachmentService,
) -> CitizenChannels:
    """Build what the settings want."""
    service = ChannelService(db, vault, settings, submissions, acts)
    sender = ChannelSender(db, clock, vault, settings, service, attachments)
    made = CitizenChannels(service, sender)
    _add_wechat(made, settings, clock)
    _add_weibo(made, settings)
    email = _add_mail(made, settings, db, clock, attachments)
    found: list[Channel] = [one for one in (made.wechat, made.weibo, email) if one is not None]
    service.channels = Channels(found)
    return made


def _mode(settings: Settings, name: str, mode: str, double: str) -> str:
    """The mode, and `off` for a double outside development."""
    if mode == double and settings.mode != "development":
        logger.warning("a channel is off: its double is for development", extra={"channel": name})
        return "off"
    return mode


def _add_wechat(made: CitizenChannels, settings: Settings, clock: Clock) -> None:
    wanted, secrets = settings.channels.wechat, settings.secrets
    mode = made.modes["wechat"] = _mode(settings, "wechat", wanted.mode, "double")
    if mode == "double":
        made.double = WechatDouble(clock, aes_key=secrets.wechat_aes_key)
        wanted = wanted.model_copy(update={"app_id": APP_ID, "template_id": made.double.template_id})
        codec = Codec(TOKEN, APP_ID, secrets.wechat_aes_key)
        calls = Calls(allowed=networks(LOCAL))
        made.wechat = Wechat(wanted, SECRET, codec, calls, made.service)
        made.account = ACCOUNT
    elif mode == "platform":
        codec = Codec(secrets.wechat_token, wanted.app_id, secrets.wechat_aes_key)
        calls = Calls(allowed=networks(settings.notify.allowed_networks))
        made.wechat = Wechat(wanted, secrets.wechat_secret, codec, calls, made.service)
        made.account = wanted.account


def _add_weibo(made: CitizenChannels, settings: Settings) -> None:
    wanted = settings.channels.weibo
    made.modes["weibo"] = wanted.mode
    if wanted.mode == "platform":
        calls = Calls(allowed=networks(settings.notify.allowed_networks))
        made.weibo = Weibo(wanted, settings.secrets.weibo_token, calls)


def _add_mail(
    made: CitizenChannels, settings: Settings, db: Database, clock: Clock, attachments: AttachmentService
) -> EmailChannel | None:
    wanted = settings.channels.mail
    mode = made.modes[EMAIL] = _mode(settings, EMAIL, wanted.mode, "folder")
    if mode == "off":
        return None
    address = wanted.address or "hotline@example.invalid"
    box: Box
    port: MailPort
    if mode == "folder":
        box = made.letters = FolderBox(settings.var / "mail" / "in")
        port = FolderMail(settings.var / "mail" / "out", address, clock)
    else:
        box = ImapBox(wanted, settings.secrets.mail_password)
        by = settings.notify.model_copy(update={"smtp_from": address})
        port = Smtp(by, settings.secrets.smtp_password, clock)
    channel = EmailChannel(box, port, f"{settings.city.name}12345")
    own = (address, settings.notify.smtp_from)
    made.mail = MailReader(db, channel, made.service, attachments, own, made.sender.file_refused)
    return channel
