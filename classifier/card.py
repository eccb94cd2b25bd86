"""The card beside a model, for the people who switch it on: in Chinese, from its own figures. Pure."""

from typing import Any

from classifier.parts import Parts

WEAK = 0.75  # F1 below which a class is named as weak
FEW = 30  # texts below which a class has hardly been learnt


def card(parts: Parts, span: tuple[str, str] | None = None) -> str:
    """`span`: first and last day of the texts, where the file said them."""
    about, leaves = parts.about, parts.leaves
    told: dict[str, Any] = about["figures"]
    automatic = parts.thresholds.automatic
    lines = [
        "# 模型卡",
        "",
        f"- 数据时间：{f'{span[0]} 至 {span[1]}' if span else '文件中未注明'}",
        f"- 文本 {about['texts']} 条，去除近似重复后 {about['groups']} 组；同组文本不同时用于训练和检验",
        f"- 类别 {len(leaves.names)} 个，标签列：{'、'.join(leaves.columns)}；词项 {about['terms']} 个",
        f"- 检验方式：按组 {about['folds']} 折交叉检验，种子 {about['seed']}；下列数字均来自未参与训练的文本",
        "",
        "## 总体",
        "",
        f"准确率 {told['accuracy']:.3f}，宏平均 F1 {told['macro_f1']:.3f}，前三位命中 {told['top3']:.3f}，"
        f"校准误差 {told['calibration_error']:.3f}",
        "",
        "| 承诺准确率 | 可自动派发的比例 | 实际准确率 |",
        "|---|---|---|",
        *(
            f"| {promised} | {one['coverage']:.3f} | {_number(one['delivered'])} |"
            for promised, one in told["coverage"].items()
        ),
        "",
        "## 各类别",
        "",
        "| 类别 | 文本 | 精确率 | 召回率 | F1 | " + " | ".join(f"阈值 {kept}" for kept in automatic) + " |",
        "|---" * (5 + len(automatic)) + "|",
    ]
    for row in told["classes"]:
        limits = [_number(own.get(row["label"])) for own in automatic.values()]
        figures = [f"{row[name]:.3f}" for name in ("precision", "recall", "f1")]
        lines.append("| " + " | ".join([row["label"], str(row["texts"]), *figures, *limits]) + " |")
    lines += ["", "## 薄弱之处", "", *(f"- {line}" for line in weak(parts))]
    return "\n".join(lines) + "\n"


def weak(parts: Parts) -> list[str]:
    """What this model is known to be bad at, one sentence each."""
    classes = parts.about["figures"]["classes"]
    found = [
        f"{row['label']}：文本只有 {row['texts']} 条，几乎没有学到" for row in classes if row["texts"] < FEW
    ]
    found += [
        f"{row['label']}：F1 {row['f1']:.3f}，低于 {WEAK}"
        for row in classes
        if row["texts"] >= FEW and row["f1"] < WEAK
    ]
    found.append("训练时没有出现过的类别，模型无从知道；与所见文本相差过远的转人工，其余仍可能误判")
    found.append("换一个城市的文本，上述数字不再成立：先只作建议，用本地数据重新训练后再开启自动派发")
    return found


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"
