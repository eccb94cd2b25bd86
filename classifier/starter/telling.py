"""How one text is put together from a matter's words and the frames that all matters share. Pure."""

import random
import re
from dataclasses import dataclass

from classifier.starter.noise import roughen
from classifier.starter.vocabulary import Matter, frames, places
from classifier.urgency import LEVELS, raised_urgency

SHORTEST, LONGEST = 20, 600
LONGEST_TITLE = 40
# How often each type is told of a matter without inclination; `lean` adds LEANING to one of them.
TYPES = {"complaint": 32, "help": 24, "consult": 18, "report": 9, "suggestion": 11, "praise": 6}
LEANING = 60
LENGTHS = ((20, 45, 15), (46, 120, 35), (121, 250, 30), (251, 420, 13), (421, 600, 7))  # from, to, share
OWN_SHARE = 0.6  # of the sentences that follow, about so many are of the matter
AGAIN_SHARE = 0.5
ASIDE_SHARE = 0.05
STYLES = {"phone": 45, "letter": 30, "plain": 25}
MOODS = {"neutral": 50, "polite": 28, "angry": 22}
LEADS = {"consult": "ask", "suggestion": "suggest", "praise": "praise", "report": "report"}
PRESSING = ("complaint", "help", "report")
SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Text:
    """One synthetic text; `label` is a leaf, `type` and `urgency` are codes of the ticket's form.

    Texts of one leaf that are built on the same leading phrase share a `group`.
    """

    title: str
    detail: str
    label: str
    type: str
    urgency: str
    group: str


def tell(matter: Matter, source: random.Random) -> Text:
    """One text about `matter`; takes what it needs of chance from `source`."""
    return Telling(matter, source).text()


