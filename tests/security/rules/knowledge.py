"""Knowledge: reading, writing, approving, putting right, the emergency wording."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS, HOTLINE, READERS, WRITERS

_READERS = READERS | DEPARTMENTS | {Role.KNOWLEDGE_EDITOR, Role.KNOWLEDGE_REVIEWER, Role.QUALITY_REVIEWER}
_WRITERS = frozenset({Role.DEPT_OFFICER, Role.KNOWLEDGE_EDITOR})
_REVIEWERS = frozenset({Role.DEPT_HEAD, Role.KNOWLEDGE_REVIEWER})
_PUBLISHERS = frozenset({Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER})
_WORK = _WRITERS | _REVIEWERS | _PUBLISHERS
_EDITOR = frozenset({Role.KNOWLEDGE_EDITOR})
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/knowledge"): _READERS,
    ("GET", "/knowledge/{article_id}"): _READERS,
    ("GET", "/knowledge/reports"): _READERS,
    ("GET", "/knowledge/preview"): _READERS,
    ("POST", "/knowledge/suggest"): _READERS,
    ("POST", "/knowledge/feedback"): _READERS,
    ("POST", "/drafts/{draft_id}/knowledge"): WRITERS,
    ("GET", "/tickets/{ticket_id}/knowledge"): READERS | DEPARTMENTS,
    ("POST", "/tickets/{ticket_id}/knowledge"): HOTLINE | DEPARTMENTS,
    ("GET", "/knowledge/desk"): _WORK,
    ("GET", "/knowledge/new"): _WRITERS,
    ("POST", "/knowledge/new"): _WRITERS,
    ("GET", "/knowledge/{article_id}/edit"): _WRITERS,
    ("POST", "/knowledge/{article_id}/edit"): _WRITERS,
    ("POST", "/knowledge/{article_id}/step"): _WORK,
    ("GET", "/knowledge/export.csv"): _WRITERS,
    ("GET", "/knowledge/import"): _WRITERS,
    ("POST", "/knowledge/import"): _WRITERS,
    ("GET", "/knowledge/tasks"): _WORK,
    ("POST", "/knowledge/tasks/{task_id}/reject"): _WRITERS | _REVIEWERS,
    ("GET", "/knowledge/gaps"): _WRITERS,
    ("POST", "/knowledge/gaps/{gap_id}/close"): _EDITOR,
    ("GET", "/knowledge/synonyms"): _WRITERS,
    ("POST", "/knowledge/synonyms"): _EDITOR,
    ("POST", "/knowledge/synonyms/{group_id}/remove"): _EDITOR,
    ("GET", "/banners"): _PUBLISHERS,
    ("POST", "/banners"): _PUBLISHERS,
    ("GET", "/banners/{banner_id}/readers"): _PUBLISHERS,
    ("POST", "/banners/{banner_id}/change"): _PUBLISHERS,
    ("POST", "/banners/{banner_id}/withdraw"): _PUBLISHERS,
    ("GET", "/banners/now"): WRITERS,
    ("GET", "/banners/{banner_id}/text"): WRITERS,
    ("POST", "/banners/{banner_id}/read"): WRITERS,
}
FORMS: dict[str, dict[str, str]] = {
    "/drafts/{draft_id}/knowledge": {"article_id": "1"},
    "/tickets/{ticket_id}/knowledge": {"article_id": "1"},
    "/knowledge/{article_id}/edit": {"version": "1", "question": "x", "valid_from": "2026-11-23"},
    "/knowledge/{article_id}/step": {"version": "1", "step": "submit"},
    "/knowledge/tasks/{task_id}/reject": {"version": "1", "reason": "x"},
    "/banners/{banner_id}/change": {"edition": "1", "title": "x", "body": "x", "ends_at": "2026-11-24T10:00"},
    "/banners/{banner_id}/withdraw": {"edition": "1", "reason": "x"},
    "/banners/{banner_id}/read": {"edition": "1"},
}
