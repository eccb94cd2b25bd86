"""From any channel but the telephone's agents to a ticket: the portal, a kiosk, messages, other platforms.

One way in for all of them. A submission carries a key of its sender's choosing; the same key again, also
at the same moment or after a crash, gives the first answer and makes nothing. What the citizen did not
choose is filled in from the text and marked as not chosen by a person.
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.privacy import Vault
from core.settings import Settings
from routing.models import SubmissionRow
from routing.suggest import Label
from tickets.attachments.service import AttachmentService, Prepared
from tickets.forms import TicketForm, clean, parse_form
from tickets.models import Ticket, TicketHistory, table_of
from tickets.points import service as points
from tickets.points.datum import Point
from tickets.public.acts import CITIZEN
from tickets.service import TicketService
from tickets.terms import LABELS, Channel, Confidentiality, TicketType

logger = logging.getLogger(__name__)
TITLE = 30  # characters of the first sentence that make a title
ADVICE_SECONDS = 0.5  # a submission does not wait longer for the classifier
_KEY = re.compile(r"[!-~]{8,120}")
_END = re.compile(r"[。！？!?；;\n]")


_row, _ticket, _history = table_of(SubmissionRow), table_of(Ticket), table_of(TicketHistory)


@dataclass(frozen=True)
class Submission:
    """What somebody sent in. `key`: 8 to 120 visible ASCII characters that name this very submission.

    None of `type`, `title` and `category_id`: the citizen chose none. `occurred_at` without a zone is the
    city's time. `attachments` were looked at before (`AttachmentService.prepare`). `caller_ref` and
    `call_session_id` belong to a voicemail.
    """

    channel: Channel
    key: str
    narrative: str
    type: TicketType | str | None = None
    title: str | None = None
    expected: str = ""
    address: str = ""
    district_id: int | None = None
    street_id: int | None = None
    point: Point | None = None
    occurred_at: datetime | str | None = None
    name: str = ""
    phone: str | None = None
    confidentiality: Confidentiality | str = Confidentiality.NORMAL
    category_id: int | None = None
    wants_reply: bool = True
    wants_public: bool = False
    attachments: tuple[Prepared, ...] = ()
    caller_ref: int | None = None
    call_session_id: int | None = None


@dataclass(frozen=True)
class Submitted:
    """The ticket, and what the citizen follows it with. `again`: this key had been answered before."""

    ticket_id: int
    number: str
    query_code: str
    again: bool


class Advises(Protocol):
    """Whoever knows which category a text may be about."""

    async def advise(self, title: str, detail: str) -> Sequence[Label]:
        """The likely categories, best first."""
        ...


class Submissions:
    """The one way in of what was not taken down by an agent."""

    def __init__(
        self,
        vault: Vault,
        settings: Settings,
        tickets: TicketService,
        attachments: AttachmentService,
        labels: Advises | None = None,
    ) -> None:
        self._vault = vault
        self._phone_area = settings.city.phone_area
        self._tickets = tickets
        self._attachments = attachments
        self._labels = labels

    async def submit(self, uow: UnitOfWork, submission: Submission, *, actor: Actor = CITIZEN) -> Submitted:
        """Make a ticket of a submission, or give the answer its key had before.

        Best run by `Database.retrying(…, hopeful=True)`. Raises `form_invalid` (fields: name → code, `key`
        among them), and what the place or category lead to (`category_unknown`, `place_unknown`).
        """
        if not _KEY.fullmatch(submission.key):
            raise HotlineError("form_invalid", fields={"key": "bad_value"})
        before = await self._before(uow, submission)
        if before is not None:
            return before
        form, assumed = await self._form(uow, submission)
        made = await self._tickets.create(
            uow,
            actor,
            form,
            caller_ref=submission.caller_ref,
            call_session_id=submission.call_session_id,
        )
        await self._keep(uow, submission, made.id, ",".join(assumed))
        await points.keep(uow, made.id, submission.point)
        for prepared in submission.attachments:
            await self._attachments.add(uow, actor, made.id, prepared)
        return Submitted(made.id, made.number, made.query_code, False)

    async def _before(self, uow: UnitOfWork, submission: Submission) -> Submitted | None:
        """The answer of an earlier request; one that is under way is waited for.

        Without locks a twin of the same instant is refused by the index when it is written, and comes here
        again; with them the key is claimed first, and whoever claims it second waits for the first.
        """
        channel, key = submission.channel.value, submission.key
        if uow.hopeful:
            rows = await uow.look(_FIND, channel, key)
        elif await uow.fetch(_CLAIM, channel, key, uow.now):
            return None
        else:
            rows = await uow.fetch(_FIND, channel, key)
        if not rows:
            return None
        code = await self._vault.reveal(uow.session, rows[0]["query_code_ref"])
        return Submitted(rows[0]["id"], rows[0]["number"], code, True)

    async def _keep(self, uow: UnitOfWork, submission: Submission, ticket_id: int, assumed: str) -> None:
        """The key's row, complete."""
        mine = {"channel": submission.channel.value, "key": submission.key}
        told = {"ticket_id": ticket_id, "assumed": assumed}
        if uow.hopeful:
            await uow.put(_row, {**mine, **told, "created_at": uow.now})
        else:
            await uow.change(_row, mine, **told)

    # ---- what nobody chose ----------------------------------------------------------------------

    async def _form(self, uow: UnitOfWork, given: Submission) -> tuple[TicketForm, list[str]]:
        """The complete form, and the names of the fields nobody chose."""
        narrative = clean(given.narrative, lines=True)
        title = clean(given.title or "") or title_of(narrative)
        assumed = [name for name in ("type", "title", "category_id") if not getattr(given, name)]
        kind = given.type or TicketType.HELP
        category = given.category_id or await self._category(uow, str(kind), title, narrative)
        raw = {
            "channel": given.channel.value,
            "type": str(kind),
            "title": title,
            "narrative": narrative,
            "category_id": category,
            "expected": given.expected,
            "address": given.address,
            "district_id": given.district_id,
            "street_id": given.street_id,
            "occurred_at": given.occurred_at,
            "citizen_name": given.name,
            "phone": given.phone,
            "confidentiality": str(given.confidentiality),
            "wants_reply": given.wants_reply,
            "wants_public": given.wants_public,
        }
        try:
            return parse_form(raw, now=uow.now, phone_area=self._phone_area), assumed
        except HotlineError as error:
            raise _as_submitted(error) from None

    async def _category(self, uow: UnitOfWork, kind: str, title: str, narrative: str) -> int:
        """What the classifier says, if it says something in time; otherwise the tree's general leaf."""
        codes = [label.code for label in await self._advice(title, narrative)][:1]
        rows = await uow.look(_CATEGORY, codes, f"其他{LABELS[TicketType].get(kind, '')}")
        if not rows:
            raise HotlineError("category_unknown", category_id=None)
        return int(rows[0]["id"])

    async def _advice(self, title: str, narrative: str) -> Sequence[Label]:
        if self._labels is None:
            return ()
        try:
            async with asyncio.timeout(ADVICE_SECONDS):
                return await self._labels.advise(title, narrative)
        except TimeoutError:
            logger.info("no advice in time for a submission")
            return ()


