"""Sentences of the channels in writing, for administrators and for who set a platform up."""

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "channel_off": Problem(404, "渠道没有启用", "这个渠道没有启用，没有收下任何内容。请先在运行参数中启用。"),
}
