"""Who is acting: what every write and every query is asked for."""

from dataclasses import dataclass

from core.errors import HotlineError
from core.people.permissions import Permission, Role


@dataclass(frozen=True)
class Actor:
    """A person at work; without `user_id` a machine client (`is_machine`), or the product itself."""

    user_id: int | None
    login: str
    name: str
    roles: frozenset[Role]
    permissions: frozenset[Permission]
    unit_id: int | None
    unit_path: str
    unit_name: str
    extension: str | None = None
    session_id: int | None = None
    must_change_password: bool = False
    hotkeys: tuple[tuple[str, str], ...] = ()  # own keys of the console, see core.people.hotkeys

    @property
    def is_machine(self) -> bool:
        """Whether another system acts, on behalf of people of its own (`core.people.machines`)."""
        return self.user_id is None and self.login.startswith("machine:")

    def may(self, permission: Permission) -> bool:
        """True when one of the actor's roles carries `permission`."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `forbidden` unless the actor may."""
        if not self.may(permission):
            raise HotlineError("forbidden", permission=str(permission))

    @staticmethod
    def system(name: str) -> "Actor":
        """The product acting by itself, for example `system("intake")`."""
        return Actor(None, f"system:{name}", "系统", frozenset(), frozenset(), None, "", "系统")
