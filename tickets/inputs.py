"""What each action of the workflow is told: one model per action, unknown keys refused.

Texts are cleaned as in the intake form. A page, a bulk action and an import all build these.
"""

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import HotlineError
from tickets.forms import (
    MAX_ADDRESS,
    MAX_EXPECTED,
    MAX_NARRATIVE,
    MAX_TITLE,
    Line,
    Lines,
    Optional,
    Reference,
)
from tickets.states import Action
from tickets.terms import Confidentiality, ContactMeans, ContactResult, TicketType, Urgency

MAX_NOTE = 2000
MAX_REPLY = 4000
Ident = Annotated[int, Field(gt=0, lt=2**63)]
Note = Annotated[str, Field(max_length=MAX_NOTE), Lines]
NeededNote = Annotated[str, Field(min_length=1, max_length=MAX_NOTE), Lines]
Reply = Annotated[str, Field(min_length=2, max_length=MAX_REPLY), Lines]
Code = Annotated[str, Field(min_length=1, max_length=30), Line]
Days = Annotated[int, Field(ge=1, le=60)]


class ActionInput(BaseModel):
    """What every action may carry."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    note: Note = ""

    @property
    def fingerprint(self) -> str:
        """Eight digits that tell the same request sent twice from another one."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]


class WithNote(ActionInput):
    note: NeededNote


class WithReason(WithNote):
    reason_code: Code


class ToUnit(ActionInput):
    unit_id: Ident


class HandOver(ToUnit):
    from_unit_id: Ident


class Dispatch(ToUnit):
    co_unit_ids: Annotated[list[Ident], Field(max_length=10)] = []


class Redispatch(ToUnit):
    reason_code: Code


class UnitWithNote(WithNote):
    unit_id: Ident


class Rule(UnitWithNote):
    co_unit_ids: Annotated[list[Ident], Field(max_length=10)] = []


class CoUnits(ActionInput):
    unit_ids: Annotated[list[Ident], Field(min_length=1, max_length=10)]


class Answer(ActionInput):
    public_reply: Reply


class Inform(Answer):
    reason_code: Code


class Contact(ActionInput):
    means: ContactMeans = ContactMeans.PHONE
    result: ContactResult


class Return(WithReason):
    basis: Annotated[str, Field(min_length=2, max_length=500), Lines]
    suggested_unit_id: Ident


class AcceptReturn(WithNote):
    unit_id: Reference = None


class Apply(WithReason):
    days: Days


class Close(Answer):
    """`result` and `means` log the contact made just before closing, when none is on record."""

    handling: Annotated[str, Field(max_length=MAX_REPLY), Lines] = ""
    solved: bool = True
    unsolved_code: Annotated[Code | None, Optional] = None
    means: Annotated[ContactMeans | None, Optional] = None
    result: Annotated[ContactResult | None, Optional] = None


class ReportBack(WithNote):
    public_reply: Annotated[str, Field(max_length=MAX_REPLY), Lines] = ""


class RevisitAnswers(ActionInput):
    """One try of a call-back: when reached, three separate answers; `redo` sends it back in one step."""

    result: Literal["reached", "no_answer", "busy", "switched_off", "invalid_number", "refused"]
    responded: Annotated[bool | None, Optional] = None
    solved: Annotated[bool | None, Optional] = None
    satisfied: Annotated[Annotated[int, Field(ge=1, le=5)] | None, Optional] = None
    reason_code: Annotated[Code | None, Optional] = None
    redo: bool = False
    unit_id: Reference = None


class Rate(ActionInput):
    """The citizen's own answers to the three questions."""

    responded: bool
    solved: bool
    satisfied: Annotated[int, Field(ge=1, le=5)]


class Redo(WithReason):
    unit_id: Reference = None


class Merge(ActionInput):
    master_id: Ident


