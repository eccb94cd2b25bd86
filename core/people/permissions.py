"""Roles and what each may do: one table, source domain rules of a hotline's posts.

A role is a post, a permission is an act. Visibility of a single ticket is a condition of the
query (`tickets.visibility`); what stands here decides which acts exist for a person at all.
"""

from enum import StrEnum


class Role(StrEnum):
    """The posts of a hotline."""

    AGENT = "agent"
    DISPATCHER = "dispatcher"
    CALLBACK_OFFICER = "callback_officer"
    SHIFT_LEADER = "shift_leader"
    SUPERVISION_OFFICER = "supervision_officer"
    DEPT_OFFICER = "dept_officer"
    DEPT_HEAD = "dept_head"
    KNOWLEDGE_EDITOR = "knowledge_editor"
    KNOWLEDGE_REVIEWER = "knowledge_reviewer"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"
    INSPECTOR = "inspector"
    QUALITY_REVIEWER = "quality_reviewer"
    INTERMEDIARY = "intermediary"


class Permission(StrEnum):
    """The acts a role may do."""

    CALL_TAKE = "call.take"
    TEXT_TAKE = "text.take"
    CALL_READ_ALL = "call.read_all"
    DRAFT_WRITE = "draft.write"
    DRAFT_READ_ALL = "draft.read_all"
    TICKET_CREATE = "ticket.create"
    TICKET_READ_HOTLINE = "ticket.read_hotline"
    TICKET_READ_UNIT = "ticket.read_unit"
    TICKET_READ_ALL = "ticket.read_all"
    TICKET_DISPATCH = "ticket.dispatch"
    TICKET_RULE = "ticket.rule"
    TICKET_CHECK = "ticket.check"
    TICKET_MERGE = "ticket.merge"
    TICKET_SUPERVISE = "ticket.supervise"
    TICKET_VOID = "ticket.void"
    TICKET_HANDLE = "ticket.handle"
    TICKET_APPROVE = "ticket.approve"
    TICKET_NOTE = "ticket.note"
    TICKET_EXPORT = "ticket.export"
    CARD_READ = "card.read"
    CARD_ACKNOWLEDGE = "card.acknowledge"
    REVISIT_WORK = "revisit.work"
    CALLBACK_WORK = "callback.work"
    CALLBACK_READ = "callback.read"
    PERSON_REVEAL = "person.reveal"
    CITIZEN_READ = "citizen.read"
    CITIZEN_EDIT = "citizen.edit"
    MESSAGE_READ = "message.read"
    FLOOR_READ = "floor.read"
    FLOOR_LEAD = "floor.lead"
    DASHBOARD_READ = "dashboard.read"
    WALLBOARD_MANAGE = "wallboard.manage"
    REPORT_READ = "report.read"
    REPORT_MAKE = "report.make"
    OPENDATA_MANAGE = "opendata.manage"
    RECORDING_OPEN = "recording.open"
    RECORDING_ASK = "recording.ask"
    RECORDING_APPROVE = "recording.approve"
    NOTICE_WRITE = "notice.write"
    KNOWLEDGE_READ = "knowledge.read"
    KNOWLEDGE_EDIT = "knowledge.edit"
    KNOWLEDGE_EDIT_ALL = "knowledge.edit_all"
    KNOWLEDGE_REVIEW = "knowledge.review"
    KNOWLEDGE_PUBLISH = "knowledge.publish"
    CHANNEL_MANAGE = "channel.manage"
    OUTBOX_READ = "outbox.read"
    OUTBOX_RESEND = "outbox.resend"
    AUDIT_READ = "audit.read"
    USER_READ = "user.read"
    USER_MANAGE = "user.manage"
    ROLE_GRANT = "role.grant"
    SESSION_MANAGE = "session.manage"
    MACHINE_MANAGE = "machine.manage"
    ORG_MANAGE = "org.manage"
    CATALOG_MANAGE = "catalog.manage"
    SETTINGS_READ = "settings.read"
    POLICY_READ = "policy.read"
    POLICY_EDIT = "policy.edit"
    ROUTING_READ = "routing.read"
    ROUTING_EDIT = "routing.edit"
    CLASSIFIER_READ = "classifier.read"
    CLASSIFIER_MANAGE = "classifier.manage"
    DELETION_REQUEST = "deletion.request"
    DELETION_APPROVE = "deletion.approve"
    ADMIN_AUDIT = "admin.audit"
    ROTA_READ = "rota.read"
    ROTA_EDIT = "rota.edit"
    SHIFT_OWN = "shift.own"
    QUALITY_READ = "quality.read"
    QUALITY_REVIEW = "quality.review"
    QUALITY_MANAGE = "quality.manage"
    CERTIFICATE_CHECK = "certificate.check"
    INTERMEDIARY_READ = "intermediary.read"
    INTERMEDIARY_EDIT = "intermediary.edit"
    INTERMEDIARY_DECIDE = "intermediary.decide"
    INTERMEDIARY_OWN = "intermediary.own"


