"""The classifier's answer in the words of `routing.suggest`: which categories the text may be about."""

from collections.abc import Sequence

from classifier.advice import Gate
from classifier.advisor import Advisor
from routing.suggest import Label

LEAST = 0.2  # what is less likely names nobody


class CategoryLabels:
    """The active model as the desk asks it."""

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    async def advise(self, title: str, detail: str) -> Sequence[Label]:
        """The likely categories; none of what is unlike anything the model has seen."""
        found, active = await self._advisor.advise(title, detail), self._advisor.active
        if found is None or active is None or found.gate is Gate.MANUAL:
            return ()
        words = tuple(reason.word for reason in found.reasons)
        return [
            Label(code, share, words if code == found.label else (), f"M{active.id}")
            for code, share in found.top
            if share >= LEAST
        ]
