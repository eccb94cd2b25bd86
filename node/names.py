"""Services of a node by short names: `node.db`, `node.tickets`. Everything else is `node.rooms.…`."""

from node.rooms import Rooms


class Names:
    """What commands, the demo city, tests and measurements ask a node for."""

    def __init__(self, rooms: Rooms) -> None:
        core, tickets, sla = rooms.core, rooms.tickets, rooms.sla
        self.rooms = rooms
        self.settings = core.settings
        self.clock = core.clock
        self.bus = core.bus
        self.db = core.db
        self.backstage = core.backstage
        self.vault = core.vault
        self.passwords = core.passwords
        self.people = core.people
        self.leases = core.leases
        self.tail = core.tail
        self.relay = core.relay
        self.outbox = core.outbox
        self.ticker = core.ticker
        self.limits = rooms.limits.city
        self.in_force = rooms.limits.in_force
        self.tickets = tickets.service
        self.drafts = tickets.drafts
        self.callbacks = tickets.callbacks
        self.messages = tickets.messages
        self.webhooks = tickets.webhooks
        self.advisor = rooms.advice.advisor
        self.trials = rooms.advice.trials
        self.submissions = rooms.citizens.submissions
        self.citizen_channels = rooms.citizens.channels
        self.telephony = rooms.telephony.service
        self.simulator = rooms.telephony.simulator
        self.recordings = rooms.telephony.recordings
        self.waveforms = rooms.telephony.waveforms
        self.callback_desk = rooms.calls.callback_desk
        self.cards = sla.cards
        self.supervision = sla.supervision
        self.first_releases = sla.first_releases
