"""Who should do it, and why: rules first, then the catalogue, then a model, then what was done alike. Pure.

Each source names units with its reason; a unit named by several stands once, with every reason, at the
place the strongest of them gives it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from routing.catalogue import Catalogue, Entry
from routing.gazetteer import Resolution
from routing.matter import Directory, Matter, UnitInfo
from routing.rules import Book, Decision, Outcome, decide

MOST = 3
SOURCES: dict[str, str] = {
    "rule": "规则",
    "register": "中介名录",
    "catalogue": "责任清单",
    "model": "模型",
    "similar": "同类工单",
}


@dataclass(frozen=True)
class Label:
    """What a model says a text is about: a category's code, how sure it is (0 … 1), the deciding words."""

    code: str
    probability: float
    words: tuple[str, ...] = ()
    model: str = ""


class Advisor(Protocol):
    """A model that reads texts; wired in node/advice.py when there is one."""

    async def advise(self, title: str, detail: str) -> Sequence[Label]:
        """The likeliest categories, the likeliest first; none when the text is unlike anything known."""
        ...


@dataclass(frozen=True)
class Taken:
    """Of the last `of` tickets alike, `count` went to the unit."""

    unit_id: int
    count: int
    of: int


@dataclass(frozen=True)
class Registered:
    """The matter is about a registered intermediary: its trade's department leads, the operator helps."""

    id: int
    name: str
    trade: str
    unit_id: int
    operator_id: int | None


@dataclass(frozen=True)
class Reason:
    """Why a unit is suggested; `ref` is the rule's code, the catalogue row's id or the model's name."""

    source: str
    text: str
    ref: str = ""
    probability: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A suggested unit with its reasons, and what the catalogue says of the matter."""

    unit: UnitInfo
    co: tuple[UnitInfo, ...] = ()
    reasons: tuple[Reason, ...] = ()
    basis: str = ""
    clock: str = ""
    script: str = ""
    entry_id: int | None = None


@dataclass(frozen=True)
class Knowledge:
    """What suggestions are made from, as it is now."""

    directory: Directory = field(default_factory=Directory)
    catalogue: Catalogue = field(default_factory=lambda: Catalogue(0, {}))
    book: Book = field(default_factory=Book)
    day: date = date.min


@dataclass(frozen=True)
class Suggestion:
    """At most three candidates, how the rules decided, where it is, and what should be known besides."""

    candidates: tuple[Candidate, ...] = ()
    decision: Decision = field(default_factory=Decision)
    place: Resolution = field(default_factory=Resolution)
    labels: tuple[Label, ...] = ()
    remarks: tuple[str, ...] = ()
    rule_number: int = 0
    catalogue_version: int = 0


@dataclass
class _Gathered:
    """Candidates in the making, in the order in which they were first named."""

    barred: frozenset[int]
    found: dict[int, Candidate] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(
        self, unit: UnitInfo, reason: Reason, co: Sequence[UnitInfo] = (), entry: Entry | None = None
    ) -> None:
        if unit.id in self.barred:
            self.remarks.append(f"{unit.short}是被反映单位或原承办单位，不作推荐")
            return
        old = self.found.get(unit.id, Candidate(unit))
        said = entry if entry is not None and old.entry_id is None else None
        self.found[unit.id] = Candidate(
            unit,
            old.co or tuple(one for one in co if one.id != unit.id and one.id not in self.barred),
            (*old.reasons, reason),
            said.basis if said else old.basis,
            said.clock if said else old.clock,
            said.script if said else old.script,
            said.id if said else old.entry_id,
        )


def suggest(
    known: Knowledge,
    matter: Matter,
    *,
    labels: Sequence[Label] = (),
    similar: Sequence[Taken] = (),
    barred: frozenset[int] = frozenset(),
    place: Resolution | None = None,
    about: Registered | None = None,
) -> Suggestion:
    """The suggestion for a matter. `barred` are units it must not go to; labels and similar may be empty."""
    gathered = _Gathered(barred)
    decision = decide(known.book, matter, known.directory)
    _from_rules(decision, gathered)
    if about is not None:
        _from_register(known, about, gathered)
    _from_catalogue(known, matter, gathered, "catalogue")
    for label in labels:
        _from_model(known, matter, label, gathered)
    for taken in similar:
        _from_similar(known, matter, taken, gathered)
    return Suggestion(
        tuple(gathered.found.values())[:MOST],
        decision,
        place or Resolution(),
        tuple(labels),
        tuple(dict.fromkeys(gathered.remarks)),
        known.book.number,
        known.catalogue.version,
    )


def _from_rules(decision: Decision, gathered: _Gathered) -> None:
    """The rule that fired; of those that hold but failed, a remark each."""
    gathered.remarks += [
        f"规则“{one.rule.name}”符合但出错，已跳过：{one.why}"
        for one in decision.looked
        if one.outcome is Outcome.FAILED and one.holds
    ]
    if decision.fired is not None and decision.unit is not None:
        rule = decision.fired.rule
        words = f"规则“{rule.name}”：{rule.reason or decision.fired.why}"
        gathered.add(decision.unit, Reason("rule", words, rule.code), decision.co)


def _from_similar(known: Knowledge, matter: Matter, taken: Taken, gathered: _Gathered) -> None:
    """The unit that did what was alike."""
    unit = known.directory.by_id.get(taken.unit_id)
    if unit is not None and unit.active and _near(unit, matter):
        share = taken.count / taken.of
        text = f"同类工单近期 {taken.of} 件中 {taken.count} 件由其承办"
        gathered.add(unit, Reason("similar", text, probability=share))


def _near(unit: UnitInfo, matter: Matter) -> bool:
    """Whether the place of the matter is the unit's: another district takes nothing of this one."""
    return unit.kind == "bureau" or not matter.areas or unit.code in matter.areas


