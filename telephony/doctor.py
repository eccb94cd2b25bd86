"""What `doctor` asks the configured PBXs: do they let us in?"""

import asyncio
from functools import partial

from core.doctor import Check, Level
from core.errors import HotlineError
from core.settings import Pbx, Settings
from telephony.ami.connection import AmiConnection, PbxAddress


def pbx_checks(settings: Settings) -> list[Check]:
    """One check for each configured PBX: does it let us in?"""
    pbxs = settings.telephony.pbx if settings.telephony.source == "asterisk" else ()
    return [Check(f"PBX {pbx.name}", partial(_ask_pbx, pbx, settings)) for pbx in pbxs]


class _Listener:
    """Hears whether the login was taken, and by which version."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def line_up(self, line: AmiConnection) -> None:
        reply = await line.ask("CoreSettings")
        self.heard.set_result(f"Asterisk {reply.get('AsteriskVersion') or 'of unknown version'}")

    async def line_events(self, events: object) -> None:
        """Nothing to do: only the login is asked for."""

    async def line_down(self, reason: str) -> None:
        if not self.heard.done():
            self.heard.set_exception(HotlineError("pbx_refused", reason=reason))


async def _ask_pbx(pbx: Pbx, settings: Settings) -> tuple[Level, str, str]:
    """Connect and log in as the node would."""
    listener = _Listener()
    secret = settings.secrets.pbx_passwords.get(pbx.name, "")
    line = AmiConnection(PbxAddress(pbx.name, pbx.host, pbx.port, pbx.username, secret), listener)
    running = asyncio.create_task(line.run())
    try:
        return "ok", await listener.heard, ""
    except HotlineError as error:
        where, why = f"{pbx.host}:{pbx.port}", error.params.get("reason", error.code)
        return "fail", f"{where}: {why}", "check manager.conf: permit, secret (docs/asterisk.md)"
    finally:
        running.cancel()
