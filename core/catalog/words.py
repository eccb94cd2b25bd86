"""Sensitive words: what makes a new ticket stand out to those who watch over it.

Texts and words are compared in one shape (full-width and half-width alike, small letters, without
blanks), so that spaces between the characters hide nothing. All words are one compiled expression,
kept in the process until the list changes.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.catalog.models import SensitiveWord
from core.catalog.versions import Copy, touch
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission

KINDS: dict[str, str] = {
    "danger": "人身与公共安全",
    "crowd": "群体与涉稳",
    "supply": "水电气等民生保障",
    "public": "舆情",
    "other": "其他",
}
LONGEST = 40


@dataclass(frozen=True)
class Found:
    """A word of the list that stands in a text."""

    word: str
    kind: str


def shape(text: str) -> str:
    """The text as it is compared."""
    return re.sub(r"[\s\u200b-\u200d\ufeff]+", "", unicodedata.normalize("NFKC", text).lower())


class Matcher:
    """Finds the words of a list in texts; overlapping ones are all found."""

    def __init__(self, words: Iterable[Found]) -> None:
        self._kinds = {shape(found.word): found for found in words if shape(found.word)}
        # A look-ahead consumes nothing; the longest word first, the shorter ones inside it afterwards.
        ordered = sorted(self._kinds, key=lambda word: (-len(word), word))
        self._pattern = re.compile(f"(?=({'|'.join(map(re.escape, ordered))}))") if ordered else None
        self._inside = {
            word: [other for other in ordered if other != word and word.startswith(other)] for word in ordered
        }

    def match(self, text: str) -> list[Found]:
        """Each word once, in the order in which they first appear."""
        if self._pattern is None:
            return []
        seen: dict[str, None] = {}
        for hit in self._pattern.finditer(shape(text)):
            for word in (hit[1], *self._inside[hit[1]]):
                seen.setdefault(word)
        return [self._kinds[word] for word in seen]


async def _load(session: AsyncSession) -> Matcher:
    query = select(col(SensitiveWord.word), col(SensitiveWord.kind)).where(col(SensitiveWord.active))
    return Matcher(Found(row.word, row.kind) for row in await session.execute(query))


_copy: Copy[Matcher] = Copy("words", _load)


async def match(source: AsyncSession | UnitOfWork, text: str) -> list[Found]:
    """The active words that stand in `text`; no query when the list was read within a second."""
    return (await _copy.get(source)).match(text)


async def all_words(session: AsyncSession) -> list[SensitiveWord]:
    """Every word for the editor, by kind and in the order they were added."""
    query = select(SensitiveWord).order_by(col(SensitiveWord.kind), col(SensitiveWord.id))
    return list((await session.execute(query)).scalars())


async def add(uow: UnitOfWork, actor: Actor, found: Iterable[Found]) -> int:
    """Add words, or open closed ones again; returns how many are new or changed. One audit row.

    Raises `forbidden`, `word_invalid` (empty or longer than 40 signs), `word_kind_unknown`.
    """
    actor.require(Permission.CATALOG_MANAGE)
    await touch(uow, "words")
    changed: list[str] = []
    for entry in found:
        word = shape(entry.word)
        if not word or len(word) > LONGEST:
            raise HotlineError("word_invalid")
        if entry.kind not in KINDS:
            raise HotlineError("word_kind_unknown", kind=entry.kind[:20])
        statement = insert(SensitiveWord).values(word=word, kind=entry.kind, active=True)
        statement = statement.on_conflict_do_update(
            index_elements=["word"],
            set_={"kind": entry.kind, "active": True},
            where=(col(SensitiveWord.kind) != entry.kind) | ~col(SensitiveWord.active),
        )
        if (await uow.session.execute(statement.returning(col(SensitiveWord.id)))).first() is not None:
            changed.append(word)
    if changed:
        await audit.record(
            uow, actor=actor, action="word.add", object_type="word", detail={"words": changed[:200]}
        )
    return len(changed)


async def set_active(uow: UnitOfWork, actor: Actor, word_id: int, *, active: bool) -> None:
    """Close or open a word. Raises `not_found`."""
    actor.require(Permission.CATALOG_MANAGE)
    await touch(uow, "words")
    statement = update(SensitiveWord).where(col(SensitiveWord.id) == word_id).values(active=active)
    word = (await uow.session.execute(statement.returning(col(SensitiveWord.word)))).scalar_one_or_none()
    await _note(uow, actor, "word.open" if active else "word.close", word_id, word)


async def remove(uow: UnitOfWork, actor: Actor, word_id: int) -> None:
    """Take a word off the list; what it was found in keeps the note. Raises `not_found`."""
    actor.require(Permission.CATALOG_MANAGE)
    await touch(uow, "words")
    statement = delete(SensitiveWord).where(col(SensitiveWord.id) == word_id)
    word = (await uow.session.execute(statement.returning(col(SensitiveWord.word)))).scalar_one_or_none()
    await _note(uow, actor, "word.remove", word_id, word)


async def _note(uow: UnitOfWork, actor: Actor, action: str, word_id: int, word: str | None) -> None:
    if word is None:
        raise HotlineError("not_found", word_id=word_id)
    await audit.record(
        uow, actor=actor, action=action, object_type="word", object_id=word_id, detail={"word": word}
    )
