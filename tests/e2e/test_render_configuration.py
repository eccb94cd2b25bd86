"""The renderer that a site uses; needs no Asterisk."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from telephony.asterisk import render

SECRETS = 'ami_secret = "manager"\nphone_secret = "phones"\n'


def site_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(text, "utf-8")
    return path


def test_every_key_is_used_and_every_placeholder_has_a_key() -> None:
    made = {"HOTLINE_MEMBERS", "EXPERT_MEMBERS", "AGENT_PHONES"}
    by_the_renderer = {"FIRST_AGENT", "AGENTS", "FIRST_EXPERT", "MEMBERS", "PHONES", "PHONE_SECRET"}
    asked = {name for path in render.TEMPLATES.glob("*.conf") for name in render.placeholders(path)}
    keys = {key.upper() for key in render.load_site(render.DEFAULTS)}
    assert asked - made == keys - by_the_renderer


def test_members_are_those_who_sign_in_unless_they_are_wanted_fixed(tmp_path: Path) -> None:
    shipped = render.load_site(site_file(tmp_path, SECRETS))
    assert "member =>" not in render.render(shipped)["queues.conf"]
    fixed = render.render({**shipped, "members": "static"})["queues.conf"]
    assert fixed.count("member =>") > int(shipped["agents"])


def test_the_command_writes_files_that_only_owner_and_group_can_read(tmp_path: Path) -> None:
    target = tmp_path / "etc"
    command = [sys.executable, str(render.HERE / "render.py"), str(site_file(tmp_path, SECRETS)), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "secret = manager" in (target / "manager.conf").read_text("utf-8")
    assert {stat.S_IMODE(path.stat().st_mode) for path in target.iterdir()} == {0o640}
    assert not any("@" in line for line in (target / "queues.conf").read_text("utf-8").splitlines())


def test_each_phone_has_a_password_of_its_own_that_stays_the_same(tmp_path: Path) -> None:
    site = render.load_site(site_file(tmp_path, SECRETS))
    rows = render.render(site)["phones.csv"].splitlines()
    assert len({row.split(",")[1] for row in rows}) == len(rows) == 40
    assert rows == render.render(site)["phones.csv"].splitlines()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "ami_secret"),
        ('ami_secret = "x"', "phone_secret"),
        (SECRETS + 'ami_port_typo = "1"', "ami_port_typo"),
        (SECRETS + 'greeting = "a\\nexten => x"', "greeting"),
        (SECRETS + 'ami_user = "x;y"', "ami_user"),
        (SECRETS + "first_agent = 1990", "1000"),
        (SECRETS + 'phones = "pigeon"', "phones"),
        (SECRETS + 'members = "everybody"', "members"),
    ],
)
def test_a_site_file_that_cannot_work_is_refused_with_the_key(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(render.SiteError, match=word):
        render.render(render.load_site(site_file(tmp_path, text)))
