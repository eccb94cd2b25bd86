"""Words of citizen records: marks and what the history calls each step."""

from enum import StrEnum


class FlagKind(StrEnum):
    """What whoever answers should know at once."""

    CARE = "care"
    HEARING = "hearing"
    DIALECT = "dialect"
    HARASSMENT = "harassment"


FLAG_LABELS = {
    FlagKind.CARE: "老年或需关照",
    FlagKind.HEARING: "听力或言语不便",
    FlagKind.DIALECT: "使用方言",
    FlagKind.HARASSMENT: "反复骚扰",
}
STEP_LABELS = {
    "business": "修改企业信息",
    "phone_added": "添加号码",
    "name_added": "添加姓名",
    "flag_set": "添加标记",
    "flag_cleared": "取消标记",
    "note_withdrawn": "撤回备注",
    "merged": "并入档案",
    "merged_into": "被并入",
    "unmerged": "撤销合并",
    "unmerged_from": "撤销被并入",
    "split": "拆出号码",
    "split_from": "由拆分建档",
    "forgotten": "删除个人信息",
}
MAX_NUMBERS = 20  # of one record; a switchboard of an enterprise has more than a person
MAX_NAMES = 40
MAX_REASON = 200