P = Permission
_CITIZENS = {P.CITIZEN_READ, P.CITIZEN_EDIT}
_SEAT = {
    P.CALL_TAKE,
    P.TEXT_TAKE,
    P.DRAFT_WRITE,
    P.TICKET_CREATE,
    P.TICKET_READ_HOTLINE,
    P.TICKET_NOTE,
    P.PERSON_REVEAL,
}
_SEAT |= {P.RECORDING_OPEN, P.KNOWLEDGE_READ, P.SHIFT_OWN, P.CERTIFICATE_CHECK, P.INTERMEDIARY_READ}
_QUALITY = {P.QUALITY_READ, P.QUALITY_REVIEW, P.QUALITY_MANAGE}
_CALLBACKS = {P.CALLBACK_READ, P.CALLBACK_WORK}
_UNIT = {P.TICKET_READ_UNIT, P.TICKET_HANDLE, P.TICKET_NOTE, P.PERSON_REVEAL, P.TICKET_EXPORT}
_UNIT |= {P.KNOWLEDGE_READ, P.RECORDING_OPEN}
_UNIT |= {P.CERTIFICATE_CHECK, P.INTERMEDIARY_READ, P.INTERMEDIARY_EDIT}
_CARDS = {P.CARD_READ, P.CARD_ACKNOWLEDGE}
_OVERVIEW = {P.DASHBOARD_READ, P.REPORT_READ, P.REPORT_MAKE, P.WALLBOARD_MANAGE, P.OPENDATA_MANAGE}
_DESK = {P.TICKET_DISPATCH, P.TICKET_RULE, P.TICKET_CHECK, P.TICKET_MERGE, P.ROUTING_READ}
_DESK |= {P.INTERMEDIARY_READ}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AGENT: frozenset(_SEAT | _CALLBACKS | _CITIZENS | {P.TICKET_MERGE}),
    Role.DISPATCHER: frozenset(
        {P.TICKET_READ_HOTLINE, P.TICKET_NOTE, P.PERSON_REVEAL, P.CALLBACK_READ, P.CITIZEN_READ}
        | {P.TICKET_EXPORT, P.KNOWLEDGE_READ, P.RECORDING_OPEN}
        | _DESK
        | _CARDS
    ),
    Role.CALLBACK_OFFICER: frozenset(
        {P.TICKET_READ_HOTLINE, P.TICKET_NOTE, P.PERSON_REVEAL, P.DRAFT_WRITE, P.TICKET_CREATE}
        | {P.REVISIT_WORK, P.KNOWLEDGE_READ, P.SHIFT_OWN, P.RECORDING_OPEN}
        | _CARDS
        | _CALLBACKS
        | _CITIZENS
    ),
    Role.SHIFT_LEADER: frozenset(
        _SEAT
        | _CALLBACKS
        | _CITIZENS
        | _DESK
        | {P.FLOOR_READ, P.CALL_READ_ALL, P.DRAFT_READ_ALL, P.TICKET_VOID, P.REVISIT_WORK, P.MESSAGE_READ}
        | {P.FLOOR_LEAD, P.NOTICE_WRITE, P.TICKET_EXPORT, P.DELETION_REQUEST, P.KNOWLEDGE_PUBLISH}
        | {P.ROTA_READ, P.ROTA_EDIT}
        | _QUALITY
        | _OVERVIEW
        | _CARDS
    ),
    Role.SUPERVISION_OFFICER: frozenset(
        {P.TICKET_READ_ALL, P.TICKET_NOTE, P.FLOOR_READ, P.CALL_READ_ALL, P.PERSON_REVEAL, P.CALLBACK_READ}
        | {P.POLICY_READ, P.POLICY_EDIT, P.KNOWLEDGE_READ, P.KNOWLEDGE_PUBLISH, P.ROUTING_EDIT}
        | {P.CLASSIFIER_READ, P.CLASSIFIER_MANAGE, P.RECORDING_OPEN, P.RECORDING_APPROVE}
        | {P.TICKET_SUPERVISE, P.TICKET_VOID, P.TICKET_EXPORT, P.MESSAGE_READ, P.CITIZEN_READ, P.ROTA_READ}
        | {P.INTERMEDIARY_EDIT, P.INTERMEDIARY_DECIDE}
        | _QUALITY
        | _OVERVIEW
        | _DESK
        | _CARDS
    ),
    Role.DEPT_OFFICER: frozenset(_UNIT | _CARDS | {P.KNOWLEDGE_EDIT}),
    Role.DEPT_HEAD: frozenset(_UNIT | _CARDS | {P.TICKET_APPROVE, P.KNOWLEDGE_REVIEW, P.INTERMEDIARY_DECIDE}),
    # Editors write for every unit; a reviewer, like a department's head, approves what his own unit owns.
    Role.KNOWLEDGE_EDITOR: frozenset({P.KNOWLEDGE_READ, P.KNOWLEDGE_EDIT, P.KNOWLEDGE_EDIT_ALL}),
    Role.KNOWLEDGE_REVIEWER: frozenset({P.KNOWLEDGE_READ, P.KNOWLEDGE_REVIEW}),
    # The three administrators: who runs it, who grants power, who watches both (core/people/duties.py).
    Role.SYSTEM_ADMIN: frozenset(
        {P.USER_READ, P.USER_MANAGE, P.ORG_MANAGE, P.CATALOG_MANAGE, P.SETTINGS_READ, P.NOTICE_WRITE}
        | {P.OUTBOX_READ, P.OUTBOX_RESEND, P.FLOOR_READ, P.MESSAGE_READ, P.POLICY_READ, P.POLICY_EDIT}
        | {P.ROUTING_READ, P.ROUTING_EDIT, P.CLASSIFIER_READ, P.CLASSIFIER_MANAGE, P.CHANNEL_MANAGE}
    ),
    Role.SECURITY_ADMIN: frozenset(
        {P.USER_READ, P.ROLE_GRANT, P.SESSION_MANAGE, P.SETTINGS_READ, P.OUTBOX_READ, P.DELETION_REQUEST}
        | {P.POLICY_READ, P.MACHINE_MANAGE}
    ),
    Role.AUDIT_ADMIN: frozenset(
        {P.USER_READ, P.AUDIT_READ, P.SETTINGS_READ, P.ADMIN_AUDIT, P.DELETION_APPROVE, P.POLICY_READ}
        | {P.RECORDING_APPROVE}
    ),
    # Hears a recording when another person has approved it (sla.inspection).
    Role.INSPECTOR: frozenset(
        {P.TICKET_READ_ALL, P.AUDIT_READ, P.CALL_READ_ALL, P.FLOOR_READ, P.DRAFT_READ_ALL, P.CALLBACK_READ}
        | {P.PERSON_REVEAL, P.CITIZEN_READ, P.MESSAGE_READ, P.DASHBOARD_READ, P.REPORT_READ, P.CARD_READ}
        | {P.POLICY_READ, P.KNOWLEDGE_READ, P.ROUTING_READ, P.CLASSIFIER_READ, P.ROTA_READ, P.QUALITY_READ}
        | {P.RECORDING_ASK}
        | {P.INTERMEDIARY_READ}
    ),
    # Listens and scores; has no right to see who called.
    Role.QUALITY_REVIEWER: frozenset({P.QUALITY_READ, P.QUALITY_REVIEW, P.KNOWLEDGE_READ}),
    # Of another house: sees its own matters, as they were put to it, and nothing of the hotline.
    Role.INTERMEDIARY: frozenset({P.INTERMEDIARY_OWN}),
}


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Everything the holder of `roles` may do."""
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in roles))
