"""A start that cannot succeed ends with one sentence, what helps, and the exit status 2."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import startup
from core.errors import HotlineError
from core.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
AS_ROOT = os.geteuid() == 0


def start(
    *arguments: str, user: int | None = None, environment: dict[str, str] | None = None, **more: str
) -> subprocess.Popen[str]:
    """Start the command line as a process of its own, knowing nothing but `environment` and `more`."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "commands.py"), *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/", **(environment or {}), **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )


def command(
    *arguments: str, user: int | None = None, environment: dict[str, str] | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    process = start(*arguments, user=user, environment=environment, **more)
    said, complained = process.communicate(timeout=120)
    return subprocess.CompletedProcess(arguments, process.returncode, said, complained)


def expect_refusal(done: subprocess.CompletedProcess[str], sentence: str, help_: str) -> None:
    assert done.returncode == 2, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    assert sentence in lines[0]
    assert lines[1].startswith("  Help: ")
    assert help_ in lines[1]


def test_a_used_port_is_named_with_a_free_one(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = command("run", HOTLINE_PATHS__VAR=str(tmp_path), HOTLINE_HTTP__PORT=str(port))
    expect_refusal(done, f"Port {port} of 127.0.0.1 is already used", f"HOTLINE_HTTP__PORT={port + 1}")


def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql+asyncpg://hotline:open-sesame@127.0.0.1:1/hotline"
    done = command("run", HOTLINE_PATHS__VAR=str(tmp_path), HOTLINE_DATABASE__URL=url, HOTLINE_HTTP__PORT="0")
    expect_refusal(done, "cannot be reached", "database.url")
    assert "open-sesame" not in done.stderr


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    done = command("migrate", HOTLINE_PATHS__VAR=str(tmp_path), HOTLINE_DATABASE__URL="mysql://db/hotline")
    expect_refusal(done, "not an address", "embedded PostgreSQL")


def test_a_var_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    done = command("run", HOTLINE_PATHS__VAR=str(tmp_path / "var"))
    expect_refusal(done, "cannot be written by the user", "HOTLINE_PATHS__VAR")


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")
def test_a_folder_of_another_user_is_refused() -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = command("run", user=NOBODY, HOTLINE_PATHS__VAR=f"{folder}/var")
        except PermissionError:
            pytest.skip("another user may not run this Python")
    expect_refusal(done, "cannot be written by the user", "chown")


def test_an_unknown_setting_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    done = command("doctor", HOTLINE_PATHS__VAR=str(tmp_path), HOTLINE_HTTP__PROT="8080")
    expect_refusal(done, "There is no setting http.prot", "http.port")


def test_production_with_default_secrets_is_refused(tmp_path: Path) -> None:
    done = command("run", HOTLINE_PATHS__VAR=str(tmp_path), HOTLINE_MODE="production")
    expect_refusal(done, "needs a secret of its own", "openssl rand")


def test_the_demo_does_not_go_into_a_production_database(tmp_path: Path) -> None:
    secrets: dict[str, Any] = {
        "HOTLINE_SECRETS__MASTER_KEYS": '{"k1": "0123456789abcdef-and-more"}',
        "HOTLINE_SECRETS__INDEX_KEY": "fedcba9876543210-and-more",
        "HOTLINE_TELEPHONY__SOURCE": "asterisk",
    }
    done = command("demo", "reset", HOTLINE_PATHS__VAR=str(tmp_path), HOTLINE_MODE="production", **secrets)
    expect_refusal(done, "development only", "mode")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, full."""
    if not AS_ROOT or not shutil.which("mount"):
        pytest.skip("a tiny disk needs root")
    place = tmp_path / "tiny"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount")
    (place / "filler").write_bytes(b"\0" * (1 << 20))
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_named_at_the_start(tiny_disk: Path) -> None:
    done = command("run", HOTLINE_PATHS__VAR=str(tiny_disk / "var"))
    expect_refusal(done, "is full", "df -h")


def test_a_backup_onto_a_full_disk_leaves_nothing(tiny_disk: Path, place: Path) -> None:
    (tiny_disk / "filler").write_bytes(b"\0" * ((1 << 20) - 16384))
    done = command("migrate", HOTLINE_PATHS__VAR=str(place / "var"))
    assert done.returncode == 0, done.stderr
    done = command("backup", str(tiny_disk / "one.backup"), HOTLINE_PATHS__VAR=str(place / "var"))
    expect_refusal(done, "is full", "df -h")
    assert [path.name for path in tiny_disk.iterdir()] == ["filler"]


def test_every_sentence_can_be_said() -> None:
    for code in startup.SENTENCES:
        sentence, help_ = startup.explain(HotlineError(code))
        assert sentence
        assert help_
    assert startup.explain(HotlineError("never_heard_of", thing=3))[0] == "never_heard_of: {'thing': 3}"


async def test_a_database_of_a_newer_release_is_not_touched(database_url: str) -> None:
    connection = await startup.connect(database_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    with pytest.raises(HotlineError, match="database_newer"):
        await startup.prepare(database_url)


def test_two_nodes_that_start_at_once_make_the_tables_once(empty_database_url: str, tmp_path: Path) -> None:
    url, var = empty_database_url, str(tmp_path)
    nodes = [start("migrate", HOTLINE_DATABASE__URL=url, HOTLINE_PATHS__VAR=var) for _ in range(2)]
    for node in nodes:
        _, said = node.communicate(timeout=120)
        assert node.returncode == 0, said


def test_the_settings_of_a_test_do_not_touch_the_product(settings: Settings) -> None:
    assert settings.var != load_settings(environ={}).var
