"""A week's rota as a table of codes: what a page or a list says, what is wrong with it in words; pure."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from core.catalog import files, tables
from telephony.shifts.hours import Hours

DAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
COLUMNS = {"login": "工号", "name": "姓名", "queues": "队列"}
COLUMNS |= {f"d{n}": word for n, word in enumerate(DAYS)}
NEEDED = ("login",)
OFF = frozenset({"", "休", "休息", "-", "—", "/", "OFF", "off"})
_WEEKDAY = re.compile(r"(?:周|星期|礼拜)([一二三四五六日天])")
_DATE = re.compile(r"(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?")
_APART = re.compile(r"[\s、,，;；/|]+")


@dataclass(frozen=True)
class Kind:
    """A kind of shift as the rota uses it."""

    id: int
    code: str
    name: str
    hours: Hours
    active: bool = True


@dataclass(frozen=True)
class Planned:
    """What a person works on a day, with the hours as they are copied into the rota."""

    kind_id: int
    code: str
    hours: Hours
    queues: tuple[str, ...] = ()


Rows = Mapping[tuple[int, date], Planned]
Person = tuple[int, str, str]  # id, login, name


class Kinds:
    """Kinds of shift, found by code or by name, whatever the case."""

    def __init__(self, every: Iterable[Kind]) -> None:
        self.every = tuple(every)
        self._by_word = {kind.name.casefold(): kind for kind in self.every}
        self._by_word |= {kind.code.casefold(): kind for kind in self.every}

    def find(self, word: str) -> Kind | None:
        """The kind a cell names."""
        return self._by_word.get(word.strip().casefold())

    def by_id(self, ident: int) -> Kind | None:
        """The kind with this id."""
        return next((kind for kind in self.every if kind.id == ident), None)


@dataclass(frozen=True)
class Step:
    """What a line of a list does to a person's week: new, changed, same, or wrong (`why`, in words)."""

    number: int
    effect: str
    login: str
    name: str
    cells: tuple[str, ...] = ()
    user_id: int | None = None
    rows: dict[date, Planned] = field(default_factory=dict)
    why: tuple[str, ...] = ()


def week(monday: date) -> tuple[date, ...]:
    """Its seven days."""
    return tuple(monday + timedelta(days=n) for n in range(7))


def planned(word: str, queues: tuple[str, ...], kinds: Kinds, before: Planned | None) -> Planned | None:
    """What a cell says. Raises KeyError for a kind that is unknown, or closed and not there before.

    A cell that says what it said before keeps the hours it had: a kind changed since does not change
    what was rostered.
    """
    if word.strip() in OFF:
        return None
    kind = kinds.find(word)
    if kind is None:
        raise KeyError(word)
    if before is not None and before.kind_id == kind.id:
        return Planned(kind.id, kind.code, before.hours, queues)
    if not kind.active:
        raise KeyError(word)
    return Planned(kind.id, kind.code, kind.hours, queues)


# ---- lists ----------------------------------------------------------------------------------


def steps(
    text: str,
    monday: date,
    people: Sequence[Person],
    kinds: Kinds,
    queues: Mapping[str, str],
    before: Rows,
) -> list[Step]:
    """What every line would do to the week of `monday`. Raises what `core.catalog.tables.read` raises.

    `queues`: word or name → name. Columns may be headed 周一 or with the date; a title above is passed over.
    """
    known = {login.casefold(): (ident, name) for ident, login, name in people}
    found, seen = [], set[str]()
    for line in tables.read(_headed(text, monday), COLUMNS, needed=NEEDED):
        step = _step(line, known, kinds, queues, before, monday)
        if step.effect != "wrong" and step.login.casefold() in seen:
            twice = ("与前面的一行是同一人",)
            step = Step(step.number, "wrong", step.login, step.name, step.cells, why=twice)
        seen.add(step.login.casefold())
        found.append(step)
    return found


