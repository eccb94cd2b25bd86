"""What an administrator reads before a new pack counts: every figure that is another, in words."""

from dataclasses import replace

import pytest

from sla.ladder import Kind, Ladder, Level, Moment, Post
from sla.measures.definitions import RATES
from sla.pack import Pack
from sla.pack_compare import Difference, differences, moment_in_words
from sla.packs import shipped_pack


@pytest.fixture
def pack() -> Pack:
    return shipped_pack()


def test_the_same_pack_differs_in_nothing(pack: Pack) -> None:
    assert differences(pack, pack) == []


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (Moment(Kind.SHARE, 50), "用时达 50%"),
        (Moment(Kind.BEFORE, 3), "到期日前 3 个工作日"),
        (Moment(Kind.DUE), "到期时"),
        (Moment(Kind.LATER, 24 * 60), "超期 24 小时"),
        (Moment(Kind.LATER, 90), "超期 1 小时30 分钟"),
        (Moment(Kind.AFTER, 6), "超期第 6 个工作日"),
    ],
)
def test_a_moment_is_told_as_people_say_it(moment: Moment, words: str) -> None:
    assert moment_in_words(moment) == words


def test_a_changed_ladder_is_seen(pack: Pack) -> None:
    red = next(rung for rung in pack.ladder.rungs if rung.level is Level.RED)
    sterner = replace(red, posts=(Post.ABOVE,), by_limit={**red.by_limit, 2: Moment(Kind.AFTER, 2)})
    after = replace(pack, ladder=Ladder(tuple(sterner if one is red else one for one in pack.ladder.rungs)))
    assert differences(pack, after) == [
        Difference("亮牌督办 红牌 签收岗位", "承办人、单位负责人", "上级单位负责人"),
        Difference("亮牌督办 红牌 2 个工作日及以上的时限", "超期第 1 个工作日", "超期第 2 个工作日"),
    ]


def test_a_level_that_is_no_longer_issued_is_seen(pack: Pack) -> None:
    after = replace(pack, ladder=Ladder(pack.ladder.rungs[1:]))
    gone = differences(pack, after)
    assert gone
    assert all(one.label.startswith("亮牌督办 蓝色预警") and one.after == "—" for one in gone)


def test_a_changed_score_is_seen(pack: Pack) -> None:
    rule = pack.scores[0]
    after = replace(pack, scores=(replace(rule, slope=rule.slope * 2), *pack.scores[1:]))
    [found] = differences(pack, after)
    assert found.label == f"计分 {RATES[rule.code].name}"
    assert f"扣 {rule.slope:g} 分" in found.before
    assert f"扣 {rule.slope * 2:g} 分" in found.after
