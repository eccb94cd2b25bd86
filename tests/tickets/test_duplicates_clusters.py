"""Groups of messages about the same matter: the file, the grouping, the stream. All texts are made up."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands import app
from core.errors import HotlineError
from tickets.duplicates import places, table
from tickets.duplicates.clustering import clusters
from tickets.duplicates.features import Features, features
from tickets.duplicates.ranking import is_theme, ranked, renumbered
from tickets.duplicates.stream import Stream

PLANT = [  # one matter, five people
    ("栖霞雅苑旁边的搅拌厂半夜开工", "栖霞雅苑西门外新开的混凝土搅拌厂每晚轰鸣到天亮，灰尘飘进家里。"),
    ("混凝土搅拌厂太吵，栖霞雅苑没法住", "我是栖霞雅苑业主，小区外的搅拌厂夜里噪声大，粉尘大。"),
    ("请关停栖霞雅苑附近的搅拌厂", "搅拌厂离栖霞雅苑不到一百米，粉尘和噪声严重影响老人睡眠。"),
    ("栖霞雅苑业主反映搅拌厂扬尘", "搅拌厂车辆进出扬尘，夜里混凝土机器响个不停。"),
    ("搅拌厂夜间施工扰民", "栖霞雅苑旁的混凝土搅拌厂昨晚又响了一夜，粉尘落满阳台。"),
]
ELSEWHERE = [  # the same trouble somewhere else, another trouble at the same place, and others
    ("青竹花园楼下烧烤店油烟", "青竹花园一栋楼下烧烤店油烟直排，晚上吵闹。"),
    ("栖霞雅苑物业费涨价", "栖霞雅苑物业没有征求意见就把物业费涨到两块五，还停了门禁卡。"),
    ("咨询医保异地报销", "想问退休后在外地看病怎么报销，需要什么材料。"),
    ("公交 18 路末班车太早", "下班后坐不到公交，希望延长末班车时间。"),
    ("自来水发黄", "望江里的自来水这两天发黄有味道。"),
    ("路灯不亮", "枫林路一整段路灯不亮，晚上走路害怕。"),
]
START = datetime(2030, 3, 4, 8, 0, tzinfo=UTC)


def told(pairs: Sequence[tuple[str, str]]) -> list[Features]:
    return [features(title, text) for title, text in pairs]


def test_names_of_places_are_found_without_a_list() -> None:
    assert places.names("反映栖霞雅苑旁枫林路的路灯")[:2] == ["栖霞雅苑", "枫林路"]
    assert places.names("A3区第一小学门口")[0].endswith("第一小学")
    assert "区" not in "".join(places.names("A3区的事"))


def test_one_matter_is_one_group_and_neither_its_place_nor_its_kind_alone_joins_it() -> None:
    labels = clusters(told(PLANT + ELSEWHERE))
    assert len(set(labels[:5])) == 1
    assert labels[0] not in labels[5:]
    assert len(set(labels[5:])) == 6


def test_few_texts_have_groups_too() -> None:
    assert clusters([]) == []
    assert clusters(told(PLANT[:1])) == [0]
    assert clusters(told([PLANT[0], PLANT[0]])) == [0, 0]


def test_the_stream_finds_the_same_group_message_by_message() -> None:
    stream = Stream(timedelta(days=90))
    mixed = [one for pair in zip(PLANT, ELSEWHERE, strict=False) for one in pair]
    for number, text in enumerate(told(mixed)):
        stream.add(number, text, START + timedelta(hours=number))
    group = stream.group_of(0)
    assert stream.members(group) == [0, 2, 4, 6, 8]


def test_what_came_before_the_window_belongs_to_no_group() -> None:
    stream = Stream(timedelta(days=7))
    texts = told(PLANT)
    stream.add("old", texts[0], START)
    stream.add("new", texts[1], START + timedelta(days=8))
    assert stream.members(stream.group_of("new")) == ["new"]


def test_a_text_that_was_taken_back_is_forgotten_and_the_rest_stays() -> None:
    stream = Stream()
    for number, text in enumerate(told(PLANT)):
        stream.add(number, text)
    stream.forget([1])
    assert 1 not in stream
    assert stream.members(stream.group_of(0)) == [0, 2, 3, 4]
    assert stream.add(0, told(PLANT)[0]) == stream.group_of(0)


def rows(path: Path, encoding: str = "utf-8") -> list[str]:
    return path.read_text(encoding=encoding).splitlines()


def written(path: Path, encoding: str, *, time: str = "2030/3/4 8:00:00") -> Path:
    lines = ["编号,用户,时间,标题,内容,支持,反对"]
    lines += [f"{n},u{n % 4},{time},{title},{text},1,0" for n, (title, text) in enumerate(PLANT)]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_file_comes_back_as_it_was_with_a_column_more(tmp_path: Path, encoding: str) -> None:
    source, target = written(tmp_path / "in.csv", encoding), tmp_path / "out.csv"
    done = CliRunner().invoke(app, ["clusters", "--input", str(source), "--output", str(target)])
    assert done.exit_code == 0, done.output
    before, after = rows(source, encoding), rows(target, encoding)
    assert after[0] == before[0] + ",cluster"
    assert after[1:] == [line + ",1" for line in before[1:]]
    assert "4" in done.output  # people, not messages
    assert "+5 -0" in done.output


def test_a_row_that_cannot_be_used_is_told_by_its_line_and_kept(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(
        'title,detail,time\n"二\n行",路灯不亮了,2030-03-04\n,,\n路灯,不亮,什么时候\na,b,c,d\n🙂,,2030-03-04\n',
        encoding="utf-8",
    )
    sheet = table.read(source)
    assert [(one.line, one.code) for one in sheet.problems] == [
        (4, "no_text"),
        (5, "time_unreadable"),
        (6, "too_many_fields"),
        (7, "no_text"),
    ]
    assert [one.row for one in sheet.messages] == [0, 2]
    table.write(tmp_path / "out.csv", sheet, {0: 1, 2: 2})
    kept = table.read(tmp_path / "out.csv").given.rows[3]
    assert (kept.cells, kept.beyond) == (("a", "b", "c", ""), ("d",))


def test_columns_of_other_names_are_named(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("主题词,正文\n路灯,枫林路路灯不亮\n", encoding="utf-8")
    with pytest.raises(HotlineError) as refused:
        table.read(source)
    assert refused.value.code == "table_column_missing"
    sheet = table.read(source, {"title": "主题词", "detail": "正文"})
    assert sheet.messages[0].detail == "枫林路路灯不亮"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01\x80\x80\xff"])
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(content)
    done = CliRunner().invoke(app, ["clusters", "--input", str(source), "--output", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_the_same_trouble_in_many_places_is_a_theme_and_no_matter_of_its_own() -> None:
    roads = ("枫林路", "桐花街", "青竹大道", "望江里巷", "白石桥")
    assert is_theme([f"{road}路灯不亮" for road in roads])
    assert not is_theme(["枫林路路灯不亮"] * 2 + [f"{road}路灯不亮" for road in roads[:3]])
    assert not is_theme(["咨询购房补贴怎么申领"] * 5)  # nobody names a place


def test_more_people_rank_before_more_messages(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    lines = ["user,title,detail,time"]
    lines += [f"same,{title},{text},2030-03-0{n + 1}" for n, (title, text) in enumerate(PLANT)]
    lines += [f"u{n},枫林路路灯不亮,枫林路的路灯坏了,2030-03-01" for n in range(3)]
    source.write_text("\n".join(lines), encoding="utf-8")
    sheet = table.read(source)
    order = ranked(sheet.messages, clusters(told([(one.title, one.detail) for one in sheet.messages])))
    assert [(one.users, one.messages) for one in order] == [(3, 3), (1, 5)]
    assert order[0].place == "枫林路"
    assert renumbered(order)[order[0].label] == 1