def _step(
    line: tables.Line,
    known: Mapping[str, tuple[int, str]],
    kinds: Kinds,
    queues: Mapping[str, str],
    before: Rows,
    monday: date,
) -> Step:
    login, cells = line["login"], tuple(line[f"d{n}"] for n in range(7))
    person = known.get(login.casefold())
    wrong = ["单元格多于列名，可能错列"] if line.odd else []
    if person is None:
        wrong.append(f"工号 {login or '（空）'} 不是可排班的人员")
        return Step(line.number, "wrong", login, line["name"], cells, why=tuple(wrong))
    ident, name = person
    if line["name"] and line["name"] != name:
        wrong.append(f"姓名与工号不符（系统中为 {name}）")
    said = None if "queues" in line.absent else _queues(line["queues"], queues)
    if said is not None and None in said:
        wrong.append(f"队列“{line['queues']}”不能识别")
    names = None if said is None else tuple(one for one in said if one)
    rows, unknown = _days(line, ident, names, kinds, before, monday)
    wrong += unknown
    if wrong:
        return Step(line.number, "wrong", login, name, cells, ident, why=tuple(wrong))
    had = {day: before[ident, day] for day in week(monday) if (ident, day) in before}
    effect = "same" if rows == had else "changed" if had else "new"
    return Step(line.number, effect, login, name, cells, ident, rows)


def _days(
    line: tables.Line, ident: int, queues: tuple[str, ...] | None, kinds: Kinds, before: Rows, monday: date
) -> tuple[dict[date, Planned], list[str]]:
    """The week the line wants, and what of it is no shift; `queues` None: those he has already."""
    rows: dict[date, Planned] = {}
    wrong = []
    for number, day in enumerate(week(monday)):
        now = before.get((ident, day))
        if f"d{number}" in line.absent:  # what the list does not say stays
            found = now
        else:
            kept = now.queues if now else _usual(before, ident)
            try:
                found = planned(line[f"d{number}"], kept if queues is None else queues, kinds, now)
            except KeyError:
                wrong.append(f"{DAYS[number]}的班次“{line[f'd{number}'][:10]}”不存在或已停用")
                continue
        if found is not None:
            rows[day] = found
    return rows, wrong


def _usual(before: Rows, ident: int) -> tuple[str, ...]:
    """The queues a person has elsewhere in the week."""
    return next((one.queues for (who, _), one in before.items() if who == ident), ())


def _queues(text: str, queues: Mapping[str, str]) -> list[str | None]:
    return [queues.get(part) for part in _APART.split(text.strip()) if part]


def _headed(text: str, monday: date) -> str:
    """The text with its line of heads as `tables.read` knows them, and what stands above it blank."""
    lines = text.lstrip("\ufeff").splitlines()
    for place, line in enumerate(lines):
        delimiter = max(",\t;", key=line.count)
        cells = next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
        words = [cell.strip() for cell in cells]
        if "工号" in words or "login" in [word.lower() for word in words]:
            out = io.StringIO()
            writer = csv.writer(out, delimiter=delimiter, lineterminator="")
            writer.writerow([_head(word, monday) for word in words])
            return "\n".join([*[""] * place, out.getvalue(), *lines[place + 1 :]])
    return text


def _head(word: str, monday: date) -> str:
    """周一 … 周日 for a head that names the day in one of the ways people do."""
    match = _WEEKDAY.search(word)
    if match is not None:
        return DAYS["一二三四五六日".index(match[1].replace("天", "日"))]
    days = {day: DAYS[number] for number, day in enumerate(week(monday))}
    if word.isdigit() and len(word) == 5:
        return days.get(files.day_of_serial(int(word)), word)
    match = _DATE.search(word)
    if match is not None:
        for day, name in days.items():
            if (day.month, day.day) == (int(match[2]), int(match[3])) and match[1] in (None, str(day.year)):
                return name
    return word


def as_list(
    people: Sequence[Person], monday: date, rows: Rows, queues: Mapping[str, str]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heads and lines of a week for a file that can be read back; heads name weekday and date."""
    days = week(monday)
    heads = ("工号", "姓名", *(f"{DAYS[n]}（{day:%m-%d}）" for n, day in enumerate(days)), "队列")
    lines = []
    for ident, login, name in people:
        mine = [rows.get((ident, day)) for day in days]
        names = next((one.queues for one in mine if one), ())
        words = "、".join(queues.get(one, one) for one in names)
        lines.append((login, name, *(one.code if one else "休" for one in mine), words))
    return heads, lines
