"""sipp scenarios, put together from steps.

A phone that answers, holds and transfers differs from one that only answers by a step in the middle;
as files they would be the same hundred lines many times over.
"""

from __future__ import annotations

_SDP = """v=0
o=rig 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 0
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
"""

_REPLY = """[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
"""
_TAG = ";tag=[pid]a[call_number]"


def _message(text: str, retransmit: bool = False) -> str:
    opening = '<send retrans="500">' if retransmit else "<send>"
    return f"{opening}<![CDATA[\n{text}\n]]></send>\n"


def _ok() -> str:
    return _message("SIP/2.0 200 OK\n" + _REPLY.format(tag="") + "Content-Length: 0\n")


def _scenario(name: str, body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="{name}">\n{body}</scenario>\n'


# ---- The citizen's side, through the trunk -----------------------------------------------------
_CALLER_LINES = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [field1] <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
{to}
Call-ID: [call_id]
CSeq: {cseq}
Max-Forwards: 70
"""


def _caller_request(method: str, sequence: int, body: str = "", content: str = "") -> str:
    head = _CALLER_LINES.format(to="[last_To:]", cseq=f"{sequence} {method}")
    kind = f"Content-Type: {content}\n" if content else ""
    return _message(
        f"{method} [next_url] SIP/2.0\n{head}{kind}Content-Length: [len]\n\n{body}", method != "ACK"
    )


def caller(
    seconds: float, *, keys: str = "", keys_after: float = 0.0, media: bool = False, voice: bool = False
) -> str:
    """A citizen who is on the line for `seconds` from the PBX's answer on, or until it hangs up.

    `keys` are pressed `keys_after` seconds after the answer, half a second apart; `p` is a pause of a
    second. `media` sends silence, `voice` a tone.
    """
    invite = "INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n" + _CALLER_LINES.format(
        to="To: <sip:[service]@[remote_ip]:[remote_port]>", cseq="1 INVITE"
    )
    invite += "Contact: <sip:[field0]@[local_ip]:[local_port]>\nContent-Type: application/sdp\n"
    body = _message(f"{invite}Content-Length: [len]\n\n{_SDP}", True)
    body += "".join(f'<recv response="{code}" optional="true"/>\n' for code in (100, 180, 183))
    body += '<recv response="200" rrs="true"/>\n' + _caller_request("ACK", 1)
    if media or voice:
        sound = "voice" if voice else "silence"
        body += f'<nop><action><exec rtp_stream="{sound}.alaw,-1,8,PCMA/8000"/></action></nop>\n'
    if keys:
        body += f'<pause milliseconds="{int(keys_after * 1000)}"/>\n'
    for sequence, key in enumerate(keys, start=2):
        if key == "p":
            body += '<pause milliseconds="1000"/>\n'
            continue
        signal = f"Signal={key}\nDuration=160\n"
        body += _caller_request("INFO", sequence, signal, "application/dtmf-relay")
        body += '<recv response="200"/>\n<pause milliseconds="500"/>\n'
    rest = max(int((seconds - keys_after - 0.5 * len(keys)) * 1000), 100)
    body += f'<recv request="BYE" timeout="{rest}" ontimeout="leave"/>\n{_ok()}<nop next="end"/>\n'
    body += '<label id="leave"/>\n' + _caller_request("BYE", 90)
    body += '<recv response="200"/>\n<label id="end"/>\n<nop/>\n'
    return _scenario("caller", body)


def citizen_phone(answer: bool = True, *, media: bool = False) -> str:
    """A citizen's phone that is called (call-back): answers after a second, or rings for ever."""
    sound = '<nop><action><exec rtp_stream="silence.alaw,-1,8,PCMA/8000"/></action></nop>\n' if media else ""
    return _callee(1.0, sound) if answer else not_answering()


def agent_calling(seconds: float) -> str:
    """An agent's phone that calls [service]: field0 its extension, field1 the [authentication ...]."""
    request = """{method} {target} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[remote_ip]>;tag=[pid]p[call_number]
{to}
Call-ID: [call_id]
CSeq: {sequence} {method}
Contact: <sip:[field0]@[local_ip]:[local_port]>
Max-Forwards: 70
{extra}Content-Length: [len]

{body}"""
    first = {"target": "sip:[service]@[remote_ip]:[remote_port]", "to": "To: <sip:[service]@[remote_ip]>"}
    sdp = "Content-Type: application/sdp\n"
    later = {"target": "[next_url]", "to": "[last_To:]", "extra": "", "body": ""}
    body = _message(request.format(method="INVITE", sequence=1, extra=sdp, body=_SDP, **first), True)
    body += '<recv response="100" optional="true"/>\n<recv response="401" auth="true"/>\n'
    body += _message(
        request.format(method="ACK", sequence=1, extra="", body="", target=first["target"], to="[last_To:]")
    )
    body += _message(
        request.format(method="INVITE", sequence=2, extra="[field1]\n" + sdp, body=_SDP, **first), True
    )
    body += "".join(f'<recv response="{code}" optional="true"/>\n' for code in (100, 180, 183))
    body += '<recv response="200" rrs="true"/>\n' + _message(
        request.format(method="ACK", sequence=2, **later)
    )
    body += (
        f'<recv request="BYE" timeout="{int(seconds * 1000)}" ontimeout="leave"/>\n{_ok()}<nop next="end"/>\n'
    )
    body += '<label id="leave"/>\n' + _message(request.format(method="BYE", sequence=9, **later), True)
    return _scenario("agent-calling", body + '<recv response="200"/>\n<label id="end"/>\n<nop/>\n')


# ---- The agent's phone --------------------------------------------------------------------------
_TAKE_INVITE = """<recv request="INVITE"><action>
<ereg regexp="[0-9]+ INVITE" search_in="hdr" header="CSeq:" assign_to="cseq"/>
<ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="contact"/>
<ereg regexp="[^ ].*" search_in="hdr" header="From:" assign_to="theirs"/>
<ereg regexp="[^ ].*" search_in="hdr" header="To:" assign_to="ours"/>
</action></recv>
"""
_REFERENCES = '<Reference variables="cseq,contact,theirs,ours"/>\n'
_IN_DIALOG = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$ours];tag=[pid]a[call_number]
To: [$theirs]
[last_Call-ID:]
Max-Forwards: 70
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
"""


def _status(line: str, body: str = "", retransmit: bool = False) -> str:
    kind = "Content-Type: application/sdp\n" if body else ""
    head = f"SIP/2.0 {line}\n{_REPLY.format(tag=_TAG)}{kind}Content-Length: [len]\n\n{body}"
    return _message(head, retransmit)


def _agent_request(method: str, sequence: int, extra: str = "", body: str = "") -> str:
    kind = "Content-Type: application/sdp\n" if body else ""
    return _message(
        f"{method} [$contact] SIP/2.0\n{_IN_DIALOG}CSeq: {sequence} {method}\n{extra}{kind}"
        f"Content-Length: [len]\n\n{body}",
        method != "ACK",
    )


def _callee(ring: float, during: str, last: str | None = None) -> str:
    """Rings `ring` seconds unless cancelled, answers, does `during`, then ends with `last`."""
    body = _TAKE_INVITE + _status("180 Ringing")
    body += f'<recv request="CANCEL" timeout="{max(int(ring * 1000), 50)}" ontimeout="answer"/>\n'
    body += _cancelled() + '<recv request="ACK" next="end"/>\n<label id="answer"/>\n'
    body += _status("200 OK", _SDP, retransmit=True) + '<recv request="ACK"/>\n' + during
    body += '<recv request="BYE"/>\n' + _ok() if last is None else last
    return _scenario("agent", body + '<label id="end"/>\n<nop/>\n' + _REFERENCES)


def _cancelled() -> str:
    terminated = "SIP/2.0 487 Request Terminated\n" + _REPLY.format(tag=_TAG)
    terminated = terminated.replace("[last_CSeq:]", "CSeq: [$cseq]")
    return _ok() + _message(terminated + "Content-Length: 0\n", True)


def answering(ring: float = 0.3) -> str:
    """Answers and stays until the other side hangs up."""
    return _callee(ring, "")


def answering_then_leaving(talk: float, ring: float = 0.3) -> str:
    """Answers, hangs up after `talk` seconds."""
    bye = _agent_request("BYE", 90) + '<recv response="200"/>\n'
    return _callee(ring, f'<pause milliseconds="{int(talk * 1000)}"/>\n', bye)


def holding(before: float, hold: float, ring: float = 0.3) -> str:
    """Answers, puts the citizen on hold once, takes him back, stays."""
    during = ""
    for sequence, pause, direction in ((11, before, "sendonly"), (12, hold, "sendrecv")):
        during += f'<pause milliseconds="{int(pause * 1000)}"/>\n'
        during += _agent_request("INVITE", sequence, "", f"{_SDP}a={direction}\n")
        during += '<recv response="100" optional="true"/>\n<recv response="200"/>\n'
        during += _agent_request("ACK", sequence)
    return _callee(ring, during)


def transferring(after: float, target: str, ring: float = 0.3) -> str:
    """Answers and transfers the citizen to `target` by REFER after `after` seconds."""
    refer = f"Refer-To: <sip:{target}@[remote_ip]:[remote_port]>\n"
    during = f'<pause milliseconds="{int(after * 1000)}"/>\n' + _agent_request("REFER", 11, refer)
    during += '<recv response="202"/>\n'
    # NOTIFY about the transfer's progress and BYE come in any order and number.
    last = '<label id="more"/>\n<recv request="NOTIFY" optional="true" next="note"/>\n'
    last += f'<recv request="BYE" next="done"/>\n<label id="note"/>\n{_ok()}<nop next="more"/>\n'
    last += f'<label id="done"/>\n{_ok()}'
    return _callee(ring, during, last)


def not_answering() -> str:
    """Rings until it is cancelled."""
    body = _TAKE_INVITE + _status("180 Ringing") + '<recv request="CANCEL"/>\n'
    return _scenario("silent", body + _cancelled() + '<recv request="ACK"/>\n' + _REFERENCES)


def ringing_out(ring: float) -> str:
    """Rings `ring` seconds, then the network says that nobody answered (480)."""
    body = _TAKE_INVITE + _status("180 Ringing") + f'<pause milliseconds="{int(ring * 1000)}"/>\n'
    body += _status("480 Temporarily Unavailable", retransmit=True) + '<recv request="ACK"/>\n'
    return _scenario("ringing-out", body + _REFERENCES)


def busy() -> str:
    """Refuses every call with 486."""
    return refusing("486 Busy Here")


def refusing(line: str) -> str:
    """Refuses every call with a status, such as `603 Decline`."""
    body = _TAKE_INVITE + _status(line, retransmit=True) + '<recv request="ACK"/>\n'
    return _scenario("refusing", body + _REFERENCES)


_REGISTER = """REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[remote_ip]>;tag=[pid]r[call_number]
To: <sip:[field0]@[remote_ip]>
Call-ID: [call_id]
CSeq: {sequence} REGISTER
Max-Forwards: 70
{contact}{credentials}Content-Length: 0
"""


def _registering(contact: str) -> str:
    first = _REGISTER.format(sequence=1, contact=contact, credentials="")
    second = _REGISTER.format(sequence=2, contact=contact, credentials="[field1]\n")
    body = _message(first, True) + '<recv response="401" auth="true"/>\n'
    return _scenario("register", body + _message(second, True) + '<recv response="200"/>\n')


def register() -> str:
    """Signs a phone in for an hour: field0 extension, field1 the [authentication ...] keyword."""
    return _registering("Contact: <sip:[field0]@[local_ip]:[local_port]>\nExpires: 3600\n")


def unregister() -> str:
    """Signs a phone out, wherever it was; fields as for register()."""
    return _registering("Contact: *\nExpires: 0\n")
