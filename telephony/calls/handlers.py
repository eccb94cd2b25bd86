"""What each AMI event proves. Importing this module fills `tracker.HANDLERS`."""

from telephony.ami.messages import AmiEvent
from telephony.calls.facts import Channel, earliest, looks_public
from telephony.calls.roster import Place, Told
from telephony.calls.tracker import DEST, MAIN, PARTIES, VARIABLES, Tracker, handles, keys

UNREACHABLE = {"4", "5"}  # device invalid, unavailable
RESULTS = {
    "TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL", "CONTINUE", "WITHDRAW",
}  # fmt: skip
SCORES = frozenset("12345")
SOLVED = {"1": True, "2": False}  # of the second question
HAPPENED = {"QueueMemberPause": "pause", "QueueMemberAdded": "added", "QueueMemberRemoved": "removed"}


HOLD_CONTEXT = "hotline-hold"  # of the configuration we ship
# Bridges in which nobody hears anybody. Not told by the technology: a conference begins as holding_bridge.
WAITING_ROOMS = {"Parking", "AgentPool", "BridgeWait"}


def note_state(channel: Channel, state: str, stamp: float) -> None:
    if state == "Up":
        channel.up = earliest(channel.up, stamp)
    elif state == "Ringing":
        channel.ringing = earliest(channel.ringing, stamp)


