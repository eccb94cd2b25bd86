"""What an agent asks for, type by type: what a department cannot begin without. Pure.

A citizen who does not know is never refused: what is asked stays marked until it is filled, and what
the whole matter hangs on is asked once more before it is saved. Only an appeal needs what it objects to.
"""

from dataclasses import dataclass

from tickets.terms import TicketType

PLACE = "place"  # an area or an address: either will do


@dataclass(frozen=True)
class Asked:
    """Fields of the form: `asks` are marked while they are empty, `once` stop the first attempt to save."""

    asks: tuple[str, ...] = ()
    once: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        return (*self.once, *self.asks)


# The five elements (who, when, where, why, how) as far as they lie in fields of their own; cause and
# course belong into the narrative, and a name is never asked for.
ASKED: dict[TicketType, Asked] = {
    TicketType.CONSULT: Asked(),
    TicketType.HELP: Asked(asks=(PLACE,)),
    TicketType.COMPLAINT: Asked(asks=(PLACE, "occurred_at", "expected"), once=("subject_name",)),
    TicketType.REPORT: Asked(asks=(PLACE, "occurred_at"), once=("subject_name",)),
    TicketType.SUGGESTION: Asked(asks=("expected",)),
    TicketType.PRAISE: Asked(once=("subject_name",)),
    TicketType.APPEAL: Asked(once=("appeal_of",)),
    TicketType.OTHER: Asked(),
}


def types_asking(name: str) -> str:
    """The codes of the types that ask for a field, apart by blanks: what a form marks it with."""
    return " ".join(code.value for code, asked in ASKED.items() if name in asked.every)


def types_once(name: str) -> str:
    """The codes of the types that ask for a field once more before they are saved."""
    return " ".join(code.value for code, asked in ASKED.items() if name in asked.once)
