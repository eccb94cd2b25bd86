"""Numbers are understood, values are sealed, equal numbers meet, deleted ones are gone."""

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import HotlineError
from core.privacy import Phone, Vault, mask_id_number, mask_name, mask_phone, normalise_phone


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("13807731234", Phone("13807731234", "mobile")),
        ("+86 138-0773-1234", Phone("13807731234", "mobile")),
        ("008613807731234", Phone("13807731234", "mobile")),
        ("8613807731234", Phone("13807731234", "mobile")),
        ("013807731234", Phone("13807731234", "mobile")),
        ("１３８０７７３１２３４", Phone("13807731234", "mobile")),
        ("sip:13807731234@10.0.0.1", Phone("13807731234", "mobile")),
        ("0773-2823456", Phone("07732823456", "landline")),
        ("(0773) 2823456", Phone("07732823456", "landline")),
        ("+867732823456", Phone("07732823456", "landline")),
        ("0773-2823456-801", Phone("07732823456", "landline", "801")),
        ("0773-2823456转801", Phone("07732823456", "landline", "801")),
        ("0773-2823456 ext. 8", Phone("07732823456", "landline", "8")),
        ("2823456", Phone("07732823456", "landline")),
        ("010-12345678", Phone("01012345678", "landline")),
        ("110", Phone("110", "service")),
        ("10086", Phone("10086", "service")),
        ("95598", Phone("95598", "service")),
        ("4008001234", Phone("4008001234", "service")),
        ("+442071234567", Phone("+442071234567", "foreign")),
        ("1001", Phone("1001", "internal")),
        ("anonymous", Phone(None, "anonymous")),
        ("", Phone(None, "anonymous")),
        ("Unknown", Phone(None, "anonymous")),
        ("not a number", Phone(None, "invalid")),
        ("1" * 40, Phone(None, "invalid")),
    ],
)
def test_numbers_are_understood(raw: str, expected: Phone) -> None:
    assert normalise_phone(raw, area="0773") == expected


def test_masks_keep_what_people_need_to_tell_values_apart() -> None:
    assert mask_phone("13812341234") == "138****1234"
    assert mask_phone("07732823456") == "0773****56"
    assert mask_phone("110") == "110"
    assert mask_name("王小明") == "王**"
    assert mask_id_number("450302199001011234") == "4503************34"


async def test_one_number_has_one_row(database: Database, vault: Vault) -> None:
    async with database.begin() as uow:
        first = await vault.put(uow, "phone", "13807731234")
        second = await vault.put(uow, "phone", "13807731234")
        other = await vault.put(uow, "phone", "13807731235")
    assert first == second
    assert other.id != first.id
    async with database.read() as session:
        assert await vault.find(session, "phone", "13807731234") == first.id
        assert await vault.find(session, "phone", "13900000000") is None
        assert await vault.masked(session, [first.id, other.id]) == {
            first.id: "138****1234",
            other.id: "138****1235",
        }


async def test_a_revealed_value_is_what_was_put(database: Database, vault: Vault) -> None:
    async with database.begin() as uow:
        name = await vault.put(uow, "name", "王小明")
    async with database.read() as session:
        assert await vault.reveal(session, name.id) == "王小明"


async def test_the_database_holds_no_plain_value(database: Database, vault: Vault) -> None:
    async with database.begin() as uow:
        await vault.put(uow, "phone", "13807731234")
        await vault.put(uow, "name", "王小明")
    async with database.read() as session:
        rows = await session.execute(text("SELECT p::text FROM personal_value p"))
        dump = " ".join(rows.scalars())
    assert "13807731234" not in dump
    assert "王小明" not in dump
    assert b"13807731234".hex() not in dump
    assert "王小明".encode().hex() not in dump


async def test_a_destroyed_value_cannot_be_revealed(database: Database, vault: Vault) -> None:
    async with database.begin() as uow:
        ref = await vault.put(uow, "phone", "13807731234")
        await uow.session.execute(text("UPDATE personal_value SET wrapped_key = NULL"))
    async with database.read() as session:
        with pytest.raises(HotlineError, match="value_destroyed"):
            await vault.reveal(session, ref.id)


async def test_a_value_moved_to_another_row_is_refused(database: Database, vault: Vault) -> None:
    async with database.begin() as uow:
        one = await vault.put(uow, "phone", "13807731234")
        two = await vault.put(uow, "phone", "13807731235")
        await uow.session.execute(
            text(
                "UPDATE personal_value t SET ciphertext = s.ciphertext, wrapped_key = s.wrapped_key "
                "FROM personal_value s WHERE t.id = :one AND s.id = :two"
            ),
            {"one": one.id, "two": two.id},
        )
    async with database.read() as session:
        with pytest.raises(HotlineError, match="value_unreadable"):
            await vault.reveal(session, one.id)


def test_a_sealed_blob_belongs_to_its_place(vault: Vault) -> None:
    blob = vault.seal(b"form", aad="ticket_draft:form:1")
    assert vault.unseal(blob, aad="ticket_draft:form:1") == b"form"
    with pytest.raises(HotlineError, match="value_unreadable"):
        vault.unseal(blob, aad="ticket_draft:form:2")
