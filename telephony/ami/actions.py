"""The only actions this product sends, and the only shapes their fields may have.

CR LF inside a value would start a second action (`Command`, `core stop now`), so CR, LF and NUL
are refused everywhere; beyond that every field has a pattern. `Application`, `Data` and `Command`
do not exist here: with them an Originate or a MixMonitor runs programs.
"""

import re
from collections.abc import Mapping

from asterisk.ami import Action

from core.errors import HotlineError

NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")
DIGITS = re.compile(r"[0-9+*#]{1,32}")
EXTEN = re.compile(DIGITS.pattern + r"|[a-z][a-z0-9_]{0,39}")  # a telephone, or a queue by its name
CHANNEL = re.compile(r"(PJSIP|SIP|Local)/[A-Za-z0-9_.+*#-]{1,80}(@[A-Za-z0-9_.-]{1,80})?(;[12])?")
NUMBER = re.compile(r"\d{1,9}")
WORD = re.compile(r"[A-Za-z]{1,20}")
TEXT = re.compile(r"[^\x00-\x1f\x7f\x85\u2028\u2029]{0,200}")
FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,120}")
VARIABLE = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,40}")

FIELDS: Mapping[str, re.Pattern[str]] = {
    "Async": WORD,
    "CallerID": re.compile(r"[0-9+*#]{1,32}"),
    "Caller": CHANNEL,
    "Channel": CHANNEL,
    "ChannelId": NAME,
    "Context": NAME,
    "Direction": WORD,
    "Event": NAME,
    "Exten": EXTEN,
    "ExtraChannel": CHANNEL,
    "ExtraContext": NAME,
    "ExtraExten": DIGITS,
    "ExtraPriority": NUMBER,
    "File": FILE,
    "Interface": CHANNEL,
    "MemberName": NAME,
    "Message": TEXT,
    "Paused": WORD,
    "Penalty": NUMBER,
    "Priority": NUMBER,
    "Queue": NAME,
    "Reason": TEXT,
    "State": NUMBER,
    "Timeout": NUMBER,
    "Uniqueid": NAME,
    "Username": NAME,
    "Value": re.compile(r"[0-9]{1,2}-[a-z]{1,20}-[0-9]{0,4}"),  # the answer to a citizen at the keys
    # By name, since a variable may be a function that writes.
    "Variable": re.compile(r"HOTLINE_STATUS"),
    "Secret": TEXT,
    "WithdrawInfo": TEXT,
}
ACTIONS = {
    "Login": {"Username", "Secret"},
    "Logoff": set(),
    "Ping": set(),
    "CoreSettings": set(),
    "CoreShowChannels": set(),
    "QueueStatus": {"Queue"},
    "QueueSummary": {"Queue"},
    "QueueAdd": {"Queue", "Interface", "Penalty", "Paused", "MemberName"},
    "QueueRemove": {"Queue", "Interface"},
    "QueuePause": {"Queue", "Interface", "Paused", "Reason"},
    "QueuePenalty": {"Queue", "Interface", "Penalty"},
    "QueueLog": {"Queue", "Event", "Uniqueid", "Interface", "Message"},
    "QueueWithdrawCaller": {"Queue", "Caller", "WithdrawInfo"},
    "Originate": {"Channel", "ChannelId", "Context", "Exten", "Priority", "Timeout", "CallerID", "Async"},
    "BlindTransfer": {"Channel", "Context", "Exten"},
    "Redirect": {
        "Channel", "Context", "Exten", "Priority",
        "ExtraChannel", "ExtraContext", "ExtraExten", "ExtraPriority",
    },
    "Hangup": {"Channel"},
    "Setvar": {"Channel", "Variable", "Value"},
    "MixMonitor": {"Channel", "File"},
    "MixMonitorMute": {"Channel", "Direction", "State"},
    "StopMixMonitor": {"Channel"},
}  # fmt: skip
# Sent again after a reconnect these would ring a telephone twice; nothing here is ever sent again.


def build(
    name: str, fields: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None
) -> Action:
    """The action `name`, checked. `Originate` is always asynchronous.

    Raises HotlineError `ami_action_refused` naming the action or field that is not allowed; the value
    is not repeated, it may be somebody's number.
    """
    fields, variables = dict(fields or {}), dict(variables or {})
    if name not in ACTIONS:
        raise HotlineError("ami_action_refused", action=printable(name), field=None)
    for field, value in fields.items():
        if field not in ACTIONS[name] or not _fits(FIELDS[field], value):
            raise HotlineError("ami_action_refused", action=name, field=printable(field))
    for variable, value in variables.items():
        if name != "Originate" or not _fits(VARIABLE, variable) or not _fits(TEXT, value):
            raise HotlineError("ami_action_refused", action=name, field=printable(variable))
    if name == "Originate":
        fields["Async"] = "true"
    return Action(name, keys=fields, variables=variables)


def check_wire(action: Action) -> bytes:
    """The bytes of `action`; refuses CR, LF and NUL in everything, whoever built it."""
    parts = [action.name, *action.keys, *map(str, action.keys.values())]
    parts += [*action.variables, *map(str, action.variables.values())]
    if any(character in part for part in parts for character in "\r\n\0"):
        raise HotlineError("ami_action_refused", action=printable(action.name), field=None)
    return (str(action) + "\r\n").encode()


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    # fullmatch, because `$` would let a trailing line feed through.
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def printable(value: str) -> str:
    """A name that came from outside, short and harmless enough for an error."""
    return re.sub(r"[^A-Za-z0-9_-]", "?", value)[:40]
