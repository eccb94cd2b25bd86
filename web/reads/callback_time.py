"""Time left of a call-back task in words and a tone; the tone follows the ladder, never the time alone."""

from __future__ import annotations

from datetime import datetime

from tickets.queries import CallbackItem
from tickets.terms import CallbackEnd, label


def span(seconds: float) -> str:
    """A length of time as people say it: minutes below an hour, then hours, then days."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} 分"
    hours, rest = divmod(minutes, 60)
    return f"{hours} 小时 {rest} 分" if hours < 24 else f"{hours // 24} 天 {hours % 24} 小时"


def words(task: CallbackItem, now: datetime) -> str:
    """How much time is left, by how much it is late, or how the task was closed."""
    if task.closed_as:
        return label(CallbackEnd, task.closed_as)
    left = (task.due_at - now).total_seconds()
    if abs(left) < 60:
        return "不到 1 分" if left >= 0 else "刚超时"
    return f"剩 {span(left)}" if left > 0 else f"已超 {span(-left)}"


def tone(task: CallbackItem, now: datetime) -> str:
    """bad: overdue; warn: the last fifth of its time; info: the second half; quiet before."""
    if task.closed_as:
        return "quiet" if task.closed_as == CallbackEnd.UNREACHABLE.value else "good"
    left = (task.due_at - now).total_seconds()
    share = left / max((task.due_at - task.missed_at).total_seconds(), 1.0)
    if left < 0:
        return "bad"
    if share <= 0.2:
        return "warn"
    return "info" if share <= 0.5 else "quiet"
