"""Which articles a person may read, and which of them as their own: conditions of the query."""

from datetime import date

import sqlalchemy as sa

from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from tickets.knowledge.models import KnowledgeArticle
from tickets.models import table_of

_article = table_of(KnowledgeArticle)
_unit = table_of(Unit)
WORKING = (Permission.KNOWLEDGE_EDIT, Permission.KNOWLEDGE_REVIEW)
EVERYWHERE = (Permission.KNOWLEDGE_EDIT_ALL, Permission.KNOWLEDGE_PUBLISH)


def in_force(day: date) -> sa.ColumnElement[bool]:
    """Articles people are answered by on a day of the city: published, begun and not ended."""
    return sa.and_(
        _article.c.live.is_not(None),
        _article.c.valid_from <= day,
        sa.or_(_article.c.valid_to.is_(None), _article.c.valid_to >= day),
    )


# Anybody at all: the portal asks for him.
READER = Actor.system("reader")


def published(actor: Actor) -> sa.ColumnElement[bool]:
    """What anybody who reads knowledge may open: every unit's articles that have an edition in force."""
    if actor is READER:
        return sa.and_(_article.c.live.is_not(None), _article.c.audience == "public")
    return _article.c.live.is_not(None) if actor.may(Permission.KNOWLEDGE_READ) else sa.false()


def own(actor: Actor, unit_id: sa.ColumnElement[int] | None = None) -> sa.ColumnElement[bool]:
    """Articles (or whatever has this `unit_id`) this person works on: those of his unit and below it.

    Editors of the hotline write for every unit, and who publishes sees what he is to publish.
    """
    column = _article.c.unit_id if unit_id is None else unit_id
    if any(actor.may(permission) for permission in EVERYWHERE):
        return sa.true()
    if actor.unit_id is None or not any(actor.may(permission) for permission in WORKING):
        return sa.false()
    below = sa.select(_unit.c.id).where(_unit.c.path.like(f"{actor.unit_path}%"))
    return column.in_(below)


def readable(actor: Actor) -> sa.ColumnElement[bool]:
    """What is published, and of one's own also what is not."""
    return sa.or_(published(actor), own(actor))
