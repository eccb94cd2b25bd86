"""Sections about the work itself: drafts, tickets, files, knowledge, certificates, intermediaries."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from core.settings.section import Section


class Drafts(Section):
    stale_minutes: int = Field(30, ge=1)


class Tickets(Section):
    archive_days: int = Field(30, ge=1, le=3650)
    contact_gap_minutes: int = Field(60, ge=1, le=1440)

    @property
    def contact_gap(self) -> timedelta:
        """What lies between two tries to reach a citizen that both count."""
        return timedelta(minutes=self.contact_gap_minutes)


class Revisit(Section):
    sample_percent: int = Field(30, ge=0, le=100)


class Uploads(Section):
    image_megabytes: int = Field(20, ge=1, le=100)
    image_megapixels: int = Field(50, ge=1, le=200)
    document_megabytes: int = Field(30, ge=1, le=500)
    audio_megabytes: int = Field(60, ge=1, le=500)
    video_megabytes: int = Field(300, ge=1, le=2000)
    per_ticket: int = Field(60, ge=1)
    scanner: str = ""
    scanner_seconds: float = Field(60.0, gt=0)


class Export(Section):
    max_rows: int = Field(20_000, ge=1, le=1_000_000)
    keep_hours: int = Field(24, ge=1)


class KnowledgeSettings(Section):
    correction_days: int = Field(3, ge=1, le=60)
    remind_days: int = Field(30, ge=1, le=365)
    gap_days: int = Field(180, ge=7, le=1095)


class Certificates(Section):
    registry: Literal["embedded", "http", "off"] = "embedded"
    url: str = ""
    seconds: float = Field(3.0, gt=0, le=10)
    tries: int = Field(2, ge=1, le=5)
    failures: int = Field(3, ge=1, le=100)
    rest_seconds: float = Field(60.0, ge=1, le=3600)

    @model_validator(mode="after")
    def _complete(self) -> "Certificates":
        if self.registry == "http" and not self.url:
            raise ValueError('url is missing: registry = "http" needs the address of the city\'s registry')
        return self


class Intermediaries(Section):
    operator: str = "shuju"
    appeal_days: int = Field(10, ge=1, le=60)
    warn_days: int = Field(60, ge=1, le=365)
    least_ratings: int = Field(5, ge=1, le=100)
