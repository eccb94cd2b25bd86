"""The dialogue alone: what is asked, what is kept, what is offered again."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.channels import Incoming, Kind, Place
from routing.channels.dialogue import answer
from routing.channels.talk import (
    Add,
    Own,
    Rate,
    Step,
    Submit,
    Talk,
    Turn,
    Urge,
    Wish,
)
from routing.channels.words import command_of, contact_of

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
_serial = itertools.count()


def said(text: str = "", kind: Kind = Kind.TEXT, *, at: datetime = NOW, **over: object) -> Incoming:
    return Incoming("wechat", "p", str(next(_serial)), at, kind, text, **over)  # type: ignore[arg-type]  # fields


def own(ident: int = 1, **over: object) -> Own:
    given: dict[str, object] = {
        "id": ident,
        "number": f"45032026112300000{ident}",
        "title": "路灯不亮",
        "state": "承办单位正在办理",
        "promise": "",
        "is_open": True,
        "rateable": False,
    }
    return Own(**{**given, **over})  # type: ignore[arg-type]  # fields


class Person:
    """Somebody in a dialogue."""

    def __init__(self, *mine: Own) -> None:
        self.talk, self.mine, self.touched = Talk(), list(mine), NOW
        self.turn = Turn(self.talk, "")

    def says(self, *messages: str | Incoming, at: datetime = NOW) -> "Person":
        for message in messages:
            one = said(message, at=at) if isinstance(message, str) else message
            self.turn = answer(self.talk, one, mine=self.mine, touched=self.touched, area="0773")
            self.talk, self.touched = self.turn.talk, one.at
        return self


def test_the_whole_matter_is_shown_before_it_is_handed_in() -> None:
    anna = Person().says(
        "路灯坏了三天", "中山中路12号", said(kind=Kind.IMAGE, media="m1"), "好了", "张三 13800000001"
    )
    assert all(
        part in anna.turn.says for part in ("路灯坏了三天", "中山中路12号", "1 个", "张三 13800000001")
    )
    assert anna.turn.act is None
    before = anna.talk
    anna.says("确认")
    assert isinstance(anna.turn.act, Submit)
    assert (before.narrative, before.phone, anna.talk) == ("路灯坏了三天", "13800000001", Talk())


def test_what_comes_in_another_order_is_kept_all_the_same() -> None:
    place = Place(25.27, 110.29, "漓江路3号")
    anna = Person().says(said(kind=Kind.IMAGE, media="m1"), said(kind=Kind.LOCATION, place=place), "路灯坏了")
    assert anna.talk.step is Step.PHOTOS  # the place is known already
    anna.says("对面的也坏了", "没有", "跳过")
    assert anna.talk.narrative == "路灯坏了\n对面的也坏了"
    assert "漓江路3号" in anna.talk.address
    assert [one.media for one in anna.talk.media] == ["m1"]


@pytest.mark.parametrize(
    ("answer_", "narrative"), [("1", "路灯坏了\n还有井盖也坏了"), ("2", "还有井盖也坏了")]
)
def test_what_was_left_is_offered_again(answer_: str, narrative: str) -> None:
    later = NOW + timedelta(minutes=31)
    anna = Person().says("路灯坏了").says("还有井盖也坏了", at=later)
    assert "路灯坏了" in anna.turn.says
    assert anna.talk.step is Step.AGAIN
    anna.says(answer_, at=later)
    assert (anna.talk.narrative, anna.talk.step) == (narrative, Step.WHERE)


def test_within_half_an_hour_nothing_is_asked_again() -> None:
    anna = Person().says("路灯坏了").says("中山中路", at=NOW + timedelta(minutes=29))
    assert anna.talk.address == "中山中路"


def test_a_number_that_cannot_be_called_is_asked_for_again() -> None:
    anna = Person().says("路灯坏了", "跳过", "没有", "张三 1234")
    assert anna.talk.step is Step.CONTACT
    assert "没有认出" in anna.turn.says
    anna.says("2821234")
    assert anna.talk.phone == "07732821234"


def test_cancelled_is_gone_and_nothing_is_handed_in() -> None:
    anna = Person().says("路灯坏了", "取消")
    assert (anna.talk.begun, anna.turn.act) == (False, None)


def test_one_of_several_is_chosen_by_its_place() -> None:
    anna = Person(own(1), own(2)).says("催办")
    assert anna.talk.step == "choose"
    anna.says("9")
    assert anna.turn.act is None
    anna.says("2")
    assert anna.turn.act == Urge(2, "")
    assert anna.talk.step == "idle"


def test_a_half_said_matter_survives_an_urge() -> None:
    anna = Person(own(1), own(2)).says("路灯坏了", "催办")
    assert (anna.talk.narrative, anna.turn.act) == ("路灯坏了", None)
    anna.says("催办2")
    assert anna.turn.act == Urge(2, "")
    anna.says("中山中路")
    assert (anna.talk.narrative, anna.talk.address) == ("路灯坏了", "中山中路")


def test_additions_go_to_the_ticket_until_that_is_all() -> None:
    anna = Person(own(1)).says("补充", "杆号 A-17")
    assert anna.turn.act == Add(1, "杆号 A-17")
    anna.says(said(kind=Kind.IMAGE, media="m1"))
    assert isinstance(anna.turn.act, Add)
    assert anna.turn.act.media[0].media == "m1"
    anna.says("好了", "路灯又坏了")
    assert anna.talk.narrative == "路灯又坏了"


def test_a_rating_needs_a_ticket_that_may_be_rated() -> None:
    assert Person(own(1)).says("评价5").turn.act is None
    assert Person(own(1, is_open=False, rateable=True)).says("评价5").turn.act == Rate(1, 5)
    for made_up in ("rate:2:5", "rate:1:9", "rate:1:", "x", "rate:1:5:6"):
        tapped = said(kind=Kind.CHOICE, choice=made_up)
        assert Person(own(1, rateable=True)).says(tapped).turn.act is None


def test_news_can_be_stopped_in_the_middle_of_a_matter() -> None:
    anna = Person().says("路灯坏了", "退订")
    assert anna.turn.act == Wish(stopped=True)
    assert anna.talk.narrative == "路灯坏了"


@pytest.mark.parametrize(
    "text", ["查询一下路灯什么时候修", "我要补充一点", "催办员态度不好", "取消了我的低保", "退订不了宽带"]
)
def test_a_sentence_that_begins_with_a_word_of_ours_is_a_matter(text: str) -> None:
    assert command_of(text) is None
    assert Person().says(text).talk.narrative == text


@pytest.mark.parametrize(
    ("text", "name", "phone"),
    [
        ("张先生 13800000001", "张先生", "13800000001"),
        ("电话：0773-2821234，我叫李四", "李四", "07732821234"),
        ("+86 138 0000 0001", "", "13800000001"),
        ("１３８００００００００１".replace("００００００００", "０００００００", 1), "", "13800000001"),
    ],
)
def test_a_name_and_a_number_are_told_apart(text: str, name: str, phone: str) -> None:
    found = contact_of(text, "0773")
    assert found is not None
    assert (found.name, found.phone) == (name, phone)


MESSAGES = st.one_of(
    st.sampled_from(
        ["确认", "好了", "跳过", "取消", "查询", "催办", "补充", "评价", "1", "2", "退订", "匿名", "你好"]
    ),
    st.text(max_size=40),
    st.sampled_from([Kind.IMAGE, Kind.VOICE, Kind.LOCATION, Kind.OTHER, Kind.WELCOME, Kind.GONE]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(MESSAGES, max_size=12), st.integers(0, 3))
def test_whatever_is_said_there_is_an_answer_and_only_a_whole_matter_is_handed_in(
    messages: list[str | Kind], tickets: int
) -> None:
    anna = Person(*(own(ident, rateable=ident == 1) for ident in range(1, tickets + 1)))
    for message in messages:
        before = anna.talk
        if isinstance(message, str):
            anna.says(message)
        else:
            place = Place(1, 2) if message is Kind.LOCATION else None
            anna.says(said(kind=message, media="m", place=place))
        assert anna.turn.says or message is Kind.GONE
        assert Talk.model_validate_json(anna.talk.model_dump_json()) == anna.talk
        if isinstance(anna.turn.act, Submit):
            assert before.step is Step.CONFIRM
            assert before.narrative or before.media or before.address
