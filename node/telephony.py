"""The line to the telephone exchange, agents' states, recordings, and the exchange that is simulated."""

from core.settings import Pbx
from node.core import CoreRoom
from telephony.floor.help import HelpWatch
from telephony.push.service import PushCalls
from telephony.recordings import SIMULATED_PBX, Recordings
from telephony.service import TelephonyService
from telephony.simulator import Simulator
from telephony.waveforms import Waveforms


class TelephonyRoom:
    """The services of `telephony/`."""

    def __init__(self, core: CoreRoom) -> None:
        self._core = core
        settings = core.settings
        self.service = TelephonyService(core.backstage, core.clock, core.vault, core.people, settings)
        self.push = PushCalls(self.service.store)
        self.recordings = Recordings.of(settings)
        self.waveforms = Waveforms(self.recordings, settings.var / "waveforms")
        wanted = settings.telephony.source == "simulator" and "telephony" in settings.node.roles
        self.simulator = Simulator.from_settings(settings) if wanted else None

    def wire(self) -> None:
        """Calls move the states of agents; help that nobody gives is seen."""
        core = self._core
        self.service.wire(core.bus)
        watch = HelpWatch(core.db, core.scheduler, core.settings.floor.help_seconds)
        core.ticker.every(1, "help calls", watch.tick)

    async def start_simulator(self) -> None:
        """Start the simulated exchange, where the settings want it, as the one PBX there is."""
        if self.simulator is None:
            return
        port = await self.simulator.start()
        pbx = Pbx(name=SIMULATED_PBX, port=port, queue_log=self.simulator.queue_log_path)
        self.service.use([pbx], {SIMULATED_PBX: self.simulator.secret})
