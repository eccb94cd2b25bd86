"""The small city of the ticket tests, for what stands on its tickets."""

from tests.tickets.conftest import city, refused

__all__ = ["city", "refused"]
