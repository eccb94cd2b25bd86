"""A short dialogue: what is it, where, photos, how to reach you, confirm. Pure.

`answer` is given how the dialogue stands, what was said and the sender's own tickets; it returns how the
dialogue stands now, the words to say, and at most one act for `service.py` to carry out with them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from routing.channels import Incoming, Kind, own_tickets, telling, texts
from routing.channels.talk import Own, Step, Talk, Turn, Wish
from routing.channels.words import command_of

IDLE_MINUTES = 30
_STEPS = {**telling.STEPS, **own_tickets.STEPS}


def answer(
    talk: Talk,
    said: Incoming,
    *,
    mine: Sequence[Own],
    touched: datetime | None,
    area: str = "",
    anew: bool = False,
) -> Turn:
    """The next turn. `touched`: when the dialogue last moved, None for a new one; `area`: of landlines;
    `anew`: where it stood could not be read (`keeping.py`), so that what is said answers nothing.
    """
    stood = talk
    if anew and talk.begun:  # whatever this message is: the next one answers whether to go on
        talk = talk.model_copy(update={"step": Step.AGAIN, "before": talk.step})
    if said.kind in (Kind.WELCOME, Kind.GONE):
        gone = said.kind is Kind.GONE
        return Turn(talk, "" if gone else texts.WELCOME, Wish(stopped=False, reachable=not gone))
    if said.kind is Kind.CHOICE:
        return own_tickets.chosen(talk, said.choice, mine)
    if said.kind is Kind.OTHER:
        return Turn(talk, texts.UNREADABLE)
    command = command_of(said.text) if said.kind is Kind.TEXT else None
    if command is not None:
        return own_tickets.COMMANDS[command.name](talk, command.rest, mine)
    if anew:
        return telling.begun_anew(stood, said, mine, area)
    if _left(talk, said, touched):
        return telling.offered_again(talk, said)
    return _STEPS[talk.step](talk, said, mine, area)


def _left(talk: Talk, said: Incoming, touched: datetime | None) -> bool:
    """Whether a begun matter was left alone for so long that it may be another one now."""
    rested = touched is not None and said.at - touched > timedelta(minutes=IDLE_MINUTES)
    return rested and talk.begun and talk.step not in (Step.IDLE, Step.AGAIN)
