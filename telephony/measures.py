"""The telephone's measures and their formulas, said once; pure. The definitions are the only ones:

* offered: entered a queue for agents; short abandons (hung up within seconds) stand apart, outside the
  rates, and so do calls that left by a key or whose end nobody saw.
* counted = answered + abandoned + timeout + withdrawn + empty, the denominator of the three rates:
  接通率 = answered, 15 秒应答率 = answered within 15 s of entering the queue, 放弃率 = abandoned.
* ASA = mean wait of the answered. Talk = time in a bridge with the citizen, hold included.
* AHT = talk + wrap-up, in the mean of the answered calls; it belongs, as they do, to the moment the call
  entered the queue. Occupancy = (talk + wrap-up) / (signed in − not ready), from the agents' states, cut
  at quarters of an hour.

What is not known is None and never a guess: no wrap-up was kept, nobody was signed in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

TALK = ("talking", "hold", "call_back")  # with a citizen, whoever called whom
BUSY = (*TALK, "wrap_up")  # at a citizen's matter
FORMULAS: dict[str, tuple[str, str]] = {
    "offered": ("进线", "进入人工队列的来电，按进入队列的时刻计入时段"),
    "answered": ("接通", "进线后由坐席接听的来电"),
    "answered_in_15": ("15秒内接通", "进入队列后 15 秒内接通的来电"),
    "abandoned": ("放弃", "等待中挂断、等待满 5 秒的来电"),
    "short_abandoned": ("短时放弃", "等待不足 5 秒即挂断的来电，另计，不入各率"),
    "timeout": ("超时", "等待达到队列上限而退出的来电"),
    "withdrawn": ("撤出", "排队中被移出队列的来电"),
    "empty": ("无人", "队列没有坐席在线而退出的来电"),
    "others": ("其他", "按键离开、结果不明和仍在排队的来电，不入各率"),
    "answer_rate": ("接通率", "接通 ÷（接通 + 放弃 + 超时 + 撤出 + 无人），5 秒内挂断的不计"),
    "prompt_rate": ("15秒应答率", "进入队列 15 秒内接通 ÷（接通 + 放弃 + 超时 + 撤出 + 无人）"),
    "abandon_rate": ("放弃率", "放弃 ÷（接通 + 放弃 + 超时 + 撤出 + 无人）"),
    "asa_seconds": ("平均等待", "接通来电从进入队列到接通的平均时长"),
    "talk_seconds": ("平均通话", "与市民通话的时长（含保持）÷ 接通"),
    "hold_seconds": ("平均保持", "通话中保持的时长 ÷ 接通"),
    "wrap_seconds": ("平均话后", "话后整理的时长 ÷ 接通"),
    "aht_seconds": ("平均处理", "（通话 + 话后整理）÷ 接通"),
    "occupancy": ("利用率", "（通话 + 话后整理）÷（签入 − 示忙），按 15 分钟切分"),
    "signed_ms": ("签入", "从签入到签出的时长"),
    "ready_ms": ("示闲", "示闲等待来电的时长"),
    "ringing_ms": ("振铃", "话机振铃的时长"),
    "busy_talk_ms": ("通话", "坐席与市民通话的时长，含保持和回拨"),
    "busy_hold_ms": ("其中保持", "坐席处于保持状态的时长，是通话的一部分"),
    "busy_wrap_ms": ("话后整理", "坐席处于话后整理状态的时长"),
    "not_ready_ms": ("示忙", "示忙的时长，按原因分列"),
    "busy_back_ms": ("其中回拨", "坐席呼出、与市民通话的时长，是通话的一部分"),
    "unreachable_ms": ("话机不通", "签入而话机不可用的时长"),
    "rung": ("振铃来电", "在该坐席话机上振过铃的来电"),
    "taken": ("接听", "该坐席接听（含转入）的来电"),
    "missed": ("漏接", "坐席话机振铃到时限无人接听的次数，抢接未成不计"),
    "transferred": ("转接", "来电转给其他坐席或队列的次数，不含三方通话"),
    "surveyed": ("请求评价", "接通后由坐席挂断、请市民按键评价的来电"),
    "scored": ("已评价", "按键评价满意度的来电；按错键、不按键或中途挂断的计为未评价"),
    "satisfied_rate": ("按键满意率", "按 3、4、5 键（基本满意及以上）÷ 已评价"),
    "phone_solved_rate": ("按键解决率", "按键表示已解决或受理的 ÷ 回答了这一问的"),
    "out_calls": ("呼出", "坐席话机接通后向市民拨出的电话（回拨、点击呼叫），按开始的时刻计入时段"),
    "out_reached": ("呼通", "呼出中与市民通上话的"),
    "out_talk_ms": ("呼出通话", "呼通的电话与市民通话的时长，含保持"),
    "passed_on": ("转出", "该坐席转给他人或其他队列的来电，不含三方通话"),
}


@dataclass(frozen=True)
class Figures:
    """What became of the calls of a span of time. Seconds and shares are None where there was nothing."""

    offered: int = 0
    answered: int = 0
    answered_in_15: int = 0
    waits: int = 0
    wait_ms: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    timeout: int = 0
    withdrawn: int = 0
    empty: int = 0
    left_by_key: int = 0
    unknown: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    missed: int = 0  # rings
    transferred: int = 0  # times a call was given on
    surveyed: int = 0  # asked by keys after the talk
    scored: int = 0
    satisfied: int = 0
    solved_told: int = 0
    solved: int = 0
    wraps: int = 0  # pieces of work after these calls
    wrap_ms: int = 0
    signed_ms: int = 0  # of agents, in this span of time
    not_ready_ms: int = 0
    busy_ms: int = 0

    def plus(self, counts: Mapping[str, Any]) -> "Figures":
        """With further counts."""
        return Figures(**{name: getattr(self, name) + int(counts.get(name) or 0) for name in _NAMES})

    @property
    def counted(self) -> int:
        """The denominator of the rates."""
        return self.answered + self.abandoned + self.timeout + self.withdrawn + self.empty

    @property
    def others(self) -> int:
        """Left by a key, unknown, or still waiting: in no rate."""
        return self.offered - self.counted - self.short_abandoned

    @property
    def answer_rate(self) -> float | None:
        """接通率."""
        return share(self.answered, self.counted)

    @property
    def prompt_rate(self) -> float | None:
        """15 秒应答率."""
        return share(self.answered_in_15, self.counted)

    @property
    def abandon_rate(self) -> float | None:
        """放弃率."""
        return share(self.abandoned, self.counted)

    @property
    def satisfied_rate(self) -> float | None:
        """按键满意率."""
        return share(self.satisfied, self.scored)

    @property
    def phone_solved_rate(self) -> float | None:
        """按键解决率."""
        return share(self.solved, self.solved_told)

    @property
    def asa_seconds(self) -> float | None:
        """Mean wait of the answered whose wait is known."""
        return share(self.wait_ms / 1000, self.waits)

    @property
    def talk_seconds(self) -> float | None:
        """Mean talk of an answered call."""
        return share(self.talk_ms / 1000, self.answered)

    @property
    def hold_seconds(self) -> float | None:
        """Mean hold of an answered call, a part of its talk."""
        return share(self.hold_ms / 1000, self.answered)

    @property
    def wrap_seconds(self) -> float | None:
        """Mean work after an answered call; None when none was kept."""
        return share(self.wrap_ms / 1000, self.answered) if self.wraps else None

    @property
    def aht_seconds(self) -> float | None:
        """Mean talk and work after an answered call; None when no work after calls was kept."""
        return share((self.talk_ms + self.wrap_ms) / 1000, self.answered) if self.wraps else None

    @property
    def occupancy(self) -> float | None:
        """The share of the time agents were to be had in which they were at a citizen's matter."""
        return share(self.busy_ms, self.signed_ms - self.not_ready_ms)