@handles("Newchannel")
def new_channel(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        state = event.get("ChannelStateDesc")
        channel.incoming = state != "Down"
        note_state(channel, state, stamp)


@handles("Newstate")
def new_state(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        note_state(channel, event.get("ChannelStateDesc"), stamp)


@handles("Hangup")
def hangup(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        channel.ended = earliest(channel.ended, stamp)
        channel.causes.add(event.get("Cause"))


@handles("HangupRequest")
def hangup_request(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        channel.asked = earliest(channel.asked, stamp)
        tracker.tells_requests = True


@handles("SoftHangupRequest")
def soft_hangup_request(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        channel.soft = earliest(channel.soft, stamp)
        tracker.tells_requests = True


@handles("DialBegin", "DialState", "DialEnd", "AgentCalled")
def dial(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    """AgentCalled sends Destination… headers as Dest…; an Originate's dial has no source channel."""
    tracker.touch(event, MAIN, stamp)
    target = tracker.touch(event, DEST, stamp)
    if target is None:
        return
    target.dialled = True
    aimed = event.get("DialString").rpartition("/")[2].partition("@")[0].removeprefix("sip:")
    if looks_public(aimed) or (aimed.isdigit() and tracker.is_trunk(target)):  # 110 is a number too
        target.aimed = aimed
    status = event.get("DialStatus")
    if event.name == "DialState" and status == "RINGING":
        target.ringing = earliest(target.ringing, stamp)
    if event.name == "DialEnd" and status == "ANSWER":
        target.up = earliest(target.up, stamp)  # where Newstate is filtered out
    elif event.name == "DialEnd":
        target.dial_over = earliest(target.dial_over, stamp)
        target.dial_statuses.add(status)
    if event.name == "AgentCalled":
        tracker.roster.learn(event.get("MemberName"), event.get("Interface"))


@handles("BridgeEnter")
def bridge_enter(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is None or event.get("BridgeCreator") in WAITING_ROOMS:
        return
    conference = event.get("BridgeCreator") == "ConfBridge" or event.get("BridgeType") == "base"
    tracker.enter(channel, event.get("BridgeUniqueid"), stamp, conference=conference)


@handles("BridgeLeave")
def bridge_leave(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None and event.get("BridgeCreator") not in WAITING_ROOMS:
        tracker.leave(channel, event.get("BridgeUniqueid"), stamp)


@handles("Hold")
def hold(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        channel.holds.add(stamp)


@handles("Unhold")
def unhold(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        channel.unholds.add(stamp)


@handles("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon")
def queue_caller(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is None:
        return
    facts = channel.queue(event.get("Queue"))
    {
        "QueueCallerJoin": facts.joins,
        "QueueCallerLeave": facts.leaves,
        "QueueCallerAbandon": facts.abandons,  # also sent on timeout, withdraw and leave-empty
    }[event.name].add(stamp)


@handles("AgentConnect", "AgentComplete", "AgentRingNoAnswer")
def agent(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    """RingTime and TalkTime of these events are wrong or in mixed units and are not used."""
    channel = tracker.touch(event, MAIN, stamp)
    target = tracker.touch(event, DEST, stamp)
    tracker.roster.learn(event.get("MemberName"), event.get("Interface"))
    if channel is None or target is None:
        return
    target.dialled = True
    if event.name == "AgentConnect":
        channel.connects.add(stamp)
    elif event.name == "AgentComplete":
        channel.call.completes.add((stamp, target.uniqueid, event.get("Reason")))
    else:
        target.missed = True


@handles("BlindTransfer")
def blind_transfer(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    transferer = tracker.touch(event, keys("Transferer"), stamp)
    tracker.touch(event, keys("Transferee"), stamp)
    if transferer is not None and event.get("Result") == "Success" and not tracker.is_trunk(transferer):
        transferer.call.handovers.add((stamp, "blind", transferer.endpoint, event.get("Extension"), ""))


@handles("AttendedTransfer")
def attended_transfer(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    known = [tracker.touch(event, names, stamp) for names in PARTIES]
    first = next((channel for channel in known if channel is not None), None)
    if first is None or event.get("Result") != "Success":
        return
    for channel in known:
        if channel is not None:
            tracker.join(first, channel)
    original = event.get("OrigTransfererChannel")
    second = event.get("SecondTransfererChannel")
    # 16 names no target after a transfer by feature codes; what was dialled on the second line may help.
    target = tracker.who(event.get("TransferTargetChannel"), event.get("TransferTargetCallerIDNum"))
    dialled = event.get("SecondTransfererExten") if second != original else ""
    first.call.handovers.add((stamp, "attended", tracker.who(original), target, dialled))


@handles("OriginateResponse")
def originate_response(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    """Success says that the first leg answered; a failure names no channel, only its endpoint."""
    if event.get("Application") == "ChanSpy":
        channel = tracker.touch(event, MAIN, stamp)
        if channel is not None:
            channel.spying = True
        return
    never = event.get("Response") == "Failure" and not tracker.knows(event.get("Uniqueid"))
    channel = None if never else tracker.touch(event, MAIN, stamp)  # 22 names an id that never was a channel
    if channel is not None:
        channel.dialled = True
        channel.call.originated.add(event.get("Exten"))
    else:
        tracker.note_failed_originate(stamp, event.get("Channel"), event.get("Exten"))


@handles("ChanSpyStart")
def spy(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, keys("Spyer"), stamp)
    if channel is not None:
        channel.spying = True


@handles("ChanSpyStop")
def spy_left(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    """Only who follows orders needs it; it is named here so that it is parsed."""
    del tracker, event, stamp


@handles("VarSet")
def variable(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    name, value = event.get("Variable"), event.get("Value")
    if name.encode() not in VARIABLES or not value:
        return
    channel = tracker.touch(event, MAIN, stamp)
    if channel is None:
        return
    if name == "QUEUESTATUS":
        channel.statuses.add((stamp, value))
    else:
        channel.call.recordings.add((0, stamp, value.replace("\\", "/").rpartition("/")[2]))


@handles("MixMonitorStart")
def recording(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    """The event names no file; ours are named by the Uniqueid, and a VarSet beside it says otherwise."""
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        channel.call.recordings.add((1, stamp, f"rec-{channel.uniqueid}.wav"))


@handles("MixMonitorMute")
def mute(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        (channel.mutes if event.get("State") == "1" else channel.unmutes).add(stamp)


@handles("UserEvent")
def user_event(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is None:
        return
    if event.get("UserEvent") == "Survey":
        _survey(channel, event, stamp)
    elif event.get("UserEvent") == "SurveyAsked":
        channel.call.asked = earliest(channel.call.asked, stamp)
    elif event.get("UserEvent") == "Voicemail":
        size = event.get("Size", "0")
        length = int(size) if size.isascii() and size.isdigit() else 0
        channel.call.voicemails.add((stamp, event.get("File"), length))
    elif event.get("UserEvent") == "CallHeld":
        channel.helds.add(stamp)
    elif event.get("UserEvent") == "CallRefused":
        channel.call.refused = True
    elif event.get("UserEvent") == "TransferTo":
        channel.call.sent.add((stamp, event.get("Target")))
    elif event.get("Status") in RESULTS:
        channel.statuses.add((stamp, event.get("Status")))


def _survey(channel: Channel, event: AmiEvent, stamp: float) -> None:
    """One answer by a key; whatever is no answer is none."""
    score = event.get("Score").strip()
    if score not in SCORES:
        return
    channel.call.asked = earliest(channel.call.asked, stamp)
    if event.get("Question") != "solved":
        channel.call.surveys.add((stamp, score))
    elif score in SOLVED:
        channel.call.solved.add((stamp, SOLVED[score]))


@handles("Rename")
def rename(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    tracker.rename(event.get("Uniqueid"), event.get("Newname"), stamp)


@handles("QueueMember", "QueueMemberStatus", "QueueMemberAdded", "QueueMemberPause", "QueueMemberRemoved")
def queue_member(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    """The list reply has other field names than the events; `InCall` stays 0, `Status` is right."""
    name = event.get("MemberName") or event.get("Name")
    interface = event.get("Interface") or event.get("Location")
    tracker.roster.learn(name, interface, event.get("StateInterface"))
    here, paused = event.name != "QueueMemberRemoved", event.get("Paused") == "1"
    reachable = event.get("Status") not in UNREACHABLE
    tracker.roster.note(event.get("Queue"), interface, stamp, available=here and not paused and reachable)
    telephone = event.get("StateInterface") if interface.startswith("Local/") else interface
    if "/" in telephone and not telephone.startswith("Local/"):
        place = Place(stamp, here, paused, event.get("PausedReason"), reachable)
        tracker.roster.place(event.get("Queue"), telephone, place)
        what = HAPPENED.get(event.name, "")
        if what:
            what = ("paused" if paused else "unpaused") if what == "pause" else what
            extension, reason = telephone.partition("/")[2], event.get("PausedReason")
            tracker.roster.tell(Told(stamp, what, event.get("Queue"), extension, reason))


@handles("FullyBooted")
def fully_booted(tracker: Tracker, event: AmiEvent, stamp: float) -> None:  # noqa: ARG001 - a handler's shape
    tracker.begin_snapshot()


@handles("CoreShowChannel")
def listed_channel(tracker: Tracker, event: AmiEvent, stamp: float) -> None:  # noqa: ARG001 - a handler's shape
    channel = tracker.confirm(event)
    if channel is None:
        return
    state = event.get("ChannelStateDesc")
    if channel.up is None and (state == "Up" or channel.ringing is None):
        note_state(channel, state, channel.seen if channel.partial else tracker.now)
    application = event.get("Application")
    if application in ("AppQueue", "AppDial"):
        channel.dialled = True
    elif application == "ChanSpy":
        channel.spying = True
    elif application == "ConfBridge" and event.get("BridgeId") in channel.stays:
        channel.stays[event.get("BridgeId")].conference = True
    elif event.get("Context") == HOLD_CONTEXT and not channel.helds:
        channel.helds.add(tracker.now)
    elif application == "Queue":
        facts = channel.queue(event.get("ApplicationData").partition(",")[0])
        if not facts.joins:
            facts.joins.add(channel.seen)
        if event.get("BridgeId") and not facts.leaves:
            facts.leaves.add(tracker.now)


@handles("CoreShowChannelsComplete")
def list_complete(tracker: Tracker, event: AmiEvent, stamp: float) -> None:  # noqa: ARG001 - a handler's shape
    tracker.end_snapshot()


@handles("QueueEntry")
def queue_entry(tracker: Tracker, event: AmiEvent, stamp: float) -> None:
    channel = tracker.touch(event, MAIN, stamp)
    if channel is not None:
        facts = channel.queue(event.get("Queue"))
        wait = event.get("Wait")
        if not facts.joins or channel.partial:
            facts.joins = {tracker.now - (int(wait) if wait.isdigit() else 0)}
