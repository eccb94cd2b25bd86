"""How many deadlines a second the calendar counts, explains, and how many of them are wrong.

Starts are taken at random, from a seed, out of 2018 to the end of what the oracle `chinesecalendar`
knows; working-day limits are compared with a walk over the oracle's days, without the city's own.

    python -m bench.deadlines [--number 100000] [--seed 12345]
"""

import argparse
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench._report import finish, machine
from core.clock import CITY_ZONE, to_city
from core.settings import City
from sla.calendar import Calendar
from sla.clocks import Limit, Pause, Unit, add, between, parse_limit
from sla.explain import as_data, explain
from sla.sources import national_calendar
from tests.sla.test_oracle import DEADLINES_FROM, LAST, walked

LIMITS = (1, 3, 5, 7, 10, 15)
EXPLAINED = 20  # so many times fewer than are only counted


def starts(number: int, seed: int) -> list[datetime]:
    """Random minutes of the oracle's years (UTC)."""
    source = random.Random(seed)
    first = datetime.combine(DEADLINES_FROM, datetime.min.time(), CITY_ZONE)
    minutes = ((LAST - DEADLINES_FROM).days + 1) * 24 * 60
    return [(first + timedelta(minutes=source.randrange(minutes))).astimezone(UTC) for _ in range(number)]


def rate(work: Callable[[datetime], object], found: list[datetime]) -> float:
    """How often `work` is done in a second of this process."""
    began = time.process_time()
    for start in found:
        work(start)
    return len(found) / (time.process_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.deadlines", description=__doc__)
    parser.add_argument("--number", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=12345)
    options = parser.parse_args()
    about = machine()
    began = time.process_time()
    calendar = national_calendar(City())
    built = time.process_time() - began
    found = starts(options.number, options.seed)
    compared, wrong = compare(calendar, found)
    rates = measure(calendar, found)
    rows = [
        ("deadlines compared with the oracle", f"{compared:,}", "≥ 5,000"),
        ("of these wrong", str(wrong), "0"),
        *((f"a second: {name}", f"{value:,.0f}", "") for name, value in rates.items()),
        ("building the calendar", f"{built:.2f} s", ""),
    ]
    figures = {"machine": about, "compared": compared, "wrong": wrong, "per_second": rates, "build_s": built}
    finish("deadlines", "deadlines by the national calendar", rows, figures)
    raise SystemExit(1 if wrong else 0)


def compare(calendar: Calendar, found: list[datetime]) -> tuple[int, int]:
    """How many deadlines the oracle knows too, and how many of these are others than it says."""
    compared = wrong = 0
    for number, start in enumerate(found):
        limit = LIMITS[number % len(LIMITS)]
        wanted = walked(to_city(start), limit)
        if wanted is not None:
            compared += 1
            wrong += to_city(add(calendar, start, Limit(limit, Unit.WORKING_DAY))).date() != wanted
    return compared, wrong


def measure(calendar: Calendar, found: list[datetime]) -> dict[str, float]:
    """How many of each sort are counted in a second."""
    ten, four, day = parse_limit("10wd"), parse_limit("4wh"), parse_limit("24h")
    stood = [Pause(at, at + timedelta(days=20)) for at in sorted(found[:2])]
    end = max(found)
    return {
        "10wd": rate(lambda start: add(calendar, start, ten), found),
        "4wh": rate(lambda start: add(calendar, start, four), found),
        "24h": rate(lambda start: add(calendar, start, day), found),
        "10wd, two pauses": rate(lambda start: add(calendar, start, ten, stood), found),
        "between, wd": rate(lambda start: between(calendar, start, end, Unit.WORKING_DAY), found),
        "10wd, explained": rate(
            lambda start: as_data(explain(calendar, start, ten)), found[: len(found) // EXPLAINED]
        ),
    }


if __name__ == "__main__":
    main()
