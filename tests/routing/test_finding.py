"""Places found while they are typed: by Chinese, by initials, by the address so far; each with its area."""

import pytest

from routing.finding import PlaceIndex
from routing.gazetteer import Place
from routing.matter import Directory
from tests.routing.test_gazetteer import PLACES, UNITS

INDEX = PlaceIndex.of(PLACES, Directory({one.code: one for one in UNITS}))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("榕荫", "榕荫花园"),
        ("ryhy", "榕荫花园"),
        ("中山中路 18 号", "中山中路"),
        ("yhy", "榕荫花园"),
        ("花", "花园"),
    ],
)
def test_a_place_is_found_by_chinese_by_initials_and_by_the_address_so_far(typed: str, name: str) -> None:
    assert INDEX.find(typed)[0].name == name


def test_a_place_tells_its_area_as_forms_carry_it() -> None:
    estate = INDEX.find("榕荫花园")[0]
    assert (estate.area, estate.path, estate.kind) == ("2.4", "秀峰区 / 丽君街道 / 榕荫社区", "小区")
    assert INDEX.find("中山中路")[0].area == "2"


def test_a_name_in_two_districts_is_offered_twice() -> None:
    assert {spot.path for spot in INDEX.find("翠竹路")} == {"秀峰区", "象山区"}


def test_villages_of_the_tree_are_found_like_places() -> None:
    village = INDEX.find("wysq")[0]
    assert (village.name, village.area, village.path) == ("瓦窑社区", "3.5", "象山区 / 南门街道 / 瓦窑社区")


def test_nothing_typed_and_nothing_alike_find_nothing() -> None:
    assert INDEX.find("  ") == []
    assert INDEX.find("z") == INDEX.find("zs")[:2]
    assert INDEX.find("不存在的路") == []
    assert PlaceIndex.of([Place("无主路", "nowhere")], Directory({})).entries == []
