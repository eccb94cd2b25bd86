"""What becomes of a call: a draft, a call-back task, a message in the mailbox, an answer by keys."""

from node.citizens import CitizensRoom
from node.core import CoreRoom
from node.telephony import TelephonyRoom
from node.tickets import TicketsRoom
from routing.callback_desk import CallbackDesk
from routing.intake import Intake
from routing.mailbox import Mailbox
from routing.phone_status import PhoneStatus


class CallsRoom:
    """Where telephony and tickets meet: neither of them knows the other."""

    def __init__(
        self, core: CoreRoom, tickets: TicketsRoom, citizens: CitizensRoom, telephony: TelephonyRoom
    ) -> None:
        self._core = core
        self.intake = Intake(tickets.drafts, tickets.callbacks)
        self.callback_desk = CallbackDesk(tickets.callbacks, tickets.drafts)
        self.mailbox = Mailbox(
            core.db,
            citizens.submissions,
            self.intake,
            tickets.callbacks,
            telephony.recordings,
            telephony.waveforms,
            core.settings.telephony.voicemail_seconds,
        )
        status = PhoneStatus(core.backstage, core.vault, core.settings.city.phone_area)
        telephony.service.answering = status.answer

    def wire(self) -> None:
        """An answered call can never lack its draft: both are one transaction."""
        self.intake.wire(self._core.bus)
        self.callback_desk.wire(self._core.bus)
        self.mailbox.wire(self._core.bus, self._core.outbox)
