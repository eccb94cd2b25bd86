"""Where a number is from, as far as its masked form tells: landlines keep their area code."""

from __future__ import annotations

AREAS = {
    "0770": "防城港", "0771": "南宁", "0772": "柳州", "0773": "桂林", "0774": "梧州",
    "0775": "玉林", "0776": "百色", "0777": "钦州", "0778": "河池", "0779": "北海",
    "010": "北京", "020": "广州", "021": "上海", "022": "天津", "023": "重庆",
    "024": "沈阳", "025": "南京", "027": "武汉", "028": "成都", "029": "西安",
    "0755": "深圳", "0731": "长沙", "0734": "衡阳", "0746": "永州", "0739": "邵阳",
    "0851": "贵阳", "0855": "凯里", "0871": "昆明", "0898": "海口", "0757": "佛山",
    "0769": "东莞", "0571": "杭州", "0591": "福州", "0791": "南昌", "0371": "郑州",
}  # fmt: skip


def origin(masked: str | None) -> str:
    """A few words on a masked number, such as `桂林 固定电话`; '' when there is nothing to say."""
    if not masked:
        return ""
    if masked.startswith("0"):
        place = AREAS.get(masked[:4]) or AREAS.get(masked[:3])
        return f"{place} 固定电话" if place else "固定电话"
    if masked.startswith("+"):
        return "境外号码"
    if masked.startswith("1") and len(masked) == 11:
        return "移动电话"
    return "短号码"
