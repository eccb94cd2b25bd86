"""Tickets: made from drafts, moved along the workflow. Every write of `ticket` goes through here."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from core.catalog import reasons
from core.clock import Clock
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.ids import digits
from core.people import delegation
from core.people.actor import Actor
from core.people.delegation import Behalf
from core.people.permissions import ROLE_PERMISSIONS, Permission, Role
from core.privacy import Vault
from core.settings import Settings
from tickets import draft_rows, facts, guards, making, repeats, stages, ticket_rows
from tickets.actions import EFFECTS, Job, Tools
from tickets.actions.members import lock_pair, lock_with_master
from tickets.counting import Measures, Uncounted
from tickets.draft_rows import DraftRow
from tickets.errors import checked_note
from tickets.facts import Facts
from tickets.forms import TicketForm, pack_draft, parse_form
from tickets.inputs import ActionInput, Appeal, Dispatch, Merge, parse_input
from tickets.limits import Limits
from tickets.making import NewTicket
from tickets.models import Ticket, TicketHistory, table_of
from tickets.states import Action, State
from tickets.terms import Confidentiality, DraftEnd, TicketType
from tickets.ticket_rows import Locked, TicketRow
from tickets.visibility import is_sealed_matter, is_system, visible_tickets
from tickets.workflow import FOLLOWING, RULES, Relation, Rule, permits, rule_for

_ticket = table_of(Ticket)
_history = table_of(TicketHistory)
_CLERK = Actor.system("orders")
REASON_KINDS: dict[Action, str] = {
    Action.INFORM: "inform",
    Action.EMERGENCY: "emergency",
    Action.REDISPATCH: "redispatch",
    Action.RETURN: "return",
    Action.APPLY_EXTENSION: "extension",
    Action.APPLY_SUSPENSION: "suspension",
    Action.APPLY_EXCLUSION: "exclusion",
    Action.REJECT_CHECK: "reject_check",
    Action.REDO: "redo",
    Action.VOID: "void",
}
# Decisions a deputy may take for an absent head or supervision officer (代理).
DEPUTY = frozenset(
    {
        *(Action.APPROVE_CLOSING, Action.REFUSE_CLOSING, Action.APPROVE_EXTENSION, Action.RULE),
        *(Action.REFUSE_EXTENSION, Action.APPROVE_SUSPENSION, Action.REFUSE_SUSPENSION),
        *(Action.APPROVE_EXCLUSION, Action.REFUSE_EXCLUSION),
    }
)
# Adding never overwrites anything, so these need no version; the one that was seen only tells a request
# sent twice. They do move it: whoever decides on the ticket meanwhile reads the addition first.
ADDING = frozenset({Action.NOTE, Action.ADD, Action.URGE, Action.ASK_RELAY, Action.ANSWER_RELAY})


class TicketService:
    """Makes tickets and moves them along the workflow."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        vault: Vault,
        settings: Settings,
        limits: Limits,
        measures: Measures | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._area = settings.city.area_code
        self._phone_area = settings.city.phone_area
        self.limits = limits
        self.measures = measures or Uncounted()
        self._tools = Tools(settings, limits, self.measures)

    # ---- making -----------------------------------------------------------------------------

    async def create_from_draft(
        self, uow: UnitOfWork, actor: Actor, draft_id: int, form: Mapping[str, Any], version: int
    ) -> NewTicket:
        """End a draft as a ticket. The same request twice gives the same ticket.

        Raises what `draft_rows.lock_open` and `parse_form` raise, and `category_unknown`,
        `place_unknown`, `form_invalid` (phone: required, when there is no number to reach).
        """
        actor.require(Permission.TICKET_CREATE)
        data = pack_draft(form)
        seen = await draft_rows.lock(uow, actor, draft_id)
        twice = draft_rows.is_replay(actor, seen, version, DraftEnd.TICKET)
        if twice and draft_rows.unseal(self._vault, seen.id, seen.form_sealed) == data:
            return await self._again(uow, seen)
        draft = await draft_rows.check_writable(uow, actor, seen, version)
        parsed = parse_form(form, now=uow.now, phone_area=self._phone_area)
        call = draft.call_session_id
        if parsed.type is TicketType.APPEAL:
            made = await self._appeal_told(uow, actor, parsed, call)
        else:
            made = await self.create(uow, actor, parsed, caller_ref=draft.caller_ref, call_session_id=call)
        await draft_rows.end(
            uow,
            actor,
            draft,
            DraftEnd.TICKET,
            ticket_id=made.id,
            form_sealed=draft_rows.seal(self._vault, draft.id, data),
        )
        return made

    async def create(
        self,
        uow: UnitOfWork,
        actor: Actor,
        form: TicketForm,
        *,
        caller_ref: int | None = None,
        call_session_id: int | None = None,
    ) -> NewTicket:
        """Make a ticket of a complete form; without a typed phone the caller's number is the contact."""
        return await making.from_form(
            uow,
            actor,
            self._vault,
            self.limits,
            self.measures,
            self._area,
            form,
            caller_ref=caller_ref,
            call_session_id=call_session_id,
        )

    async def _again(self, uow: UnitOfWork, draft: DraftRow) -> NewTicket:
        """The answer to a request that was already carried out (a double click, a lost response)."""
        query = sa.select(_ticket.c.id, _ticket.c.number, _ticket.c.query_code_ref, _ticket.c.version)
        row = (await uow.session.execute(query.where(_ticket.c.id == draft.ticket_id))).one()
        code = await self._vault.reveal(uow.session, row.query_code_ref)
        return NewTicket(row.id, row.number, code, row.version)

    async def _appeal_told(
        self, uow: UnitOfWork, actor: Actor, form: TicketForm, call: int | None
    ) -> NewTicket:
        """The appeal an agent takes down, linked to the ticket whose number stands in the form.

        Raises `form_invalid` (appeal_of: required; unknown_ticket for a number of no ticket the actor sees).
        """
        if not form.appeal_of:
            raise HotlineError("form_invalid", fields={"appeal_of": "required"})
        query = sa.select(_ticket.c.id, _ticket.c.version)
        query = query.where(_ticket.c.number == form.appeal_of, visible_tickets(actor))
        row = (await uow.session.execute(query.with_for_update(of=_ticket))).first()
        if row is None:
            raise HotlineError("form_invalid", fields={"appeal_of": "unknown_ticket"})
        told = {
            "title": form.title,
            "expected": form.expected,
            "urgency": form.urgency.value,
            "channel": form.channel.value,
            "occurred_at": form.occurred_at,
            "call_session_id": call,
        }
        return await self.appeal(uow, actor, row.id, row.version, Appeal(note=form.narrative), told)

    async def appeal(
        self,
        uow: UnitOfWork,
        actor: Actor,
        ticket_id: int,
        version: int,
        data: Appeal,
        told: Mapping[str, Any] | None = None,
    ) -> NewTicket:
        """申诉 against how a ticket was handled: a ticket of its own, linked, away from the first handler.

        `told` are columns of it that were taken down and are not taken over from the first.
        """
        await ticket_rows.lock(uow, actor, ticket_id)  # two clicks at once: the second finds the first
        found = await self._open_appeal(uow, actor, ticket_id, data)
        if found is not None:
            return found
        await self.act(uow, actor, ticket_id, version, Action.APPEAL, data)
        first = (await ticket_rows.find(uow.session, actor, ticket_id)).row
        code = digits(making.QUERY_CODE_DIGITS)
        values = {name: getattr(first, name) for name in _TAKEN_OVER} | {
            "query_code_ref": (await self._vault.put(uow, "code", code)).id,
            "channel": "phone",
            "type": TicketType.APPEAL.value,
            "urgency": "normal",
            "title": f"申诉：{first.title}"[:120],
            "narrative": data.note,
            "expected": "",
            "occurred_at": None,
            "call_session_id": None,
            "appeal_of_id": ticket_id,
            "avoid_unit_id": first.lead_unit_id,
            "avoid_user_id": await self._checker_of(uow, ticket_id),
            **(told or {}),
        }
        if is_sealed_matter(first.type, first.confidentiality):
            values["confidentiality"] = Confidentiality.SECRET.value  # sealed by its type until now
        return await making.insert(uow, actor, self.limits, self.measures, self._area, values, code)

    async def _open_appeal(
        self, uow: UnitOfWork, actor: Actor, ticket_id: int, data: Appeal
    ) -> NewTicket | None:
        """The appeal this very request made before; another one that is open is `appeal_open`."""
        names = ("id", "number", "version", "query_code_ref", "created_by", "narrative")
        query = sa.select(*(_ticket.c[name] for name in names)).where(
            _ticket.c.appeal_of_id == ticket_id, _ticket.c.stage.is_not(None)
        )
        row = (await uow.session.execute(query.limit(1))).first()
        if row is None:
            return None
        if (row.created_by, row.narrative) != (actor.user_id, data.note):
            raise HotlineError("appeal_open", ticket_id=ticket_id, number=row.number)
        await ticket_rows.find(uow.session, actor, ticket_id)  # who may not see it learns nothing
        code = await self._vault.reveal(uow.session, row.query_code_ref)
        return NewTicket(row.id, row.number, code, row.version)

    async def _checker_of(self, uow: UnitOfWork, ticket_id: int) -> int | None:
        passed = (_history.c.ticket_id == ticket_id, _history.c.action == Action.PASS_CHECK.value)
        query = sa.select(_history.c.actor_id).where(*passed).order_by(_history.c.id.desc()).limit(1)
        return (await uow.session.execute(query)).scalar_one_or_none()

    # ---- moving -----------------------------------------------------------------------------

    async def act(
        self,
        uow: UnitOfWork,
        actor: Actor,
        ticket_id: int,
        version: int | None,
        action: Action,
        data: ActionInput | Mapping[str, Any] | None = None,
        *,
        call_session_id: int | None = None,
    ) -> int:
        """Do `action` to a ticket as seen in `version` (None only for `ADDING`); returns the new version.

        Raises `ticket_not_found`, `version_conflict`, `action_not_allowed`, `forbidden`, the codes of
        `tickets.guards` and of the action itself. The same action sent twice is done once.
        """
        told = data if isinstance(data, ActionInput) else parse_input(action, dict(data or {}))
        if isinstance(told, Merge):
            await lock_pair(uow.session, ticket_id, told.master_id)
        elif action is Action.UNMERGE:
            await lock_with_master(uow.session, ticket_id)
        locked = await ticket_rows.lock(uow, actor, ticket_id)
        row = locked.row
        if action in ADDING:
            seen = row.version if version is None else version
            if await repeats.added_before(uow.session, actor, row, seen, action, told, call_session_id):
                return row.version
        elif version is None:
            raise HotlineError("version_required", action=action.value)
        elif row.version != version:
            if await repeats.moved_before(uow.session, actor, row, version, action, told):
                return row.version
            ticket_rows.check_version(row, version)
        job = await self._allowed(uow, actor, locked, action, told)
        job.call_session_id = call_session_id
        if action in EFFECTS:
            await EFFECTS[action](job)
        return await stages.write(job)

    async def follow(self, uow: UnitOfWork, actor: Actor, ticket_id: int, action: Action, note: str) -> int:
        """Note on a ticket what becomes of a document about it; returns the new version.

        Who may, the document's own room has asked: the unit it is addressed to may no longer hold the
        ticket, nor see it. What is archived or void stays as it is; the document has its own course.
        """
        if action not in FOLLOWING:
            raise HotlineError("action_not_allowed", action=action.value, state="")
        row = (await ticket_rows.lock(uow, _CLERK, ticket_id)).row
        if State(row.state) not in RULES[action].sources:
            return row.version
        told = parse_input(action, {"note": note})
        rule, state = rule_for(row.state, action), State(row.state)
        seen = {"request": told.fingerprint}
        nobody: frozenset[Relation] = frozenset()
        job = Job(uow, actor, row, nobody, Facts(), action, rule, told, self._tools, state, told=seen)
        return await stages.write(job)

    async def _allowed(
        self, uow: UnitOfWork, actor: Actor, locked: Locked, action: Action, told: ActionInput
    ) -> Job:
        """The checks in their order: the table, the person, the moment, the reason code."""
        row = locked.row
        rule = rule_for(row.state, action)
        behalf = None
        if not (rule.by_system and is_system(actor)):
            behalf = await self._check_who(uow, actor, locked, rule)
        known = await facts.load(uow.session, row, self.limits) if action in guards.ASKING else Facts()
        against = guards.refusal(action, row, known, actor, uow.now)
        if against is not None:
            raise HotlineError(against, ticket_id=row.id, action=action.value)
        reason = getattr(told, "reason_code", None)
        kind = REASON_KINDS.get(action)
        if reason is not None and kind is not None:
            await reasons.check(uow.session, kind, reason)
        target = rule.leads_to(State(row.state))
        return Job(
            uow,
            actor,
            row,
            locked.relations,
            known,
            action,
            rule,
            told,
            self._tools,
            target,
            told={"request": told.fingerprint},
            reason_code=reason,
            on_behalf_of=behalf,
        )

    async def _check_who(self, uow: UnitOfWork, actor: Actor, locked: Locked, rule: Rule) -> int | None:
        """Raise `forbidden` unless the table names this person; returns whose deputy acts, if one does."""
        if permits(rule, actor.permissions, locked.relations):
            return None
        if rule.action in DEPUTY:
            for behalf in await delegation.units_approved_for(uow.session, actor, uow.now):
                if _stands_in(behalf, locked.row, rule):
                    return behalf.of_user_id
        raise HotlineError("forbidden", permission=rule.action.value)

    # ---- short forms ------------------------------------------------------------------------

    async def dispatch(
        self, uow: UnitOfWork, actor: Actor, ticket_id: int, version: int, unit_id: int, note: str = ""
    ) -> int:
        """Send a ticket to the unit that is to handle it; returns the new version."""
        data = Dispatch(unit_id=unit_id, note=note)
        return await self.act(uow, actor, ticket_id, version, Action.DISPATCH, data)

    async def add_note(
        self, uow: UnitOfWork, actor: Actor, ticket_id: int, note: str, *, seen: int | None = None
    ) -> int:
        """Add an internal note; returns the new version. Raises `note_required`, `note_too_long`.

        The same note from the same page, which saw the ticket in version `seen`, is one note.
        """
        return await self._add(uow, actor, ticket_id, Action.NOTE, note, seen=seen)

    async def urge(
        self, uow: UnitOfWork, actor: Actor, ticket_id: int, note: str = "", *, call: int | None = None
    ) -> int:
        """Note that the citizen asks again, in `call` (a call session's id) if he called."""
        return await self._add(uow, actor, ticket_id, Action.URGE, note, call)

    async def add(
        self, uow: UnitOfWork, actor: Actor, ticket_id: int, text: str, *, call: int | None = None
    ) -> int:
        """Add what the citizen has to say besides; returns the new version."""
        return await self._add(uow, actor, ticket_id, Action.ADD, text, call)

    async def _add(
        self,
        uow: UnitOfWork,
        actor: Actor,
        ticket_id: int,
        action: Action,
        note: str,
        call: int | None = None,
        seen: int | None = None,
    ) -> int:
        note = checked_note(note, action=action.value, required=action is not Action.URGE)
        return await self.act(uow, actor, ticket_id, seen, action, {"note": note}, call_session_id=call)


def _stands_in(behalf: Behalf, row: TicketRow, rule: Rule) -> bool:
    """Whether the absent person, for whom somebody acts, could have decided this himself."""
    relation = Relation.HOTLINE
    if behalf.post is Role.DEPT_HEAD:
        if row.lead_unit_id != behalf.unit_id:
            return False
        relation = Relation.LEAD
    return permits(rule, ROLE_PERMISSIONS[behalf.post], {relation})


_TAKEN_OVER = (
    *("category_id", "confidentiality", "address", "district_id", "street_id", "subject_name"),
    *("subject_uscc", "subject_unit_id", "name_ref", "phone_ref", "phone2_ref", "id_number_ref"),
    *("wants_reply", "wants_public"),
)

__all__ = ["NewTicket", "TicketService"]
