"""Calls under the console's hand: the rooms of `hotline-room`, and hold.

What happens follows the dialplan we ship (extensions.conf, "Calls under the console's hand"): who is ours
is marked, and when the last of them has left, the citizen goes on; a held citizen looks every few seconds
whether anybody is still there.
"""

from typing import TYPE_CHECKING

from telephony.simulator.call import Call, Leg
from telephony.simulator.model import Bridge, Channel

if TYPE_CHECKING:
    from telephony.simulator.floor import Floor

ROOM, OURS, HOLD, LISTEN = "hotline-room", "hotline-ours", "hotline-hold", "hotline-listen"
LOOKS = 3.0  # seconds between two looks of a held citizen
LEAST_LEFT = 20.0  # seconds the talk goes on at least once it is in a room


class Room:
    """One ConfBridge: the citizen, if he is in it, and ours."""

    def __init__(self, floor: "Floor", name: str) -> None:
        self.floor = floor
        self.name = name
        self.ours: list[Channel] = []
        self.owner: Call | None = None  # the citizen's call
        self._bridge: Bridge | None = None

    @property
    def bridge(self) -> Bridge:
        """The bridge, made when somebody comes."""
        if self._bridge is None:
            self._bridge = self.floor.pbx.create_bridge(conference=True)
        return self._bridge

    def join(self, channel: Channel) -> None:
        """One of ours enters."""
        channel.context, channel.application = OURS, "ConfBridge"
        channel.application_data = f"{self.name},hotline_bridge,hotline_ours"
        self.ours.append(channel)
        self.floor.pbx.enter(self.bridge, channel)

    def drop(self, channel: Channel, cause: int = 16) -> None:
        """One of ours leaves and his telephone is free."""
        pbx = self.floor.pbx
        self.ours.remove(channel)
        pbx.leave(channel)
        pbx.hangup(channel, cause)
        pbx.refresh(channel.endpoint)
        self.close_if_empty()

    def kick(self) -> None:
        """The citizen is gone: whoever is still here talks to nobody."""
        for channel in list(self.ours):
            self.drop(channel)

    def close_if_empty(self) -> None:
        if self._bridge is not None and not self._bridge.channels:
            self.floor.pbx.destroy(self._bridge)
            self._bridge = None


