"""A few drafts that are still open when the demo begins: some half written, one far too old."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core.people.permissions import Role
from routing.demo.contacts import Call
from routing.demo.making import Making, Row, ids_for
from routing.demo.rows import answered_rows
from telephony.models import CallLeg, CallSession
from tickets import draft_rows
from tickets.bulk import insert_rows
from tickets.forms import pack_draft
from tickets.models import DraftHistory, TicketDraft, table_of

FIRST_CALLER = 9500


@dataclass(frozen=True)
class Unfinished:
    """A draft found on a desk: minutes since its call ended, what was typed so far, and how it will end.

    Without a category nobody finishes it: it is there for the shift leader to find.
    """

    minutes: int
    form: dict[str, Any] = field(default_factory=dict)
    category: str = ""
    answer: str = ""  # given on the line, so that no ticket is needed


OPEN = (
    Unfinished(
        47,
        {
            "type": "complaint",
            "title": "小区门口夜宵摊噪声扰民",
            "narrative": "来电人反映小区北门外夜宵摊经营到凌晨两点，划拳吵闹。"
            "来电人信号不好，通话中断，待补充具体地址。",
        },
    ),
    Unfinished(
        9,
        {
            "type": "help",
            "title": "自由路路灯不亮",
            "narrative": "市民来电反映自由路靠近三里店一侧三盏路灯连续两晚不亮。",
            "address": "七星区自由路",
        },
        category="010101",
    ),
    Unfinished(
        4,
        {"type": "consult", "title": "咨询居住证签注"},
        category="110203",
        answer="已告知凭身份证和居住证到居住地派出所签注，也可在政务平台网上办理。",
    ),
    Unfinished(1),
)
SEEDED_VERSION = 2  # of a draft with something typed; whoever writes in it moves the version


async def open_desk(making: Making) -> None:
    """Drafts of the first agents, each with the call it came from."""
    session, count = making.uow.session, len(OPEN)
    await making.values.reserve(session, count)
    sessions, legs = await ids_for(session, CallSession, count), await ids_for(session, CallLeg, count)
    drafts = await ids_for(session, TicketDraft, count)
    rows: dict[type, list[Row]] = {model: [] for model in (CallSession, CallLeg, TicketDraft, DraftHistory)}
    for index, found in enumerate(OPEN):
        agent = making.folk.posts[Role.AGENT][index]
        ended = making.now - timedelta(minutes=found.minutes)
        caller = making.values.phone(FIRST_CALLER + index, ended)
        call, leg = answered_rows(next(sessions), next(legs), caller, ended, Call(9, 4, 130), agent)
        rows[CallSession].append(call)
        rows[CallLeg].append(leg)
        making.count(call, leg)
        draft = _draft(making, next(drafts), call, agent.id, found.form)
        rows[TicketDraft].append(draft)
        rows[DraftHistory].append(_opened(draft))
    await making.values.save(session)
    for model, made in rows.items():
        await insert_rows(session, table_of(model), made)


def _draft(making: Making, ident: int, call: Row, owner: int, form: dict[str, Any]) -> Row:
    sealed = draft_rows.seal(making.values.vault, ident, pack_draft(form)) if form else None
    return {
        "id": ident,
        "call_session_id": call["id"],
        "owner_id": owner,
        "caller_ref": call["caller_ref"],
        "form_sealed": sealed,
        "version": SEEDED_VERSION if form else 1,
        "opened_at": call["answered_at"],
        "saved_at": call["ended_at"] if form else call["answered_at"],
    }


def _opened(draft: Row) -> Row:
    return {
        "draft_id": draft["id"],
        "at": draft["opened_at"],
        "actor_id": draft["owner_id"],
        "action": "opened",
        "from_owner_id": None,
        "to_owner_id": draft["owner_id"],
        "version": 1,
    }
