"""One of everything that can happen to a call, driven on a real Asterisk.

Each situation has citizens' numbers of its own, so that its calls can be found again in the product,
in queue_log and in the events.
"""

from __future__ import annotations

from tests.e2e.rig import scenarios
from tests.e2e.rig.asterisk import Asterisk
from tests.e2e.rig.attended import attended_transfer
from tests.e2e.rig.manager import Manager
from tests.e2e.rig.phones import Citizen, Phones

LONG = 40.0  # seconds a citizen would stay; the agent ends these calls


def number(index: int) -> str:
    """An invented mobile number."""
    return f"138000{index:05d}"


class Stage:
    """A PBX with phones and an independent manager connection; plays situations one by one."""

    def __init__(self, pbx: Asterisk, sip: Phones, ami: Manager) -> None:
        self.pbx, self.sip, self.ami = pbx, sip, ami

    # -- waiting for the PBX -------------------------------------------------------------------
    def citizen(self, caller: str) -> dict[str, str]:
        """The Newchannel of this citizen's leg."""
        return self.ami.wait_for("Newchannel", CallerIDNum=caller, Context="hotline-inbound")

    def talking(self, caller: str) -> dict[str, str]:
        """The AgentConnect of this citizen, once both are in a bridge (Asterisk 16 says it earlier)."""
        connected = self.ami.wait_for("AgentConnect", CallerIDNum=caller)
        for key in ("Uniqueid", "DestUniqueid"):
            self.ami.wait_for("BridgeEnter", Uniqueid=connected[key])
        return connected

    def ended(self, caller: str) -> None:
        """Wait for the end of this citizen's leg."""
        self.ami.wait_for("Hangup", deadline=60, Uniqueid=self.citizen(caller)["Uniqueid"])

    # -- nobody answers ------------------------------------------------------------------------
    def hang_up_in_greeting(self, caller: str) -> None:
        """Left before any queue."""
        self.sip.call([Citizen(caller)], scenarios.caller(0.4))
        self.ended(caller)

    def unanswered(
        self, abandoned: dict[str, bytes], patient: list[str], keyed: list[str], wait: float
    ) -> None:
        """No phone is signed in: some (with names) hang up, some wait until the end, some press 0."""
        self.sip.call([Citizen(one, name) for one, name in abandoned.items()], scenarios.caller(3))
        self.sip.call([Citizen(one) for one in patient], scenarios.caller(wait + 4))
        self.sip.call([Citizen(one) for one in keyed], scenarios.caller(5, keys="0", keys_after=3))
        for caller in [*abandoned, *patient, *keyed]:
            self.ended(caller)

    # -- one agent answers ---------------------------------------------------------------------
    def answered(self, caller: str, extension: int, talk: float, name: bytes = b"") -> None:
        """The agent hangs up after `talk` seconds, the citizen right after him."""
        phone = self.sip.agents([extension], scenarios.answering_then_leaving(talk))
        line = self.sip.call([Citizen(caller, name)], scenarios.caller(LONG))
        self.talking(caller)
        self.ami.wait_for("AgentComplete", CallerIDNum=caller)
        self.sip.hang_up(line)
        self.ami.action("Hangup", Channel=self.citizen(caller)["Channel"])
        self.ended(caller)
        self.sip.agents_leave(phone)

    def citizen_hangs_up(self, caller: str, extension: int, stay: float) -> None:
        """The citizen ends the call."""
        phone = self.sip.agents([extension], scenarios.answering())
        self.sip.call([Citizen(caller)], scenarios.caller(stay))
        self.ended(caller)
        self.sip.agents_leave(phone)

    def held(self, caller: str, extension: int) -> None:
        """A second of talk, two seconds on hold, then on until the citizen ends it."""
        phone = self.sip.agents([extension], scenarios.holding(1, 2))
        self.sip.call([Citizen(caller)], scenarios.caller(6))
        self.ended(caller)
        self.sip.agents_leave(phone)

    def missed_then_answered(self, caller: str, silent: int, extension: int) -> None:
        """The first phone rings in vain, the second is signed in meanwhile and answers."""
        deaf = self.sip.agents([silent], scenarios.not_answering())
        self.sip.call([Citizen(caller)], scenarios.caller(9))
        self.ami.wait_for("AgentCalled", Interface=f"PJSIP/{silent}", CallerIDNum=caller)
        phone = self.sip.agents([extension], scenarios.answering())
        self.ended(caller)
        self.sip.agents_leave(deaf)
        self.sip.agents_leave(phone)

    # -- and passes the call on ----------------------------------------------------------------
    def blind_by_phone(self, caller: str, first: int, second: int) -> None:
        """REFER; only the first agent takes calls of the queue."""
        phone = self.sip.agents([first], scenarios.transferring(1, str(second)))
        self.sip.call([Citizen(caller)], scenarios.caller(6))
        self.talking(caller)
        other = self.sip.agents([second], scenarios.answering())
        self.ended(caller)
        self.sip.agents_leave(phone)
        self.sip.agents_leave(other)

    def blind_by_manager(self, caller: str, first: int, target: str, second: int) -> None:
        """AMI BlindTransfer to a phone or a queue."""
        phone = self.sip.agents([first], scenarios.answering())
        self.sip.call([Citizen(caller)], scenarios.caller(8))
        connected = self.talking(caller)
        other = self.sip.agents([second], scenarios.answering())
        self.ami.action("QueuePause", Interface=f"PJSIP/{first}", Paused="true")
        self.ami.action(
            "BlindTransfer", Channel=connected["DestChannel"], Context="hotline-transfer", Exten=target
        )
        self.ended(caller)
        self.ami.action("QueuePause", Interface=f"PJSIP/{first}", Paused="false")
        self.sip.agents_leave(phone)
        self.sip.agents_leave(other)

    def redirected(self, caller: str, first: int, second: int) -> None:
        """AMI Redirect of the citizen into the second line's queue."""
        phone = self.sip.agents([first], scenarios.answering())
        self.sip.call([Citizen(caller)], scenarios.caller(8))
        connected = self.talking(caller)
        other = self.sip.agents([second], scenarios.answering())
        self.ami.action(
            "Redirect", Channel=connected["Channel"], Context="hotline-queue", Exten="expert", Priority="1"
        )
        self.ended(caller)
        self.sip.agents_leave(phone)
        self.sip.agents_leave(other)

    def attended(self, caller: str, first: int, second: int) -> None:
        """The agent asks a colleague, then connects both and leaves (REFER with Replaces)."""
        phone = self.sip.agents([first], scenarios.answering())
        self.sip.call([Citizen(caller)], scenarios.caller(10))
        connected = self.talking(caller)
        other = self.sip.agents([second], scenarios.answering())
        self.sip.agent_calls(first, str(second), 20)
        asking = self.ami.wait_for("Newchannel", Context="hotline-agents", Exten=str(second))
        self.ami.wait_for("BridgeEnter", Uniqueid=asking["Uniqueid"])
        attended_transfer(self.pbx, self.ami, connected["DestChannel"], asking["Channel"], str(second))
        self.ami.wait_for("AttendedTransfer")
        self.ended(caller)
        self.sip.agents_leave(phone)
        self.sip.agents_leave(other)

    def conference(self, caller: str, extension: int, third: str, room: str) -> None:
        """Both legs into one room, then the third party is called in."""
        phone = self.sip.agents([extension], scenarios.answering())
        line = self.sip.called_citizens(scenarios.citizen_phone())
        self.sip.call([Citizen(caller)], scenarios.caller(9))
        connected = self.talking(caller)
        place = {"Context": "hotline-conference", "Exten": room, "Priority": "1"}
        extra = {f"Extra{key}": value for key, value in place.items()}
        self.ami.action(
            "Redirect", Channel=connected["Channel"], ExtraChannel=connected["DestChannel"], **place, **extra
        )
        self.ami.wait_for("ConfbridgeJoin", Conference=room, Channel=connected["DestChannel"])
        self.ami.action(
            "Originate", Channel=f"PJSIP/{third}@trunk", Async="true", ChannelId=f"third-{room}", **place
        )
        self.ami.wait_for("ConfbridgeJoin", Conference=room, Uniqueid=f"third-{room}")
        self.ended(caller)
        self.ami.action("Hangup", Channel=connected["DestChannel"])
        self.ami.wait_for("Hangup", Uniqueid=connected["DestUniqueid"])
        self.sip.agents_leave(phone)
        self.sip.hang_up(line)

    # -- calls we make -------------------------------------------------------------------------
    def call_back(self, citizen: str, extension: int, session: str, agent: str, line: str) -> None:
        """Click to call: the agent's phone first (`agent` a scenario), then the citizen's (`line`)."""
        phone = self.sip.agents([extension], agent)
        carrier = self.sip.called_citizens(line)
        self.ami.action(
            "Originate",
            Channel=f"PJSIP/{extension}",
            Context="hotline-outbound",
            Exten=citizen,
            Priority="1",
            Timeout="4000",
            Async="true",
            ChannelId=session,
        )
        self.ami.wait_for("Hangup", deadline=60, Uniqueid=session)
        self.sip.agents_leave(phone)
        self.sip.hang_up(carrier)

    def colleagues(self, first: int, second: int) -> None:
        """One agent calls another; no citizen."""
        other = self.sip.agents([second], scenarios.answering())
        self.sip.agent_calls(first, str(second), 2).wait(30)
        self.sip.agents_leave(other)