async def differs(session: Any, ticket_id: int, given: Submission) -> bool:
    """Whether the texts of `given` are others than those its ticket was made of, before any correction."""
    narrative = clean(given.narrative, lines=True)
    texts = {
        "title": clean(given.title or "") or title_of(narrative),
        "narrative": narrative,
        "expected": clean(given.expected, lines=True),
        "address": clean(given.address),
    }
    query = sa.select(*(_ticket.c[name] for name in texts)).where(_ticket.c.id == ticket_id)
    first = dict((await session.execute(query)).one()._mapping)
    query = sa.select(_history.c.changes).where(_history.c.ticket_id == ticket_id)
    for changes in (await session.execute(query.order_by(_history.c.id.desc()))).scalars():
        first |= {name: changes[name][0] for name in texts if name in changes}  # column → [before, after]
    return first != texts


def title_of(narrative: str) -> str:
    """The first sentence, or as much of it as a list shows."""
    first = next((part.strip() for part in _END.split(narrative) if part.strip()), "")
    return first if len(first) <= TITLE else first[: TITLE - 1] + "…"


def _as_submitted(error: HotlineError) -> HotlineError:
    """The names of the submission's fields instead of the form's; a title made of a text is the text's."""
    fields = error.params.get("fields")
    if not isinstance(fields, dict):
        return error
    names = {"citizen_name": "name"}
    found = {names.get(name, name): code for name, code in fields.items()}
    if "narrative" in found and found.get("title") == "required":
        del found["title"]
    return HotlineError(error.code, fields=found)


_FIND = """
    SELECT t.id, t.number, t.query_code_ref FROM submission s JOIN ticket t ON t.id = s.ticket_id
    WHERE s.channel = $1 AND s.key = $2
"""
_CLAIM = """
    INSERT INTO submission (channel, key, assumed, created_at) VALUES ($1, $2, '', $3)
    ON CONFLICT (channel, key) DO NOTHING RETURNING id
"""
# The advised leaf, else one that says it is for the rest of this type, for the rest, or whatever is last.
_CATEGORY = """
    SELECT c.id FROM category c
    WHERE c.active AND NOT EXISTS (
        SELECT FROM category b WHERE b.active AND b.parent_id = c.id
    )
    ORDER BY c.code = ANY($1::text[]) DESC, c.name = $2 DESC, c.name LIKE '其他%' DESC, c.id DESC
    LIMIT 1
"""


def category_unchosen() -> sa.ColumnElement[bool]:
    """The condition on `ticket` rows whose category a model filled in and no person has stood by yet.

    Such a ticket says nothing about how good a model is, and gives none the right to act alone.
    """
    filled = sa.exists().where(_row.c.ticket_id == _ticket.c.id, _row.c.assumed.contains("category_id"))
    person = sa.exists().where(_history.c.ticket_id == _ticket.c.id, _history.c.actor_id.is_not(None))
    return sa.and_(filled, ~person)


async def assumed_of(session: Any, ticket_id: int) -> tuple[str, ...]:
    """The fields of a ticket nobody chose: type, title, category_id; empty for what an agent took down."""
    found = await session.scalar(sa.select(_row.c.assumed).where(_row.c.ticket_id == ticket_id))
    return tuple(name for name in (found or "").split(",") if name)
