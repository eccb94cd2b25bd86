"""One real Asterisk with the configuration we ship, in directories of its own.

The installed Asterisk is only read: every start gets its own etc, spool, log and run directory below
the chroot. Nothing is mounted: Asterisk does well without /proc. So several rigs can run beside each
other, and a killed test leaves a process and a directory that the next start removes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from telephony.asterisk import prompts, render
from tests.e2e.rig.ports import free_port, free_udp_block

TRUNK_HOST = "127.0.0.2"  # the "carrier" calls from here: the trunk is told by its address alone
AGENT_HOST = "127.0.0.1"
_RTP_PORTS = 2000
_ULAW_SILENCE = b"\xff" * 8000  # one second


class Asterisk:
    """A PBX that can be started, restarted, frozen and asked; times in seconds."""

    def __init__(self, root: Path, **site: str | int) -> None:
        self.root = root
        runs = root / "srv/hotline-rig"
        runs.mkdir(parents=True, exist_ok=True)
        _sweep(runs)
        self.home = runs / f"{os.getpid()}-{secrets.token_hex(3)}"
        self.site = self._site(site)
        self._process: subprocess.Popen[bytes] | None = None

    # -- addresses and files -------------------------------------------------------------------
    @property
    def ami(self) -> tuple[str, int, str, str]:
        """Host, port, user and secret of the manager interface."""
        site = self.site
        return "127.0.0.1", int(site["ami_port"]), str(site["ami_user"]), str(site["ami_secret"])

    @property
    def sip(self) -> tuple[str, int]:
        """Where SIP is spoken."""
        return "127.0.0.1", int(self.site["sip_port"])

    @property
    def queue_log(self) -> Path:
        """The file that tells the truth about queues."""
        return self.home / "log/queue_log"

    @property
    def recordings(self) -> Path:
        """Where MixMonitor writes."""
        return self.home / "spool/monitor"

    @property
    def voicemails(self) -> Path:
        """Where the mailbox writes."""
        return self.home / "spool/hotline-voicemail"

    def phone_password(self, extension: int) -> str:
        """The SIP password of one agent's phone."""
        return render.phone_password(str(self.site["phone_secret"]), extension)

    def version(self) -> str:
        """Such as "22.10.1"."""
        words = self._inside("asterisk", "-V").stdout.split()
        return words[1].split("~")[0].split("+")[0]

    # -- life ----------------------------------------------------------------------------------
    def start(self, deadline: float = 60.0) -> None:
        """Start and wait until it answers as fully booted. Raises RuntimeError with its log."""
        self._prepare()
        output = (self.home / "log/console").open("wb")
        with output:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.wait_booted(deadline)

    def wait_booted(self, deadline: float = 60.0) -> None:
        """Wait until the modules are loaded and the manager port is open."""
        limit = time.monotonic() + deadline
        while time.monotonic() < limit:
            if self._process is None or self._process.poll() is not None:
                break
            if "fully booted" in self.cli("core waitfullybooted").lower() and self._ami_open():
                return
            time.sleep(0.1)
        raise RuntimeError(f"Asterisk did not start:\n{self.log()[-3000:]}")

    def stop(self) -> None:
        """End the process and remove its directories; safe to call twice."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)
        self._process = None
        shutil.rmtree(self.home, ignore_errors=True)

    def restart_now(self) -> None:
        """`core restart now`: every call is dropped without a word, the process stays the same."""
        self.cli("core restart now")

    def kill(self) -> None:
        """kill -9, as a power cut: nothing is said to anybody; `start` begins anew with the same files."""
        self._running().kill()
        self._running().wait(10)
        self._process = None

    def freeze(self) -> None:
        """SIGSTOP: the connections stay open, nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._running().send_signal(signal.SIGCONT)

    # -- asking --------------------------------------------------------------------------------
    def cli(self, command: str) -> str:
        """The answer of `asterisk -rx COMMAND`; an empty text when nobody answers."""
        done = self._inside("asterisk", "-C", f"{self._inner}/etc/asterisk.conf", "-rx", command)
        return done.stdout

    def set_global(self, name: str, value: str) -> None:
        """Change a [globals] value of the dialplan until the next restart."""
        self.cli(f"dialplan set global {name} {value}")

    def channels(self) -> int:
        """How many channels are alive."""
        for line in self.cli("core show channels count").splitlines():
            if "active channel" in line:
                return int(line.split()[0])
        return 0

    def hang_up_all(self, deadline: float = 10.0) -> None:
        """End every call and wait until none is left."""
        limit = time.monotonic() + deadline
        while self.channels():
            if time.monotonic() > limit:
                raise RuntimeError(f"calls do not end:\n{self.cli('core show channels')}")
            self.cli("channel request hangup all")
            time.sleep(0.1)

    def log(self) -> str:
        """Console output and messages, for failures."""
        parts = [self.home / "log/console", self.home / "log/messages"]
        return "\n".join(path.read_text("utf-8", "replace") for path in parts if path.exists())

    # -- within --------------------------------------------------------------------------------
    @property
    def _inner(self) -> str:
        """Our directory as Asterisk sees it."""
        return str(self.home) if self.root == Path("/") else f"/{self.home.relative_to(self.root)}"

    def _site(self, changes: dict[str, str | int]) -> dict[str, str | int]:
        inner, rtp = self._inner, free_udp_block(_RTP_PORTS)
        site = {
            **render.load_site(render.DEFAULTS),
            "etc_dir": f"{inner}/etc",
            "var_dir": f"{inner}/var",
            "spool_dir": f"{inner}/spool",
            "run_dir": f"{inner}/run",
            "log_dir": f"{inner}/log",
            "moh_dir": f"{inner}/sounds",
            "greeting": f"{inner}/sounds/second",
            "closed_prompt": f"{inner}/sounds/second",
            "survey_prompt": f"{inner}/sounds/second",
            "solved_prompt": f"{inner}/sounds/second",
            "survey_seconds": 3,
            "prompts": f"{inner}/sounds",
            "nobody_seconds": changes.get("queue_seconds", 8),
            "voicemail_prompt": f"{inner}/sounds/second",
            "refusal_prompt": f"{inner}/sounds/second",
            "ami_port": free_port(),
            "ami_secret": secrets.token_hex(12),
            "phone_secret": secrets.token_hex(12),
            "filter_syntax": "22" if self.version() >= "22" else "16",
            "sip_bind": "127.0.0.1",
            "sip_port": free_port(socket.SOCK_DGRAM),
            "trunk_address": TRUNK_HOST,
            "trunk_port": free_port(socket.SOCK_DGRAM, TRUNK_HOST),
            "trunk_match": TRUNK_HOST,
            "qualify_seconds": 0,
            "members": "static",
            "http_port": free_port(),
            "rtp_start": rtp,
            "rtp_end": rtp + _RTP_PORTS - 1,
        }
        return {**site, **changes}

    def _prepare(self) -> None:
        for name in ("etc", "var", "spool/monitor", "spool/hotline-voicemail", "run", "log", "sounds"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        (self.home / "sounds/second.ulaw").write_bytes(_ULAW_SILENCE)
        for name in prompts.SENTENCES:  # no sound package is needed: every sentence is a moment of silence
            (self.home / f"sounds/{name}.ulaw").write_bytes(_ULAW_SILENCE[:1600])
        render.write(self.site, self.home / "etc")
        if self.root != Path("/"):
            owner = self._inside("id", "-u", "asterisk").stdout.strip()
            for path in [self.home, *self.home.rglob("*")]:
                os.chown(path, int(owner), -1)

    def _command(self) -> list[str]:
        asterisk = ["asterisk", "-f", "-C", f"{self._inner}/etc/asterisk.conf"]
        if self.root == Path("/"):
            return asterisk
        return ["chroot", "--userspec=asterisk:asterisk", str(self.root), *asterisk]

    def _inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        prefix = [] if self.root == Path("/") else ["chroot", str(self.root)]
        return subprocess.run(
            [*prefix, *command], capture_output=True, text=True, errors="replace", timeout=30, check=False
        )

    def _ami_open(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(self.ami[:2], timeout=1):
            return True
        return False

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "Asterisk is not running"
        return self._process


@contextlib.contextmanager
def running(root: Path, **site: str | int) -> Iterator[Asterisk]:
    """An Asterisk for the length of a with block."""
    pbx = Asterisk(root, **site)
    try:
        pbx.start()
        yield pbx
    finally:
        pbx.stop()


def _sweep(runs: Path) -> None:
    """End what a killed test run left behind; directories are named by their owner's process id."""
    for home in runs.iterdir():
        owner = home.name.split("-")[0]
        if not owner.isdigit() or Path(f"/proc/{owner}").exists():
            continue
        pid_file = home / "run/asterisk.pid"
        pid = pid_file.read_text().strip() if pid_file.exists() else ""
        command = Path(f"/proc/{pid}/cmdline")
        if pid.isdigit() and command.exists() and home.name.encode() in command.read_bytes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        shutil.rmtree(home, ignore_errors=True)
