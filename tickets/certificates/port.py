"""The port to a registry of certificates, and how it looks when it is not there."""

from datetime import date
from typing import Protocol

from tickets.certificates.terms import Verdict


class RegistryAway(Exception):
    """The registry gave no answer that counts; `code` is one of `terms.AWAY`, `wait` seconds until it may."""

    def __init__(self, code: str, wait: float = 0.0) -> None:
        super().__init__(code)
        self.code = code
        self.wait = wait


class Registry(Protocol):
    """Says whether a person holds a valid certificate."""

    @property
    def name(self) -> str:
        """What is kept as the source of an answer."""
        ...

    def state(self) -> str:
        """closed (it is asked), open (it is not, for a while), half_open."""
        ...

    async def verify(self, kind: str, id_number: str, today: date) -> Verdict:
        """The verdict on a kind (`terms.KINDS`) for the holder of an ID number. Raises `RegistryAway`."""
        ...
