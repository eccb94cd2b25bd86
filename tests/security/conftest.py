"""The console under attack is the one of tests/web."""

from tests.web.conftest import console, ctx, web_settings

__all__ = ["console", "ctx", "web_settings"]
