"""The small city of the ticket tests, with the intake listening."""

import pytest

from core.events import EventBus
from routing.intake import Intake
from tests.tickets.conftest import City, Refused, city, refused

__all__ = ["City", "Refused", "city", "intake", "refused"]


@pytest.fixture
def intake(city: City, bus: EventBus) -> Intake:
    made = Intake(city.drafts, city.callbacks)
    made.wire(bus)
    return made
