"""Who may call what: one module per part of the product, put together here.

Each module has `ALLOWED`, method and path to posts, and may have `FORMS`, the fields a write is sent
when the test tries it on somebody else's id.
"""

import importlib
import pkgutil

from core.people.permissions import Role

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {}
FORMS: dict[str, dict[str, str]] = {}
for _found in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_found.name}")
    for _table, _name in ((ALLOWED, "ALLOWED"), (FORMS, "FORMS")):
        _more = getattr(_module, _name, {})
        assert not set(_table) & set(_more), f"twice in {_name}: {set(_table) & set(_more)}"
        _table.update(_more)
