"""What a seat shows of its agent's state, in the words of the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import queues as plan
from core.catalog import reasons
from core.people.actor import Actor
from telephony.agents import choices, queries
from telephony.agents.queries import AgentRow, WrapUpNow
from web.reads.agent_words import OWN_WORDS, own_tone_of

ON_THE_PHONE = ("ringing", "talking", "hold", "call_back")


@dataclass(frozen=True)
class SeatState:
    """One's own state, what may be chosen, and what stands in the way of signing in."""

    now: datetime
    agent: AgentRow | None
    extension: str | None
    reason_word: str
    wish_word: str
    queue_words: tuple[str, ...]
    allowed: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    codes: tuple[tuple[str, str], ...]
    wrap_up: WrapUpNow | None
    taken_by: str | None
    may_extend: bool

    @property
    def state(self) -> str:
        return self.agent.state if self.agent else "signed_out"

    @property
    def word(self) -> str:
        return OWN_WORDS[self.state]

    @property
    def tone(self) -> str:
        return own_tone_of(self.state)

    @property
    def on_the_phone(self) -> bool:
        return self.state in ON_THE_PHONE

    @property
    def elsewhere(self) -> bool:
        """Signed in at a telephone that is not one's own any more."""
        return self.agent is not None and self.agent.extension != self.extension


async def seat_state(session: AsyncSession, actor: Actor, now: datetime, extensions: int) -> SeatState:
    """The state of the actor; `extensions`: how often work after a call may be extended."""
    user_id = actor.user_id or 0
    agent = await queries.agent_now(session, user_id)
    words = await choices.reason_words(session)
    labels = await plan.labels(session)
    wrap_up = await queries.wrap_up_now(session, user_id, now)
    taken = None
    if agent is None and actor.extension:
        taken = await queries.held_by_other(session, actor.extension, user_id)
    return SeatState(
        now=now,
        agent=agent,
        extension=actor.extension,
        reason_word=words.get(agent.reason, agent.reason) if agent and agent.reason else "",
        wish_word=_wish(agent, words),
        queue_words=tuple(labels.get(name, name) for name in agent.queues) if agent else (),
        allowed=tuple(await choices.queues_of(session, user_id)) if agent is None else (),
        reasons=tuple(await reasons.choices(session, "not_ready")),
        codes=tuple(await reasons.choices(session, "wrap_up")),
        wrap_up=wrap_up,
        taken_by=taken,
        may_extend=wrap_up is not None and wrap_up.open and wrap_up.extended < extensions,
    )


def _wish(agent: AgentRow | None, words: dict[str, str]) -> str:
    """What comes after the call and the work after it, where that is not simply being ready."""
    if agent is None or agent.state == "not_ready":
        return ""
    if agent.leaving:
        return "签出"
    if agent.wish == "not_ready":
        return f"示忙（{words.get(agent.wish_reason or '', agent.wish_reason or '')}）"
    return ""
