"""The codes of a category and of those above it, as limits ask for them; and limits that follow them."""

import sqlalchemy as sa

from core.db import Database
from sla.packs import named_pack
from sla.plain import CityLimits
from tests.tickets.conftest import City
from tickets.category_codes import CategoryCodes
from tickets.limits import Matter
from tickets.models import Category, table_of
from tickets.states import Stage


async def add(db: Database, code: str, above: int | None) -> int:
    """A category below another."""
    category = table_of(Category)
    async with db.begin() as uow:
        path = "."
        if above is not None:
            found = await uow.session.execute(sa.select(category.c.path).where(category.c.id == above))
            path = found.scalar_one()
        values = {"name": code, "full_name": code, "initials": code, "sort": 0, "active": True}
        new = sa.insert(category).values(**values, code=code, parent_id=above, level=len(code) // 2, path="")
        ident: int = (await uow.session.execute(new.returning(category.c.id))).scalar_one()
        await uow.session.execute(
            sa.update(category).where(category.c.id == ident).values(path=f"{path}{ident}.")
        )
        return ident


async def test_codes_go_from_the_category_up(city: City) -> None:
    top = await add(city.db, "10", None)
    middle = await add(city.db, "1001", top)
    bottom = await add(city.db, "100105", middle)
    codes = CategoryCodes(city.db)
    assert codes(bottom) == ()
    await codes.load()
    assert codes(bottom) == ("100105", "1001", "10")
    assert codes(top) == ("10",)
    assert codes(bottom + 1000) == ()


async def test_a_category_made_later_is_known_with_the_next_look(city: City) -> None:
    codes = CategoryCodes(city.db)
    await codes.load()
    late = await add(city.db, "10", None)
    assert codes(late) == ()
    await codes.load()
    assert codes(late) == ("10",)


async def test_a_statutory_clock_is_counted_for_what_lies_below_its_category(city: City) -> None:
    prices = await add(city.db, "100105", await add(city.db, "1001", await add(city.db, "10", None)))
    codes = CategoryCodes(city.db)
    await codes.load()
    limits = CityLimits(pack=named_pack("guilin"), codes=codes)
    found = [
        str(limits.limit(Stage.TOTAL, Matter("complaint", "normal", one)))
        for one in (prices, city.category_id)
    ]
    assert found == ["7wd", "10wd"]
