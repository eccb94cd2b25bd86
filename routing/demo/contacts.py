"""Draws the contacts of ninety days: who turned to the hotline when, where, about what."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from core.clock import to_city
from core.people.permissions import Role
from routing.demo import mix, places
from routing.demo.matters import Matter, Scene, Story, load
from routing.demo.people import Folk, Person
from telephony.simulator.callers import PEOPLE

CITIZENS = 10_000  # as many as the simulator can name


@dataclass(frozen=True)
class Call:
    """The telephone side of a contact; seconds."""

    waited: int
    rang: int
    talked: int


@dataclass(frozen=True)
class Contact:
    """One contact: a ticket when `record` is None, else the numbered record it became."""

    at: datetime
    channel: str
    record: str | None
    matter: Matter
    story: Story
    district: places.District
    town: str
    citizen: int
    agent: Person
    unit_id: int
    urgency: str
    confidentiality: str
    call: Call | None


@dataclass(frozen=True)
class Told:
    """A matter as told by one person about one place."""

    matter: Matter
    story: Story
    district: places.District
    town: str


class Drawer:
    """Everything that is drawn, from one source of chance."""

    def __init__(self, draw: random.Random, folk: Folk) -> None:
        self._draw = draw
        self._folk = folk
        self._types = mix.Shares.of(mix.TYPES)
        self._channels = mix.Shares.of(mix.CHANNELS)
        self._records = mix.Shares.of(mix.DISPOSITIONS)
        self._matters: dict[str, list[Matter]] = {}
        for matter in load():
            self._matters.setdefault(matter.type, []).append(matter)
        self._shares = [district.share for district in places.DISTRICTS]

    def contacts(self, now: datetime, *, tickets: int, records: int) -> Iterator[Contact]:
        """In the order of time; tickets and records mixed."""
        instants = mix.draw_instants(self._draw, now, tickets + records)
        are_records = [True] * records + [False] * tickets
        self._draw.shuffle(are_records)
        for at, is_record in zip(instants, are_records, strict=True):
            yield self._contact(at, is_record=is_record)

    def _contact(self, at: datetime, *, is_record: bool) -> Contact:
        draw = self._draw
        record = self._records.draw(draw) if is_record else None
        kind = "consult" if is_record else self.kind()
        channel = "phone" if is_record else self._channels.draw(draw)
        told = self.told(kind, channel)
        return Contact(
            at=at,
            channel=channel,
            record=record,
            matter=told.matter,
            story=told.story,
            district=told.district,
            town=told.town,
            citizen=self._citizen(),
            agent=self.agent_at(at),
            unit_id=self.unit(told.matter, told.district),
            urgency=self.urgency(told.matter),
            confidentiality=self.confidentiality(kind),
            call=self._call(record) if channel == "phone" else None,
        )

    def kind(self) -> str:
        """The type of a ticket."""
        return self._types.draw(self._draw)

    def told(self, kind: str, channel: str) -> Told:
        """Some matter of this type, somewhere in the city."""
        draw, matters = self._draw, self._matters[kind]
        matter = draw.choices(matters, [one.weight for one in matters])[0]
        district = draw.choices(places.DISTRICTS, self._shares)[0]
        scene = Scene(draw, district)
        return Told(matter, scene.tell(matter, channel), district, scene.town)

    def agent_at(self, at: datetime) -> Person:
        """Somebody on shift: a handful at night, the whole floor by day."""
        agents = self._folk.posts[Role.AGENT]
        hour = to_city(at).hour
        on_shift = 6 if hour < 7 or hour >= 22 else 18 if hour >= 19 or hour < 9 else len(agents)
        start = (to_city(at).toordinal() * 7) % len(agents)
        return agents[(start + self._draw.randrange(on_shift)) % len(agents)]

    def _citizen(self) -> int:
        """Some people call again and again; those are the ones the simulator lets call, too."""
        if self._draw.random() < 0.35:
            return min(int(self._draw.expovariate(3.0) * PEOPLE), PEOPLE - 1)
        return self._draw.randrange(CITIZENS)

    def unit(self, matter: Matter, district: places.District) -> int:
        """Counties handle most of what is theirs; in town the bureaus do."""
        own = self._folk.units[district.code]
        bureaus = [self._folk.units[code] for code in matter.units if code != "D"]
        if not bureaus:
            return own
        local = 0.8 if district.rural else 0.35 if "D" in matter.units else 0.0
        return own if self._draw.random() < local else self._draw.choice(bureaus)

    def urgency(self, matter: Matter) -> str:
        """Mostly normal; utilities and what endangers people more often urgent."""
        share = 0.3 if matter.category.startswith(("04", "110104")) else 0.02
        if self._draw.random() >= share:
            return "normal"
        return "critical" if self._draw.random() < 0.04 else "urgent"

    def confidentiality(self, kind: str) -> str:
        """Who reports somebody mostly wants to stay unknown."""
        if kind == "report":
            return self._draw.choice(("secret", "secret", "anonymous"))
        return self._draw.choices(("public", "normal", "secret"), (86, 12, 2))[0]

    def _call(self, record: str | None) -> Call:
        short = record in {"wrong_number", "silent", "harassment"}
        talked = self._draw.randrange(8, 40) if short else int(self._draw.lognormvariate(4.9, 0.5)) + 20
        waited = min(int(self._draw.expovariate(1 / 9)) + 1, 170)
        return Call(waited, self._draw.randrange(2, 10), min(talked, 1500))