_NAMES = tuple(one.name for one in fields(Figures))


@dataclass(frozen=True)
class Worked:
    """Milliseconds agents spent in each state, and not ready by reason ("": none given)."""

    states: Mapping[str, int]
    reasons: Mapping[str, int]

    def plus(self, state: str, reason: str, ms: int) -> "Worked":
        """With a further stretch."""
        states = {**self.states, state: self.states.get(state, 0) + ms}
        if state != "not_ready":
            return Worked(states, self.reasons)
        return Worked(states, {**self.reasons, reason: self.reasons.get(reason, 0) + ms})

    @property
    def signed_ms(self) -> int:
        """Signed in."""
        return sum(ms for state, ms in self.states.items() if state != "signed_out")

    @property
    def not_ready_ms(self) -> int:
        return self.states.get("not_ready", 0)

    @property
    def ready_ms(self) -> int:
        return self.states.get("ready", 0)

    @property
    def ringing_ms(self) -> int:
        return self.states.get("ringing", 0)

    @property
    def busy_talk_ms(self) -> int:
        """Talk, with hold and calling back as parts of it."""
        return sum(self.states.get(state, 0) for state in TALK)

    @property
    def busy_hold_ms(self) -> int:
        return self.states.get("hold", 0)

    @property
    def busy_wrap_ms(self) -> int:
        return self.states.get("wrap_up", 0)

    @property
    def busy_back_ms(self) -> int:
        return self.states.get("call_back", 0)

    @property
    def unreachable_ms(self) -> int:
        return self.states.get("unreachable", 0)

    @property
    def busy_ms(self) -> int:
        """At a citizen's matter."""
        return sum(self.states.get(state, 0) for state in BUSY)

    @property
    def occupancy(self) -> float | None:
        """As that of `Figures`."""
        return share(self.busy_ms, self.signed_ms - self.not_ready_ms)

    def counts(self) -> dict[str, int]:
        """What `Figures` takes of it."""
        return {"signed_ms": self.signed_ms, "not_ready_ms": self.not_ready_ms, "busy_ms": self.busy_ms}


NOBODY = Worked({}, {})


@dataclass(frozen=True)
class Outgoing:
    """Calls we made, how many came to a talk with the citizen, and its milliseconds, hold included."""

    out_calls: int = 0
    out_reached: int = 0
    out_talk_ms: int = 0

    def plus(self, other: "Outgoing") -> "Outgoing":
        """Both together."""
        return Outgoing(
            self.out_calls + other.out_calls,
            self.out_reached + other.out_reached,
            self.out_talk_ms + other.out_talk_ms,
        )


def share(part: float, whole: int) -> float | None:
    """`part` of `whole`; None of nothing."""
    return part / whole if whole > 0 else None
