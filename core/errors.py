"""Errors are data: a code and its parameters. Sentences and HTTP statuses belong to `web`."""

from typing import Any


class HotlineError(Exception):
    """Something a caller can act on.

    `code` is stable and documented in docs/reference.md; `params` hold what the sentence shown
    to a person needs, never personal values.
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        return self.code + (f" {self.params}" if self.params else "")
