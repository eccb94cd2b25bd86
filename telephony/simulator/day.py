"""A believable day: when citizens call and what becomes of each call. Pure; nothing here waits."""

import math
import random
from dataclasses import dataclass
from datetime import datetime

from core.clock import to_city
from telephony.simulator.callers import PEOPLE, draw_caller
from telephony.simulator.plan import CallPlan, Transfer

# Calls of each hour of the day (Asia/Shanghai) against the busiest one: two peaks in office
# hours, a dip at lunch, an evening shoulder, a night that is quiet but never silent.
CURVE = (
    0.06, 0.04, 0.03, 0.03, 0.03, 0.05, 0.12, 0.30, 0.72, 1.00, 0.98, 0.82,
    0.50, 0.48, 0.76, 0.90, 0.88, 0.72, 0.50, 0.42, 0.36, 0.28, 0.18, 0.10,
)  # fmt: skip
MEAN_TALK = 150.0  # seconds, as in a city of a million calls a year
TALK_SPREAD = 0.75  # sigma of the log-normal
MEAN_PATIENCE = 75.0


@dataclass(frozen=True)
class DayShape:
    """The knobs of a day."""

    calls_per_hour: float = 90.0  # in the busiest hour
    speed: float = 1.0  # 2.0: talk, wait and rings halved, arrivals doubled
    extensions: tuple[str, ...] = ()  # whom calls may be transferred to
    did: str = "12345"
    people: int = PEOPLE
    longest_talk: float = 1800.0  # seconds, before `speed`


def rate(at: datetime, shape: DayShape) -> float:
    """Calls per second at an instant; the curve runs smoothly from the middle of one hour to the next."""
    local = to_city(at)
    place = local.hour + local.minute / 60 + local.second / 3600 - 0.5
    low = math.floor(place)
    share = place - low
    height = CURVE[low % 24] * (1 - share) + CURVE[(low + 1) % 24] * share
    return height * shape.calls_per_hour * shape.speed / 3600


def until_next(at: datetime, shape: DayShape, draw: random.Random) -> float:
    """Seconds until somebody may call; longer than five minutes: ask again then."""
    per_second = rate(at, shape)
    return draw.expovariate(per_second) if per_second > 0 else math.inf


def talk_seconds(draw: random.Random, longest: float = 1800.0) -> float:
    """Log-normal with mean 150 s, never under 8 s nor over `longest` seconds."""
    mu = math.log(MEAN_TALK) - TALK_SPREAD**2 / 2
    return min(longest, max(8.0, draw.lognormvariate(mu, TALK_SPREAD)))


def draw_plan(draw: random.Random, shape: DayShape) -> CallPlan:
    """One citizen's call."""
    caller = draw_caller(draw, shape.people)
    quick = 1 / shape.speed
    talk = talk_seconds(draw, shape.longest_talk)
    hold = (talk * 0.3 * quick, draw.uniform(8, 40) * quick) if draw.random() < 0.12 and talk > 60 else None
    transfer = None
    if draw.random() < 0.04 and shape.extensions:
        to = draw.choice(shape.extensions)
        transfer = Transfer(talk * 0.4 * quick, to, talk_seconds(draw, shape.longest_talk) * 0.6 * quick)
    score = draw.choices(("5", "4", "3", "2", "1", None), (52, 18, 6, 2, 4, 18))[0]
    misses = 1 if draw.random() < 0.02 else 0
    impatient = draw.random() < 0.15  # presses 0 when it takes long
    return CallPlan(
        number=caller.number,
        name=caller.name,
        did=shape.did,
        menu=draw.uniform(3, 12) * quick,
        leaves_in_menu=draw.random() < 0.03,
        patience=draw.expovariate(1 / MEAN_PATIENCE) * quick + 3 * quick,
        talk=talk * quick,
        ended_by="agent" if draw.random() < 0.35 else "citizen",
        hold=hold,
        transfer=transfer,
        score=score,
        solved=None if score is None else draw.choices(("1", "2", None), (70, 12, 18))[0],
        key_0_after=draw.uniform(20, 60) * quick if impatient else None,
        message=draw.uniform(6, 60) * quick if draw.random() < 0.6 else None,
        misses=misses,
    )
