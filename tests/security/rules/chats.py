"""Conversations in writing, the citizen's page, and recordings of calls."""

from core.people.permissions import Role
from tests.security.rules.roles import ANYBODY, SEATS

_OVERSEE = SEATS | {Role.SUPERVISION_OFFICER, Role.INSPECTOR}
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/text"): ANYBODY,
    ("POST", "/text"): ANYBODY,
    ("GET", "/text/talk"): ANYBODY,
    ("GET", "/text/lines"): ANYBODY,  # of the conversation its cookie opens
    ("POST", "/text/say"): ANYBODY,
    ("POST", "/text/leave"): ANYBODY,
    ("POST", "/gateway/sms"): ANYBODY,  # whose signature is right
    ("GET", "/chats"): _OVERSEE,
    ("GET", "/chats/rows"): _OVERSEE,
    ("GET", "/chats/seat"): SEATS,
    ("POST", "/chats/{chat_id}/take"): SEATS,
    ("GET", "/chats/{chat_id}/lines"): SEATS,
    ("POST", "/chats/{chat_id}/say"): SEATS,
    ("POST", "/chats/{chat_id}/end"): SEATS,
    ("GET", "/chats/{chat_id}"): _OVERSEE,
    ("POST", "/chats/{chat_id}/read"): _OVERSEE,
    ("POST", "/calls/{call_id}/listen"): _OVERSEE,
    ("GET", "/calls/{call_id}/recording"): _OVERSEE,
    ("GET", "/calls/{call_id}/waveform"): _OVERSEE,
    ("POST", "/calls/{call_id}/message/listen"): _OVERSEE,
    ("GET", "/calls/{call_id}/message/recording"): _OVERSEE,
    ("GET", "/calls/{call_id}/message/waveform"): _OVERSEE,
}
