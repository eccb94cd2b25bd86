"""Sections about calls and those who take them: the exchange, the floor, agents, shifts, quality."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from core.settings.section import Section


class SimulatorSettings(Section):
    calls_per_hour: float = Field(90.0, ge=0)
    seed: int = 12345
    speed: float = Field(1.0, gt=0)
    agents: int = Field(40, ge=0, le=999)


class Pbx(Section):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")
    host: str = "127.0.0.1"
    port: int = Field(5038, ge=1, le=65535)
    username: str = "hotline"
    trunks: tuple[str, ...] = ("trunk",)
    queue_log: Path | None = None
    recordings: Path | None = None
    voicemails: Path | None = None


class Telephony(Section):
    source: Literal["simulator", "asterisk"] = "simulator"
    ping_seconds: float = Field(5.0, gt=0)
    dead_seconds: float = Field(12.0, gt=0)
    batch_size: int = Field(100, ge=1)
    queue_limit: int = Field(20_000, ge=100)
    night_callback_by: str = Field("10:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    callback_minutes: int = Field(30, ge=1)
    callback_tries: int = Field(3, ge=1)
    callback_pause_minutes: int = Field(15, ge=0, le=24 * 60)
    callback_claim_minutes: int = Field(15, ge=1, le=24 * 60)
    short_abandon_seconds: int = Field(5, ge=0)
    voicemail_seconds: int = Field(3, ge=1, le=60)
    simulator: SimulatorSettings = SimulatorSettings()
    pbx: tuple[Pbx, ...] = ()

    @field_validator("pbx")
    @classmethod
    def _names(cls, value: tuple[Pbx, ...]) -> tuple[Pbx, ...]:
        names = [pbx.name for pbx in value]
        if len(set(names)) != len(names):
            raise ValueError("two PBXs have the same name")
        return value


class FloorSettings(Section):
    help_seconds: int = Field(30, ge=5, le=600)
    wrap_up_seconds: int = Field(120, ge=10, le=3600)
    pause_minutes: int = Field(15, ge=1, le=480)
    planned_pause_minutes: int = Field(60, ge=1, le=480)
    talk_minutes: int = Field(15, ge=1, le=240)
    hold_seconds: int = Field(90, ge=5, le=3600)
    wait_seconds: int = Field(60, ge=5, le=3600)
    missed_rings: int = Field(2, ge=0, le=20)


class Agents(Section):
    wrap_up_seconds: int = Field(30, ge=0, le=600)
    wrap_up_extension_seconds: int = Field(60, ge=10, le=600)
    wrap_up_extensions: int = Field(2, ge=0, le=20)
    missed_rings: int = Field(3, ge=0, le=50)


class Shifts(Section):
    grace_minutes: int = Field(5, ge=0, le=60)
    overtime_minutes: int = Field(15, ge=0, le=240)
    rest_hours: int = Field(8, ge=0, le=24)


class Quality(Section):
    appeal_days: int = Field(5, ge=1, le=30)
    new_days: int = Field(90, ge=1, le=730)
    long_minutes: int = Field(6, ge=1, le=120)
