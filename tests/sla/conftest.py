"""The city of the ticket room: its tickets are counted here."""

from tests.tickets.conftest import city, refused

__all__ = ["city", "refused"]
