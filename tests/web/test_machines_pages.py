"""The list of machine clients: a token is shown once, its hash alone is kept, an end is an end."""

import re

from sqlalchemy import select
from sqlmodel import col

from core.audit import AuditRow
from core.people import machines
from core.people.machines import MachineClient
from tests.web.conftest import Console

FORM = {"name": "省级平台", "code": "province", "kind": "platform", "scopes": "tickets:read", "unit_id": ""}


def token_in(text: str) -> str:
    found = re.search(r'readonly value="([A-Za-z0-9_-]{43})"', text)
    assert found, text[-1500:]
    return found[1]


async def test_a_token_is_shown_once_and_only_its_hash_is_kept(console: Console) -> None:
    browser = await console.signed_in("security_admin")
    made = await browser.post("/admin/machines", FORM)
    token = token_in(made.text)
    assert token not in (await browser.get("/admin/machines")).text
    async with console.ctx.db.read() as session:
        row = (await session.execute(select(MachineClient))).scalars().one()
    assert row.token_hash == machines.hash_of(token)
    found = await machines.enter(console.ctx.db, token)
    assert found is not None
    assert (found.code, found.scopes) == ("province", frozenset({"tickets:read"}))


async def test_a_renewed_and_a_revoked_client_opens_nothing_with_its_old_token(console: Console) -> None:
    browser = await console.signed_in("security_admin")
    first = token_in((await browser.post("/admin/machines", FORM)).text)
    found = await machines.enter(console.ctx.db, first)
    assert found is not None
    second = token_in((await browser.post(f"/admin/machines/{found.id}/renew")).text)
    assert await machines.enter(console.ctx.db, first) is None
    assert await machines.enter(console.ctx.db, second) is not None
    assert (await browser.post(f"/admin/machines/{found.id}/revoke")).status == 303
    assert await machines.enter(console.ctx.db, second) is None
    async with console.ctx.db.read() as session:
        query = select(col(AuditRow.action)).where(col(AuditRow.object_type) == "machine")
        assert (await session.execute(query.order_by(col(AuditRow.id)))).scalars().all() == [
            "machine.create",
            "machine.renew",
            "machine.revoke",
        ]


async def test_what_cannot_be_used_comes_back_with_what_was_typed(console: Console) -> None:
    browser = await console.signed_in("security_admin")
    answer = await browser.post("/admin/machines", {**FORM, "code": "省 平台"})
    assert answer.status == 422
    assert "省级平台" in answer.text
    none = await browser.post("/admin/machines", {key: FORM[key] for key in ("name", "code", "kind")})
    assert none.status == 422
    assert (await browser.post("/admin/machines", FORM)).status == 200
    assert (await browser.post("/admin/machines", FORM)).status == 422


async def test_a_client_sees_what_its_unit_sees_and_nothing_without_the_scope(console: Console) -> None:
    browser = await console.signed_in("security_admin")
    inside = {**FORM, "code": "water", "unit_id": str(console.units["water"])}
    first = await browser.post("/admin/machines", inside)
    blind = {**FORM, "code": "pbx", "kind": "pbx", "scopes": "cti"}
    second = await browser.post("/admin/machines", blind)
    bound = await machines.enter(console.ctx.db, token_in(first.text))
    deaf = await machines.enter(console.ctx.db, token_in(second.text))
    assert bound is not None
    assert deaf is not None
    assert (bound.actor.unit_id, [str(p) for p in bound.actor.permissions]) == (
        console.units["water"],
        ["ticket.read_unit"],
    )
    assert deaf.actor.permissions == frozenset()


async def test_of_a_kiosk_a_code_is_shown_and_never_a_token(console: Console) -> None:
    browser = await console.signed_in("security_admin")
    form = {"name": "鲁家村服务亭", "code": "kiosk-7", "kind": "kiosk", "scopes": "kiosk", "unit_id": ""}
    made = await browser.post("/admin/machines", form)
    assert re.search(r"data-code>[0-9]{4} [0-9]{4} [0-9]{4}<", made.text)
    assert "readonly" not in made.text
    async with console.ctx.db.read() as session:
        ident = (await session.execute(select(col(MachineClient.id)))).scalar_one()
    again = await browser.post(f"/admin/machines/{ident}/invite")
    assert "启用码：鲁家村服务亭" in again.text
    other = await browser.post("/admin/machines", FORM)
    assert "data-code" not in other.text
    async with console.ctx.db.read() as session:
        query = select(col(MachineClient.id)).where(col(MachineClient.code) == "province")
        ident = (await session.execute(query)).scalar_one()
    assert (await browser.post(f"/admin/machines/{ident}/invite")).status == 404
