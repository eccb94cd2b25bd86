"""Where the citizen was sent. Transfers have events of their own; redirects and conferences have not.

A redirect is known by its trace: the citizen leaves a bridge first, nobody has hung up, and the call
goes on somewhere else. A conference is known by three parties in one bridge.
"""

from typing import TYPE_CHECKING

from telephony.calls.facts import Channel
from telephony.calls.spans import cut, held_spans, stay_spans, together

if TYPE_CHECKING:
    from telephony.calls.session import Reading

Move = tuple[float, str, str, str]  # stamp, kind, from, to
NEAR = 1.5  # seconds between a transfer's event and the end of the talk it ends
HANDED = 0.3  # seconds three are together when one hands the citizen over and leaves
SURVIVES = 0.25  # seconds the citizen's channel must outlive a redirect


def read(reading: "Reading") -> list[Move]:
    """Every transfer of the citizen, in order."""
    if reading.direction == "internal":
        return []
    known = [_with_target(reading, *handover) for handover in sorted(reading.call.handovers)]
    known += _sent(reading, known)
    conferences = _conferences(reading)
    redirects = [
        move
        for move in _redirects(reading)
        if not any(abs(move[0] - at) < NEAR and move[2] == who for at, _, who, _ in known)
    ]
    return sorted(known + conferences + redirects + _handed_over(reading, conferences))


def _with_target(reading: "Reading", at: float, kind: str, source: str, target: str, dialled: str) -> Move:
    """A transfer whose event names no target went to whoever talked with the citizen next."""
    if not target:
        talks = sorted(
            (start, agent)
            for agent, channels in reading.agents.items()
            for channel in channels
            for start, _ in reading.talk(channel)
            if agent != source and start > at - NEAR
        )
        target = talks[0][1] if talks else dialled
    return at, kind, source, target


def _sent(reading: "Reading", known: list[Move]) -> list[Move]:
    """The citizen ran the dialplan of transfers without an event of a transfer: out of a room, or a hold."""
    found: list[Move] = []
    for at, target in sorted(reading.call.sent):
        if any(abs(at - other) < NEAR for other, *_ in known):
            continue
        talks = sorted(
            (end, phone.endpoint)
            for phone in reading.phones
            for begin, end in reading.talk(phone)
            if begin < at
        )
        if talks:
            found.append((at, "blind", talks[-1][1], target))
    return found


def _redirects(reading: "Reading") -> list[Move]:
    found: list[Move] = []
    for citizen in reading.citizens:
        for phone in reading.phones:
            for _, end in reading.talk(phone):
                if _was_pulled_away(citizen, phone, end):
                    target = _next_place(reading, citizen, phone, end)
                    if target is not None:
                        found.append((end, "redirect", phone.endpoint, target))
    return found


def _was_pulled_away(citizen: Channel, phone: Channel, end: float) -> bool:
    """The citizen left first, without anybody hanging up, and lived on."""
    left = min((s for stay in citizen.stays.values() for s in stay.leaves if s >= end), default=None)
    phone_left = min((s for stay in phone.stays.values() for s in stay.leaves if s >= end), default=end + 1)
    if left is None or left - end > 0.01 or phone_left < left:
        return False
    hung_up = any(c.asked is not None and c.asked <= end + SURVIVES for c in (citizen, phone))
    alive = citizen.ended is None or citizen.ended > end + SURVIVES
    return alive and not hung_up


def _next_place(reading: "Reading", citizen: Channel, phone: Channel, end: float) -> str | None:
    """Where the citizen went next: a queue, or another telephone; None when back with the same one."""
    queue = next(((join, name) for join, name, _ in reading.queue_entries if join >= end), None)
    talks = sorted(
        (start, other.endpoint)
        for other in reading.phones
        for start, _ in together(citizen, other, reading.now)
        if start >= end
    )
    if any(endpoint == phone.endpoint for _, endpoint in talks[:2]):
        return None
    places = ([queue] if queue else []) + talks[:1]
    return min(places)[1] if places else None


def _conferences(reading: "Reading") -> list[Move]:
    found: list[Move] = []
    for citizen in reading.citizens:
        for bridge, stay in citizen.stays.items():
            spans = stay_spans(stay, citizen, reading.now)
            others = [c for c in [*reading.phones, *reading.trunks] if bridge in c.stays and c is not citizen]
            met = (
                sorted(
                    (start, end, who(reading, c), c)
                    for c in others
                    for start, end in cut(stay_spans(c.stays[bridge], c, reading.now), spans)[:1]
                )
                if len(others) > 1
                else []
            )
            found += _joined(reading, met, certain=stay.conference)
    return found


def _handed_over(reading: "Reading", conferences: list[Move]) -> list[Move]:
    """Out of a hold to the third party of a consultation, when whoever consulted has hung up already."""
    found: list[Move] = []
    for citizen in reading.citizens:
        for start, end in held_spans(citizen, reading.now):
            rooms = [b for b, stay in citizen.stays.items() if stay.conference and end in stay.enters]
            holder = next((p for p in reading.phones if _covers(reading, p, start)), None)
            others = [c for c in [*reading.phones, *reading.trunks] if c not in (citizen, holder)]
            party = next((c for c in others for room in rooms if _is_in(c, room, end, reading)), None)
            told = any(abs(at - end) < NEAR for at, *_ in conferences)
            if holder is not None and holder.ended is not None and party is not None and not told:
                found.append((end, "attended", holder.endpoint, who(reading, party)))
    return found


def _covers(reading: "Reading", phone: Channel, at: float) -> bool:
    return any(start <= at < end for start, end in reading.talk(phone))


def _is_in(channel: Channel, bridge: str, at: float, reading: "Reading") -> bool:
    stay = channel.stays.get(bridge)
    return stay is not None and any(a <= at <= b for a, b in stay_spans(stay, channel, reading.now))


def _joined(reading: "Reading", met: list[tuple[float, float, str, Channel]], *, certain: bool) -> list[Move]:
    """Third parties of one bridge; outside a ConfBridge two must overlap to make it one."""
    if len({name for _, _, name, _ in met}) < 2:
        return []
    talked = sorted((reading.talk(p)[0][0], p.endpoint) for p in reading.phones if reading.talk(p))
    host = next((name for _, name in talked if any(name == m[2] for m in met)), met[0][2])
    host_end = max(end for _, end, name, _ in met if name == host)
    return [
        (start, "conference" if host_end - start > HANDED else "attended", host, name)
        for start, _, name, _ in met
        if name != host and (certain or host_end - start > 0.5)
    ]


def who(reading: "Reading", channel: Channel) -> str:
    """An extension, or a third party's number."""
    if reading.tracker.is_trunk(channel):
        return channel.aimed or (channel.number[1] if channel.number else channel.endpoint)
    return channel.endpoint