class HandledCall(Call):
    """A citizen's call that the console may take into a room."""

    room: Room | None = None
    held = False

    def take_in_hand(self, name: str, context: str) -> bool:
        """Redirect of both channels, or later of the citizen alone; False when the call is not in a talk."""
        if self.room is None:
            if self.stage != "talking" or self.agent is None:
                return False
            self._into_room(name, self.agent)
        assert self.room is not None
        citizen = self.citizen
        self.pbx.leave(citizen)
        citizen.context, citizen.exten = context, name
        if context == HOLD:
            self._on_hold()
        else:
            self._off_hold()
            citizen.application, citizen.application_data = "ConfBridge", self.room.name
            self.pbx.enter(self.room.bridge, citizen)
        return True

    def _into_room(self, name: str, leg: Leg) -> None:
        self.forget_timers()
        self.part(self.citizen, leg.channel)
        self.room = self.floor.room(name)
        self.room.owner = self
        self.room.join(leg.channel)
        self.enter_stage("room", leg.channel.endpoint)
        self.after(max(self.plan.talk, LEAST_LEFT), self.leave_for_good)

    def take_over(self, name: str) -> bool:
        """Redirect of the citizen alone out of an ordinary talk: the agent's telephone is hung up."""
        leg, room = self.agent, self.floor.room(name)
        if self.stage != "talking" or leg is None or not room.ours:
            return False
        self.forget_timers()
        self.part(self.citizen, leg.channel)
        self.agent_done("agent")
        self.pbx.hangup(leg.channel, 16)
        self.pbx.refresh(leg.channel.endpoint)
        self.agent, self.room, room.owner = None, room, self
        self.enter_stage("room", room.ours[0].endpoint)
        self.after(max(self.plan.talk, LEAST_LEFT), self.leave_for_good)
        return self.take_in_hand(name, ROOM)

    def _on_hold(self) -> None:
        self.held = True
        self.citizen.application, self.citizen.application_data = "MusicOnHold", "default,3"
        self.tell("CallHeld")
        self.pbx.about("MusicOnHoldStart", self.citizen, [("Class", "default")])
        self.after(LOOKS, self._look_for_ours)

    def _off_hold(self) -> None:
        if self.held:
            self.held = False
            self.pbx.about("MusicOnHoldStop", self.citizen)

    def _look_for_ours(self) -> None:
        if not self.held or self.stage != "room":
            return
        if self.room is not None and self.room.ours:
            self.after(LOOKS, self._look_for_ours)
            return
        self.tell("TransferBack", ("Target", "hold"), ("Why", "LEFT"))
        self._off_hold()
        self.room = None
        self.forget_timers()
        self.back_to_queue()

    def tell(self, name: str, *pairs: tuple[str, str]) -> None:
        """A UserEvent of the dialplan about the citizen."""
        own = [("UserEvent", name), ("Uniqueid", self.citizen.uniqueid), ("Linkedid", self.citizen.linkedid)]
        self.pbx.about("UserEvent", self.citizen, [*own, *pairs])

    def leave_room(self, context: str, exten: str) -> bool:
        """Redirect of the citizen out of the room into the dialplan of transfers or queues."""
        if self.stage != "room" or self.room is None:
            return False
        self.forget_timers()
        self.pbx.leave(self.citizen)
        self._off_hold()
        if self.agent is not None:
            self.agent_done("agent")
        self.room.owner, self.room, self.agent = None, None, None
        self.citizen.context, self.citizen.exten, self.citizen.priority = context, exten, 1
        self.go_on(exten)
        return True

    def hang_up_in_room(self, channel: Channel) -> bool:
        """Hangup of one of the room's channels; False when it is in none."""
        room = self.floor.room_with(channel)
        if channel is self.trunk and self.stage == "room":
            self.leave_for_good()
            return True
        if room is None:
            return False
        room.drop(channel)
        if self.agent is not None and channel is self.agent.channel:
            self.agent_done("agent")
            self.agent = None
        if room.owner is self:
            self.somebody_left()
        return True

    def somebody_left(self) -> None:
        """When the last of ours has left, a citizen who is in the room goes on in the dialplan."""
        if self.stage != "room" or self.held or self.room is None or self.room.ours:
            return
        self.forget_timers()
        self.pbx.leave(self.citizen)
        self.room.close_if_empty()
        self.room = None
        self.talked_out()

    def leave_for_good(self) -> None:
        """The citizen hangs up: the dialplan's last rites empty the room."""
        pbx, citizen, room = self.pbx, self.citizen, self.room
        if self.stage != "room":
            return
        self.forget_timers()
        pbx.about("HangupRequest", citizen, [("Cause", "16")])
        pbx.leave(citizen)
        self._off_hold()
        pbx.soft_hangup(citizen)
        self.write_records(citizen)
        pbx.hangup(citizen, 16)
        if self.agent is not None:
            self.agent_done("caller")
        if room is not None:
            room.kick()
        self.room = self.agent = None
        pbx.refresh(citizen.endpoint)
        self.enter_stage("ended")

    # what differs between calls that came in and calls of ours

    def agent_done(self, reason: str) -> None:
        """The agent who took the call has nothing to do with it any more."""
        del reason

    def back_to_queue(self) -> None:
        """Nobody is there for the held citizen."""
        raise NotImplementedError

    def talked_out(self) -> None:
        """All of ours have left the room."""
        raise NotImplementedError

    def go_on(self, exten: str) -> None:
        """The dialplan of transfers."""
        raise NotImplementedError
