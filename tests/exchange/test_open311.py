"""GeoReport v2: strangers' clients as they come, and nothing shown that is nobody's business.

`georeport` needs no shim. `three` (2013) was written for Python 2: `itertools.ifilter` must exist before
it is imported, and nothing else. Both talk to a real server; neither is changed.
"""

import asyncio
import itertools
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any, TypeVar

import georeport  # type: ignore[import-untyped]  # it tells no types
import pytest
import sqlalchemy as sa

from core.people.machines import Kind, Scope
from tests.exchange.conftest import City, Client
from tests.exchange.fuzz import fuzz
from tickets.points import service as points
from tickets.points.datum import Point
from web.views import open311 as view

T = TypeVar("T")
POSTED = {
    "service_code": "light",
    "address_string": "解放东路12号",
    "description": "晚上路口的路灯一直不亮",
    "phone": "13800001234",
    "first_name": "小明",
    "last_name": "王",
}
SECRET = ("13800001234", "王小明", "解放东路12号", "一直不亮")


def three_client(**options: Any) -> Any:
    """`three`, with the one name of Python 2 that it misses."""
    itertools.ifilter = filter  # type: ignore[attr-defined]  # the shim its age needs
    import three  # type: ignore[import-untyped]  # it tells no types

    return three.Three(**options)


async def apart(work: Callable[[], T]) -> T:
    """A client that blocks, in a thread beside the server."""
    return await asyncio.to_thread(work)


async def app(city: City) -> Client:
    await city.console.category()
    return await city.client("app", Scope.OPEN311, kind=Kind.OPEN311)


async def post(city: City, client: Client, form: str = "json", **more: str) -> tuple[int, str, Any]:
    data = {**POSTED, "api_key": client.token, **more}
    headers = {"Idempotency-Key": more.pop("_key")} if "_key" in more else {}
    data.pop("_key", None)
    url = f"{city.base}/open311/v2/requests.{form}"
    async with client.browser.session.post(url, data=data, headers=headers) as got:
        return got.status, await got.text(), got.headers


async def read(city: City, path: str) -> tuple[int, Any]:
    got = await city.console.browser().get(f"/open311/v2/{path}", headers={"Accept": "*/*"})
    return got.status, json.loads(got.text)


async def test_georeport_as_it_comes_reads_services_definitions_and_requests_in_both_formats(
    city: City,
) -> None:
    client = await app(city)
    status, text, _ = await post(city, client)
    assert status == 200
    number = json.loads(text)[0]["service_request_id"]
    for form in ("json", "xml"):
        stranger = georeport.GeoReport(f"{city.base}/open311/v2", output_format=form)
        services = await apart(stranger.get_service_list)
        found = services if isinstance(services, list) else [services]  # its XML reader unpacks single ones
        assert [one["service_code"] for one in found] == ["light"]
        definition = await apart(lambda s=stranger: s.get_service_definition("light"))  # type: ignore[misc]
        assert definition["service_code"] == "light"
        request = await apart(lambda s=stranger: s.get_service_request(number))  # type: ignore[misc]
        assert (request["service_request_id"], request["status"]) == (number, "open")
        listed = await apart(lambda s=stranger: s.get_service_requests(status="open"))  # type: ignore[misc]
        one = listed[0] if isinstance(listed, list) else listed
        assert (one["service_request_id"], one["status_notes"]) == (number, "待受理")


async def test_three_reports_and_follows_with_the_shim_its_age_needs(city: City) -> None:
    client = await app(city)
    stranger = three_client(endpoint=f"{city.base}/open311/v2", api_key=client.token)
    made = await apart(
        lambda: stranger.post(
            "light", address="解放东路12号", name="Xiaoming Wang", phone="13800001234", description="路灯不亮"
        )
    )
    number = made[0]["service_request_id"]
    assert stranger.post_response.status_code == 200
    token = stranger.post_response.headers["HL-Token"]
    assert (await apart(lambda: stranger.token(token)))[0]["service_request_id"] == number
    assert (await apart(lambda: stranger.request(number)))[0]["status"] == "open"
    assert [one["service_code"] for one in await apart(stranger.services)] == ["light"]
    assert [one["service_request_id"] for one in await apart(lambda: stranger.requests("light"))] == [number]
    assert (await apart(lambda: stranger.services("light")))["service_code"] == "light"


