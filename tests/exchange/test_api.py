"""The Integration API: intake and status for other systems, up and down with one chain of numbers."""

import asyncio
import json
import re
from typing import Any

import pytest

from core.people.machines import Kind, Scope
from tests.exchange.conftest import City, Client
from tests.exchange.fuzz import fuzz
from tests.web.conftest import Answer
from tickets.points import service as points
from tickets.points.datum import Point
from web.security import machines as doorway

TICKET: dict[str, Any] = {
    "narrative": "晚上路口的路灯一直不亮。已经一周了",
    "phone": "13800001234",
    "name": "王小明",
    "category_code": "light",
    "outer_number": "BL-2026-0001",
}
HALL = (Scope.TICKETS_SUBMIT,)
BOTH_WAYS = (Scope.TICKETS_SUBMIT, Scope.TICKETS_READ)


async def hall(city: City) -> Client:
    await city.console.category()
    return await city.client("hall", *HALL, kind=Kind.HALL)


async def submit(client: Client, key: str = "submit-0001", **more: Any) -> Answer:
    return await client.post("/api/v1/tickets", {**TICKET, **more}, Idempotency_Key=key)


def told(answer: Answer) -> Any:
    return json.loads(answer.text)


async def test_a_hall_submits_once_per_key_and_reads_how_its_ticket_stands(city: City) -> None:
    client = await hall(city)
    first, again = await submit(client), await submit(client)
    assert (first.status, again.status) == (201, 201)
    assert told(again) == {**told(first), "again": True}
    assert len(told(first)["query_code"]) == 6
    got = told(await client.get(f"/api/v1/tickets/{told(first)['number']}"))
    assert (got["state"], got["state_name"], got["is_open"]) == ("waiting_accept", "待受理", True)
    assert got["outer_numbers"] == [
        {"system": "hall", "name": "hall", "number": "BL-2026-0001", "way": "came"}
    ]
    assert len(await city.ctx.db.fetch("SELECT id FROM ticket")) == 1


