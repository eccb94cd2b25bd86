"""From an error code to a sentence: one module per part of the product, put together here."""

import importlib
import pkgutil

from web.sentences.problem import KEPT, Problem

PROBLEMS: dict[str, Problem] = {}
for _found in pkgutil.iter_modules(__path__):
    _more = getattr(importlib.import_module(f"{__name__}.{_found.name}"), "PROBLEMS", {})
    assert not set(PROBLEMS) & set(_more), f"two sentences for {set(PROBLEMS) & set(_more)}"
    PROBLEMS.update(_more)

__all__ = ["KEPT", "PROBLEMS", "Problem"]
