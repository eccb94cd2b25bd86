"""The hall: which calls there are, who waits, and how the agents at their phones behave."""

from dataclasses import dataclass

from telephony.simulator.call import Call
from telephony.simulator.inbound import InboundCall
from telephony.simulator.model import Channel, Did, Member, Queue
from telephony.simulator.outbound import Order, OutboundCall
from telephony.simulator.parties import PartyCall
from telephony.simulator.pbx import Pbx
from telephony.simulator.plan import CallPlan
from telephony.simulator.queue_call import QueueCall
from telephony.simulator.rooms import LISTEN, OURS, Room


@dataclass(frozen=True)
class Manner:
    """How agents answer: median seconds until they pick up, its spread, how often they do not."""

    pick_up: float = 4.0
    spread: float = 0.45
    miss: float = 0.03


class Floor:
    """Keeps the calls and hands waiting ones to agents, as app_queue would."""

    def __init__(self, pbx: Pbx, manner: Manner, speed: float = 1.0) -> None:
        self.pbx = pbx
        self.manner = manner
        self.speed = speed
        self.reserved: set[str] = set()  # never rung unless a plan names them
        self.attended: set[str] = set()  # a person looks on: rung first, never missed
        self.queue_extensions: dict[str, str] = {}  # extensions of the internal context that lead to queues
        self.outbound_plan: CallPlan | None = None  # how the next click-to-call goes
        self.reset()

    def reset(self) -> None:
        """Every call is gone."""
        self.calls: list[Call] = []
        self.waiting: dict[str, list[QueueCall]] = {name: [] for name in self.pbx.queues}
        self._of_channel: dict[str, Call] = {}
        self._rooms: dict[str, Room] = {}

    # --- rooms

    def room(self, exten: str) -> Room:
        """The room behind an extension such as *017."""
        name = exten.lstrip("*")
        return self._rooms.setdefault(name, Room(self, name))

    def room_with(self, channel: Channel) -> Room | None:
        """The room one of ours is in."""
        return next((room for room in self._rooms.values() if channel in room.ours), None)

    # --- placing calls

    def place(self, plan: CallPlan) -> InboundCall:
        """A citizen calls the plan's DID; raises KeyError for an unknown one."""
        call = InboundCall(self, plan, self.did(plan.did))
        self.calls.append(call)
        call.begin()
        return call

    def originate(self, order: Order, plan: CallPlan) -> OutboundCall:
        kind = PartyCall if order.context in (OURS, LISTEN) else OutboundCall
        call = kind(self, plan, order)
        self.calls.append(call)
        call.begin()
        return call

    def did(self, exten: str) -> Did:
        for did in self.pbx.config.dids:
            if did.exten == exten:
                return did
        raise KeyError(exten)

    # --- what calls tell

    def know(self, channel: Channel, call: Call) -> None:
        self._of_channel[channel.name] = call

    def call_of(self, channel_name: str) -> Call | None:
        """The call a living channel belongs to."""
        return self._of_channel.get(channel_name) if channel_name in self.pbx.channels else None

    def ended(self, call: Call) -> None:
        if call in self.calls:
            self.calls.remove(call)
        gone = [name for name in self._of_channel if name not in self.pbx.channels]
        for name in gone:
            del self._of_channel[name]

    def missed(self, member: Member) -> None:
        """Nobody picked up; the queue simply goes on."""

    def released(self, member: Member) -> None:
        """The agent's talk is over: every queue of the agent learns of it (shared_lastcall)."""
        now = self.pbx.now()
        for place in self.pbx.places(member.interface):
            place.calls_taken += 1
            place.last_call = int(now)
            place.busy_until = (
                self.pbx.clock.monotonic() + self.pbx.queues[place.queue].config.wrapup / self.speed
            )
        member.in_call = False

    # --- agents

    def is_phone(self, exten: str) -> bool:
        return any(f"PJSIP/{exten}" in queue.members for queue in self.pbx.queues.values())

    def is_free(self, extension: str) -> bool:
        """Whether the desk could be rung now and no call is on its way to it."""
        places = self.pbx.places(f"PJSIP/{extension}")
        expected = any(call.plan.agent == extension for call in self.calls)
        return bool(places) and not expected and all(self._free(place) for place in places)

    def answer_after(self, call: Call, extension: str) -> float | None:
        """Seconds until the phone is picked up; None: it rings on."""
        plan = call.plan
        if isinstance(call, QueueCall) and call.stage == "waiting" and call.rings < plan.misses:
            return None
        if plan.answer_after is not None:
            return plan.answer_after
        if extension not in self.attended and self.pbx.random.random() < self.manner.miss:
            return None
        return self.pbx.random.lognormvariate(0.0, self.manner.spread) * self.manner.pick_up / self.speed

    def choose(self, call: QueueCall, queue: Queue) -> list[Member]:
        """Whom the queue rings now: none, one, or all of them with `ringall`."""
        if call.plan.agent is not None and call.stage == "waiting":
            member = queue.members.get(f"PJSIP/{call.plan.agent}")
            free = [member] if member is not None and self._free(member) else []
        else:
            free = [m for m in queue.members.values() if self._free(m) and m.extension not in self.reserved]
        if not free:
            return []
        if queue.config.strategy == "ringall":
            return free
        if queue.config.strategy == "linear":
            chosen = free[call.rings % len(free)]
        else:
            chosen = min(free, key=self._order)
        chosen.turn = self.pbx.next_turn()
        return [chosen]

    def _order(self, member: Member) -> tuple[int, int, int]:
        """rrmemory: lower penalty first, attended desks before others, then who waited longest."""
        return (member.penalty, int(member.extension not in self.attended), member.turn)

    def _free(self, member: Member) -> bool:
        return self.pbx.can_ring(member) and self.pbx.clock.monotonic() >= member.busy_until
