"""Rows and a simulated PBX: every state driven from both sides, and brought back after every restart."""

from pathlib import Path

import pytest

from core.settings import Settings, load_settings
from telephony.agents import steward
from telephony.simulator import CallPlan
from tests.helpers import eventually
from tests.telephony.agents.rig import QUEUES, Floor, floor, line_of, rows_of


@pytest.fixture
def brisk(tmp_path: Path) -> Settings:
    """Work after a call of one second, so that it ends while a test looks on."""
    return load_settings(
        environ={
            "HOTLINE_PATHS__VAR": str(tmp_path / "var"),
            "HOTLINE_AGENTS__WRAP_UP_SECONDS": "1",
            "HOTLINE_AGENTS__MISSED_RINGS": "2",
        }
    )


async def stands(made: Floor, login: str, state: str) -> None:
    await eventually(lambda: _is(made, login, state), what=f"{login} is {state}")


async def _is(made: Floor, login: str, state: str) -> bool:
    return await made.state(login) == state


def all_queues(paused: bool, reason: str = "") -> dict[str, tuple[bool, str]]:
    return dict.fromkeys(QUEUES, (paused, reason))


async def pbx_stands(made: Floor, extension: str, wanted: dict[str, tuple[bool, str]]) -> None:
    await eventually(lambda: made.places(extension) == wanted, what=f"{extension} stands at {wanted}")


async def test_the_page_drives_the_pbx(database_url: str, settings: Settings) -> None:
    async with floor(database_url, settings) as made:
        await made.act("sign_in", "1001")
        await pbx_stands(made, "1001", all_queues(False))
        await made.act("not_ready", "1001", "break")
        await pbx_stands(made, "1001", all_queues(True, "break"))
        await made.act("ready", "1001")
        await pbx_stands(made, "1001", all_queues(False))
        await made.act("lead_queues", "leader", made.actors["1001"].user_id, ["dialect", "hotline"])
        await pbx_stands(made, "1001", dict.fromkeys(("hotline", "dialect"), (False, "")))
        await made.act("sign_out", "1001")
        await pbx_stands(made, "1001", {})
        assert await line_of(made.db, made.actors["1001"].user_id) == ["ready", "not_ready:break", "ready"]


