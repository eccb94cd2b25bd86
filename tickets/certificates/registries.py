"""The registry of the settings."""

from core.clock import Clock
from core.db import Database
from core.notify.guard import networks
from core.privacy import Vault
from core.settings import Settings
from tickets.certificates.embedded import EmbeddedRegistry
from tickets.certificates.http import HttpRegistry
from tickets.certificates.port import Registry


def make_registry(settings: Settings, db: Database, vault: Vault, clock: Clock) -> Registry | None:
    """What certificates are verified with; None: nothing is, and every result is unknown."""
    wanted = settings.certificates
    if wanted.registry == "embedded":
        return EmbeddedRegistry(db, vault)
    if wanted.registry == "off":
        return None
    allowed = networks(settings.notify.allowed_networks)
    return HttpRegistry(wanted, settings.secrets.webhook_key, clock, allowed=allowed)
