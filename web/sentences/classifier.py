"""Sentences of the classifier's models and of dispatching without a person."""

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "model_not_found": Problem(404, "没有这个模型", "模型不存在，没有改动。请返回智能分类重新选择。"),
    "model_without_files": Problem(
        409, "模型文件已清理", "没有改动。较早的模型只保留指标，不再保留文件。请选择较新的模型或重新训练。"
    ),
    "category_without_evidence": Problem(
        409,
        "证据不足",
        "没有改动。该分类在本地把握足够的判断件数或正确率未达标，暂不能自动派单。请继续人工派单，积累后再开启。",
    ),
}
