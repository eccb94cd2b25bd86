"""The department workbench: what it shows, what it keeps, what it does to many at once."""

from __future__ import annotations

import json

from tests.web.conftest import Console
from tests.web.test_decisions import act, number, word
from tickets.states import Action

EVIL = "<img src=x onerror=alert(4711)>"


async def test_the_list_holds_what_lies_with_the_unit_and_nothing_else(console: Console) -> None:
    mine, other = (
        await console.ticket("road", title="本单位的路灯"),
        await console.ticket("water", title="别家的水管"),
    )
    officer = await console.signed_in("road_officer")
    shown = (await officer.get("/workbench")).text
    assert "本单位的路灯" in shown
    assert "别家的水管" not in shown
    assert f"/tickets/{mine.id}" in shown
    assert f"/tickets/{other.id}" not in shown
    assert "本单位的路灯" in (await officer.get("/workbench?urgency=new")).text
    assert "本单位的路灯" not in (await officer.get("/workbench?urgency=overdue")).text


async def test_a_co_handlers_opinion_is_on_his_list_until_it_is_given(console: Console) -> None:
    made = await console.ticket("road", title="联合整治")
    await act(console, "dispatcher", made.id, Action.ADD_CO, unit_ids=[console.units["water"]])
    officer = await console.signed_in("dept_officer")
    assert "联合整治" in (await officer.get("/workbench?role=co")).text
    await act(console, "dept_officer", made.id, Action.CO_OPINION, note="管线无异常")
    assert "联合整治" not in (await officer.get("/workbench")).text


async def test_many_are_signed_at_once_each_by_itself(console: Console) -> None:
    ids = [(await console.ticket("road")).id for _ in range(3)]
    foreign = (await console.ticket("water")).id
    officer = await console.signed_in("road_officer")
    body = "&".join(f"ticket={ident}:2" for ident in (ids[0], ids[1], foreign)) + f"&ticket={ids[2]}:1"
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    answer = await officer.post("/tickets/bulk/sign", body, headers=headers)
    rows = {row["id"]: row for row in json.loads(answer.text)["rows"]}
    assert [rows[ident]["done"] for ident in (*ids, foreign)] == [True, True, False, False]
    assert rows[ids[2]]["code"] == "version_conflict"
    assert rows[foreign]["code"] == "ticket_not_found"
    signed = "SELECT count(*) FROM ticket WHERE state = 'handling'"
    assert await number(console, signed) == 2


async def test_a_view_keeps_filters_and_columns_and_is_shared_with_the_unit(console: Console) -> None:
    await console.ticket("road", title="要看的")
    officer = await console.signed_in("road_officer")
    form = {"name": EVIL, "query": "type=complaint", "columns": "title", "shared": "true"}
    kept = await officer.post("/workbench/views", form)
    assert kept.status == 303
    shown = (await officer.get(kept.headers["Location"])).text
    assert EVIL not in shown
    assert "alert(4711)" in shown
    assert "要看的" not in shown  # a consultation, and the view asks for complaints
    stranger = await console.signed_in("dept_officer")
    assert (await stranger.get(kept.headers["Location"])).status == 404
    ident = await word(console, "SELECT id FROM saved_view")
    assert (await stranger.post(f"/workbench/views/{ident}/remove", {})).status == 404
    assert (await officer.post(f"/workbench/views/{ident}/remove", {})).status == 303


async def test_a_filter_that_does_not_exist_is_refused(console: Console) -> None:
    officer = await console.signed_in("road_officer")
    for query in ("owner=1", "urgency=sometimes", "role=boss", "view=x"):
        assert (await officer.get(f"/workbench?{query}")).status in (400, 404), query
    bad = {"name": "x", "query": "password=1"}
    assert (await officer.post("/workbench/views", bad)).status == 400
