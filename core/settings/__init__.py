"""Settings: config.toml, then config.local.toml, then the environment; unknown names are refused.

Everything is frozen. The product reads settings once, at start; what can change while it runs
lives in the database. Each table of config.toml is a class in the module of its theme; `whole.py`
puts them together.
"""

from core.settings.citizens import (
    ChannelSettings,
    MailChannel,
    OpenId,
    Portal,
    TextRoute,
    WechatChannel,
    WeiboChannel,
)
from core.settings.city import City, Classifier, OpenData, Sla, Supervision
from core.settings.machine import DatabaseSettings, Http, Leadership, Live, Log, NodeSettings, Outbox, Paths
from core.settings.notify import Notify
from core.settings.protection import DEMO_PASSWORD, DEVELOPMENT_SECRET, Privacy, Retention, Secrets, Security
from core.settings.section import Section
from core.settings.telephony import Agents, FloorSettings, Pbx, Quality, Shifts, SimulatorSettings, Telephony
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
from core.settings.whole import Settings, load_settings
from core.settings_files import ROOT

__all__ = [
    "DEMO_PASSWORD",
    "DEVELOPMENT_SECRET",
    "ROOT",
    "Agents",
    "Certificates",
    "ChannelSettings",
    "City",
    "Classifier",
    "DatabaseSettings",
    "Drafts",
    "Export",
    "FloorSettings",
    "Http",
    "Intermediaries",
    "KnowledgeSettings",
    "Leadership",
    "Live",
    "Log",
    "MailChannel",
    "NodeSettings",
    "Notify",
    "OpenData",
    "OpenId",
    "Outbox",
    "Paths",
    "Pbx",
    "Portal",
    "Privacy",
    "Quality",
    "Retention",
    "Revisit",
    "Secrets",
    "Section",
    "Security",
    "Settings",
    "Shifts",
    "SimulatorSettings",
    "Sla",
    "Supervision",
    "Telephony",
    "TextRoute",
    "Tickets",
    "Uploads",
    "WechatChannel",
    "WeiboChannel",
    "load_settings",
]
