"""Sections about the city and its rules: working time, limits, supervision, public data, models."""

import re

from pydantic import Field, field_validator

from core.settings.section import Section


class City(Section):
    name: str = "桂林"
    area_code: str = Field("4503", pattern=r"^\d{4}$")
    phone_area: str = Field("0773", pattern=r"^0\d{2,3}$")
    office_hours: tuple[str, ...] = ("09:00-12:00", "13:00-18:00")
    calendar: str = "sla/calendars/guilin.csv"

    @field_validator("office_hours")
    @classmethod
    def _spans(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for span in value:
            if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)", span):
                raise ValueError(f"{span!r} is not a span such as 09:00-12:00")
        if not value:
            raise ValueError("a calendar without working time cannot hold a limit")
        return value


class Sla(Section):
    pack: str = Field("guilin", min_length=1)


class Supervision(Section):
    overdue_days: int = Field(5, ge=1, le=60)
    redos: int = Field(3, ge=2, le=20)
    units: int = Field(3, ge=2, le=20)
    look_back_days: int = Field(90, ge=7, le=730)


class OpenData(Section):
    prepare_day: int = Field(5, ge=1, le=28)


class Classifier(Section):
    starter: bool = True
    months: int = Field(24, ge=1, le=120)
    most: int = Field(30_000, ge=1_000, le=500_000)
    least: int = Field(300, ge=50, le=100_000)
