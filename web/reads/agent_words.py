"""What an agent's state is called on screens, and in which tone it stands; codes of `telephony.agents`."""

from collections.abc import Mapping

STATE_WORDS: Mapping[str, str] = {
    "ready": "示闲", "ringing": "振铃", "talking": "通话", "hold": "保持", "wrap_up": "话后整理",
    "not_ready": "示忙", "call_back": "回拨", "unreachable": "话机不通", "signed_out": "签出",
}  # fmt: skip
# To the agent himself: not having signed in yet is no act of his, and the call goes out from his seat.
OWN_WORDS: Mapping[str, str] = {**STATE_WORDS, "call_back": "外呼", "signed_out": "未签入"}
# Of colleagues to whom a call may be passed: who is ready is free for it.
COLLEAGUE_WORDS: Mapping[str, str] = {**STATE_WORDS, "ready": "空闲"}

_TONES: Mapping[str, str] = {
    "ready": "good", "talking": "info", "hold": "warn", "not_ready": "warn", "unreachable": "bad",
}  # fmt: skip
_ON_THE_FLOOR: Mapping[str, str] = {**_TONES, "ringing": "info", "call_back": "secret"}
_OWN: Mapping[str, str] = {**_TONES, "ringing": "warn", "call_back": "info"}  # one's own telephone rings
_QUIET = "quiet"


def tone_of(state: str) -> str:
    """The tone of an agent's state where many stand beside each other."""
    return _ON_THE_FLOOR.get(state, _QUIET)


def own_tone_of(state: str) -> str:
    """The tone of one's own state."""
    return _OWN.get(state, _QUIET)
