"""Texts to measure with: those of the folder HOTLINE_TEXTS where it is there, else the demo city's."""

import csv
import os
import random
from pathlib import Path

from classifier.examples import Example
from routing.demo import matters, places

REAL = "messages7.csv"


def folder() -> Path | None:
    """The folder of real texts, or None."""
    named = Path(os.environ.get("HOTLINE_TEXTS") or os.devnull)
    return named if named.is_dir() else None


def real() -> list[Example]:
    """The labelled messages with their groups; nothing without the folder."""
    found = folder()
    if found is None:
        return []
    with (found / REAL).open(encoding="utf-8-sig", newline="") as source:
        rows = csv.DictReader(source)
        return [Example(row["title"], row["detail"], (row["label"],), row["group"]) for row in rows]


def demo(number: int, seed: int = 12345) -> list[Example]:
    """So many texts of the demo city with their category of the first level."""
    draw, kinds = random.Random(seed), matters.load()
    found = []
    for place in range(number):
        matter = draw.choice(kinds)
        story = matters.Scene(draw, draw.choice(places.DISTRICTS)).tell(matter, "phone")
        found.append(Example(story.title, story.narrative, (matter.category[:2],), str(place)))
    return found
