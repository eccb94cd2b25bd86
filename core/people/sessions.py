"""When a session lives: one condition, asked by pages, sockets and whoever wants to know who is here."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, exists
from sqlmodel import col

from core.people.models import User, UserRole, WebSession
from core.settings import Security


def living(now: datetime, security: Security) -> ColumnElement[bool]:
    """Sessions that have neither been ended nor rested or aged too long at `now`.

    Who sits at a telephone may rest longer: a quiet night must not sign the seat out before it rings.
    Holders of a post with a limit of its own rest no longer than that, the shortest of several.
    """
    limits = sorted((minutes, post) for post, minutes in security.post_idle_minutes.items())
    posts = [(_holds(post), now - timedelta(minutes=minutes)) for minutes, post in limits]
    seat = exists().where(col(User.id) == col(WebSession.user_id), col(User.extension).is_not(None))
    seat = seat.correlate(WebSession)  # the question may be part of one that asks for users, too
    rested = case(
        *posts,
        (seat, now - timedelta(minutes=security.seat_idle_minutes)),
        else_=now - timedelta(minutes=security.session_idle_minutes),
    )
    return and_(
        col(WebSession.ended_at).is_(None),
        col(WebSession.expires_at) > now,
        col(WebSession.seen_at) > rested,
    )


def _holds(post: str) -> ColumnElement[bool]:
    held = exists().where(col(UserRole.user_id) == col(WebSession.user_id), col(UserRole.role) == post)
    return held.correlate(WebSession)


def absolute_hours(roles: Collection[str], security: Security) -> int:
    """How long a session lives at most, whatever happens: the shortest limit of the person's posts."""
    own = [hours for post, hours in security.post_absolute_hours.items() if post in roles]
    return min([security.session_absolute_hours, *own])
