#!/usr/bin/env python3
"""First door of the product: makes .venv from the lock, then hands over to commands.py.

Standard library only, and nothing but syntax that an old Python can read: it must be able to say
that it is too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - old versions do get here, before anything is installed
    sys.exit(
        "hotline needs Python 3.11 or newer, and this is Python %d.%d.\n"  # noqa: UP031 - for old versions
        "  Help: sudo apt-get install python3.11 python3.11-venv, then: python3.11 hotline.py run"
        % sys.version_info[:2]
    )

import fcntl
import getpass
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MARKER = VENV / "hotline.json"  # what was installed; written last
MAKING = VENV / "hotline.making"  # stands while we change .venv: found at a start, .venv is half-made
PIP_LOG = VENV / "pip.log"
LOCKS = {"run": ROOT / "requirements.lock", "test": ROOT / "requirements-test.lock"}
USAGE = """usage: python3 hotline.py COMMAND

  run       start the product (the first start installs what it needs into .venv)
  test      run the tests
  wheels    collect the packages in a folder, for a machine without a network
  --help    all commands
"""


class Refusal(Exception):
    """One sentence that says what is wrong, and what helps."""

    def __init__(self, sentence: str, help_: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.help = help_


def main(arguments: list[str]) -> int:  # noqa: RET503 - execv does not return
    """Install what the command needs, then become it. Returns an exit status only on failure."""
    if not MARKER.exists() and (not arguments or arguments[0] in ("-h", "--help")):
        print(USAGE)
        return 0
    try:
        if arguments[:1] == ["wheels"]:
            return collect_wheels(arguments[1:])
        prepare("test" if arguments[:1] == ["test"] else "run")
    except Refusal as refusal:
        print(f"{refusal.sentence}\n  Help: {refusal.help}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The next start takes it up again.", file=sys.stderr)
        return 130
    command = [str(PYTHON), str(ROOT / "commands.py"), *arguments]
    os.execv(command[0], command)  # noqa: S606 - our own interpreter


def prepare(purpose: str) -> None:
    """Make sure that .venv holds the packages of `purpose`; costs nothing when it does."""
    if is_ready(purpose):
        return
    for lock in LOCKS.values():
        if not lock.exists():
            raise Refusal(f"The file {lock.name} is missing.", "copy the whole product folder again")
    with Path(__file__).open() as door:
        try:
            fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another start is installing the packages; waiting for it …", flush=True)
            fcntl.flock(door, fcntl.LOCK_EX)
        if not is_ready(purpose):
            install(purpose)


def is_ready(purpose: str) -> bool:
    """Whether .venv was finished from exactly these locks and its Python is still the same."""
    marker = read_marker()
    return (
        not MAKING.exists()
        and marker.get("python") == interpreter()
        and marker.get(purpose) == digest(LOCKS[purpose])
    )


def read_marker() -> dict[str, str]:
    """What the last finished installation wrote down; empty when there was none."""
    try:
        marker = json.loads(MARKER.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}


def interpreter() -> str:
    """Where .venv's Python really is; a change of it (a system upgrade) leaves the packages behind."""
    real = os.path.realpath(PYTHON)
    return real if os.access(real, os.X_OK) else ""


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; empty when there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def install(purpose: str) -> None:
    """Make .venv where it is missing or half-made, then install the lock of `purpose` into it."""
    check_machine()
    if not is_usable():
        make_venv()
    MAKING.touch()
    marker = {"python": interpreter()}
    pip_install(purpose)
    for name, lock in LOCKS.items():
        if name in ("run", purpose):  # the test lock holds everything of the other
            marker[name] = digest(lock)
    MARKER.write_text(json.dumps(marker, indent=1), encoding="utf-8")
    MAKING.unlink()


def check_machine() -> None:
    """What must be true before anything is made.

    Errors: Refusal.
    """
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = "{}.{}".format(*sys.version_info[:2])
        own = "python3" if os.path.realpath("/usr/bin/python3") == os.path.realpath(sys.executable) else ""
        raise Refusal(
            f"This Python {version} comes without the modules venv and ensurepip.",
            f"sudo apt-get install {own or 'python' + version}-venv",
        )
    if not os.access(ROOT, os.W_OK | os.X_OK) or (VENV.exists() and not os.access(VENV, os.W_OK)):
        raise Refusal(
            f"The folder {ROOT} cannot be written by the user {user_name()}, and the packages go there.",
            f"sudo chown -R {user_name()} '{ROOT}'",
        )


