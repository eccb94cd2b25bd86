"""queue_log as Asterisk writes it: the only witness of why a caller left a queue."""

from pathlib import Path


class QueueLog:
    """Appends lines to a file and keeps the last ones for tests; without a path only the latter."""

    def __init__(self, path: Path | None = None, keep: int = 10_000) -> None:
        self.path = path
        self.lines: list[str] = []
        self._keep = keep
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, at: float, call: str, queue: str, agent: str, event: str, *data: object) -> None:
        """One line; `at` in epoch seconds, cut to whole ones as Asterisk does."""
        rest = "|".join(str(part) for part in data)
        line = f"{int(at)}|{call}|{queue}|{agent}|{event}|{rest}"
        self.lines.append(line)
        if len(self.lines) > self._keep:
            del self.lines[: self._keep // 2]
        if self.path is not None:
            with self.path.open("a", encoding="utf-8", errors="surrogateescape") as file:
                file.write(line + "\n")
