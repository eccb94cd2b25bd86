"""What a person at the screen is told about one error code."""

from dataclasses import dataclass

KEPT = "您已填写的内容仍保留在页面上。"


@dataclass(frozen=True)
class Problem:
    """What is shown for one error code."""

    status: int
    title: str
    sentence: str
