"""The telephone's figures from what a PBX wrote, reckoned by hand; nothing of the product is used.

`from_events` reads raw AMI bytes for the moments, and queue_log for how each wait ended; `from_queue_log`
reads queue_log alone, which tells whole seconds.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

QUARTER = 900
EXITS = {
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "timeout",
    "EXITEMPTY": "empty",
    "WITHDRAW": "withdrawn",
    "EXITWITHKEY": "others",
}
ENDPOINT = re.compile(r"PJSIP/(.+)-[0-9a-f]+$")
Key = tuple[int, str]  # the second at which a quarter of an hour begins, the queue


@dataclass
class Call:
    """One citizen's call as the lines tell it."""

    queue: str = ""
    entered: float | None = None
    answered: float | None = None
    left: float | None = None
    exit: str = ""
    missed: int = 0
    transferred: int = 0
    talk: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    hold: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))


def messages(raw: bytes) -> list[dict[str, str]]:
    """The events in the order in which they were written."""
    found = []
    for block in raw.split(b"\r\n\r\n"):
        pairs = (line.split(": ", 1) for line in block.decode("utf-8", "replace").split("\r\n"))
        event = {pair[0]: pair[1] if len(pair) > 1 else "" for pair in pairs}
        if "Event" in event:
            found.append(event)
    return found


def calls_of(raw: bytes, queue_log: str) -> dict[str, Call]:
    """Calls that entered a queue, by the Uniqueid of the citizen's channel."""
    calls: dict[str, Call] = defaultdict(Call)
    inside: dict[str, dict[str, str]] = defaultdict(dict)  # bridge → Uniqueid → endpoint
    since: dict[tuple[str, str], float] = {}
    held: dict[str, float] = {}
    link: dict[str, str] = {}  # agent's channel → the citizen's
    for event in messages(raw):
        name, at, who = event["Event"], float(event.get("Timestamp", 0)), event.get("Uniqueid", "")
        call = calls[who]
        if name == "QueueCallerJoin":
            if call.entered is None:
                call.entered, call.queue = at, event["Queue"]
        elif name == "QueueCallerLeave":
            call.left = at
        elif name == "AgentConnect" and call.answered is None:
            call.answered = at
        elif name == "AgentRingNoAnswer":
            call.missed += 1
        elif name == "BlindTransfer" and event.get("Result") == "Success":
            calls[event["TransfereeUniqueid"]].transferred += 1
        elif name in ("BridgeEnter", "BridgeLeave"):
            members = inside[event["BridgeUniqueid"]]
            endpoint = ENDPOINT.match(event["Channel"])
            assert endpoint is not None
            if name == "BridgeEnter":
                members[who] = endpoint[1]
                link.update({one: other for one in members for other in members if one != other})
                for one, other in _pairs(members):
                    since.setdefault((one, other), at)
            else:
                for pair in _pairs(members):
                    if who in pair:
                        citizen, agent = pair
                        calls[citizen].talk[members[agent]].append((since.pop(pair), at))
                        if agent in held:
                            calls[citizen].hold[members[agent]].append((held.pop(agent), at))
                members.pop(who)
        elif name == "Hold":
            held[who] = at
        elif name == "Unhold" and who in held:
            endpoint = ENDPOINT.match(event["Channel"])
            assert endpoint is not None
            calls[link[who]].hold[endpoint[1]].append((held.pop(who), at))
    for line in lines(queue_log):
        if line[4] in EXITS:
            calls[line[1]].exit = EXITS[line[4]]
    return {uid: call for uid, call in calls.items() if call.entered is not None}


def _pairs(members: dict[str, str]) -> list[tuple[str, str]]:
    """Citizen and agent in one bridge."""
    trunks = [uid for uid, endpoint in members.items() if endpoint == "trunk"]
    return [(one, uid) for one in trunks for uid, endpoint in members.items() if endpoint != "trunk"]


def lines(queue_log: str) -> list[list[str]]:
    """queue_log, field by field."""
    return [line.split("|") for line in queue_log.splitlines() if line.count("|") >= 4]


def _milliseconds(spans: dict[str, list[tuple[float, float]]]) -> int:
    return sum(round(sum(end - begin for begin, end in mine) * 1000) for mine in spans.values())


