"""From an address to district and street, with the reason; what is ambiguous is told, never guessed."""

from routing.gazetteer import Gazetteer, Place
from routing.matter import Directory, UnitInfo


def unit(ident: int, code: str, name: str, kind: str, *above: str, short: str = "") -> UnitInfo:
    return UnitInfo(ident, code, name, short or name, kind, True, f".{ident}.", (code, *above))


UNITS = (
    unit(1, "city", "桂林市", "city"),
    unit(2, "xf", "秀峰区", "district", "city"),
    unit(3, "xs", "象山区", "district", "city"),
    unit(4, "xf-1", "秀峰区丽君街道", "town", "xf", "city", short="丽君街道"),
    unit(5, "xs-1", "象山区南门街道", "town", "xs", "city", short="南门街道"),
    unit(6, "xs-1-1", "南门街道瓦窑社区", "village", "xs-1", "xs", "city", short="瓦窑社区"),
)
PLACES = (
    Place("中山中路", "xf"),
    Place("中山南路", "xs"),
    Place("翠竹路", "xf"),
    Place("翠竹路", "xs"),
    Place("榕荫花园", "xf-1", "estate", "榕荫社区"),
    Place("花园", "xs", "estate"),
)
GAZETTEER = Gazetteer.of(PLACES, Directory({one.code: one for one in UNITS}))


def test_a_road_tells_its_district_with_the_reason() -> None:
    found = GAZETTEER.resolve("中山中路 18 号")
    assert found.district is not None
    assert found.district.code == "xf"
    assert found.reasons == ("“中山中路” → 秀峰区",)


def test_an_estate_tells_district_street_and_community() -> None:
    found = GAZETTEER.resolve("榕荫花园三栋")
    assert found.areas == ("xf-1", "xf")
    assert found.community == "榕荫社区"


def test_a_shorter_name_inside_a_longer_one_is_not_looked_for() -> None:
    assert [one.name for one in GAZETTEER.find("榕荫花园三栋")] == ["榕荫花园"]


def test_a_name_in_two_districts_decides_nothing_and_says_so() -> None:
    found = GAZETTEER.resolve("翠竹路 3 号")
    assert found.district is None
    assert found.ambiguous
    assert {one.code for one in found.candidates} == {"xf", "xs"}
    assert any("请补充" in why for why in found.reasons)


def test_what_two_names_have_in_common_decides() -> None:
    found = GAZETTEER.resolve("翠竹路与中山南路交叉口")
    assert found.district is not None
    assert found.district.code == "xs"


def test_the_name_of_a_unit_counts_before_the_name_of_a_place_and_the_conflict_is_told() -> None:
    found = GAZETTEER.resolve("象山区南门街道（靠近中山中路）")
    assert found.areas == ("xs-1", "xs")
    assert any("不一致" in why for why in found.reasons)


def test_a_village_tells_its_town() -> None:
    found = GAZETTEER.resolve("瓦窑社区")
    assert found.areas == ("xs-1", "xs")
    assert found.community == "瓦窑社区"


def test_the_address_is_asked_before_title_and_detail() -> None:
    found = GAZETTEER.resolve("", "中山南路积水", "从中山中路过来")
    assert found.district is not None
    assert found.district.code == "xs"


def test_words_without_a_place_say_nothing() -> None:
    for text in ("", "路", "电话打不通", "🙂" * 50, "x" * 100_000):
        found = GAZETTEER.resolve(text)
        assert (found.district, found.reasons) == (None, ())
