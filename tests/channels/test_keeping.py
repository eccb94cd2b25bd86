"""Dialogues of other versions: what is not known is carried along, what makes no sense begins anew."""

import json
from typing import Any

import pytest

from routing.channels import Kind, texts
from routing.channels.keeping import read
from routing.channels.talk import Media, Step, Talk
from routing.channels.telling import MOST_MEDIA
from tests.channels.conftest import Rig
from tests.channels.test_dialogue import Person, said
from tickets.points.datum import Datum, Point

STANDS = Talk(
    step=Step.PHOTOS,
    narrative="中山路路灯三晚不亮",
    address="中山中路12号",
    point=Point(25.27, 110.29, Datum.GCJ02),
    media=(Media(kind=Kind.IMAGE, media="m1"),),
    name="张先生",
)


def stored(**over: Any) -> bytes:
    """A dialogue as a node keeps it; `over`: as one of another version would."""
    told = {**json.loads(STANDS.model_dump_json()), **over}
    return json.dumps({name: value for name, value in told.items() if value != "gone"}).encode()


def test_what_this_version_wrote_is_read_as_it_was() -> None:
    for talk in (Talk(), STANDS, STANDS.model_copy(update={"step": Step.AGAIN, "before": Step.WHERE})):
        assert read(talk.model_dump_json().encode()) == (talk, False)


def test_what_a_newer_version_wrote_besides_is_carried_along_and_written_back_untouched() -> None:
    more = {"mood": {"calm": [1, 2.5, None]}, "expected": "尽快修好"}
    media = [{"kind": "image", "media": "m1", "seconds": 7}]
    talk, anew = read(stored(**more, media=media))
    assert not anew
    anna = Person()
    anna.talk = talk
    anna.says(said(kind=Kind.IMAGE, media="m2"), "好了")
    assert anna.talk.step is Step.CONTACT  # it goes on as if nothing was there
    kept = json.loads(anna.talk.model_dump_json())
    assert {name: kept[name] for name in more} == more
    assert kept["media"] == [*media, {"kind": "image", "media": "m2"}]


@pytest.mark.parametrize("end", ["确认", "取消"])
def test_it_goes_with_the_matter_it_belongs_to(end: str) -> None:
    anna = Person()
    anna.talk, _ = read(stored(expected="尽快修好"))
    anna.says("好了", "张先生 13800000001", end, "又有一件事：井盖坏了")
    assert anna.talk.narrative == "又有一件事：井盖坏了"
    assert "expected" not in json.loads(anna.talk.model_dump_json())


@pytest.mark.parametrize("missing", [*Talk.model_fields])
def test_what_an_older_version_did_not_write_has_its_default(missing: str) -> None:
    talk, anew = read(stored(**{missing: "gone"}))
    assert not anew
    assert getattr(talk, missing) == Talk.model_fields[missing].default
    assert talk.narrative or missing == "narrative"


WRONG: list[dict[str, Any]] = [
    {"step": "weather"},  # a question this version does not ask
    {"step": None},
    {"step": "choose", "choices": []},
    {"step": "choose", "purpose": "rate"},
    {"step": "add"},
    {"step": "again"},
    {"before": "weather"},
    {"ticket_id": "seven"},
    {"anonymous": "perhaps"},
    {"point": {"latitude": "north"}},
    {"media": [{"kind": "hologram", "media": "m0"}, {"kind": "image", "media": "m1"}, 7]},
    {"media": "m1"},
    {"phone": 138},
]


@pytest.mark.parametrize("over", WRONG)
def test_one_that_makes_no_sense_begins_anew_and_what_was_said_is_offered(over: dict[str, Any]) -> None:
    talk, anew = read(stored(**over, pending="对面的也不亮"))
    assert anew
    assert (talk.narrative, talk.address) == ("中山路路灯三晚不亮\n对面的也不亮", "中山中路12号")
    assert [one.media for one in talk.media] == ([] if over.get("media") == "m1" else ["m1"])
    assert talk.step is Step.PHOTOS


@pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"7", b"[]", b"null", b'{"step": "idle", "narrative"'])
def test_rubbish_is_an_empty_dialogue(raw: bytes) -> None:
    assert read(raw) == (Talk(), True)


def test_more_than_a_matter_holds_is_cut_and_not_refused() -> None:
    many = [{"kind": "image", "media": f"m{n}"} for n in range(30)] + [{"kind": "hologram"}]
    talk, _ = read(stored(step="weather", narrative="长" * 5999, pending="好" * 50, media=many))
    assert (len(talk.narrative), len(talk.media)) == (6000, MOST_MEDIA)


# ---- on WeChat --------------------------------------------------------------------------------------


async def kept_as(rig: Rig, raw: bytes) -> None:
    """The dialogue as another node left it."""
    vault = rig.console.ctx.vault
    async with rig.console.ctx.db.begin() as uow:
        rows = await uow.fetch("SELECT id FROM channel_dialogue")
        sealed = vault.seal(raw, aad=f"channel_dialogue:{rows[0]['id']}")
        await uow.fetch("UPDATE channel_dialogue SET talk = $1", sealed)


async def kept(rig: Rig) -> dict[str, Any]:
    rows = await rig.console.ctx.db.fetch("SELECT id, talk FROM channel_dialogue")
    raw = rig.console.ctx.vault.unseal(rows[0]["talk"], aad=f"channel_dialogue:{rows[0]['id']}")
    return dict(json.loads(raw))


async def test_an_older_node_answers_and_leaves_what_it_does_not_know(rig: Rig) -> None:
    await rig.says("路灯坏了")
    await kept_as(rig, stored(expected="尽快修好", media=[]))
    assert texts.CONTACT in await rig.says("好了")
    assert (await kept(rig))["expected"] == "尽快修好"


@pytest.mark.parametrize("words", ["确认", "都是晚上七点以后的事"])
async def test_a_citizen_in_a_dialogue_that_makes_no_sense_is_asked_politely_and_loses_nothing(
    rig: Rig, words: str
) -> None:
    await rig.says("路灯坏了")
    await kept_as(rig, stored(step="weather", media=[]))
    answer = await rig.says(words)
    assert answer.startswith(texts.ANEW)
    assert "中山路路灯三晚不亮" in answer
    for more in ("1", "好了", "张先生 13800000001", "确认"):
        answer = await rig.says(more)
    ticket = await rig.ticket()
    assert ticket.number in answer
    said_besides = "" if words == "确认" else f"\n{words}"
    assert ticket.narrative == f"中山路路灯三晚不亮{said_besides}"
    assert ticket.address == "中山中路12号"


@pytest.mark.parametrize("first", ["查询", "帮助"])
async def test_a_word_of_ours_is_answered_and_what_was_begun_waits_to_be_asked_for(
    rig: Rig, first: str
) -> None:
    await rig.says("路灯坏了")
    await kept_as(rig, stored(step="weather", media=[]))
    await rig.says(first)
    assert await rig.says("确认") == texts.AGAIN_ASK
    assert (await kept(rig))["address"] == "中山中路12号"


async def test_rubbish_is_excused_and_the_message_begins_a_matter(rig: Rig) -> None:
    await rig.says("路灯坏了")
    await kept_as(rig, b"rubbish")
    assert await rig.says("中山路路灯三晚不亮") == texts.ANEW_EMPTY + texts.WHERE
    assert (await kept(rig))["narrative"] == "中山路路灯三晚不亮"
    await kept_as(rig, b"rubbish")
    assert "没有" in await rig.says("查询")  # what is a word of ours is understood all the same