class Edit(ActionInput):
    """Only what is given changes; `subject_unit_id` given as nothing means: no unit is complained about."""

    type: Annotated[TicketType | None, Optional] = None
    urgency: Annotated[Urgency | None, Optional] = None
    confidentiality: Annotated[Confidentiality | None, Optional] = None
    category_id: Reference = None
    title: Annotated[Annotated[str, Field(min_length=2, max_length=MAX_TITLE)] | None, Line, Optional] = None
    narrative: Annotated[
        Annotated[str, Field(min_length=2, max_length=MAX_NARRATIVE)] | None, Lines, Optional
    ] = None
    expected: Annotated[Annotated[str, Field(max_length=MAX_EXPECTED)] | None, Lines] = None
    address: Annotated[Annotated[str, Field(max_length=MAX_ADDRESS)] | None, Line] = None
    subject_name: Annotated[Annotated[str, Field(max_length=100)] | None, Line] = None
    subject_unit_id: Reference = None


class Appeal(WithNote):
    """The matter of the appeal: what the citizen objects to."""


A = Action
INPUTS: dict[Action, type[ActionInput]] = {
    A.ACCEPT: ActionInput,
    A.ASK_CITIZEN: WithNote,
    A.SUPPLEMENT: WithNote,
    A.ANSWER: Answer,
    A.INFORM: Inform,
    A.EMERGENCY: WithReason,
    A.DISPATCH: Dispatch,
    A.SIGN: ActionInput,
    A.CONTACT: Contact,
    A.SUB_DISPATCH: ToUnit,
    A.REPORT_BACK: ReportBack,
    A.TAKE_BACK: WithNote,
    A.CLOSE: Close,
    A.APPROVE_CLOSING: ActionInput,
    A.REFUSE_CLOSING: WithNote,
    A.RETURN: Return,
    A.ACCEPT_RETURN: AcceptReturn,
    A.REFUSE_RETURN: WithNote,
    A.RULE: Rule,
    A.REDISPATCH: Redispatch,
    A.ADD_CO: CoUnits,
    A.REMOVE_CO: UnitWithNote,
    A.CO_OPINION: WithNote,
    A.APPLY_EXTENSION: Apply,
    A.APPROVE_EXTENSION: ActionInput,
    A.REFUSE_EXTENSION: WithNote,
    A.APPLY_SUSPENSION: Apply,
    A.APPROVE_SUSPENSION: ActionInput,
    A.REFUSE_SUSPENSION: WithNote,
    A.RESUME: WithNote,
    A.PASS_CHECK: ActionInput,
    A.REJECT_CHECK: WithReason,
    A.REVISIT: RevisitAnswers,
    A.RATE: Rate,
    A.REDO: Redo,
    A.APPLY_EXCLUSION: WithReason,
    A.APPROVE_EXCLUSION: ActionInput,
    A.REFUSE_EXCLUSION: WithNote,
    A.URGE: ActionInput,
    A.SUPERVISE: WithNote,
    A.ACKNOWLEDGE: WithNote,
    A.ANSWER_ORDER: WithNote,
    A.ASK_ORDER: WithNote,
    A.END_ORDER: WithNote,
    A.ASK_RELAY: WithNote,
    A.ANSWER_RELAY: WithNote,
    A.ADD: WithNote,
    A.NOTE: WithNote,
    A.EDIT: Edit,
    A.MERGE: Merge,
    A.UNMERGE: WithNote,
    A.CLOSE_MEMBER: ActionInput,
    A.HAND_OVER: HandOver,
    A.APPEAL: Appeal,
    A.WITHDRAW: WithNote,
    A.VOID: WithReason,
    A.ARCHIVE: ActionInput,
}
_TOO_LONG = {"string_too_long", "too_long"}
_MISSING = {"missing", "string_too_short", "too_short"}


def parse_input(action: Action, raw: dict[str, Any]) -> ActionInput:
    """The input of `action`; raises `unknown_field` (fields) or `form_invalid` (fields: name → code)."""
    try:
        return INPUTS[action].model_validate(raw)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
    unknown = [str(one["loc"][0])[:40] for one in problems if one["type"] == "extra_forbidden"]
    if unknown:
        raise HotlineError("unknown_field", fields=unknown[:10])
    codes: dict[str, str] = {}
    for one in problems:
        kind = one["type"]
        code = "too_long" if kind in _TOO_LONG else "required" if kind in _MISSING else "bad_value"
        codes.setdefault(str(one["loc"][0])[:40], code)
    raise HotlineError("form_invalid", fields=codes)
