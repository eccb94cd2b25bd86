"""Names of places as people write them: estates, roads, villages, schools, recognised by how they end. Pure.

No list of a city's places is needed, and none is complete: an estate finished last month is called by
its name long before it stands on a map. What is found is rough on its left side (关于丽华苑 or 丽华苑);
it is compared by pairs of characters, where that costs little.
"""

import re

_ENDINGS = (
    "小区|花园|家园|公寓|广场|新城|新村|公馆|国际|华府|山庄|嘉园|庄园|社区|街道|大道|大厦|大学|学院|中学|小学"
    "|幼儿园|学校|医院|公司|集团|商场|市场|车站|公园|工业园|安置区|号线"
    "|苑|园|城|府|湾|郡|村|镇|乡|路|街|巷|桥|滩|岛|湖|墅|庭|邸|站|院|屯|庄|寨|弄|坊|阁|轩"
)
_FUNCTION_WORDS = (
    "的了在是与和及对从到于近旁附被把让给向请问反映投诉举报咨询关有没不也就都还又再更很这那哪个些每各"
    "我你他她它们您为因所以而但且或等某"
)
# What stands above a place says too little: a district has ten thousand matters. Also as 洋河区, A3区.
_ABOVE = re.compile(r"[A-Za-z]+\d*[市区县省]|[\u4e00-\u9fff]{1,3}(?:省|市|县)")
_PARTS = re.compile(rf"[^\u4e00-\u9fff{_FUNCTION_WORDS}][^\u4e00-\u9fff]*|[{_FUNCTION_WORDS}]+")
_NAME = re.compile(rf"[\u4e00-\u9fff]{{2,8}}?(?:{_ENDINGS})")


def names(text: str) -> list[str]:
    """The names of places in `text`, in their order, each as often as it stands there."""
    return [name for part in _PARTS.split(_ABOVE.sub(" ", text)) for name in _NAME.findall(part)]


def without(text: str, found: list[str]) -> str:
    """`text` with each of the names `found` in it replaced by a blank: what is left is the matter."""
    for name in sorted(set(found), key=len, reverse=True):
        text = text.replace(name, " ")
    return text
