"""Sessions → rows and events, once each. The only writer of call_session and call_leg.

What a row already says decides what is still to be told: events are emitted for the difference between
the row and the session, in the transaction that removes the difference. Writing a session again, from
another node or after a restart, therefore tells nothing twice and loses nothing. Rows only move
forward: what has begun keeps its beginning, what has ended stays ended.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.db import UnitOfWork
from core.people.service import PeopleService
from core.privacy import Phone, Vault, mask_phone, normalise_phone
from telephony import leg_store
from telephony.ami.messages import clean_name
from telephony.calls import Session
from telephony.calls.facts import looks_public
from telephony.events import (
    CallAbandoned,
    CallAnswered,
    CallEnded,
    CallQueued,
    LegMoved,
    LegsMoved,
    VoicemailLeft,
)
from telephony.intervals import Changes
from telephony.models import CallLeg, CallSession

SESSION: Table = CallSession.__table__  # type: ignore[attr-defined]  # set by SQLModel
LEG: Table = CallLeg.__table__  # type: ignore[attr-defined]  # set by SQLModel
WAV_HEADER, BYTES_OF_A_MILLISECOND = 44, 16  # of what Record() writes: 8,000 samples of two bytes a second
KEYS = 1000  # of one statement, which takes 32,767 parameters at most; a long gap has more calls


def instant(stamp: float | None) -> datetime | None:
    """A PBX stamp as an aware instant in UTC."""
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)


@dataclass(frozen=True)
class Written:
    """What one call of `apply` did: ids by session key, and the sessions that ended in it."""

    ids: dict[str, int]
    ended: list[tuple[str, str]]  # direction, outcome


class CallStore:
    """Writes the sessions of one PBX."""

    def __init__(
        self,
        pbx: str,
        vault: Vault,
        people: PeopleService,
        *,
        phone_area: str,
        short_abandon_seconds: float = 5,
    ) -> None:
        self._pbx = pbx
        self._short = short_abandon_seconds
        self._vault = vault
        self._people = people
        self._area = phone_area

    async def apply(self, uow: UnitOfWork, sessions: Sequence[Session]) -> Written:
        """Bring the rows to what `sessions` say and emit what is new."""
        rows = await self._lock(uow, sessions)
        stored = await leg_store.stored(uow, [row["id"] for row in rows.values()])
        written, figures, moved = Written({}, []), Changes(self._short), list[LegMoved]()
        for session in sessions:
            row = rows.get(session.key) or await self._create(uow, session)
            values = await self._values(uow, session, row)
            version = row["version"] + 1
            await uow.change(SESSION, {"id": row["id"]}, **values, version=version)
            new = {**row, **values, "version": version}
            legs = await leg_store.write(uow, self._people, session, new, stored.get(row["id"], []))
            figures.note(row, legs.before, new, legs.after)
            await self._tell(uow, row, new, legs)
            await self._tell_message(uow, row, new)
            moved += legs.moved
            written.ids[session.key] = row["id"]
            if new["ended_at"] is not None and row["ended_at"] is None:
                written.ended.append((new["direction"], new["outcome"]))
            absorbed = [rows[key] for key in session.absorbed if key in rows]
            moved += await self._close_absorbed(uow, absorbed, new, figures)
        await figures.write(uow)
        if moved:
            await uow.emit(LegsMoved(self._pbx, tuple(moved)))
        return written

    async def open_sessions(self, uow: UnitOfWork) -> list[dict[str, Any]]:
        """The rows of this PBX that have not ended."""
        query = select(SESSION).where(SESSION.c.pbx == self._pbx, SESSION.c.ended_at.is_(None))
        return [dict(row) for row in (await uow.session.execute(query.order_by(SESSION.c.id))).mappings()]

    async def known_keys(self, uow: UnitOfWork, keys: Iterable[str]) -> set[str]:
        """Which of these sessions have a row."""
        wanted, known = list(keys), set[str]()
        for start in range(0, len(wanted), KEYS):
            query = select(SESSION.c.session_key).where(
                SESSION.c.pbx == self._pbx, SESSION.c.session_key.in_(wanted[start : start + KEYS])
            )
            known |= set((await uow.session.execute(query)).scalars())
        return known

    async def _lock(self, uow: UnitOfWork, sessions: Sequence[Session]) -> dict[str, dict[str, Any]]:
        keys = {key for session in sessions for key in (session.key, *session.absorbed)}
        query = (
            select(SESSION)
            .where(SESSION.c.pbx == self._pbx, SESSION.c.session_key.in_(keys))
            .order_by(SESSION.c.id)
            .with_for_update()
        )
        return {row["session_key"]: dict(row) for row in (await uow.session.execute(query)).mappings()}

    async def _create(self, uow: UnitOfWork, session: Session) -> dict[str, Any]:
        values = {
            "pbx": self._pbx,
            "session_key": session.key,
            "direction": session.direction,
            "caller_kind": "anonymous",
            "state": "ivr",
            "queues": [],
            "transfers": [],
            "linkedids": [],
            "started_at": instant(session.started) or uow.now,
            "version": 0,
        }
        statement = upsert(SESSION).values(**values)
        statement = statement.on_conflict_do_update(
            constraint="uq_call_session_pbx_session_key", set_={"session_key": session.key}
        )
        result = await uow.session.execute(statement.returning(*SESSION.c))
        return dict(result.mappings().one())

    async def _values(self, uow: UnitOfWork, session: Session, row: dict[str, Any]) -> dict[str, Any]:
        """The row's new columns."""
        over = row["ended_at"] is not None
        ended_at = row["ended_at"] or instant(session.ended)
        keeps = session.partial and row["version"]  # the row saw the beginning: who called whom
        values: dict[str, Any] = {
            "direction": row["direction"] if over or keeps else session.direction,
            "did": row["did"] or session.did,
            "state": "ended" if ended_at else session.state,
            "outcome": _outcome(session, row),
            "queues": list(session.queues) if len(session.queues) >= len(row["queues"]) else row["queues"],
            "transfers": _transfers(session, row),
            "linkedids": list(dict.fromkeys([*row["linkedids"], *session.linkedids])),
            "recording": session.recording or row["recording"],
            **_survey(session, row),
            **_voicemail(session, row),
            "marks": _marks(session) or row["marks"],
            "queued_at": row["queued_at"] or instant(session.queued),
            "answered_at": row["answered_at"] or instant(session.answered),
            "ended_at": ended_at,
        }
        if row["wait_seconds"] is None or not session.partial:
            values["wait_seconds"] = row["wait_seconds"] if over else session.wait_seconds
        if row["first_extension"] is None and values["answered_at"] is not None:
            values["first_extension"] = leg_store.first_to_answer(session)
        return values | await self._caller(uow, session, row)

    async def _caller(self, uow: UnitOfWork, session: Session, row: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        phone = normalise_phone(session.caller or "", area=self._area)
        if row["caller_ref"] is None and phone.kind != row["caller_kind"]:
            values["caller_kind"] = phone.kind
        if row["caller_ref"] is None and _is_public(phone):
            values["caller_ref"] = (await self._vault.put(uow, "phone", phone.number or "")).id
        name = clean_name(session.caller_name)
        if row["caller_name_ref"] is None and name is not None:
            values["caller_name_ref"] = (await self._vault.put(uow, "name", name)).id
        return values

    async def _tell(
        self, uow: UnitOfWork, old: dict[str, Any], new: dict[str, Any], legs: leg_store.LegChanges
    ) -> None:
        """Emit what is new, in the order in which it happened."""
        session_id, version = new["id"], new["version"]
        if new["direction"] != "internal":
            for queue in new["queues"][len(old["queues"]) :]:
                await uow.emit(CallQueued(session_id, queue, version))
            await legs.tell_rings(uow, self._pbx, new)
            if old["answered_at"] is None and new["answered_at"] is not None:
                extension = new["first_extension"] or ""
                user = legs.users.get(extension)
                await uow.emit(
                    CallAnswered(
                        session_id, self._pbx, extension, user, new["caller_ref"], version, new["direction"]
                    )
                )
            await legs.tell_joins(uow, new)
        abandoned = new["outcome"] == "abandoned" and old["outcome"] != "abandoned"
        if abandoned and new["direction"] == "inbound":
            queued = (new["queued_at"] or new["started_at"]).isoformat()
            await uow.emit(CallAbandoned(session_id, new["caller_ref"], queued, version))
        if new["ended_at"] is None or old["ended_at"] is not None:
            return
        users = tuple(user for user in legs.users.values() if user is not None)
        await uow.emit(CallEnded(session_id, new["outcome"], users, version, new["direction"]))

    @staticmethod
    async def _tell_message(uow: UnitOfWork, old: dict[str, Any], new: dict[str, Any]) -> None:
        """A message is told once the call is over and known to have left one, in whichever order."""
        there = new["voicemail"] is not None and new["ended_at"] is not None
        if there and (old["voicemail"] is None or old["ended_at"] is None):
            await uow.emit(VoicemailLeft(new["id"], new["version"]))

    async def _close_absorbed(
        self, uow: UnitOfWork, rows: list[dict[str, Any]], into: dict[str, Any], figures: Changes
    ) -> list[LegMoved]:
        """Sessions that turned out to be part of another one end where they were absorbed."""
        moved: list[LegMoved] = []
        for row in rows:
            if row["ended_at"] is not None or row["id"] == into["id"]:
                continue
            outcome = "answered" if row["answered_at"] else "ended_unknown"
            version = row["version"] + 1
            await uow.session.execute(
                update(SESSION)
                .where(SESSION.c.id == row["id"])
                .values(state="ended", outcome=outcome, ended_at=uow.now, version=version)
            )
            closed = {**row, "ended_at": uow.now, "state": "ended", "outcome": outcome, "version": version}
            legs = await leg_store.close_all(uow, closed)
            figures.note(row, legs.before, closed, legs.after)
            await legs.tell_rings(uow, self._pbx, closed)
            await uow.emit(CallEnded(row["id"], outcome, (), version, row["direction"]))
            moved += legs.moved
        return moved


def _is_public(phone: Phone) -> bool:
    return phone.number is not None and phone.kind != "internal"


def _outcome(session: Session, row: dict[str, Any]) -> str | None:
    """Null until ended; an answer is never taken back, and what was unknown may become known."""
    if row["ended_at"] is not None:
        known = row["outcome"]
        better = session.outcome if session.outcome != "in_progress" else known
        return better if known == "ended_unknown" else known
    if session.ended is None:
        return None
    return "answered" if row["answered_at"] is not None else session.outcome


def _survey(session: Session, row: dict[str, Any]) -> dict[str, Any]:
    """What was said by keys; an answer is not taken back by who saw less of the call."""
    solved = row["survey_solved"] if session.survey_solved is None else session.survey_solved
    asked = row["survey_asked_at"] or instant(session.survey_asked)
    return {"survey": session.survey or row["survey"], "survey_solved": solved, "survey_asked_at": asked}


def _voicemail(session: Session, row: dict[str, Any]) -> dict[str, Any]:
    if session.voicemail is None:
        return {"voicemail": row["voicemail"], "voicemail_ms": row["voicemail_ms"]}
    length = max(session.voicemail_bytes - WAV_HEADER, 0) // BYTES_OF_A_MILLISECOND
    return {"voicemail": session.voicemail, "voicemail_ms": max(length, row["voicemail_ms"] or 0)}


def _party(name: str) -> str:
    """An extension, a queue or a service such as 110 as it is; anybody else's number masked."""
    phone = normalise_phone(name)
    if phone.number is not None and phone.kind not in ("internal", "service"):
        return mask_phone(phone.number)
    return mask_phone(name) if looks_public(name) else name


def _marks(session: Session) -> list[dict[str, Any]]:
    return [
        {"kind": mark.kind, "at": mark.at, "until": mark.until, "who": mark.who, "to": _party(mark.to)}
        for mark in session.marks
    ]


def _transfers(session: Session, row: dict[str, Any]) -> list[dict[str, str]]:
    found = [{"kind": t.kind, "from": _party(t.source), "to": _party(t.target)} for t in session.transfers]
    return found if len(found) >= len(row["transfers"]) else list(row["transfers"])


__all__ = ["CallStore", "Written", "instant"]
