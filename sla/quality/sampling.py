"""Which calls of a week are drawn for whom: by rules, from a seed, the same every time; pure.

Calls are ranked by a hash of the seed and their id, so the draw hangs neither on the order candidates come
in nor on what else is there: a call added later never changes which of two others goes first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from core.errors import HotlineError

MOST = 20  # calls per agent and week


class Rule(StrEnum):
    """Why a call is drawn."""

    LOW = "low"
    COMPLAINT = "complaint"
    LONG = "long"
    RANDOM = "random"
    NEW = "new"


RULE_WORDS = {
    Rule.LOW: "低满意度",
    Rule.COMPLAINT: "投诉",
    Rule.LONG: "长通话",
    Rule.RANDOM: "随机",
    Rule.NEW: "新员工加抽",
}
# The rarer first: what all could have is left to those that find nothing else.
ORDER = (Rule.LOW, Rule.COMPLAINT, Rule.LONG, Rule.RANDOM, Rule.NEW)


@dataclass(frozen=True)
class Candidate:
    """An answered call of an agent; what the rules ask about it."""

    call_id: int
    agent_id: int
    low: bool = False
    complaint: bool = False
    long: bool = False
    new_staff: bool = False

    def fits(self, rule: Rule) -> bool:
        """Whether the rule may draw it."""
        match rule:
            case Rule.LOW:
                return self.low
            case Rule.COMPLAINT:
                return self.complaint
            case Rule.LONG:
                return self.long
            case Rule.NEW:
                return self.new_staff
            case Rule.RANDOM:
                return True


@dataclass(frozen=True)
class Drawn:
    """A call that was drawn, and by which rule."""

    call_id: int
    agent_id: int
    rule: Rule


Plan = Mapping[Rule, int]


def checked(plan: Mapping[str, int]) -> dict[Rule, int]:
    """The plan with its rules in order. Raises `quality_plan` (unknown, negative, none or too many)."""
    try:
        found = {Rule(name): number for name, number in plan.items() if number}
    except ValueError:
        raise HotlineError("quality_plan", most=MOST) from None
    if not found or min(found.values()) < 0 or sum(found.values()) > MOST:
        raise HotlineError("quality_plan", most=MOST)
    return {rule: found[rule] for rule in ORDER if rule in found}


def rank(seed: int, call_id: int) -> bytes:
    """Where a call stands in the draw of a seed."""
    return sha256(f"{seed}:{call_id}".encode()).digest()


def draw(candidates: Iterable[Candidate], plan: Plan, seed: int) -> list[Drawn]:
    """The calls of the week: of each agent as many as the plan says, by agent and rule.

    A rule that finds too few is made up at random, so that everybody has the plan's number as far as
    there are calls; the extra ones of new staff are drawn for new staff only.
    """
    by_agent: dict[int, dict[int, Candidate]] = {}
    for one in candidates:
        mine = by_agent.setdefault(one.agent_id, {})
        mine[one.call_id] = _both(mine.get(one.call_id), one)
    found: list[Drawn] = []
    taken: set[int] = set()  # a call two agents talked in is drawn for one of them
    for agent in sorted(by_agent):
        ranked = sorted(by_agent[agent].values(), key=lambda one: rank(seed, one.call_id))
        found += _of_agent([one for one in ranked if one.call_id not in taken], plan)
        taken.update(one.call_id for one in found)
    return found


def _both(first: Candidate | None, second: Candidate) -> Candidate:
    """The same call said twice, as a join does for every ticket of it: what either says holds."""
    if first is None:
        return second
    return replace(
        first,
        low=first.low or second.low,
        complaint=first.complaint or second.complaint,
        long=first.long or second.long,
        new_staff=first.new_staff or second.new_staff,
    )


def _of_agent(ranked: list[Candidate], plan: Plan) -> list[Drawn]:
    left, found, missing = list(ranked), list[Drawn](), 0
    for rule in (rule for rule in ORDER if plan.get(rule)):
        wanted = plan[rule]
        if rule is Rule.RANDOM:
            wanted, missing = wanted + missing, 0
        chosen = [one for one in left if one.fits(rule)][:wanted]
        found += [Drawn(one.call_id, one.agent_id, rule) for one in chosen]
        left = [one for one in left if one not in chosen]
        if rule not in (Rule.NEW, Rule.RANDOM):
            missing += wanted - len(chosen)
    rest = left[:missing]  # a plan without a random part still makes up what its rules did not find
    return found + [Drawn(one.call_id, one.agent_id, Rule.RANDOM) for one in rest]
