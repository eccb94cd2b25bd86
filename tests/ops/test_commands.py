"""The command line as an engineer meets it: processes, exit statuses, words."""

import json
import re
from pathlib import Path

import pytest

from core import migrate, startup
from core.people.passwords import MIN_LENGTH
from tests.ops.test_startup import command, expect_refusal

PRODUCTION = {
    "HOTLINE_MODE": "production",
    "HOTLINE_TELEPHONY__SOURCE": "asterisk",
    "HOTLINE_SECRETS__MASTER_KEYS": json.dumps({"k1": "a master key for this test only"}),
    "HOTLINE_SECRETS__INDEX_KEY": "an index key for this test only",
}


@pytest.fixture
async def production(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a production install on a migrated, empty database."""
    return {**PRODUCTION, "HOTLINE_DATABASE__URL": database_url, "HOTLINE_PATHS__VAR": str(tmp_path / "var")}


def create(environment: dict[str, str], **options: str) -> "tuple[int, str]":
    given = {"login": "admin", "name": "系统管理员", "password": "correct horse battery", **options}
    words = [word for key, value in given.items() for word in (f"--{key}", value)]
    done = command("admin", "create", *words, environment=environment)
    return done.returncode, done.stdout + done.stderr


async def test_the_first_administrator_is_made_and_must_change_the_password(
    production: dict[str, str], database_url: str
) -> None:
    status, said = create(production)
    assert status == 0, said
    assert "must be changed" in said
    connection = await startup.connect(database_url)
    row = await connection.fetchrow(
        "SELECT must_change_password, role, unit.kind FROM user_account "
        "JOIN user_role ON user_id = user_account.id JOIN unit ON unit.id = unit_id WHERE login = 'admin'"
    )
    actors = await connection.fetch("SELECT DISTINCT actor_login FROM audit_log")
    await connection.close()
    assert row is not None
    assert tuple(row) == (True, "system_admin", "city")
    assert len(actors) == 1
    status, said = create(production)
    assert (status, "exists already" in said) == (2, True)


def test_an_administrator_needs_a_real_role_and_a_long_password(production: dict[str, str]) -> None:
    status, said = create(production, role="agent")
    assert (status, "no administrator's role agent" in said) == (2, True)
    status, said = create(production, password="short")
    assert status == 2
    assert f"{MIN_LENGTH} characters" in said


def test_a_backup_is_restored_by_two_commands(
    production: dict[str, str], empty_database_url: str, tmp_path: Path
) -> None:
    assert create(production)[0] == 0
    file = str(tmp_path / "one.backup")
    made = command("backup", file, environment=production)
    assert made.returncode == 0, made.stderr
    assert "Not in it: the master keys" in made.stdout
    elsewhere = {**production, "HOTLINE_DATABASE__URL": empty_database_url}
    put = command("restore", file, environment=elsewhere)
    assert put.returncode == 0, put.stderr
    assert re.search(r"user_account\s*│ 1\s*│ 1", put.stdout)
    assert "audit log:" in put.stdout
    wrong = elsewhere | {"HOTLINE_SECRETS__INDEX_KEY": "not the key of the backup"}
    expect_refusal(command("restore", file, environment=wrong), "tables already", "new database")


async def test_a_forged_audit_row_is_named_and_the_status_says_so(
    production: dict[str, str], database_url: str, admin_url: str
) -> None:
    assert create(production)[0] == 0
    assert command("audit", "verify", environment=production).returncode == 0
    connection = await startup.connect(database_url)
    await connection.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
    await connection.execute("UPDATE audit_log SET link_no = id, hash = repeat('x', 32)::bytea")
    await connection.close()
    done = command("audit", "verify", environment=production)
    assert done.returncode == 1
    assert re.search(r"row \d+ does not fit the chain", done.stderr)


async def test_doctor_finds_an_old_database_and_says_what_helps(
    empty_database_url: str, tmp_path: Path
) -> None:
    await migrate.upgrade(empty_database_url, migrate.revisions()[0])
    environment = {"HOTLINE_DATABASE__URL": empty_database_url, "HOTLINE_PATHS__VAR": str(tmp_path)}
    done = command("doctor", environment=environment)
    assert done.returncode == 1
    assert f"this release needs {migrate.head()}" in done.stdout
    assert "hotline.py migrate" in done.stdout
    assert "Traceback" not in done.stderr


def test_doctor_says_that_a_pbx_is_out_of_reach(production: dict[str, str]) -> None:
    pbx = json.dumps([{"name": "pbx1", "port": 1, "queue_log": "/nowhere/queue_log"}])
    done = command("doctor", environment={**production, "HOTLINE_TELEPHONY__PBX": pbx})
    assert done.returncode == 1
    assert "fail PBX pbx1: 127.0.0.1:1" in done.stdout
    assert "/nowhere/queue_log of pbx1 cannot be read" in done.stdout


@pytest.mark.parametrize("name", ["absent.ami", "."])
def test_a_recording_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    expect_refusal(command("replay", str(tmp_path / name)), "cannot be read", "recorded AMI stream")


def test_replay_says_when_a_file_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear citizen")
    expect_refusal(command("replay", str(tmp_path / "letter.txt"), "--json"), "no AMI stream", "recorded AMI")


def test_replay_prints_a_json_list_even_of_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty.ami"
    empty.write_bytes(b"")
    done = command("replay", str(empty), "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
