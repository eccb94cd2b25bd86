"""Words and rules of the market: verdicts, credit events, the way onto the blacklist. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.errors import HotlineError
from core.text import normalise

STARS: dict[int, str] = {5: "很满意", 4: "满意", 3: "一般", 2: "不满意", 1: "很不满意"}
VERIFIED, UNFOUNDED = "verified", "unfounded"
VERDICTS: dict[str, str] = {VERIFIED: "查实", UNFOUNDED: "不属实"}
# What a verified complaint comes to; the code goes into the credit event.
FINDINGS: dict[str, str] = {
    "overcharge": "违规收费",
    "false_report": "出具虚假报告或证明",
    "unqualified": "超出资质或无资质执业",
    "breach": "违约或拖延",
    "bundling": "强制服务或捆绑服务",
    "leak": "泄露委托人信息",
    "poor_service": "服务质量不合格",
}


class Credit(StrEnum):
    """Kinds of credit events."""

    COMPLAINT = "verified_complaint"
    CANCELLED = "verdict_cancelled"
    LISTED = "blacklisted"
    UNLISTED = "blacklist_ended"
    REVOKED = "qualification_revoked"


CREDIT_LABELS: dict[str, str] = {
    Credit.COMPLAINT: "投诉查实",
    Credit.CANCELLED: "撤销查实认定",
    Credit.LISTED: "列入黑名单",
    Credit.UNLISTED: "移出黑名单",
    Credit.REVOKED: "资质被吊销或注销",
}


class Listing(StrEnum):
    """How far an entry of the blacklist has come."""

    PROPOSED = "proposed"
    NOTICED = "noticed"
    APPEALED = "appealed"
    LISTED = "listed"
    DROPPED = "dropped"
    ENDED = "ended"


LISTING_LABELS: dict[str, str] = {
    Listing.PROPOSED: "待审批",
    Listing.NOTICED: "已告知，申诉期内",
    Listing.APPEALED: "申诉中",
    Listing.LISTED: "已列入",
    Listing.DROPPED: "未列入",
    Listing.ENDED: "已移出",
}
OPEN = (Listing.PROPOSED, Listing.NOTICED, Listing.APPEALED, Listing.LISTED)


class Move(StrEnum):
    """A step on the way."""

    APPROVE = "approve"
    REFUSE = "refuse"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    DROP = "drop"
    LIST = "list"
    REMOVE = "remove"
    EXPIRE = "expire"


MOVE_LABELS: dict[str, str] = {
    Move.APPROVE: "批准并告知",
    Move.REFUSE: "不予批准",
    Move.APPEAL: "申诉",
    Move.UPHOLD: "申诉不成立，列入",
    Move.DROP: "申诉成立，不列入",
    Move.LIST: "期满未申诉，列入",
    Move.REMOVE: "提前移出",
    Move.EXPIRE: "期满移出",
}
WAY: Mapping[tuple[Listing, Move], Listing] = {
    (Listing.PROPOSED, Move.APPROVE): Listing.NOTICED,
    (Listing.PROPOSED, Move.REFUSE): Listing.DROPPED,
    (Listing.NOTICED, Move.APPEAL): Listing.APPEALED,
    (Listing.NOTICED, Move.LIST): Listing.LISTED,
    (Listing.APPEALED, Move.UPHOLD): Listing.LISTED,
    (Listing.APPEALED, Move.DROP): Listing.DROPPED,
    (Listing.LISTED, Move.REMOVE): Listing.ENDED,
    (Listing.LISTED, Move.EXPIRE): Listing.ENDED,
}
BY_SYSTEM = frozenset({Move.LIST, Move.EXPIRE})
# Decided by somebody who holds the right to decide and took none of the steps before.
DECISIONS = frozenset({Move.APPROVE, Move.REFUSE, Move.UPHOLD, Move.DROP, Move.REMOVE})
MONTHS = (6, 12, 24, 36)


def name_key(name: str) -> str:
    """A name as it is compared: without case, width, blanks and brackets of either kind."""
    return "".join(char for char in normalise(name) if char not in " ()（）·.")[:200]


def led_to(state: str, move: Move) -> Listing:
    """Where a move leads from a state. Raises `listing_step_refused` (state, move)."""
    found = WAY.get((Listing(state), move))
    if found is None:
        raise HotlineError("listing_step_refused", state=state, move=move.value)
    return found


def months_later(day: date, months: int) -> date:
    """The same day so many months on, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError("unreachable")


@dataclass(frozen=True)
class Shares:
    """Ratings of one intermediary: how many of them, and their sum."""

    count: int
    total: int

    def mean(self, least: int) -> float | None:
        """The mean; None below `least` ratings, where it would tell who gave which."""
        return self.total / self.count if self.count and self.count >= least else None


def standing(valid_to: date | None, revoked_on: date | None, today: date, warn_days: int) -> str:
    """How a qualification stands on a day of the city: revoked, expired, expiring, good."""
    if revoked_on is not None and revoked_on <= today:
        return "revoked"
    if valid_to is None:
        return "good"
    left = (valid_to - today).days
    return "expired" if left < 0 else "expiring" if left <= warn_days else "good"


STANDINGS: dict[str, tuple[str, str]] = {
    "good": ("有效", "good"),
    "expiring": ("即将到期", "warn"),
    "expired": ("已过期", "bad"),
    "revoked": ("已吊销或注销", "bad"),
}