async def test_twenty_repetitions_at_the_same_moment_make_one_ticket(city: City) -> None:
    client = await hall(city)
    answers = await asyncio.gather(*(submit(client) for _ in range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({told(answer)["number"] for answer in answers}) == 1
    assert len(await city.ctx.db.fetch("SELECT id FROM ticket")) == 1


async def test_a_key_with_other_content_and_a_request_without_one_are_refused(city: City) -> None:
    client = await hall(city)
    await submit(client)
    other = await submit(client, narrative="完全另一件事情")
    assert (other.status, told(other)["code"]) == (422, "key_reused")
    none = await client.post("/api/v1/tickets", TICKET)
    assert (none.status, told(none)["code"]) == (400, "idempotency_key")
    taken = await submit(client, key="submit-0002")
    assert (taken.status, told(taken)["code"]) == (409, "outer_number_taken")
    assert len(await city.ctx.db.fetch("SELECT id FROM ticket")) == 1


async def test_errors_are_problem_details_that_name_the_fields(city: City) -> None:
    client = await hall(city)
    answer = await submit(client, phone="123456789012345678", district_code="nowhere")
    assert answer.status == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert told(answer)["fields"] == {"district_code": "unknown_choice"}
    assert sorted(told(answer)) == ["code", "detail", "fields", "instance", "status", "title", "type"]
    unknown = await submit(client, key="submit-0003", state="closed")
    assert (unknown.status, told(unknown)["code"]) == (400, "unknown_field")
    assert (await client.get("/api/v1/tickets?sort=phone")).status == 400
    missing = await client.get("/api/v1/nothing")
    assert (missing.status, missing.headers["Content-Type"].split(";")[0]) == (
        404,
        "application/problem+json",
    )


async def test_who_may_only_submit_sees_what_it_brought_and_nothing_else(city: City) -> None:
    client = await hall(city)
    other = await city.console.ticket("water")
    made = told(await submit(client))
    page = told(await client.get("/api/v1/tickets"))
    assert [item["number"] for item in page["items"]] == [made["number"]]
    assert (await client.get(f"/api/v1/tickets/{other.number}")).status == 404
    second = await city.client("other", *HALL)
    assert (await second.get(f"/api/v1/tickets/{made['number']}")).status == 404
    found = told(await client.get("/api/v1/tickets?outer_number=BL-2026-0001"))
    assert [item["number"] for item in found["items"]] == [made["number"]]
    assert told(await second.get("/api/v1/tickets?outer_number=BL-2026-0001"))["items"] == []


async def test_a_district_sees_its_unit_and_the_province_the_hotline(city: City) -> None:
    water, road = await city.console.ticket("water"), await city.console.ticket("road")
    district = await city.client("water-office", Scope.TICKETS_READ, unit="water")
    province = await city.client("province", Scope.TICKETS_READ)
    seen = told(await district.get("/api/v1/tickets"))["items"]
    assert [item["number"] for item in seen] == [water.number]
    assert (await district.get(f"/api/v1/tickets/{road.number}")).status == 404
    everything = told(await province.get("/api/v1/tickets"))["items"]
    assert [item["number"] for item in everything] == [road.number, water.number]


async def test_nothing_personal_is_in_any_answer(city: City) -> None:
    made = await city.console.ticket("water")
    client = await city.client("province", Scope.TICKETS_READ)
    for path in ("/api/v1/tickets", f"/api/v1/tickets/{made.number}"):
        text = (await client.get(path)).text
        assert "13800001234" not in text
        assert "王小明" not in text
        assert "138****" not in text


async def test_a_sealed_reporter_is_veiled_for_a_unit_that_reads_by_machine(city: City) -> None:
    made = await city.console.ticket(
        "water", type="report", narrative="我是王小明，电话13800001234，举报有人偷水", subject_name="某公司"
    )
    client = await city.client("water-office", Scope.TICKETS_READ, unit="water")
    got = told(await client.get(f"/api/v1/tickets/{made.number}"))
    assert "王小明" not in got["narrative"]
    assert "13800001234" not in got["narrative"]


async def test_a_districts_platform_signs_contacts_and_closes_and_keeps_its_own_number(city: City) -> None:
    made = await city.console.ticket("water")
    client = await city.client("water-office", Scope.TICKETS_READ, Scope.TICKETS_HANDLE, unit="water")
    path = f"/api/v1/tickets/{made.number}"
    assert (await client.post(f"{path}/outer-number", {"number": "SL-77"})).status == 200
    steps = [
        {"action": "sign", "data": {}},
        {"action": "contact", "data": {"result": "reached", "means": "phone"}},
        {"action": "close", "data": {"public_reply": "路灯已经修好，当晚已亮灯。", "handling": "更换灯头"}},
    ]
    version = told(await client.get(path))["version"]
    for step in steps:
        sent = {**step, "version": version}
        answers = [
            await client.post(f"{path}/actions", sent, Idempotency_Key=f"step-{step['action']}")
            for _ in range(2)
        ]
        assert [answer.status for answer in answers] == [200, 200], answers[0].text
        assert told(answers[0]) == told(answers[1])
        version = told(answers[0])["version"]
    got = told(await client.get(path))
    assert got["state"] == "waiting_check"
    assert got["reply"] == "", "a reply that was not checked is nobody's yet"
    assert got["outer_numbers"][0] == {
        "system": "water-office", "name": "water-office", "number": "SL-77", "way": "went"
    }  # fmt: skip
    late = await client.post(f"{path}/actions", {"action": "sign", "version": 1}, Idempotency_Key="step-late")
    assert late.status == 409


async def test_a_machine_of_another_unit_or_without_the_scope_handles_nothing(city: City) -> None:
    made = await city.console.ticket("water")
    body = {"action": "sign", "version": 2}
    path = f"/api/v1/tickets/{made.number}/actions"
    stranger = await city.client("road-office", Scope.TICKETS_HANDLE, unit="road")
    assert (await stranger.post(path, body, Idempotency_Key="strange-1")).status == 404
    reader = await city.client("water-screen", Scope.TICKETS_READ, unit="water")
    assert (await reader.post(path, body, Idempotency_Key="strange-2")).status == 403
    hotline = await city.client("province", Scope.TICKETS_HANDLE)
    assert (await hotline.post(path, body, Idempotency_Key="strange-3")).status == 403


async def test_the_citizens_acts_come_through_the_system_that_brought_the_ticket(city: City) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    path = f"/api/v1/tickets/{number}/acts"
    for _ in range(2):
        added = await client.post(path, {"act": "add", "text": "第三盏灯也不亮"}, Idempotency_Key="added-01")
        assert added.status == 200, added.text
    assert (await client.post(path, {"act": "urge"}, Idempotency_Key="urged-01")).status == 200
    early = await client.post(path, {"act": "object", "text": "不同意"}, Idempotency_Key="object-1")
    assert (early.status, told(early)["code"]) == (409, "act_not_now")
    rated = await client.post(path, {"act": "rate"}, Idempotency_Key="rated-01")
    assert (rated.status, sorted(told(rated)["fields"])) == (422, ["responded", "satisfied", "solved"])
    got = told(await client.get(f"/api/v1/tickets/{number}"))
    assert [step["text"] for step in got["steps"] if step["action"] == "add"] == ["第三盏灯也不亮"]
    gone = await client.post(path, {"act": "withdraw", "text": "不用了"}, Idempotency_Key="gone-0001")
    assert told(gone)["state"] == "withdrawn"
    other = await city.client("other", *BOTH_WAYS)
    assert (await other.post(path, {"act": "urge"}, Idempotency_Key="urged-02")).status == 404


async def test_a_hundred_and_ten_sends_a_matter_over_and_it_is_accepted_at_once(city: City) -> None:
    await city.console.category()
    police = await city.client("police", *BOTH_WAYS, kind=Kind.POLICE)
    number = told(await submit(police, outer_number="J450300-1"))["number"]
    got = told(await police.get(f"/api/v1/tickets/{number}"))
    assert (got["channel"], got["state"]) == ("platform", "waiting_dispatch")


async def test_the_hotline_finds_a_ticket_by_another_systems_number(city: City) -> None:
    client = await hall(city)
    number = told(await submit(client))["number"]
    leader = await city.console.signed_in("shift_leader")
    answer = await leader.post("/search", {"q": "BL-2026-0001"})
    assert answer.status == 303
    page = await leader.get(answer.headers["Location"])
    assert number in page.text
    assert "BL-2026-0001" in page.text


@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 5000, "ü" * 43])
async def test_a_made_up_token_opens_nothing(city: City, token: str) -> None:
    client = Client(city.console.browser(), token)
    headers = {"Authorization": f"Bearer {token}"} if token.isascii() else {}
    async with client.browser.session.get(city.base + "/api/v1/tickets", headers=headers) as got:
        assert got.status in (400, 401)