def user_name() -> str:
    """Name of the user who runs us, or the number where there is no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def is_usable() -> bool:
    """Whether there is a .venv worth installing into: whole, and with a Python and pip that run."""
    if MAKING.exists() or not interpreter():
        return False
    known = read_marker()
    if known and known.get("python") != interpreter():
        return False
    question = [str(PYTHON), "-I", "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(question, capture_output=True, check=False).returncode == 0  # noqa: S603 - our venv


def make_venv() -> None:
    """An empty .venv; what stood there is removed."""
    say("Making .venv …")
    try:
        if VENV.is_symlink():
            VENV.unlink()
        elif VENV.exists():
            shutil.rmtree(VENV)
        VENV.mkdir()
        MAKING.touch()
    except OSError as error:
        raise Refusal(f"{VENV} cannot be made anew: {error.strerror}.", f"sudo rm -rf '{VENV}'") from error
    base = getattr(sys, "_base_executable", None) or sys.executable  # not the .venv we may have removed
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [base, "-I", "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refusal(
            "Python could not make a virtual environment: " + last_line(done.stdout + done.stderr),
            "sudo apt-get install python3-venv",
        )


def pip_install(purpose: str) -> None:
    """Install the lock with its hashes, from the network or from the folder HOTLINE_WHEELS.

    Errors: Refusal.
    """
    lock = LOCKS[purpose]
    total = len(re.findall(r"^[\w.-]+==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    say(f"Installing about {total} packages into .venv (once; one or two minutes) …")
    status = pip_run(
        ["install", "--require-hashes", "--prefer-binary", *index_options(), "-r", str(lock)], total
    )
    if status:
        raise explain(PIP_LOG.read_text(encoding="utf-8", errors="replace"))
    say("Packages are ready.")


def index_options() -> list[str]:
    """Where pip looks: the folder HOTLINE_WHEELS and nothing else, or the site's usual index."""
    folder = os.environ.get("HOTLINE_WHEELS", "")
    if not folder:
        return []
    if not Path(folder).is_dir():
        raise Refusal(
            f"HOTLINE_WHEELS names {folder}, which is no folder.", "python3 hotline.py wheels FOLDER"
        )
    return ["--no-index", "--find-links", str(Path(folder).resolve())]


def pip_run(arguments: list[str], total: int) -> int:
    """Run pip, show one moving line, keep everything it says in .venv/pip.log. Returns its status."""
    command = [str(PYTHON), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    command += ["--retries", "2", "--timeout", "15", *arguments]
    pip = subprocess.Popen(  # noqa: S603 - our own pip
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert pip.stdout is not None
    seen, of_total = 0, f"/{total}" if total else ""
    try:
        with PIP_LOG.open("w", encoding="utf-8") as log:
            for line in pip.stdout:
                log.write(line)
                collected = re.match(r"\s*Collecting ([\w.-]+)", line)
                if collected:
                    seen += 1
                    progress(f"  {seen}{of_total} {collected.group(1)}")
                elif line.startswith("Installing collected packages"):
                    progress("  unpacking …")
        return pip.wait()
    finally:
        pip.terminate()  # no effect on one that has ended; Ctrl-C must not leave it behind
        progress("")


def explain(log: str) -> Refusal:
    """The sentence for a failed pip."""
    if "No space left on device" in log:
        return Refusal("The disk is full; the packages need about 700 MB.", f"df -h '{ROOT}'")
    if "DO NOT MATCH THE HASHES" in log:
        return Refusal(
            "A package is not the one this release was made with (its hash differs).",
            "use another package index (PIP_INDEX_URL), or copy requirements.lock from the release again",
        )
    wheels = "or on a machine with a network: python3 hotline.py wheels FOLDER, copy it, set HOTLINE_WHEELS"
    if os.environ.get("HOTLINE_WHEELS"):
        return Refusal(f"The folder of HOTLINE_WHEELS lacks a package: {last_line(log)}", wheels[3:])
    if re.search(r"NewConnectionError|ConnectTimeout|name resolution|Network is unreachable|ProxyError", log):
        return Refusal(
            "The packages could not be loaded: the package index cannot be reached.",
            "check the network, or name your index: export PIP_INDEX_URL=… (proxy: https_proxy=…), " + wheels,
        )
    return Refusal(f"pip could not install the packages: {last_line(log)}", f"read {PIP_LOG}")


def last_line(text: str) -> str:
    """The last line that is an error, else the last that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["it gave no reason"])[-1][:300]


def collect_wheels(arguments: list[str]) -> int:
    """`wheels FOLDER`: everything that an installation without a network needs (same OS and Python)."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python3 hotline.py wheels FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    prepare("run")
    folder.mkdir(parents=True, exist_ok=True)
    say(f"Collecting packages in {folder} …")
    # jieba is published as source only: pip builds it, and needs setuptools and wheel at hand for that
    for what in (["--require-hashes", "-r", str(LOCKS["test"])], ["setuptools", "wheel"]):
        if pip_run(["download", "--dest", str(folder), *what], 0):
            raise explain(PIP_LOG.read_text(encoding="utf-8", errors="replace"))
    print(f"Copy {folder} to the other machine, then: HOTLINE_WHEELS=FOLDER python3 hotline.py run")
    return 0


def say(line: str) -> None:
    """A line of progress."""
    print(line, flush=True)


def progress(line: str) -> None:
    """The one line that moves; only at a terminal."""
    if sys.stdout.isatty():
        print(f"\r\033[K{line}", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