class Telling:
    """One person telling of one matter at one place, once."""

    def __init__(self, matter: Matter, source: random.Random) -> None:
        self._matter = matter
        self._source = source
        self._type = self._kind()
        self._place = source.choice(places())  # name and kind
        self._urgency = self._pressing()
        self._asks = self._type == "consult"
        self._row = list(matter.questions if self._asks else matter.problems)
        self._lead = source.randrange(len(self._row))
        self._said = self._row[self._lead]

    def text(self) -> Text:
        """The text, with its labels."""
        detail = self._detail()
        kind = "q" if self._asks else "p"
        return Text(
            title=roughen(self._title(), self._source),
            detail=detail,
            label=self._matter.code,
            type=self._type,
            urgency=self._raised(detail),
            group=f"{self._matter.code}-{kind}{self._lead}",
        )

    # ---- what is told -----------------------------------------------------------------------

    def _kind(self) -> str:
        if self._matter.lean == "praise":
            return "praise"
        weights = dict(TYPES)
        if self._matter.lean:
            weights[self._matter.lean] += LEANING
        return self._weighted(weights)

    def _pressing(self) -> str:
        if self._type not in PRESSING:
            return "normal"
        if self._matter.urgent:
            return self._weighted({"normal": 66, "urgent": 24, "critical": 10})
        return self._weighted({"normal": 90, "urgent": 10})

    def _raised(self, detail: str) -> str:
        """The urgency drawn, or the higher one that the words of `detail` alone call for."""
        found = raised_urgency(detail) if self._type in PRESSING else None
        if found is None or (found.level == LEVELS[0] and self._urgency != "normal"):
            return self._urgency
        return found.level

    def _detail(self) -> str:
        """Opening, lead, as much more as the length drawn allows, what is wanted, closing."""
        low, high = self._length()
        head = self._begin()
        tail = self._urge() + self._end()
        middle: list[str] = []
        pool = self._pool()
        while pool and len(head) + len("".join(middle)) + len(tail) < low:
            more = pool.pop(0)
            if len(head) + len("".join(middle)) + len(tail) + len(more) <= high:
                middle.append(more)
        told = head + "".join(middle) + tail
        if len(told) > LONGEST:
            told = head
        rough = roughen(told, self._source)
        return rough if SHORTEST <= len(rough) <= LONGEST else told

    def _begin(self) -> str:
        """Who speaks, and the leading phrase."""
        style = self._weighted(STYLES)
        special = {"consult": "ask_", "praise": "praise_"}.get(self._type, "")
        plain_praise = self._matter.lean == "praise"  # its problems are praise as they stand
        lead = "tell" if plain_praise else LEADS.get(self._type, "tell")
        told = self._one("openings", special + style) + self._one("leads", lead)
        return told if told.endswith("？") else told + "。"

    def _pool(self) -> list[str]:
        """More sentences in a random order, somewhat more of the matter than of what everybody says."""
        own, shared = self._own(), self._shared()
        self._source.shuffle(own)
        self._source.shuffle(shared)
        mixed: list[str] = []
        while own or shared:
            take = own if own and (not shared or self._source.random() < OWN_SHARE) else shared
            mixed.append(take.pop())
        return mixed

    def _own(self) -> list[str]:
        """Sentences with words of the matter: each phrase that is not the leading one, once."""
        rest = [one for one in self._row if one != self._said]
        kind = {"suggestion": "suggest", "praise": "praise"}.get(self._type, "matter")
        if self._matter.lean == "praise":
            kind = "deed"
        own = [self._one("more", "thing")] if kind == "matter" else []
        if self._asks:
            own += [self._one("more", "ask", one) for one in rest]
            rest = list(self._matter.problems)
        return own + [self._one("more", kind, one) for one in rest]

    def _shared(self) -> list[str]:
        """Sentences that fit any matter; who says it is the first time does not say it is the fifth."""
        if self._type == "praise":
            return [self._filled(one) for one in frames("more")["thanks"]]
        if self._asks:
            return [self._filled(one) for one in frames("more")["asking"]]
        again = self._type in PRESSING and self._source.random() < AGAIN_SHARE
        row = frames("more")["always"] + frames("more")["again"] * again
        shared = [self._filled(one) for one in row]
        if not again:
            shared.append(self._one("more", "first"))
        if self._source.random() < ASIDE_SHARE:
            shared.append(self._one("asides", "dialect"))
        return shared

    def _urge(self) -> str:
        """What makes it pressing; in words that fit the degree."""
        if self._urgency == "normal":
            return ""
        own = [one + "。" for one in self._matter.urgent]
        shared = frames("urgency")[self._urgency]
        if self._urgency == "critical":
            return self._source.choice(own) + self._source.choice(shared)
        return self._source.choice(own if own and self._source.random() < 0.7 else shared)

    def _end(self) -> str:
        wanted = ""
        if self._type in PRESSING and self._source.random() < 0.7:
            wanted = self._one("requests", "tell")
        mood = "polite" if self._type == "praise" else self._weighted(MOODS)
        return wanted + self._one("closings", mood)

    def _title(self) -> str:
        titles = frames("titles")
        rows = titles[LEADS.get(self._type, "tell")] + titles.get(self._type, [])
        title = self._filled(self._source.choice(rows))
        return title if len(title) <= LONGEST_TITLE else self._filled("{thing}")

    # ---- chance -----------------------------------------------------------------------------

    def _length(self) -> tuple[int, int]:
        low, high, _ = self._source.choices(LENGTHS, weights=[share for *_, share in LENGTHS])[0]
        return self._source.randint(low, high), high

    def _weighted(self, weights: dict[str, int]) -> str:
        return self._source.choices(list(weights), weights=list(weights.values()))[0]

    def _one(self, table: str, row: str, said: str = "") -> str:
        """One frame of a row, filled."""
        return self._filled(self._source.choice(frames(table)[row]), said)

    def _filled(self, frame: str, said: str = "") -> str:
        """`frame` with its slots filled; {problem} and {question} are `said`, else the leading phrase."""
        while SLOT.search(frame):
            frame = SLOT.sub(lambda slot: self._slot(slot[1], said or self._said), frame)
        return frame

    def _slot(self, name: str, said: str) -> str:
        if name in ("problem", "question"):
            return said
        if name == "n":
            return str(self._source.randint(2, 9))
        if name == "thing":
            return self._source.choice(self._matter.things)
        if name == "request":
            return self._source.choice(self._matter.requests)
        if name in ("place", "where"):
            place, kind = self._place
            forms = [form for form in frames("slots")[kind] if form or name == "place"]
            return self._source.choice(forms).replace("{place}", place)
        return self._source.choice(frames("slots")[name])