async def test_a_revoked_token_and_a_signed_in_browser_open_nothing(city: City) -> None:
    client = await city.client("province", Scope.TICKETS_READ)
    assert (await client.get("/api/v1/tickets")).status == 200
    await city.revoke("province")
    answer = await client.get("/api/v1/tickets")
    assert (answer.status, told(answer)["code"]) == (401, "machine_unknown")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    boss = await city.console.signed_in("shift_leader")
    assert (await boss.get("/api/v1/tickets")).status == 401
    assert (await boss.post("/api/v1/tickets", {"narrative": "x"})).status == 401


async def test_a_point_is_taken_in_both_datums_and_given_in_wgs84(city: City) -> None:
    client = await hall(city)
    plain = told(await submit(client, latitude=25.2736, longitude=110.2907))
    got = told(await client.get(f"/api/v1/tickets/{plain['number']}"))
    assert (got["latitude"], got["longitude"], got["given_datum"]) == (25.2736, 110.2907, "wgs84")
    map_ = {"latitude": 25.2736, "longitude": 110.2907, "datum": "gcj02", "outer_number": None}
    other = told(await submit(client, key="submit-0002", **map_))
    got = told(await client.get(f"/api/v1/tickets/{other['number']}"))
    assert got["given_datum"] == "gcj02"
    assert 0.001 < abs(got["longitude"] - 110.2907) < 0.02
    rows = await city.ctx.db.fetch("SELECT latitude, datum FROM ticket_point ORDER BY id")
    assert [tuple(row) for row in rows] == [(25.2736, "wgs84"), (25.2736, "gcj02")]


@pytest.mark.parametrize(
    "point",
    [
        {"latitude": 25.2},
        {"longitude": 110.2},
        {"latitude": 91, "longitude": 110},
        {"latitude": 25, "longitude": -180.1},
        {"latitude": "NaN", "longitude": 110},
        {"latitude": 25, "longitude": 110, "datum": "bd09"},
    ],
)
async def test_half_a_point_and_no_place_on_earth_are_refused(city: City, point: dict[str, Any]) -> None:
    client = await hall(city)
    answer = await submit(client, **point)
    assert answer.status in (400, 422)
    assert sorted(told(answer)["fields"])
    assert await city.ctx.db.fetch("SELECT id FROM ticket") == []


