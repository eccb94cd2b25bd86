"""The settings in force: where each comes from, and nothing that must stay secret."""

from pathlib import Path

import pytest

from core.settings import Settings, load_settings
from core.settings_view import Line, in_force
from web.setting_words import MEANINGS


def _lines(settings: Settings) -> dict[str, Line]:
    return {line.name: line for line in in_force(settings)}


def test_each_setting_names_the_last_place_that_sets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text("[http]\nport = 8012\n[city]\nname = '柳州'\n", "utf-8")
    (tmp_path / "config.local.toml").write_text("[outbox]\nmax_attempts = 3\n", "utf-8")
    monkeypatch.setenv("HOTLINE_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("HOTLINE_LOG__LEVEL", "DEBUG")
    lines = _lines(load_settings())
    origins = {
        name: lines[name].origin for name in ("http.port", "city.name", "outbox.max_attempts", "log.level")
    }
    assert origins == {
        "http.port": "default",  # the file only repeats the default
        "city.name": "config.toml",
        "outbox.max_attempts": "config.local.toml",
        "log.level": "environment",
    }
    assert (lines["city.name"].value, lines["city.name"].default) == ("柳州", "桂林")


def test_a_setting_changed_since_the_start_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[city]\nname = '柳州'\n", "utf-8")
    monkeypatch.setenv("HOTLINE_CONFIG", str(file))
    settings = load_settings()
    file.write_text("[city]\nname = '梧州'\n", "utf-8")
    line = _lines(settings)["city.name"]
    assert (line.value, line.stale) == ("柳州", True)
    file.write_text("[city\n", "utf-8")  # somebody is editing it at this moment
    assert _lines(settings)["city.name"].value == "柳州"


def test_no_secret_is_shown_whatever_it_is_called_or_wherever_it_hides() -> None:
    settings = load_settings(
        environ={
            "HOTLINE_SECRETS__INDEX_KEY": "SECRET-one-with-length",
            "HOTLINE_HTTP__METRICS_TOKEN": "SECRET-two",
            "HOTLINE_DATABASE__URL": "postgresql+asyncpg://hotline:SECRET-three@db/hotline",
            "HOTLINE_NOTIFY__WEBHOOK_URL": "https://chat.example/send?key=SECRET-four",
            "HOTLINE_SECRETS__PBX_PASSWORDS": '{"one": "SECRET-five"}',
        }
    )
    for line in in_force(settings):
        assert "SECRET" not in line.value + line.default, line.name
    assert _lines(settings)["http.metrics_token"].value == "已设置"


def test_every_setting_has_a_word_at_the_console() -> None:
    assert set(MEANINGS) == set(_lines(load_settings(environ={})))
