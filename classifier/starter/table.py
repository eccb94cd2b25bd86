"""The corpus as a table, in the columns that training reads."""

import csv
from collections.abc import Iterable
from dataclasses import astuple
from typing import TextIO

from classifier.starter.telling import Text

COLUMNS = ("row", "title", "detail", "label", "type", "urgency", "group")


def write(texts: Iterable[Text], stream: TextIO) -> int:
    """Write `texts` as CSV with a heading to `stream` (opened with newline=""); how many there were."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    number = 0
    for number, text in enumerate(texts, 1):
        writer.writerow((number, *astuple(text)))
    return number