async def test_three_sends_a_picture_and_it_is_kept_with_the_ticket(city: City, picture: bytes) -> None:
    client = await app(city)
    stranger = three_client(endpoint=f"{city.base}/open311/v2", api_key=client.token)
    await apart(
        lambda: stranger.post(
            "light", address="路口", phone="13800001234", description="路灯不亮", media=("a.png", picture)
        )
    )
    assert stranger.post_response.status_code == 200, stranger.post_response.text
    rows = await city.ctx.db.fetch("SELECT kind, audience FROM ticket_attachment")
    assert [(row["kind"], row["audience"]) for row in rows] == [("png", "handling")]


async def test_what_is_shown_holds_no_personal_data_and_not_what_the_citizen_wrote(city: City) -> None:
    client = await app(city)
    _, text, _ = await post(city, client)
    number = json.loads(text)[0]["service_request_id"]
    for path in (
        "requests.json",
        f"requests/{number}.json",
        f"servicerequestupdates.json?service_request_id={number}",
    ):
        status, found = await read(city, path)
        assert status == 200
        assert len(found) == 1
        assert not any(word in json.dumps(found, ensure_ascii=False) for word in SECRET)


@pytest.mark.parametrize(
    "form",
    [
        {"type": "report", "subject_name": "某公司", "wants_public": True},
        {"confidentiality": "secret", "wants_public": True},
        {"confidentiality": "anonymous", "wants_public": True},
        {"wants_public": False},
    ],
)
async def test_a_report_a_sealed_matter_and_what_nobody_wants_published_do_not_exist(
    city: City, form: dict[str, Any]
) -> None:
    made = await city.console.ticket("water", **form)
    assert await read(city, "requests.json") == (200, [])
    status, found = await read(city, f"requests/{made.number}.json")
    assert (status, found[0]["code"]) == (404, 404)
    ids = f"service_request_id={made.number}"
    assert await read(city, f"requests.json?{ids}") == (200, [])
    assert await read(city, f"servicerequestupdates.json?{ids}") == (200, [])


async def test_what_the_citizen_wants_published_is_shown_masked_with_unit_promise_and_state(
    city: City,
) -> None:
    made = await city.console.ticket(
        "water", wants_public=True, confidentiality="public", title="路灯不亮请打13800001234"
    )
    _, found = await read(city, f"requests/{made.number}.json")
    one = found[0]
    assert "13800001234" not in one["description"]
    assert one["agency_responsible"] == "市水利局"
    assert (one["status"], one["status_notes"]) == ("open", "待签收")
    assert one["expected_datetime"].endswith("Z")
    assert one["requested_datetime"].endswith("Z")


async def test_a_withdrawn_request_is_closed_and_says_how(city: City) -> None:
    client = await app(city)
    _, text, _ = await post(city, client)
    number = json.loads(text)[0]["service_request_id"]
    rows = await city.ctx.db.fetch("SELECT id FROM ticket")
    async with city.ctx.db.begin() as uow:
        await city.ctx.citizen_acts.withdraw(uow, rows[0]["id"], "不用了", key="withdraw-1")
    _, found = await read(city, f"requests/{number}.json")
    assert (found[0]["status"], found[0]["status_notes"]) == ("closed", "已撤回")
    _, steps = await read(city, f"servicerequestupdates.json?service_request_id={number}")
    assert [step["status"] for step in steps] == ["open", "closed"]
    assert await read(city, "requests.json?status=open") == (200, [])


async def test_a_point_is_given_back_in_both_formats_and_is_no_text(city: City) -> None:
    client = await app(city)
    where = {"lat": "25.273612", "long": "110.290655", "address_string": ""}
    status, text, _ = await post(city, client, **where)
    assert status == 200, text
    number = json.loads(text)[0]["service_request_id"]
    for path in ("requests.json", f"requests/{number}.json"):
        _, found = await read(city, path)
        assert (found[0]["lat"], found[0]["long"]) == (25.273612, 110.290655)
    got = await city.console.browser().get("/open311/v2/requests.xml", headers={"Accept": "*/*"})
    item = ET.fromstring(got.text)[0]
    assert (item.findtext("lat"), item.findtext("long")) == ("25.273612", "110.290655")
    rows = await city.ctx.db.fetch("SELECT address, narrative FROM ticket")
    assert "25.27" not in rows[0]["address"] + rows[0]["narrative"]


@pytest.mark.parametrize(
    "where", [{"lat": "25.2"}, {"long": "110"}, {"lat": "nan", "long": "110"}, {"lat": "91", "long": "0"}]
)
async def test_half_a_point_and_no_place_on_earth_are_refused(city: City, where: dict[str, str]) -> None:
    client = await app(city)
    status, text, _ = await post(city, client, **where)
    assert (status, json.loads(text)[0]["code"]) == (400, 400)
    assert await city.ctx.db.fetch("SELECT id FROM ticket") == []


