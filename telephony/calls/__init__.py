"""Events of a PBX → sessions: what one citizen's call was, whatever channels it was made of.

Pure: no SQL, no HTTP, no asyncio, no clock. `handlers` note *facts* in the `tracker` (who was where
between which stamps of the PBX), `session` derives from them what happened. Facts are sets, earliest
and latest stamps, so noting one twice or in another order changes nothing; nothing is decided on
arrival.
"""

from telephony.calls import handlers  # fills tracker.HANDLERS
from telephony.calls.session import Leg, Session, Transfer, read_session
from telephony.calls.tracker import Tracker, interest

__all__ = ["Leg", "Session", "Tracker", "Transfer", "handlers", "interest", "read_session"]
