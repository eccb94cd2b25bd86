"""An attended transfer as a phone does it: REFER with Replaces, from the dialogs Asterisk knows.

sipp cannot speak in two dialogs at once; but a REFER is accepted from any address as long as it
belongs to the dialog, and Asterisk tells call ids and tags of both.
"""

from __future__ import annotations

import socket
from urllib.parse import quote

from tests.e2e.rig.asterisk import AGENT_HOST, Asterisk
from tests.e2e.rig.manager import Manager


def attended_transfer(
    pbx: Asterisk, ami: Manager, with_citizen: str, with_colleague: str, target: str
) -> bytes:
    """Connect the citizen of one channel with the colleague of the other; returns the SIP status line.

    Both are channels of the same phone: `with_citizen` its leg with the citizen, `with_colleague` the
    leg on which it called `target` (an extension).
    """
    replaced = _dialog(ami, with_colleague)
    dialog = _dialog(ami, with_citizen)
    replaces = quote(
        f"{replaced['call-id']};to-tag={replaced['local_tag']};from-tag={replaced['remote_tag']}", safe=""
    )
    host, port = pbx.sip
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((AGENT_HOST, 0))
        phone.settimeout(10)
        own = "{}:{}".format(*phone.getsockname())
        lines = [
            f"REFER sip:asterisk@{host}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {own};branch=z9hG4bK{dialog['local_tag']}",
            f"From: {dialog['remote_uri']};tag={dialog['remote_tag']}",
            f"To: {dialog['local_uri']};tag={dialog['local_tag']}",
            f"Call-ID: {dialog['call-id']}",
            "CSeq: 500 REFER",
            f"Contact: <sip:{own}>",
            "Max-Forwards: 70",
            f"Refer-To: <sip:{target}@{host}:{port}?Replaces={replaces}>",
            "Content-Length: 0",
        ]
        phone.sendto("\r\n".join([*lines, "", ""]).encode(), (host, port))
        return phone.recv(65536).split(b"\r\n")[0]


def _dialog(ami: Manager, channel: str) -> dict[str, str]:
    names = ("call-id", "local_tag", "remote_tag", "local_uri", "remote_uri")
    asked = {name: ami.action("Getvar", Channel=channel, Variable=f"CHANNEL(pjsip,{name})") for name in names}
    return {name: answer["Value"] for name, answer in asked.items()}