@pytest.mark.parametrize(
    "change", ["type = 'report'", "confidentiality = 'secret'", "confidentiality = 'anonymous'"]
)
async def test_a_point_of_a_report_or_a_sealed_matter_is_never_public(city: City, change: str) -> None:
    client = await app(city)
    _, text, _ = await post(city, client, lat="25.273612", long="110.290655")
    number = json.loads(text)[0]["service_request_id"]
    async with city.ctx.db.begin() as uow:
        await uow.session.execute(sa.text(f"UPDATE ticket SET {change}"))
    for form in ("json", "xml"):
        for path in (f"requests.{form}", f"requests/{number}.{form}", f"servicerequestupdates.{form}"):
            got = await city.console.browser().get(f"/open311/v2/{path}", headers={"Accept": "*/*"})
            assert "25.27" not in got.text
            assert "110.29" not in got.text


async def test_a_point_that_did_not_come_through_open311_is_not_published(city: City) -> None:
    made = await city.console.ticket("water", wants_public=True, confidentiality="public")
    async with city.ctx.db.begin() as uow:
        await points.keep(uow, made.id, Point(25.273612, 110.290655))
    _, found = await read(city, f"requests/{made.number}.json")
    assert (found[0]["lat"], found[0]["long"]) == (None, None)


async def test_the_same_key_again_gives_the_same_number_and_another_content_is_refused(city: City) -> None:
    client = await app(city)
    first = await post(city, client, _key="request-0001")
    again = await post(city, client, _key="request-0001")
    assert json.loads(first[1])[0]["service_request_id"] == json.loads(again[1])[0]["service_request_id"]
    status, text, _ = await post(city, client, _key="request-0001", description="完全另一件事情")
    assert (status, json.loads(text)[0]["code"]) == (400, 400)
    assert len(await city.ctx.db.fetch("SELECT id FROM ticket")) == 1


async def test_errors_are_lists_of_code_and_description_in_both_formats(city: City) -> None:
    client = await app(city)
    status, text, _ = await post(city, client, "xml", phone="")
    root = ET.fromstring(text)
    assert (status, root.tag, root[0].tag) == (400, "errors", "error")
    assert [child.tag for child in root[0]] == ["code", "description"]
    for path in ("requests.json?x=1", "requests.json?status=half", "requests.json?start_date=gestern"):
        status, found = await read(city, path)
        assert status == 400
        assert sorted(found[0]) == ["code", "description"]
    long = "requests.json?start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z"
    assert (await read(city, long))[0] == 400
    assert (await read(city, "services/none.json"))[0] == 404
    assert (await read(city, "services.yaml"))[0] == 404


async def test_nothing_is_taken_without_a_key_that_may(city: City) -> None:
    await app(city)
    other = await city.client("hall", Scope.TICKETS_SUBMIT)
    ended = await city.client("gone", Scope.OPEN311, kind=Kind.OPEN311)
    await city.revoke("gone")
    for token in ("", "x" * 43, other.token, ended.token):
        status, _, _ = await post(city, other, api_key=token)
        assert status == 403
    assert await city.ctx.db.fetch("SELECT id FROM ticket") == []


async def test_pages_are_keyset_and_the_next_one_is_named(city: City) -> None:
    client = await app(city)
    made = [await post(city, client) for _ in range(3)]
    assert [status for status, _, _ in made] == [200, 200, 200], made
    numbers = [json.loads(text)[0]["service_request_id"] for _, text, _ in made]
    browser, seen = city.console.browser(), list[str]()
    path = "/open311/v2/requests.json?page_size=2"
    while path:
        got = await browser.get(path, headers={"Accept": "*/*"})
        seen += [one["service_request_id"] for one in json.loads(got.text)]
        link = got.headers.get("Link", "")
        path = link.partition(">")[0].lstrip("<") if link else ""
    assert seen == numbers[::-1]


async def test_strangers_generated_requests_meet_no_crash_and_no_status_we_did_not_describe(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schemathesis over our own description; its examples follow from a fixed seed."""
    monkeypatch.setattr(view, "READS_PER_MINUTE", 10**9)
    monkeypatch.setattr(view, "POSTS_PER_MINUTE", 10**9)
    client = await app(city)
    await post(city, client)
    _, described = await read(city, "openapi.json")
    await apart(lambda: fuzz(described, city.base, query={"api_key": client.token}))
