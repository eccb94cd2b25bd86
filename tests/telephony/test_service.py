"""Calls of a PBX become rows and events, once each, whatever happens to the line, the node, the database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.clock import ManualClock
from core.db import Database, UnitOfWork
from core.events import EventBus
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Pbx, Settings
from telephony import follower as follower_module
from telephony.ami.messages import AmiEvent
from telephony.events import CallAbandoned, CallAnswered, CallEnded, CallRinging, PbxChanged
from tests.helpers import eventually
from tests.telephony.pbx_rig import BrokenDatabase, FakePbx, Rig
from tests.telephony.peer import Action, ScriptedPeer
from tests.telephony.recordings import FIXTURES, every_event

DISK_FULL = OperationalError("INSERT", {}, Exception("could not extend file: No space left on device"))


@pytest.fixture
async def rig(
    database: Database,
    clock: ManualClock,
    bus: EventBus,
    vault: Vault,
    people: PeopleService,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Rig]:
    monkeypatch.setattr(follower_module, "PATIENCE", (0.01, 0.05))
    made = Rig(database, clock, bus, vault, people, settings, tmp_path)
    await made.start()
    yield made
    await made.pbx.stop()


def recorded(name: str) -> list[AmiEvent]:
    return every_event(FIXTURES / f"{name}.ami")


def until(events: list[AmiEvent], name: str, nth: int = 1) -> int:
    """The index after the n-th event of this name."""
    found = [i for i, event in enumerate(events) if event.name == name]
    return found[nth - 1] + 1


def channel_line(event: AmiEvent, **more: str) -> dict[str, str]:
    """A line of CoreShowChannels for the channel of `event`."""
    names = ("Channel", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "Context", "Exten", "Uniqueid")
    line = {name: event.get(name) for name in (*names, "Linkedid")}
    return line | {"Duration": "00:00:01", **more}


async def test_a_transferred_call_is_one_row_and_each_event_is_told_once(rig: Rig) -> None:
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(recorded("22_replaces"))
        await eventually(lambda: rig.ended(1))
    (row,) = await rig.rows("session")
    assert (row["direction"], row["outcome"], row["queues"]) == ("inbound", "answered", ["q12345"])
    assert row["transfers"] == [{"kind": "attended", "from": "1001", "to": "1002"}]
    assert (row["first_extension"], row["caller_kind"]) == ("1001", "mobile")
    talks = {leg["extension"]: leg["talk_seconds"] for leg in await rig.rows("leg")}
    assert talks == pytest.approx({"1001": 5.9, "1002": 8.5}, abs=0.3)
    counts = rig.told.counts()
    assert (counts["CallAnswered"], counts["CallEnded"], counts["CallAbandoned"]) == (1, 1, 0)
    assert counts["CallJoined"] == 1
    assert counts["CallRinging"] == counts["CallRingStopped"]


async def test_what_queues_say_of_a_telephone_is_kept_and_told(rig: Rig) -> None:
    async def standing() -> list[tuple[str, str | None]]:
        return [(row["state"], row["reason"]) for row in await rig.rows("agent")]

    async def stands(state: str, reason: str | None) -> bool:
        return await standing() == [(state, reason)]

    who = {"Queue": "q", "MemberName": "m", "Interface": "PJSIP/1001", "Status": "1"}
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.event("QueueMemberAdded", Paused="0", **who)
        await eventually(lambda: stands("ready", None))
        rig.pbx.event("QueueMemberPause", Paused="1", PausedReason="培训", **who)
        await eventually(lambda: stands("paused", "培训"))
    assert rig.told.counts()["AgentsMoved"] == 2


async def test_ringing_is_told_while_it_rings(rig: Rig) -> None:
    events = recorded("22_replaces")
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(events[: until(events, "DialState")])
        await eventually(lambda: rig.told.of(CallRinging))
        ringing = rig.told.of(CallRinging)[0]
        assert (ringing.extension, ringing.queue, ringing.user_id) == ("1001", "q12345", None)
        (row,) = await rig.rows("session")
        assert (row["state"], row["outcome"]) == ("ringing", None)
        rig.pbx.play(events[until(events, "DialState") :])
        await eventually(lambda: rig.ended(1))
    assert rig.told.counts()["CallAnswered"] == 1


async def test_the_callers_number_is_in_the_vault_and_nowhere_else(rig: Rig) -> None:
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(recorded("22_withdraw"))
        await eventually(lambda: rig.ended(1))
    (row,) = await rig.rows("session")
    async with rig.db.read() as session:
        assert await rig.vault.reveal(session, row["caller_ref"]) == "13800000038"
    assert "13800000038" not in str(row)
    assert "13800000038" not in str(rig.told.events)


async def test_a_queue_left_by_key_or_withdrawn_makes_no_abandon(rig: Rig) -> None:
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(recorded("22_exit_key") + recorded("22_withdraw") + recorded("22_leave_empty"))
        await eventually(lambda: rig.ended(3))
    assert {row["outcome"] for row in await rig.rows("session")} == {"exit_key", "withdrawn", "empty"}
    assert rig.told.of(CallAbandoned) == []


async def test_a_node_that_takes_over_in_mid_talk_repeats_and_loses_nothing(rig: Rig) -> None:
    events = recorded("22_redirect")
    cut = until(events, "BridgeEnter", 2)
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(events[:cut])
        await eventually(lambda: rig.told.of(CallAnswered))
    rig.pbx.lists["CoreShowChannels"] = [
        channel_line(
            event, Application=application, ApplicationData=data, BridgeId=event.get("BridgeUniqueid")
        )
        for event in events[cut - 2 : cut]
        for application, data in [
            ("Queue", "q12345,tT,,,30")
            if "trunk" in event.get("Channel")
            else ("AppQueue", "(Outgoing Line)")
        ]
    ]
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(events[cut:])
        await eventually(lambda: rig.ended(1))
    (row,) = await rig.rows("session")
    assert (row["outcome"], row["queues"]) == ("answered", ["q12345", "qexpert"])
    talks = {leg["extension"]: leg["talk_seconds"] for leg in await rig.rows("leg")}
    assert talks == pytest.approx({"1001": 1.0, "1002": 4.9}, abs=0.3)
    counts = rig.told.counts()
    assert (counts["CallAnswered"], counts["CallEnded"], counts["CallJoined"]) == (1, 1, 1)


async def test_a_call_that_ended_while_nobody_looked_does_not_stay_open(rig: Rig) -> None:
    events = recorded("22_redirect")
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(events[: until(events, "QueueCallerJoin")])
        await eventually(lambda: rig.rows("session"))
    async with rig.node():
        await eventually(lambda: rig.ended(1))
    (row,) = await rig.rows("session")
    assert row["outcome"] == "ended_unknown"
    assert rig.told.counts()["CallEnded"] == 1


async def test_a_call_that_ends_while_stock_is_taken_does_not_stay_open(rig: Rig) -> None:
    events = recorded("22_redirect")
    first = next(event for event in events if event.name == "Newchannel")
    ids = {name: first.get(name) for name in ("Channel", "Uniqueid", "Linkedid")}
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play([first])
        await eventually(lambda: rig.rows("session"))
    take_stock = rig.pbx.listed

    def hang_up_first(peer: ScriptedPeer, action: Action) -> None:
        stamp = f"{first.stamp or 0:.0f}.9"
        peer.event("Hangup", Cause="16", ChannelStateDesc="Up", Timestamp=stamp, **ids)
        take_stock(action)

    rig.pbx.answers["CoreShowChannels"] = hang_up_first
    async with rig.node():
        await eventually(lambda: rig.ended(1))


async def test_an_unreadable_queue_log_is_read_when_it_is_back(rig: Rig, clock: ManualClock) -> None:
    clock.step(1795424560 - clock.now().timestamp())
    async with rig.node(queue_log=True):
        await eventually(rig.connected)
        rig.pbx.hang_up()
        await eventually(lambda: [e for e in rig.told.of(PbxChanged) if e.connected and e.gap_open])
        rig.queue_log.write_bytes((FIXTURES / "22_outage.queue_log").read_bytes())
        clock.advance(follower_module.HEARTBEAT + 1)
        await eventually(lambda: rig.told.of(CallAbandoned))
        await eventually(lambda: not rig.told.of(PbxChanged)[-1].gap_open)


async def cut_for_a_while(rig: Rig, *, queue_log: bool) -> None:
    """Play the recorded outage: a connection, eight seconds of nothing, a second connection."""
    events = recorded("22_outage")
    login = until(events, "FullyBooted") - 1
    lists = {"CoreShowChannel": "CoreShowChannels", "QueueEntry": "QueueStatus"}
    async with rig.node(queue_log=queue_log):
        await eventually(rig.connected)
        rig.pbx.play(events[:login])
        await eventually(lambda: len(rig.told.of(CallAnswered)) == 2)
        for event in events[login:]:
            if event.name in lists:
                skipped = ("Event", "ActionID")
                line = {key: value for key, value in event.lines if key not in skipped}
                rig.pbx.lists[lists[event.name]].append(line)
        rig.queue_log.write_bytes((FIXTURES / "22_outage.queue_log").read_bytes())
        connections = rig.pbx.connections
        rig.pbx.hang_up()
        await eventually(lambda: rig.pbx.connections > connections)
        await eventually(rig.connected)
        rig.pbx.play([event for event in events[login:] if event.stamp is not None])
        await eventually(lambda: rig.ended(5 if queue_log else 4))


async def test_a_gap_is_filled_from_queue_log_and_closed(rig: Rig, clock: ManualClock) -> None:
    clock.step(1795424560 - clock.now().timestamp())  # the time of the recording
    rig.queue_log.touch()
    await cut_for_a_while(rig, queue_log=True)
    outcomes = sorted(row["outcome"] for row in await rig.rows("session"))
    assert outcomes == ["abandoned", "answered", "answered", "answered", "timeout"]
    assert [type(event) for event in rig.told.of(CallAbandoned)] == [CallAbandoned]
    abandoned = rig.told.of(CallAbandoned)[0]
    async with rig.db.read() as session:
        assert await rig.vault.reveal(session, abandoned.caller_ref) == "13900000003"
    assert rig.told.counts()["CallAnswered"] == 3
    state = await rig.state()
    assert (state["gap_since"], state["gap_note"]) == (None, None)


async def test_a_gap_is_closed_by_its_commit_and_not_before(
    rig: Rig, clock: ManualClock, bus: EventBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.step(1795424560 - clock.now().timestamp())
    rig.queue_log.touch()
    failing: list[UnitOfWork] = []
    write_notes = UnitOfWork.write_notes

    async def note(uow: UnitOfWork, _: CallAbandoned) -> None:
        failing.append(uow)

    async def fail_once(uow: UnitOfWork) -> None:
        if len(failing) == 1 and uow is failing[0]:
            raise DISK_FULL
        await write_notes(uow)

    bus.within(CallAbandoned, note)
    monkeypatch.setattr(UnitOfWork, "write_notes", fail_once)
    await cut_for_a_while(rig, queue_log=True)
    assert len(failing) == 2
    assert rig.told.counts()["CallAbandoned"] == 1


async def test_a_line_lost_while_a_gap_is_filled_leaves_the_gap_open(
    rig: Rig, clock: ManualClock, bus: EventBus
) -> None:
    clock.step(1795424560 - clock.now().timestamp())
    rig.queue_log.touch()

    async def lose_the_line(_: UnitOfWork, __: CallAbandoned) -> None:
        assert rig.service is not None
        await rig.service.followers["pbx1"].line_down("cut")

    async def told_to_be_down() -> bool:
        return bool(rig.told.of(CallAbandoned)) and not (await rig.state())["connected"]

    bus.within(CallAbandoned, lose_the_line)
    async with rig.node(queue_log=True):
        await eventually(rig.connected)
        rig.queue_log.write_bytes((FIXTURES / "22_outage.queue_log").read_bytes())
        rig.pbx.hang_up()
        await eventually(told_to_be_down)
    assert (await rig.state())["gap_since"] is not None


async def test_a_call_abandoned_out_of_sight_ended_when_queue_log_says(rig: Rig, clock: ManualClock) -> None:
    events = recorded("22_redirect")
    joined = next(event for event in events if event.name == "QueueCallerJoin")
    assert joined.stamp is not None
    begun, call = int(joined.stamp), joined.get("Uniqueid")
    clock.step(begun - clock.now().timestamp())
    rig.queue_log.touch()
    async with rig.node(queue_log=True):
        await eventually(rig.connected)
        rig.pbx.play(events[: until(events, "QueueCallerJoin")])
        await eventually(lambda: rig.rows("session"))
    lines = [
        f"{begun}|{call}|q12345|NONE|ENTERQUEUE||13800000003|1",
        f"{begun + 9}|{call}|q12345|NONE|ABANDON|1|1|9",
    ]
    rig.queue_log.write_text("\n".join([*lines, ""]))
    clock.step(1200)
    async with rig.node(queue_log=True):
        await eventually(lambda: rig.ended(1))
    (row,) = await rig.rows("session")
    assert (row["outcome"], row["ended_at"].timestamp()) == ("abandoned", begun + 9)


async def test_a_gap_nothing_can_fill_stays_visible(rig: Rig) -> None:
    await cut_for_a_while(rig, queue_log=False)
    state = await rig.state()
    assert (state["connected"], state["gap_note"]) == (True, "no_queue_log")
    assert state["gap_since"] is not None
    assert [(e.connected, e.gap_open) for e in rig.told.of(PbxChanged)] == [
        (True, False),
        (False, True),
        (True, True),
    ]


async def test_a_frozen_pbx_is_told_and_its_return_too(rig: Rig) -> None:
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.reading.clear()
        await eventually(lambda: [e for e in rig.told.of(PbxChanged) if not e.connected])
        rig.pbx.reading.set()
        await eventually(rig.connected)
    assert [e.connected for e in rig.told.of(PbxChanged)] == [True, False, True]


async def test_what_happens_while_the_database_is_away_is_told_when_it_is_back(rig: Rig) -> None:
    events = recorded("22_replaces")
    async with rig.node():
        await eventually(rig.connected)
        with BrokenDatabase(rig.db, DISK_FULL) as broken:
            rig.pbx.play(events + recorded("22_exit_key"))
            await eventually(lambda: broken.refused >= 3)
        await eventually(lambda: rig.ended(2))
    counts = rig.told.counts()
    assert (counts["CallAnswered"], counts["CallEnded"]) == (1, 2)


async def test_a_handler_that_refuses_undoes_the_write_and_is_asked_again(rig: Rig, bus: EventBus) -> None:
    refusals = iter([True, True])

    async def refuse_twice(_: object, __: CallAnswered) -> None:
        if next(refusals, False):
            raise DISK_FULL

    bus.within(CallAnswered, refuse_twice)
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(recorded("22_replaces"))
        await eventually(lambda: rig.ended(1))
    assert rig.told.counts()["CallAnswered"] == 1


async def ended_by_key(rig: Rig) -> bool:
    return "exit_key" in {row["outcome"] for row in await rig.rows("session")}


async def test_a_call_the_database_refuses_does_not_hold_up_the_others(rig: Rig, bus: EventBus) -> None:
    async def refuse(uow: UnitOfWork, _: CallAnswered) -> None:
        await uow.session.execute(text("SELECT 1 / 0"))

    bus.within(CallAnswered, refuse)
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(recorded("22_redirect") + recorded("22_exit_key"))
        await eventually(lambda: ended_by_key(rig))
    assert rig.told.of(CallAnswered) == []


async def test_a_leader_that_lost_its_lease_writes_nothing(rig: Rig) -> None:
    async with rig.node():
        await eventually(rig.connected)
        rig.lease.epoch += 1  # somebody else leads now
        rig.pbx.play(recorded("22_withdraw"))
        await eventually(lambda: rig.pbx.count("Ping") > 3)
    assert await rig.rows("session") == []


async def test_every_full_boot_is_followed_by_a_snapshot(rig: Rig) -> None:
    events = recorded("22_redirect")
    async with rig.node():
        await eventually(rig.connected)
        rig.pbx.play(events[: until(events, "QueueCallerJoin")])
        await eventually(lambda: rig.rows("session"))
        asked = rig.pbx.count("CoreShowChannels")
        rig.pbx.event("FullyBooted", Status="Fully Booted")
        await eventually(lambda: rig.pbx.count("CoreShowChannels") > asked)
        await eventually(lambda: rig.ended(1))


async def test_two_pbxs_are_told_apart_even_with_equal_ids(rig: Rig) -> None:
    other = FakePbx()
    await other.start()
    async with rig.node(extra=(Pbx(name="pbx2", port=other.port),)):
        await eventually(lambda: other.count("CoreShowChannels"))
        await eventually(rig.connected)
        rig.pbx.play(recorded("22_withdraw"))
        other.play(recorded("22_withdraw"))
        await eventually(lambda: rig.ended(2))
    await other.stop()
    assert [row["pbx"] for row in await rig.rows("pbx")] == ["pbx1", "pbx2"]
    assert {row["pbx"] for row in await rig.rows("session")} == {"pbx1", "pbx2"}
    assert len(rig.told.of(CallEnded)) == 2


async def test_a_name_of_ten_kilobytes_and_one_of_forged_headers_are_only_names(rig: Rig) -> None:
    names = ["王" * 5000, "A\u2028Uniqueid: 9.9\u2028Linkedid: 9.9\u2028Queue: vip"]
    async with rig.node():
        await eventually(rig.connected)
        for number, name in enumerate(names):
            channel = f"PJSIP/trunk-0000000{number}"
            ids = {"Uniqueid": f"100.{number}", "Linkedid": f"100.{number}", "Channel": channel}
            stamp = {"Timestamp": f"1795424600.{number}"}
            caller = {"CallerIDNum": f"1380000000{number}", "CallerIDName": name}
            rig.pbx.event("Newchannel", ChannelStateDesc="Ring", **ids, **stamp, **caller)
            rig.pbx.event("Hangup", Cause="16", **ids, **stamp)
        await eventually(lambda: rig.ended(2))
        async with rig.db.read() as session:
            refs = [row["caller_name_ref"] for row in await rig.rows("session")]
            found = [await rig.vault.reveal(session, ref) for ref in refs]
    assert found == ["王" * 64, "A Uniqueid: 9.9 Linkedid: 9.9 Queue: vip"]


async def test_finished_calls_are_forgotten(rig: Rig) -> None:
    async with rig.node() as service:
        await eventually(rig.connected)
        rig.pbx.play(recorded("22_replaces"))
        await eventually(lambda: rig.ended(1))
        tracker = service.followers["pbx1"].tracker
        later = {"Timestamp": f"{tracker.now + 60:.6f}", "Uniqueid": "1.1", "Linkedid": "1.1"}
        rig.pbx.event("Newchannel", Channel="PJSIP/1001-1", ChannelStateDesc="Down", **later)
        await eventually(lambda: len(tracker.calls()) == 1)


async def test_nothing_is_running_after_the_node_has_gone(rig: Rig) -> None:
    async with rig.node():
        await eventually(rig.connected)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not [name for name in names if "pbx1" in name]
