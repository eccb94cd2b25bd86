"""Whether anything of what a seat shows has changed, asked for many seats in one question.

A stamp is not what is shown, only what it hangs on: versions, states, counts. It is compared with what
the page had; only pieces that hang on something else are read and rendered again (`web.seat_pieces`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.db import Database

Key = tuple[int, str]  # user, extension (empty: none)


@dataclass(frozen=True)
class Stamps:
    """What the pieces of one seat hang on; texts are compared, never shown."""

    calls: str  # that ring or talk at the telephone
    marks: str  # of the call one talks in: what was done to it, abuse, lists of numbers
    order: str  # the last one, while it is shown
    agent: str | None  # the open session of the agent; None: signed out
    wrap_up: str
    wrap_up_ended: datetime | None
    drafts: str
    open_drafts: int
    answered: int  # since midnight


_ASK = """
SELECT who.user_id, who.extension,
  coalesce(calls.stamp, '') AS calls,
  coalesce((
    SELECT concat_ws('.', calls.talks,
      (SELECT max(m.id) FROM call_mark m WHERE m.session_id = calls.talks),
      (SELECT r.id FROM abuse_report r WHERE r.session_id = calls.talks AND r.state = 'open'),
      (SELECT string_agg(concat_ws('-', n.id, n.state), ',' ORDER BY n.id) FROM number_listing n
        WHERE n.number_ref = calls.caller AND n.state IN ('proposed', 'listed')))
    WHERE calls.talks IS NOT NULL), '') AS marks,
  coalesce((
    SELECT concat_ws('.', o.id, o.state, o.why) FROM call_order o
    WHERE o.user_id = who.user_id AND o.ordered_at > $3::timestamptz - interval '5 minutes'
      AND (o.ended_at IS NULL OR o.ended_at > $3::timestamptz - interval '30 seconds')
    ORDER BY o.ordered_at DESC, o.id DESC LIMIT 1), '') AS "order",
  (SELECT concat_ws('.', s.id, s.version) FROM agent_session s
    WHERE s.user_id = who.user_id AND s.signed_out_at IS NULL) AS agent,
  coalesce(wrap.stamp, '') AS wrap_up, wrap.ended_at AS wrap_up_ended,
  coalesce(written.stamp, '') AS drafts, written.many AS open_drafts,
  (SELECT count(*) FROM call_leg a WHERE a.user_id = who.user_id AND a.answered_at >= $4) AS answered
FROM unnest($1::bigint[], $2::text[]) AS who(user_id, extension)
LEFT JOIN LATERAL (
  SELECT string_agg(concat_ws('-', l.id, l.state, c.version), ',' ORDER BY l.id) AS stamp,
    (array_agg(c.id ORDER BY l.answered_at DESC) FILTER (WHERE l.state = 'talking'
      AND l.extension = who.extension))[1] AS talks,
    (array_agg(c.caller_ref ORDER BY l.answered_at DESC) FILTER (WHERE l.state = 'talking'
      AND l.extension = who.extension))[1] AS caller
  FROM call_leg l JOIN call_session c ON c.id = l.session_id
  WHERE l.state <> 'ended' AND c.ended_at IS NULL
    AND (l.user_id = who.user_id OR l.extension = who.extension)) AS calls ON true
LEFT JOIN LATERAL (
  SELECT count(*) AS many,
    string_agg(concat_ws('-', d.id, d.caller_ref, c.state, t.state), ',' ORDER BY d.opened_at, d.id) AS stamp
  FROM ticket_draft d LEFT JOIN call_session c ON c.id = d.call_session_id
    LEFT JOIN chat_session t ON t.id = d.chat_session_id
  WHERE d.owner_id = who.user_id AND d.ended_at IS NULL) AS written ON true
LEFT JOIN LATERAL (
  SELECT concat_ws('.', w.id, w.ends_at, w.ended_at, w.code, w.extended) AS stamp, w.ended_at
  FROM wrap_up w WHERE w.user_id = who.user_id ORDER BY w.started_at DESC, w.id DESC LIMIT 1) AS wrap ON true
"""


async def stamps_of(
    db: Database, who: Sequence[Key], now: datetime, midnight: datetime
) -> Mapping[Key, Stamps]:
    """The stamps of these people's seats; `midnight` began the city's day. Everybody asks for himself."""
    users, extensions = [user for user, _ in who], [extension for _, extension in who]
    rows = await db.fetch(_ASK, users, extensions, now, midnight)
    names = Stamps.__dataclass_fields__
    return {(row["user_id"], row["extension"]): Stamps(**{name: row[name] for name in names}) for row in rows}
