"""Actions that wait for an answer. None waits for ever, and a closed line answers them all at once."""

import asyncio
from dataclasses import dataclass, field
from itertools import count

from core.errors import HotlineError
from telephony.ami.messages import AmiEvent, AmiReply, Message


@dataclass
class Question:
    """One action on its way: its reply and, when it was asked for one, the list that follows."""

    action_id: str
    reply: asyncio.Future[AmiReply]
    listed: asyncio.Future[list[AmiEvent]] | None
    events: list[AmiEvent] = field(default_factory=list)


class Questions:
    """The questions of one connection, found by ActionID."""

    def __init__(self, pbx: str, generation: int, *, patience: float) -> None:
        self._pbx = pbx
        self._generation = generation
        self._patience = patience
        self._ids = count(1)
        self._open: dict[str, Question] = {}

    def __len__(self) -> int:
        return len(self._open)

    def ask(self, *, listed: bool) -> Question:
        """A new question; it is forgotten when nothing answers within twice the patience."""
        loop = asyncio.get_running_loop()
        action_id = f"{self._generation}-{next(self._ids)}"
        question = Question(action_id, loop.create_future(), loop.create_future() if listed else None)
        self._open[action_id] = question
        loop.call_later(self._patience * 2, self._open.pop, action_id, None)
        return question

    def forget(self, question: Question) -> None:
        """It could not even be sent."""
        self._open.pop(question.action_id, None)

    def hear(self, message: Message) -> None:
        """Give `message` to the question it answers, if any."""
        question = self._open.get(message.action_id or "")
        if question is None:
            return
        if isinstance(message, AmiReply):
            if not question.reply.done():
                question.reply.set_result(message)
            if question.listed is None or message.is_error:
                del self._open[question.action_id]
        elif question.listed is not None:
            question.events.append(message)
            if message.get("EventList") == "Complete":
                del self._open[question.action_id]
                if not question.listed.done():
                    question.listed.set_result(question.events)

    def fail_all(self) -> None:
        """The line is closed: nobody waits out a timeout for an answer that cannot come."""
        for question in self._open.values():
            for future in (question.reply, question.listed):
                if future is not None and not future.done():
                    future.set_exception(HotlineError("ami_not_connected", pbx=self._pbx))
                    future.exception()  # nobody may be waiting any more
        self._open.clear()

    async def answer(self, question: Question) -> AmiReply:
        """The reply; raises `ami_timeout`, `ami_not_connected`, or `ami_error` with the PBX's message."""
        try:
            async with asyncio.timeout(self._patience):
                reply = await question.reply
        except TimeoutError:
            raise HotlineError("ami_timeout", pbx=self._pbx) from None
        if reply.is_error:
            raise HotlineError("ami_error", pbx=self._pbx, message=reply.get("Message")[:200])
        return reply

    async def whole_list(self, question: Question) -> list[AmiEvent]:
        """The list after the reply; errors as `answer`."""
        await self.answer(question)
        assert question.listed is not None
        try:
            async with asyncio.timeout(self._patience):
                return await question.listed
        except TimeoutError:
            raise HotlineError("ami_timeout", pbx=self._pbx) from None
