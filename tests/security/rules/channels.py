"""Channels in writing: callbacks of platforms, the administrators' page, the telephone of the double."""

from core.people.permissions import Role
from tests.security.rules.roles import ANYBODY

KEEPERS = frozenset({Role.SYSTEM_ADMIN})
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/channels/wechat"): ANYBODY,  # whose signature is right
    ("POST", "/channels/wechat"): ANYBODY,
    ("GET", "/channels/weibo"): ANYBODY,
    ("POST", "/channels/weibo"): ANYBODY,
    ("GET", "/admin/channels"): KEEPERS,
    ("POST", "/admin/channels/{name}/check"): KEEPERS,
    ("GET", "/demo/wechat"): ANYBODY,  # in development, where the double is
    ("GET", "/demo/wechat/lines"): ANYBODY,
    ("POST", "/demo/wechat"): ANYBODY,
}
