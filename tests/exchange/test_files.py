"""Files by the Integration API: in like everybody's, out only to whom the ticket is open."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import FormData
from PIL import Image

from core.people.machines import Kind, Scope
from tests.exchange.conftest import City, Client
from tests.exchange.test_api import hall, submit, told
from tests.tickets import files
from tests.web.conftest import Answer
from tickets.attachments.models import Attachment
from tickets.models import table_of

_file = table_of(Attachment)
BOTH = (Scope.TICKETS_READ, Scope.TICKETS_HANDLE)


async def send(
    client: Client, number: str, name: str, content: bytes, key: str = "file-0001", field: str = "files"
) -> Answer:
    form = FormData(quote_fields=False)
    form.add_field(field, io.BytesIO(content), filename=name, content_type="application/octet-stream")
    headers = {"Authorization": f"Bearer {client.token}", "Idempotency-Key": key}
    url = f"{client.browser.base}/api/v1/tickets/{number}/attachments"
    async with client.browser.session.post(url, data=form, headers=headers) as got:
        return await Answer.of(got)


async def fetch(client: Client, number: str, ident: int) -> tuple[int, bytes, Any]:
    headers = {"Authorization": f"Bearer {client.token}"}
    url = f"{client.browser.base}/api/v1/tickets/{number}/attachments/{ident}"
    async with client.browser.session.get(url, headers=headers) as got:
        return got.status, await got.read(), got.headers


async def listed(client: Client, number: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told(await client.get(f"/api/v1/tickets/{number}/attachments"))["items"]
    return found


def on_disk(city: City) -> list[Path]:
    folder = city.ctx.attachments.store.folder
    return [path for path in folder.rglob("*") if path.is_file()]


async def count(city: City) -> int:
    return len(await city.ctx.db.fetch("SELECT id FROM ticket_attachment"))


async def test_a_hall_sends_a_photo_once_per_key_and_fetches_it_re_made(city: City) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    first = await send(client, number, "现场13800001234.jpg", files.photo_with_place())
    again = await send(client, number, "现场13800001234.jpg", files.photo_with_place())
    assert (first.status, again.status) == (201, 201), first.text
    assert told(first) == told(again)
    assert await count(city) == 1
    (one,) = await listed(client, number)
    assert one["own"] is True
    assert one["name"] == "现场138____1234.jpg"
    assert (one["kind"], one["media_type"]) == ("jpg", "image/jpeg")
    status, content, headers = await fetch(client, number, one["id"])
    assert (status, headers["Content-Type"]) == (200, "application/octet-stream")
    assert headers["Content-Disposition"].startswith("attachment;")
    assert len(content) == one["size"]
    assert b"SecretCamera" not in content
    assert not Image.open(io.BytesIO(content)).getexif()
    rows = await city.ctx.db.fetch("SELECT key, audience FROM ticket_attachment")
    assert (len(rows[0]["key"]), rows[0]["audience"]) == (40, "handling")
    audits = await city.ctx.db.fetch("SELECT action FROM audit_log WHERE action LIKE 'attachment.%'")
    assert [row["action"] for row in audits] == ["attachment.add", "attachment.download"]


async def test_a_key_with_another_file_and_a_request_without_one_are_refused(city: City) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    await send(client, number, "a.jpg", files.picture())
    other = await send(client, number, "a.jpg", files.picture(size=(30, 30)))
    assert (other.status, told(other)["code"]) == (422, "key_reused")
    none = await send(client, number, "b.jpg", files.picture(size=(20, 20)), key="")
    assert (none.status, told(none)["code"]) == (400, "idempotency_key")
    assert await count(city) == 1


@pytest.mark.parametrize("name", files.BAD)
async def test_a_polyglot_and_what_acts_are_refused_and_kept_nowhere(city: City, name: str) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    content, code = files.BAD[name]
    answer = await send(client, number, name, content)
    assert 400 <= answer.status < 500
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert told(answer)["code"] == code
    assert await count(city) == 0
    assert on_disk(city) == []
    rows = await city.ctx.db.fetch("SELECT id FROM audit_log WHERE action = 'attachment.refuse'")
    assert len(rows) == 1


async def test_what_is_too_large_is_refused_while_it_comes(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    limits = city.ctx.attachments.limits.model_copy(update={"image_megabytes": 1})
    monkeypatch.setattr(city.ctx.attachments, "limits", limits)
    answer = await send(client, number, "a.jpg", files.picture() + bytes(2 * 1024 * 1024))
    assert (answer.status, told(answer)["code"]) == (413, "attachment_too_large")
    assert (await count(city), on_disk(city)) == (0, [])


async def test_other_fields_two_files_and_no_form_are_refused(city: City) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    strange = await send(client, number, "a.jpg", files.picture(), field="audience")
    assert strange.status == 400
    plain = await client.post(
        f"/api/v1/tickets/{number}/attachments", {"files": "x"}, Idempotency_Key="file-0009"
    )
    assert (plain.status, told(plain)["code"]) == (400, "bad_request")
    assert await count(city) == 0


async def test_somebody_elses_ticket_does_not_exist_for_sending_listing_and_fetching(city: City) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    ident = told(await send(client, number, "a.jpg", files.picture()))["id"]
    other = await city.client("other", Scope.TICKETS_SUBMIT)
    mine = told(await submit(other, key="other-0001", outer_number=None))["number"]
    assert (await send(other, number, "b.jpg", files.picture())).status == 404
    assert (await other.get(f"/api/v1/tickets/{number}/attachments")).status == 404
    assert (await fetch(other, number, ident))[0] == 404
    assert (await fetch(other, mine, ident))[0] == 404, "a file is one of its own ticket only"
    assert await count(city) == 1


async def test_who_only_reads_sends_nothing(city: City) -> None:
    made = await city.console.ticket("water")
    reader = await city.client("screen", Scope.TICKETS_READ, unit="water")
    assert (await send(reader, made.number, "a.jpg", files.picture())).status == 403
    both = await city.client("both", Scope.TICKETS_READ, Scope.TICKETS_SUBMIT)
    answer = await send(both, made.number, "a.jpg", files.picture())
    assert (answer.status, told(answer)["code"]) == (403, "scope_missing")


async def kept(city: City, ticket: Any, *audiences: str, identifies: bool = False) -> list[int]:
    """Files of the hotline at a ticket, one for each audience."""
    boss = await city.console.signed_in("shift_leader")
    for at, audience in enumerate(audiences):
        form = FormData({"audience": audience, "checked": "true"})
        content = files.picture(size=(10 + at, 10))
        form.add_field("files", io.BytesIO(content), filename=f"{audience}.jpg")
        answer = await boss.post(f"/tickets/{ticket.id}/attachments", form)
        assert answer.status in (200, 303), answer.text
    if identifies:
        async with city.ctx.db.begin() as uow:
            await uow.session.execute(sa.update(_file).values(identifies=True))
    rows = await city.ctx.db.fetch("SELECT id FROM ticket_attachment ORDER BY id")
    return [row["id"] for row in rows]


@pytest.mark.parametrize("unit", ["water", None])
async def test_what_is_the_hotlines_alone_is_given_to_no_machine(city: City, unit: str | None) -> None:
    made = await city.console.ticket("water")
    internal, handling, public = await kept(city, made, "hotline", "handling", "public")
    client = await city.client("platform", *BOTH, unit=unit)
    assert [one["id"] for one in await listed(client, made.number)] == [handling, public]
    assert (await fetch(client, made.number, internal))[0] == 404
    assert (await fetch(client, made.number, handling))[0] == 200


async def test_who_only_brought_a_ticket_gets_its_own_and_what_is_public(city: City) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    own = told(await send(client, number, "a.pdf", files.pdf()))["id"]
    rows = await city.ctx.db.fetch("SELECT id, number FROM ticket")
    _, internal, handling, public = await kept(
        city, type("T", (), {"id": rows[0]["id"]}), "hotline", "handling", "public"
    )
    assert [(one["id"], one["own"]) for one in await listed(client, number)] == [(own, True), (public, False)]
    for hidden in (internal, handling):
        assert (await fetch(client, number, hidden))[0] == 404


async def test_what_may_tell_who_the_citizen_is_and_what_was_withdrawn_is_given_to_no_machine(
    city: City,
) -> None:
    made = await city.console.ticket("water")
    ident = (await kept(city, made, "handling", identifies=True))[0]
    client = await city.client("platform", *BOTH, unit="water")
    assert await listed(client, made.number) == []
    assert (await fetch(client, made.number, ident))[0] == 404
    async with city.ctx.db.begin() as uow:
        gone = {"identifies": False, "withdrawn_at": uow.now, "withdrawn_reason": "传错了"}
        await uow.session.execute(sa.update(_file).values(**gone))
    assert await listed(client, made.number) == []
    assert (await fetch(client, made.number, ident))[0] == 404


async def test_a_file_of_a_sealed_reporter_is_for_the_hotline_and_for_who_sent_it(city: City) -> None:
    client = await hall(city)
    number = told(await submit(client, confidentiality="secret"))["number"]
    ident = told(await send(client, number, "a.jpg", files.picture()))["id"]
    rows = await city.ctx.db.fetch("SELECT audience FROM ticket_attachment")
    assert rows[0]["audience"] == "hotline"
    assert (await fetch(client, number, ident))[0] == 200
    province = await city.client("province", Scope.TICKETS_READ)
    assert await listed(province, number) == []
    assert (await fetch(province, number, ident))[0] == 404


async def test_a_unit_that_handles_sends_its_papers_and_a_closed_ticket_takes_none(city: City) -> None:
    made = await city.console.ticket("water")
    client = await city.client("water-office", *BOTH, unit="water")
    assert (await send(client, made.number, "办理.pdf", files.pdf())).status == 201
    page = await (await city.console.signed_in("dept_officer")).get(f"/tickets/{made.id}/attachments")
    assert "water-office" in page.text, "the page says which system sent it"
    async with city.ctx.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE ticket SET state = 'archived', stage = NULL"))
    late = await send(client, made.number, "b.pdf", files.pdf(tail=b"\n"), key="file-0002")
    assert (late.status, told(late)["code"]) == (409, "attachment_closed")
    again = await send(client, made.number, "办理.pdf", files.pdf())  # its answer was lost on the way
    assert again.status == 201


async def test_repeating_a_key_or_a_full_ticket_leaves_no_file_behind(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    await send(client, number, "a.jpg", files.picture())
    kept = sorted(on_disk(city))
    for _ in range(3):
        assert (await send(client, number, "a.jpg", files.picture())).status == 201
    assert sorted(on_disk(city)) == kept
    full = city.ctx.attachments.limits.model_copy(update={"per_ticket": 1})
    monkeypatch.setattr(city.ctx.attachments, "limits", full)
    refused = await send(client, number, "b.jpg", files.picture(size=(31, 31)), key="file-0002")
    assert told(refused)["code"] == "attachment_too_many"
    assert sorted(on_disk(city)) == kept


async def test_the_same_file_of_two_systems_is_each_ones_own(city: City) -> None:
    """Neither learns from the answer that somebody has sent it before."""
    made = await city.console.ticket("water")
    one = await city.client("one", *BOTH, unit="water")
    other = await city.client("other", *BOTH, unit="water")
    first = told(await send(one, made.number, "a.pdf", files.pdf()))["id"]
    second = told(await send(other, made.number, "a.pdf", files.pdf()))["id"]
    assert first != second
    assert (await fetch(other, made.number, second))[0] == 200


async def test_the_description_says_how_files_go_in_and_out(city: City) -> None:
    described = json.loads((await city.console.browser().get("/api/v1/openapi.json")).text)
    both = described["paths"]["/tickets/{number}/attachments"]
    body = both["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert body["properties"]["files"]["format"] == "binary"
    assert "415" in both["post"]["responses"]
    one = described["paths"]["/tickets/{number}/attachments/{attachment_id}"]["get"]
    assert list(one["responses"]["200"]["content"]) == ["application/octet-stream"]


async def test_110_may_send_what_belongs_to_a_matter_it_handed_over(city: City) -> None:
    await city.console.category()
    police = await city.client("police", Scope.TICKETS_SUBMIT, Scope.TICKETS_READ, kind=Kind.POLICE)
    number = told(await submit(police, outer_number="J1"))["number"]
    assert (await send(police, number, "报警.wav", files.wav())).status == 201
