"""Texts for tests, put together from a few words of each field; written for these tests."""

import random

from classifier.examples import Example

FIELDS = {
    "010203": ("流动摊贩", "占道", "人行道", "夜市摊", "城管"),
    "010206": ("油烟", "餐馆", "直排", "烧烤", "呛人"),
    "020101": ("公交", "线路", "站台", "班次", "司机"),
    "030102": ("物业费", "小区", "业主", "收费", "停车位"),
    "040201": ("工资", "拖欠", "工地", "包工头", "劳动合同"),
}
WHERE = ("中山路", "解放桥", "火车站", "菜市场", "学校门口", "社区广场")
MORE = ("希望尽快处理", "已经多次反映", "严重影响生活", "请有关部门核实", "打过电话没有结果")
WHEN = ("昨天", "上周", "这个月", "晚上", "早上")


def examples(number: int = 200, seed: int = 7, **fields: tuple[str, ...]) -> list[Example]:
    """So many texts, evenly of every field; labels are (category, request type, urgency)."""
    draw = random.Random(seed)
    known = {**FIELDS, **fields}
    found = []
    for place in range(number):
        code = list(known)[place % len(known)]
        words = draw.sample(known[code], 3)
        urgent = draw.random() < 0.2
        asks = draw.random() < 0.3
        title = f"{draw.choice(WHERE)}{words[0]}{'怎么办理' if asks else '问题'}"
        detail = f"{draw.choice(WHEN)}{draw.choice(WHERE)}{words[1]}，{words[2]}，{draw.choice(MORE)}"
        detail += f"，编号{draw.randrange(1000, 9999)}。" + ("有人受伤十分危险！" if urgent else "")
        labels = (code, "咨询" if asks else "投诉", "紧急" if urgent else "一般")
        found.append(Example(title, detail, labels))
    return found


def of_category(found: list[Example]) -> list[Example]:
    """The same texts with the category alone."""
    return [Example(one.title, one.detail, one.labels[:1], one.group) for one in found]