async def test_a_click_does_not_wait_for_the_floor_to_settle(
    database_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with floor(database_url, settings) as made:
        monkeypatch.setattr(steward, "SETTLE_SECONDS", 3600.0)
        await made.act("sign_in", "1001")
        await pbx_stands(made, "1001", all_queues(False))
        await made.act("not_ready", "1001", "break")
        await pbx_stands(made, "1001", all_queues(True, "break"))
        await made.act("lead_queues", "leader", made.actors["1001"].user_id, ["dialect"])
        await pbx_stands(made, "1001", {"dialect": (True, "break")})


async def test_the_pbx_drives_the_rows(database_url: str, settings: Settings) -> None:
    async with floor(database_url, settings) as made:
        member = {"Queue": "hotline", "Interface": "PJSIP/1001"}
        made.order("QueueAdd", **member)
        await stands(made, "1001", "ready")
        made.order("QueuePause", Interface="PJSIP/1001", Paused="true", Reason="小休")
        await stands(made, "1001", "not_ready")
        made.order("QueuePause", Interface="PJSIP/1001", Paused="false")
        await stands(made, "1001", "ready")
        made.order("QueuePause", Interface="PJSIP/1001", Paused="true", Reason="nobody knows")
        await stands(made, "1001", "not_ready")
        made.order("QueueAdd", Queue="dialect", Interface="PJSIP/1001")
        await pbx_stands(made, "1001", dict.fromkeys(("hotline", "dialect"), (True, "phone")))
        for queue in ("hotline", "dialect"):
            made.order("QueueRemove", Queue=queue, Interface="PJSIP/1001")
        await stands(made, "1001", "signed_out")
        states = ["ready", "not_ready:break", "ready", "not_ready:phone"]
        assert await line_of(made.db, made.actors["1001"].user_id) == states
        (session,) = await rows_of(made.db, "session")
        assert session["ended_by"] == "phone"


async def test_a_call_and_the_work_after_it(database_url: str, brisk: Settings) -> None:
    async with floor(database_url, brisk) as made:
        await made.act("sign_in", "1001")
        await pbx_stands(made, "1001", all_queues(False))
        made.simulator.place_call("13812341234", agent="1001", answer_after=0.2, talk=0.8, hold=(0.2, 0.2))
        await stands(made, "1001", "talking")
        await stands(made, "1001", "wrap_up")
        await pbx_stands(made, "1001", all_queues(True, "ACW"))
        await made.act("finish_wrap_up", "1001", code="registered", stay=True)
        await eventually(lambda: [line for line in made.simulator.queue_log.lines if "WRAPUPCODE" in line])
        await stands(made, "1001", "ready")
        await pbx_stands(made, "1001", all_queues(False))
        user = made.actors["1001"].user_id
        states = ["ready", "ringing", "talking", "hold", "talking", "wrap_up", "ready"]
        assert await line_of(made.db, user) == states
        (wrap_up,) = await rows_of(made.db, "wrap_up")
        assert (wrap_up["code"], wrap_up["ended_by"], wrap_up["logged"]) == ("registered", "deadline", True)
        assert wrap_up["ended_at"] == wrap_up["ends_at"]
        intervals = await rows_of(made.db, "interval", user_id=user)
        talk = [row for row in intervals if row["state"] == "talking"]
        assert {row["call_session_id"] for row in talk} == {wrap_up["call_session_id"]}
        line = next(line for line in made.simulator.queue_log.lines if "WRAPUPCODE" in line)
        assert line.split("|")[2:] == ["hotline", "PJSIP/1001", "WRAPUPCODE", "registered"]


async def test_missed_rings_set_not_ready_and_the_call_goes_on(database_url: str, brisk: Settings) -> None:
    async with floor(database_url, brisk) as made:
        await made.act("sign_in", "1001")
        await pbx_stands(made, "1001", all_queues(False))
        made.simulator.place_call("13812341234", misses=10)
        await stands(made, "1001", "not_ready")
        await pbx_stands(made, "1001", all_queues(True, "missed"))
        states = await line_of(made.db, made.actors["1001"].user_id)
        assert states == ["ready", "ringing", "ready", "ringing", "not_ready:missed"]


async def test_a_restart_of_the_pbx_loses_nobody(database_url: str, settings: Settings) -> None:
    async with floor(database_url, settings) as made:
        for login in ("1001", "1002"):
            await made.act("sign_in", login)
        await made.act("not_ready", "1002", "training")
        await pbx_stands(made, "1001", all_queues(False))
        await pbx_stands(made, "1002", all_queues(True, "training"))
        made.simulator.place_call("13812341234", agent="1001", answer_after=0.1, talk=60)
        await stands(made, "1001", "talking")
        made.simulator.restart()
        assert made.places("1001") == {}
        await stands(made, "1001", "wrap_up")
        await pbx_stands(made, "1001", all_queues(True, "ACW"))
        await pbx_stands(made, "1002", all_queues(True, "training"))
        await made.act("finish_wrap_up", "1001", code=None)
        await pbx_stands(made, "1001", all_queues(False))


async def test_a_restart_of_the_node_in_mid_call(database_url: str, brisk: Settings) -> None:
    async with floor(database_url, brisk) as made:
        await made.act("sign_in", "1001")
        await pbx_stands(made, "1001", all_queues(False))
        made.simulator.place_call("13812341234", agent="1001", answer_after=0.1, talk=3)
        await stands(made, "1001", "talking")
        await made.stop()
        await made.start()
        assert await made.state("1001") == "talking"
        await stands(made, "1001", "wrap_up")
        await stands(made, "1001", "ready")
        states = ["ready", "ringing", "talking", "wrap_up", "ready"]
        assert await line_of(made.db, made.actors["1001"].user_id) == states


async def test_what_was_asked_while_no_node_led_is_done_afterwards(
    database_url: str, settings: Settings
) -> None:
    async with floor(database_url, settings) as made:
        await made.act("sign_in", "1001")
        await made.act("sign_in", "1002")
        await pbx_stands(made, "1002", all_queues(False))
        await made.stop()
        await made.act("not_ready", "1001", "meal")
        await made.act("sign_out", "1002")
        made.order("QueuePause", Interface="PJSIP/1001", Paused="true", Reason="培训")
        await made.start()
        await pbx_stands(made, "1001", all_queues(True, "meal"))
        await pbx_stands(made, "1002", {})


async def test_work_after_a_call_ends_with_its_deadline_though_no_node_led(
    database_url: str, brisk: Settings
) -> None:
    async with floor(database_url, brisk) as made:
        await made.act("sign_in", "1001")
        await pbx_stands(made, "1001", all_queues(False))
        made.simulator.place_call("13812341234", agent="1001", answer_after=0.1, talk=0.3)
        await stands(made, "1001", "wrap_up")
        await made.stop()
        assert await made.state("1001") == "wrap_up"
        await made.start()
        await stands(made, "1001", "ready")
        (wrap_up,) = await rows_of(made.db, "wrap_up")
        last = (await rows_of(made.db, "interval"))[-1]
        assert last["started_at"] == wrap_up["ended_at"] == wrap_up["ends_at"]


async def test_a_member_by_configuration_is_paused_when_his_agent_goes(
    database_url: str, settings: Settings
) -> None:
    async with floor(database_url, settings, fixed=("1001", "1002")) as made:
        await made.act("sign_in", "1001", queues=["hotline"])
        await made.act("not_ready", "1001", "meal")
        await pbx_stands(made, "1001", {"hotline": (True, "meal")})
        await made.act("ready", "1001")
        await pbx_stands(made, "1001", {"hotline": (False, "")})
        await made.act("sign_out", "1001")
        await pbx_stands(made, "1001", {"hotline": (True, "out")})
        assert made.places("1002") == {"hotline": (False, "")}, "nobody signed in there from here"


async def test_a_call_we_make_is_a_call_back(database_url: str, brisk: Settings) -> None:
    async with floor(database_url, brisk) as made:
        await made.act("sign_in", "1001")
        await pbx_stands(made, "1001", all_queues(False))
        made.simulator.plan_outbound(
            CallPlan(number="13812341234", answer_after=0.1, citizen_after=0.2, talk=0.5)
        )
        made.order(
            "Originate", Channel="PJSIP/1001", Exten="13812341234", Context="hotline-outbound", Priority="1"
        )
        await stands(made, "1001", "call_back")
        await stands(made, "1001", "wrap_up")
        await stands(made, "1001", "ready")
        states = ["ready", "call_back", "wrap_up", "ready"]
        assert list(await line_of(made.db, made.actors["1001"].user_id)) == states