def from_events(raw: bytes, queue_log: str) -> dict[Key, Counter[str]]:
    """What entered each queue in each quarter of an hour, and what became of it; only calls that are over."""
    found: dict[Key, Counter[str]] = defaultdict(Counter)
    for call in calls_of(raw, queue_log).values():
        assert call.entered is not None
        sums = found[int(call.entered) // QUARTER * QUARTER, call.queue]
        sums["offered"] += 1
        sums["missed"] += call.missed
        sums["transferred"] += call.transferred
        if call.answered is not None:
            wait = call.answered - call.entered
            sums["answered"] += 1
            sums["answered_in_15"] += wait <= 15
            sums["wait_ms"] += round(wait * 1000)
            sums["talk_ms"] += _milliseconds(call.talk)
            sums["hold_ms"] += _milliseconds(call.hold)
        elif call.exit == "abandoned":
            assert call.left is not None
            sums["short_abandoned" if call.left - call.entered < 5 else "abandoned"] += 1
        else:
            sums[call.exit or "others"] += 1
    return found


Span = tuple[float, float]


@dataclass
class Made:
    """One call we made: when it began, whose telephone, whether it left the house, when both talked."""

    began: float
    extension: str
    left: bool = False  # a channel to the carrier was made
    talks: list[Span] = field(default_factory=list)


def made_calls(raw: bytes, prefix: str) -> dict[str, Made]:
    """Calls whose first channel has an id that begins so, from the raw events alone."""
    found: dict[str, Made] = {}
    inside: dict[str, dict[str, str]] = defaultdict(dict)
    since: dict[str, float] = {}
    for event in messages(raw):
        name, link, who = event["Event"], event.get("Linkedid", ""), event.get("Uniqueid", "")
        endpoint = ENDPOINT.match(event.get("Channel", ""))
        if endpoint is None or not link.startswith(prefix):
            continue
        at = float(event.get("Timestamp", 0))
        if name == "Newchannel" and who == link:
            found[link] = Made(at, endpoint[1])
        elif name == "Newchannel":
            found[link].left = True
        elif name == "BridgeEnter":
            inside[event["BridgeUniqueid"]][who] = endpoint[1]
            if len(inside[event["BridgeUniqueid"]]) == 2:
                since[link] = at
        elif name == "BridgeLeave":
            inside[event["BridgeUniqueid"]].pop(who)
            if link in since:
                found[link].talks.append((since.pop(link), at))
    return found


def talks_at(raw: bytes, queue_log: str) -> dict[str, list[tuple[float, float, str]]]:
    """By extension: when it was in a bridge with a citizen, and in whose call."""
    found: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for uid, call in calls_of(raw, queue_log).items():
        for extension, spans in call.talk.items():
            found[extension] += [(begin, end, uid) for begin, end in spans]
    return {extension: sorted(spans) for extension, spans in found.items()}


def rings_at(raw: bytes) -> dict[str, list[Span]]:
    """By extension: from each ring to the talk, or to where it was given up."""
    since: dict[str, tuple[float, str]] = {}
    found: dict[str, list[Span]] = defaultdict(list)
    for event in messages(raw):
        uid, at = event.get("Uniqueid", ""), float(event.get("Timestamp", 0))
        endpoint = ENDPOINT.match(event.get("Channel", ""))
        if event["Event"] == "Newstate" and event["ChannelStateDesc"] == "Ringing":
            assert endpoint is not None
            since.setdefault(uid, (at, endpoint[1]))
        elif event["Event"] in ("BridgeEnter", "Hangup") and uid in since:
            begun, extension = since.pop(uid)
            found[extension].append((begun, at))
    return found


def without(spans: list[Span], others: list[Span]) -> list[Span]:
    """What of `spans` lies outside of `others`."""
    for begin, end in others:
        parts = [(a, min(b, begin)) for a, b in spans] + [(max(a, end), b) for a, b in spans]
        spans = [(a, b) for a, b in parts if a < b]
    return sorted(spans)


def by_quarter(spans: list[Span]) -> dict[int, float]:
    """Seconds in each quarter of an hour."""
    found: dict[int, float] = defaultdict(float)
    for begin, end in spans:
        for at in range(int(begin) // QUARTER * QUARTER, int(end) + 1, QUARTER):
            found[at] += max(0.0, min(end, at + QUARTER) - max(begin, at))
    return {at: seconds for at, seconds in found.items() if seconds}


def from_queue_log(queue_log: str, only: set[str] | None = None) -> dict[Key, Counter[str]]:
    """The same from queue_log alone: `maybe_…` counts calls whose whole seconds leave it open.

    `only`: the calls that are looked at; calls of extensions are nobody's.
    """
    calls: dict[str, Counter[str]] = {}
    place: dict[str, Key] = {}
    for at, uid, queue, _, event, *data in lines(queue_log):
        if "." not in uid or (only is not None and uid not in only):
            continue
        if event == "ENTERQUEUE" and uid not in place:
            if not (data[1].isdigit() and len(data[1]) <= 6):
                place[uid], calls[uid] = (int(at) // QUARTER * QUARTER, queue), Counter(offered=1)
        elif uid not in calls:
            continue
        elif event == "RINGNOANSWER":
            calls[uid]["missed"] += 1
        elif event == "CONNECT" and not calls[uid]["answered"]:
            wait = int(data[0])
            calls[uid] -= Counter(dict.fromkeys(EXITS.values(), 99))  # of an earlier queue
            calls[uid].update({"answered": 1, "wait": wait})
            calls[uid]["maybe_in_15" if wait == 15 else "answered_in_15"] += wait <= 15
        elif event in EXITS and not calls[uid]["answered"]:
            calls[uid] -= Counter(dict.fromkeys([*EXITS.values(), "maybe_short", "short"], 99))
            calls[uid][EXITS[event]] = 1
            if event == "ABANDON":
                wait = int(data[2])
                calls[uid]["maybe_short" if wait == 5 else "short"] += wait <= 5
    found: dict[Key, Counter[str]] = defaultdict(Counter)
    for uid, counts in calls.items():
        found[place[uid]].update(counts)
    return found
