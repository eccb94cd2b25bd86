"""What the console is given: the services its views may reach."""

from node.rooms import Rooms
from web.context import WebContext


def make_context(rooms: Rooms) -> WebContext:
    """The services of all rooms as the web knows them."""
    core, tickets, citizens, telephony = rooms.core, rooms.tickets, rooms.citizens, rooms.telephony
    return WebContext(
        settings=core.settings,
        clock=core.clock,
        db=core.db,
        vault=core.vault,
        people=core.people,
        outbox=core.outbox,
        tail=core.tail,
        channels=core.channels,
        calendar=rooms.limits.calendar,
        tickets=tickets.service,
        drafts=tickets.drafts,
        callbacks=tickets.callbacks,
        attachments=tickets.attachments,
        exports=tickets.exports,
        certificates=tickets.certificates,
        webhooks=tickets.webhooks,
        advice=rooms.advice.service,
        advisor=rooms.advice.advisor,
        submissions=citizens.submissions,
        citizen_acts=citizens.acts,
        citizen_channels=citizens.channels,
        code_sign_in=citizens.code_sign_in,
        telephony=telephony.service,
        agents=telephony.service.agents,
        push=telephony.push,
        recordings=telephony.recordings,
        waveforms=telephony.waveforms,
        callback_desk=rooms.calls.callback_desk,
        chats=rooms.chats.service,
        chat_desk=rooms.chats.desk,
        reports=rooms.sla.reports,
        opendata=rooms.sla.opendata,
        supervision=rooms.sla.supervision,
        quality=rooms.sla.quality,
    )
