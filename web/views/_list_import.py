"""A list that is pasted or read from a file: first what every line would do, then the change, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from aiohttp import web

from core.db import UnitOfWork
from core.errors import HotlineError
from web.context import context
from web.inputs import read_form
from web.render import page
from web.views._admin import ListFields, back

EFFECTS = ("new", "changed", "same", "wrong")


class Step(Protocol):
    """What a line does: one of `EFFECTS`."""

    @property
    def effect(self) -> str: ...


S = TypeVar("S", bound=Step)


@dataclass(frozen=True)
class ListImport(Generic[S]):
    """The two halves of a page: `plan` tells what each line of a text would do, `take` does it."""

    template: str
    home: str  # where one goes on when it is done
    columns: Sequence[str]
    plan: Callable[[web.Request, UnitOfWork, str], Awaitable[list[S]]]
    take: Callable[[web.Request, UnitOfWork, list[S]], Awaitable[None]]
    words: Mapping[str, Any] = field(default_factory=dict)  # what else the template shows

    async def show(
        self, request: web.Request, text: str = "", steps: Sequence[S] | None = None
    ) -> web.Response:
        """The page; with `steps`, what every line would do."""
        counted = Counter(step.effect for step in steps or ())
        counts = {effect: counted[effect] for effect in EFFECTS}
        shown: dict[str, Any] = {"text": text, "steps": steps, "counts": counts, "columns": self.columns}
        return await page(request, self.template, **shown, **self.words)

    async def posted(self, request: web.Request) -> web.Response:
        """What was posted is shown, or, when one is sure, done: all of it or nothing. Raises `list_wrong`."""
        form = await read_form(request, ListFields)
        async with context(request).db.begin() as uow:
            steps = await self.plan(request, uow, form.text)
            if form.sure:
                wrong = sum(step.effect == "wrong" for step in steps)
                if wrong:
                    raise HotlineError("list_wrong", wrong=wrong)
                await self.take(request, uow, steps)
                return back(request, self.home, "imported")
        return await self.show(request, form.text, steps)
