"""What `doctor` asks about the calendar and the limits in force."""

from core.clock import SystemClock, to_city
from core.doctor import Check, Level
from core.errors import HotlineError
from core.settings import Settings
from core.startup import explain
from sla.calendar import parse_spans
from sla.packs import named_pack
from sla.sources import year_to_come
from sla.stored import in_use


def calendar_check(settings: Settings) -> Check:
    """The file of the city's days, and whether the next year's days off are known when they should be."""

    async def look() -> tuple[Level, str, str]:
        try:
            used = await in_use(settings)
        except HotlineError as error:
            return ("fail", *explain(error))
        calendar = used.calendar
        missing = year_to_come(calendar, to_city(SystemClock().now()).date())
        if missing is not None:
            return (
                "warn",
                f"the days off of {missing} are not known; deadlines count its statutory dates only"
                f" ({used.calendar_from})",
                "when the notice is out (November): enter its days on the page 日历, confirm the year",
            )
        return "ok", f"days off known up to {max(calendar.known)}; {used.calendar_from}", ""

    return Check("calendar", look)


def pack_check(settings: Settings) -> Check:
    """The limits in force, and whether they are counted by the hours they were made for."""

    async def look() -> tuple[Level, str, str]:
        try:
            named_pack(settings.sla.pack)  # a node does not start without it
            used = await in_use(settings)
        except HotlineError as error:
            return ("fail", *explain(error))
        pack = used.pack
        if pack.office_hours != parse_spans(settings.city.office_hours, where="city.office_hours"):
            return (
                "warn",
                f"the policy pack {pack.name} is made for other office hours than city.office_hours",
                "limits are counted by city.office_hours; correct those of the pack on the page 时限政策",
            )
        return "ok", f"{pack.name}, from {pack.effective} on; {used.pack_from}", ""

    return Check("limits", look)
