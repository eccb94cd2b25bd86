"""Spans of time that figures are told by: quarters of an hour up to months, as the city has them. Pure."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.clock import CITY_ZONE, to_city
from telephony.calls.counts import quarter


class Grain(StrEnum):
    """How long a span is."""

    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def city_midnight(day: date) -> datetime:
    """When a day begins in the city."""
    return datetime.combine(day, time(), CITY_ZONE)


def begin_of(moment: datetime, grain: Grain) -> datetime:
    """When the span that `moment` lies in begins."""
    if grain is Grain.QUARTER:
        return quarter(moment)
    here = to_city(moment)
    if grain is Grain.HOUR:
        return here.replace(minute=0, second=0, microsecond=0)
    day = here.date()
    if grain is Grain.WEEK:
        day -= timedelta(days=day.weekday())
    elif grain is Grain.MONTH:
        day = day.replace(day=1)
    return city_midnight(day)


def end_of(begin: datetime, grain: Grain) -> datetime:
    """When the span that begins at `begin` is over."""
    here = to_city(begin)
    if grain is Grain.QUARTER:
        return begin + timedelta(minutes=15)
    if grain is Grain.HOUR:
        return begin + timedelta(hours=1)
    if grain is Grain.MONTH:
        return city_midnight((here.date().replace(day=1) + timedelta(days=31)).replace(day=1))
    return city_midnight(here.date() + timedelta(days=7 if grain is Grain.WEEK else 1))


def column_of(starts_at: sa.ColumnElement[datetime], grain: Grain) -> sa.ColumnElement[Any]:
    """`begin_of` for a column of beginnings of quarters."""
    if grain is Grain.QUARTER:
        return starts_at
    # The unit stands in the text: a parameter would keep PostgreSQL from seeing that it groups by the same.
    return sa.func.date_trunc(sa.literal_column(f"'{grain.value}'"), starts_at, sa.literal_column(_ZONE))


_ZONE = f"'{CITY_ZONE.key}'"