def _from_register(known: Knowledge, about: Registered, gathered: _Gathered) -> None:
    """The department of the trade, with the operator of the market beside it."""
    unit = known.directory.by_id.get(about.unit_id)
    if unit is None or not unit.active:
        gathered.remarks.append(f"“{about.name}”是登记的中介机构，但名录中的主管部门已停用")
        return
    operator = known.directory.by_id.get(about.operator_id or 0)
    words = f"“{about.name}”是登记的中介机构（{about.trade}），由行业主管部门主办"
    if operator is not None and operator.id != unit.id:
        words += f"，{operator.short}（中介服务超市运营单位）协办"
    co = [operator] if operator is not None and operator.active else []
    gathered.add(unit, Reason("register", words, str(about.id)), co)


def _from_catalogue(
    known: Knowledge, matter: Matter, gathered: _Gathered, source: str, label: Label | None = None
) -> None:
    """The nearest row that names somebody; rows that name nobody are remarked on."""
    for hit in known.catalogue.find(matter, known.day, known.directory):
        lead = known.directory.resolve(hit.entry.lead, matter.areas)
        if lead.unit is None:
            gathered.remarks.append(f"责任清单第 {hit.entry.id} 条（{hit.why}）：{lead.why}")
            continue
        co = [known.directory.resolve(name, matter.areas).unit for name in hit.entry.co]
        text = f"责任清单：{hit.why}"
        if label is not None:
            because = f"，因“{'、'.join(label.words[:3])}”" if label.words else ""
            text = f"模型判为“{known.directory.category(label.code)}”{label.probability:.2f}{because}"
        reason = Reason(
            source, text, label.model if label else str(hit.entry.id), label.probability if label else None
        )
        gathered.add(lead.unit, reason, [unit for unit in co if unit is not None], hit.entry)
        return


def _from_model(known: Knowledge, matter: Matter, label: Label, gathered: _Gathered) -> None:
    chain = known.directory.chain_of.get(label.code, ())
    if not chain:
        gathered.remarks.append(f"模型给出的分类 {label.code} 不在现行分类中")
        return
    as_labelled = Matter(
        matter.title,
        matter.detail,
        chain,
        matter.areas,
        matter.subject,
        matter.type,
        matter.urgency,
        matter.channel,
    )
    _from_catalogue(known, as_labelled, gathered, "model", label)


# ---- as it is kept -------------------------------------------------------------------------------


def as_data(suggestion: Suggestion) -> list[dict[str, Any]]:
    """The candidates as JSON: ids, codes, reasons in words, what the catalogue said."""
    return [
        {
            "unit_id": one.unit.id,
            "unit": one.unit.name,
            "co": [{"unit_id": unit.id, "unit": unit.short} for unit in one.co],
            "basis": one.basis,
            "clock": one.clock,
            "script": one.script,
            "entry_id": one.entry_id,
            "reasons": [
                {"source": why.source, "text": why.text, "ref": why.ref, "probability": why.probability}
                for why in one.reasons
            ],
        }
        for one in suggestion.candidates
    ]


def kept(shown: Suggestion, ticket_id: int, version: int, at: datetime) -> dict[str, Any]:
    """What was shown for a version of a ticket, as a row of `dispatch_advice`."""
    first = shown.candidates[0] if shown.candidates else None
    why = first.reasons[0] if first else None
    return {
        "ticket_id": ticket_id,
        "ticket_version": version,
        "suggested": as_data(shown),
        "first_unit_id": first.unit.id if first else None,
        "source": why.source if why else "",
        "rule": why.ref if why and why.source == "rule" else None,
        "rule_number": shown.rule_number or None,
        "catalogue_version": shown.catalogue_version,
        "model": next((label.model for label in shown.labels if label.model), None),
        "probability": why.probability if why else None,
        "made_at": at,
    }