async def test_a_unit_that_reads_a_sealed_matter_gets_no_point(city: City) -> None:
    made = await city.console.ticket("water", type="report", subject_name="某公司")
    open_ = await city.console.ticket("water")
    async with city.ctx.db.begin() as uow:
        for ticket in (made, open_):
            await points.keep(uow, ticket.id, Point(25.2736, 110.2907))
    client = await city.client("water-office", Scope.TICKETS_READ, unit="water")
    got = told(await client.get(f"/api/v1/tickets/{made.number}"))
    assert (got["latitude"], got["longitude"], got["given_datum"]) == (None, None, None)
    assert told(await client.get(f"/api/v1/tickets/{open_.number}"))["latitude"] == 25.2736
    handler = await city.console.signed_in("dept_officer")
    assert "坐标" not in (await handler.get(f"/tickets/{made.id}")).text
    assert "坐标 25.273600, 110.290700（WGS-84）" in (await handler.get(f"/tickets/{open_.id}")).text


async def test_who_brought_a_point_takes_it_back_and_nobody_else_does(city: City) -> None:
    client = await hall(city)
    made = told(await submit(client, latitude=25.2736, longitude=110.2907))
    address, why = f"/api/v1/tickets/{made['number']}/point/withdraw", {"reason": "标到了江对岸"}
    other = await city.client("other-hall", Scope.TICKETS_SUBMIT, Scope.TICKETS_READ)
    refused = await other.post(address, why, Idempotency_Key="point-0000")
    assert (refused.status, told(refused)["code"]) == (404, "ticket_not_found")
    assert (await client.post(address, {"reason": ""}, Idempotency_Key="point-0001")).status in (400, 422)
    for key in ("point-0002", "point-0002", "point-0003"):
        assert (await client.post(address, why, Idempotency_Key=key)).status == 200
    for reader in (client, other):
        got = told(await reader.get(f"/api/v1/tickets/{made['number']}"))
        assert (got["latitude"], got["longitude"], got["given_datum"]) == (None, None, None)
    rows = await city.ctx.db.fetch("SELECT actor_login FROM audit_log WHERE action = 'point.withdraw'")
    assert [row["actor_login"] for row in rows] == ["machine:hall"]
    bare = told(await submit(client, key="submit-0002", outer_number=None))
    nothing = f"/api/v1/tickets/{bare['number']}/point/withdraw"
    refused = await client.post(nothing, why, Idempotency_Key="point-0004")
    assert (refused.status, told(refused)["code"]) == (409, "point_missing")


async def test_a_point_is_taken_back_on_the_tickets_page_with_its_reason(city: City) -> None:
    made = await city.console.ticket("water")
    async with city.ctx.db.begin() as uow:
        await points.keep(uow, made.id, Point(25.2736, 110.2907))
    agent, address = await city.console.signed_in("agent"), f"/tickets/{made.id}"
    page = (await agent.get(address)).text
    seen = re.search(r'name="point_id" value="(\d+)"', page)
    assert seen is not None
    handler = await city.console.signed_in("dept_officer")
    assert "坐标 25.273600" in (await handler.get(address)).text
    assert "point_id" not in (await handler.get(address)).text
    form = {"point_id": seen[1], "reason": "标到了江对岸"}
    assert (await handler.post(f"{address}/point/withdraw", form)).status == 403
    assert (await agent.post(f"{address}/point/withdraw", form)).status == 303
    for browser in (agent, handler):
        page = (await browser.get(address)).text
        assert "坐标已撤回：标到了江对岸" in page
        assert "25.273600" not in page


async def test_every_route_asks_for_the_scope_its_description_names(city: City) -> None:
    described = told(await city.console.browser().get("/api/v1/openapi.json"))
    for scope in Scope:
        client = await city.client(f"c-{scope.value.replace(':', '-')}", scope)
        for path, methods in described["paths"].items():
            address = "/api/v1" + path.replace("{number}", "1" * 18).replace("{webhook_id}", "1")
            address = address.replace("{attachment_id}", "1")
            for method, operation in methods.items():
                call = client.get if method == "get" else client.post
                answer = await call(address.replace("{delivery_id}", "1"))
                refused = answer.status == 403 and told(answer)["code"] == "scope_missing"
                assert refused == (scope.value not in operation["x-scopes"]), (scope, method, path)


async def test_generated_requests_meet_no_crash_and_no_status_that_is_not_described(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schemathesis over the description made from the code; its examples follow from a fixed seed."""
    monkeypatch.setattr(doorway, "CALLS_PER_MINUTE", 10**9)
    await city.console.ticket("water")
    client = await city.client("everything", *(scope for scope in Scope if scope is not Scope.KIOSK))
    await submit(client)
    described = told(await city.console.browser().get("/api/v1/openapi.json"))
    headers = {"Authorization": f"Bearer {client.token}"}
    assert await asyncio.to_thread(lambda: fuzz(described, city.base, headers=headers)) == 17
