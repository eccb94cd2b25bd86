"""sipp processes: agents' phones and citizens. Each has its own ports; all end with the rig."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.rig import scenarios
from tests.e2e.rig.asterisk import AGENT_HOST, TRUNK_HOST, Asterisk
from tests.e2e.rig.ports import free_port, free_udp_block

_LONGEST = 900  # seconds after which any sipp ends by itself, even if its test was killed


@dataclass(frozen=True)
class Citizen:
    """Who calls: the number and, as the carrier sends it, the display name (bytes as they are)."""

    number: str
    name: bytes = b""


class Phones:
    """Starts sipp and remembers what to end."""

    def __init__(self, sipp: str, pbx: Asterisk) -> None:
        self._sipp = sipp
        self._pbx = pbx
        self._home = Path(tempfile.mkdtemp(prefix="hotline-sipp-"))
        (self._home / "silence.alaw").write_bytes(b"\xd5" * 80000)
        (self._home / "voice.alaw").write_bytes((b"\xb5" * 10 + b"\x35" * 10) * 4000)  # 400 Hz, loud
        self._count = itertools.count(1)
        self._running: list[subprocess.Popen[bytes]] = []
        self._signed_in: dict[int, Sequence[int]] = {}  # process id -> extensions

    def agents(self, extensions: Sequence[int], scenario: str) -> subprocess.Popen[bytes]:
        """Sign these phones in; from now on they behave as the scenario says. Returns the process."""
        port = free_port(socket.SOCK_DGRAM, AGENT_HOST)
        self._register(scenarios.register(), extensions, port)
        process = self._spawn(scenario, AGENT_HOST, port, [])
        self._signed_in[process.pid] = extensions
        return process

    def agents_leave(self, process: subprocess.Popen[bytes]) -> None:
        """Sign the phones of one process out and end it."""
        self.hang_up(process)
        self._sign_out(self._signed_in.pop(process.pid))

    def call(
        self, citizens: Sequence[Citizen], scenario: str, *, number: str = "12345", per_second: float = 10.0
    ) -> subprocess.Popen[bytes]:
        """Let each citizen call once; the process ends with the last call."""
        rows = [citizen.number.encode() + b";" + citizen.name for citizen in citizens]
        more = ["-inf", str(self._table(rows)), "-s", number, "-m", str(len(rows)), "-l", str(len(rows))]
        more += ["-r", str(int(per_second * 10)), "-rp", "10000"]
        return self._spawn(scenario, TRUNK_HOST, free_port(socket.SOCK_DGRAM, TRUNK_HOST), more)

    def agent_calls(self, extension: int, number: str, seconds: float) -> subprocess.Popen[bytes]:
        """An agent's phone calls a number (a colleague, for advice)."""
        more = ["-inf", str(self._credentials([extension])), "-s", number, "-m", "1"]
        port = free_port(socket.SOCK_DGRAM, AGENT_HOST)
        return self._spawn(scenarios.agent_calling(seconds), AGENT_HOST, port, more)

    def called_citizens(self, scenario: str) -> subprocess.Popen[bytes]:
        """The carrier's side of calls that we make."""
        return self._spawn(scenario, TRUNK_HOST, int(self._pbx.site["trunk_port"]), [])

    def hang_up(self, process: subprocess.Popen[bytes]) -> None:
        """End a caller's process at once; the PBX is not told."""
        _end(process)
        self._running.remove(process)

    def close(self) -> None:
        """End every process, sign the phones out, remove the scratch files."""
        for process in self._running:
            _end(process)
        self._running.clear()
        self._sign_out([extension for group in self._signed_in.values() for extension in group])
        shutil.rmtree(self._home, ignore_errors=True)

    def errors(self) -> str:
        """What sipp complained about, for failures."""
        return "\n".join(path.read_text("utf-8", "replace") for path in sorted(self._home.glob("*.errors")))

    def _sign_out(self, extensions: Sequence[int]) -> None:
        if extensions:
            port = free_port(socket.SOCK_DGRAM, AGENT_HOST)
            self._register(scenarios.unregister(), extensions, port)

    def _register(self, scenario: str, extensions: Sequence[int], port: int) -> None:
        more = ["-inf", str(self._credentials(extensions)), "-m", str(len(extensions)), "-r", "50"]
        process = self._spawn(scenario, AGENT_HOST, port, more)
        self._running.remove(process)
        if process.wait(30) != 0:
            raise RuntimeError(f"phones {list(extensions)} could not register:\n{self.errors()}")

    def _credentials(self, extensions: Sequence[int]) -> Path:
        password = self._pbx.phone_password
        return self._table(
            [f"{one};[authentication username={one} password={password(one)}]".encode() for one in extensions]
        )

    def _table(self, rows: Sequence[bytes]) -> Path:
        path = self._home / f"{next(self._count)}.csv"
        path.write_bytes(b"SEQUENTIAL\n" + b"\n".join(rows) + b"\n")
        return path

    def _spawn(self, scenario: str, host: str, port: int, more: Sequence[str]) -> subprocess.Popen[bytes]:
        number = next(self._count)
        script = self._home / f"{number}.xml"
        script.write_text(scenario, "utf-8")
        command = [self._sipp, "-sf", str(script), "-i", host, "-mi", host, "-p", str(port)]
        command += ["-mp", str(free_udp_block(4, host)), "-nostdin", "-aa", "-timeout", f"{_LONGEST}s"]
        command += ["-trace_err", "-error_file", str(self._home / f"{number}.errors"), *more]
        command.append("{}:{}".format(*self._pbx.sip))
        process = subprocess.Popen(
            command,
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TERM": "dumb"},
            start_new_session=True,
        )
        self._running.append(process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a sipp and its threads; it is the leader of its own group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


@contextlib.contextmanager
def phones(sipp: str, pbx: Asterisk) -> Iterator[Phones]:
    """Phones for the length of a with block."""
    several = Phones(sipp, pbx)
    try:
        yield several
    finally:
        print(several.errors())  # pytest shows it when the test failed
        several.close()
