"""Four levels: city, district, town, village. A village point sees what was sent to it, and nothing else."""

from __future__ import annotations

from core.people import org
from core.people.models import Unit
from core.people.permissions import Role
from tests.web.conftest import PASSWORD, SYSTEM, Console
from tickets.inputs import ActionInput, ToUnit
from tickets.models import Ticket
from tickets.states import Action


async def villages(console: Console) -> None:
    """Two villages below the town, each with an account of its own."""
    ctx = console.ctx
    async with ctx.db.begin() as uow:
        town = await uow.session.get(Unit, console.units["town"])
        assert town is not None
        for code, name in (("v1", "鲁家村"), ("v2", "莲塘村")):
            unit = await org.create_unit(uow, SYSTEM, kind="village", name=name, code=code, parent=town)
            console.units[code] = unit.id or 0
            console.users[code] = await ctx.people.create_user(
                uow, SYSTEM, login=code, name=f"村干部{code}", password=PASSWORD,
                unit_id=console.units[code], roles=frozenset({Role.DEPT_OFFICER}),
            )  # fmt: skip


async def sent_down(console: Console, title: str, to: str | None) -> int:
    """A ticket that the town holds; with `to`, which it sent on to a village."""
    made = await console.ticket("town", title=title)
    ctx = console.ctx
    if to is not None:
        async with ctx.db.begin() as uow:
            officer = await ctx.people.actor_for_user(uow.session, console.users["town_officer"])
            assert officer is not None
            data = ToUnit(note="请村里办理", unit_id=console.units[to])
            await ctx.tickets.act(uow, officer, made.id, made.version + 1, Action.SUB_DISPATCH, data)
    return made.id


async def test_a_village_sees_what_was_sent_to_it_and_nothing_else(console: Console) -> None:
    await villages(console)
    own = await sent_down(console, "村口路灯不亮", "v1")
    kept = await sent_down(console, "街道自己办的事", None)
    other = await sent_down(console, "邻村水管爆裂", "v2")
    village = await console.signed_in("v1")
    listing = (await village.get("/workbench")).text
    assert "村口路灯不亮" in listing
    assert "街道自己办的事" not in listing
    assert "邻村水管爆裂" not in listing
    assert (await village.get(f"/tickets/{own}")).status == 200
    for foreign in (kept, other):
        assert (await village.get(f"/tickets/{foreign}")).status == 404
        assert (await village.get(f"/tickets/{foreign}/attachments")).status == 404
    town = await console.signed_in("town_officer")
    for seen in (own, kept, other):
        assert (await town.get(f"/tickets/{seen}")).status == 200
    district = await console.signed_in("east_officer")
    assert (await district.get(f"/tickets/{own}")).status == 200
    elsewhere = await console.signed_in("road_officer")
    assert (await elsewhere.get(f"/tickets/{own}")).status == 404


async def test_the_town_finds_its_villages_in_the_form_and_the_village_signs(console: Console) -> None:
    await villages(console)
    made = await console.ticket("town")
    town = await console.signed_in("town_officer")
    form = await town.get(f"/tickets/{made.id}/do/sub_dispatch")
    assert "鲁家村" in form.text
    assert "市水利局" not in form.text
    own = await sent_down(console, "村口路灯不亮", "v1")
    ctx = console.ctx
    async with ctx.db.begin() as uow:
        person = await ctx.people.actor_for_user(uow.session, console.users["v1"])
        assert person is not None
        row = await uow.session.get(Ticket, own)
        assert row is not None
        await ctx.tickets.act(uow, person, own, row.version, Action.SIGN, ActionInput())
    async with ctx.db.read() as session:
        row = await session.get(Ticket, own)
        assert row is not None
        assert row.state == "handling"
        assert row.desk_unit_id == console.units["v1"]
        assert row.lead_unit_id == console.units["town"]
