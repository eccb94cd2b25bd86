"""Settings: unknown names are refused with the nearest, secrets never stand in config.toml."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import HotlineError
from core.settings import Settings, load_settings


def test_the_shipped_file_holds_every_default() -> None:
    assert load_settings(environ={}) == Settings()


def test_an_unknown_setting_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[http]\nprot = 1\n")
    with pytest.raises(HotlineError) as caught:
        load_settings(file, environ={})
    assert caught.value.code == "config_unknown"
    assert caught.value.params == {"name": "http.prot", "nearest": "http.port"}


def test_an_unknown_pbx_setting_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[[telephony.pbx]]\nname = "a"\nhots = "x"\n')
    with pytest.raises(HotlineError) as caught:
        load_settings(file, environ={})
    assert caught.value.params == {"name": "telephony.pbx.hots", "nearest": "telephony.pbx.host"}


def test_the_environment_overrides_the_file() -> None:
    settings = load_settings(
        environ={"HOTLINE_HTTP__PORT": "9000", "HOTLINE_NODE__ROLES": '["web"]', "PATH": "/bin"}
    )
    assert settings.http.port == 9000
    assert settings.node.roles == ("web",)


def test_an_unknown_environment_name_is_refused() -> None:
    with pytest.raises(HotlineError) as caught:
        load_settings(environ={"HOTLINE_HTTP__PROT": "1"})
    assert caught.value.params["nearest"] == "http.port"


def test_sample_folders_are_not_settings() -> None:
    assert load_settings(environ={"HOTLINE_RECORDINGS": "x", "HOTLINE_TEXTS": "y"}) == Settings()


def test_the_local_file_overrides_and_may_hold_secrets(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[http]\nport = 1\n")
    (tmp_path / "config.local.toml").write_text('[http]\nport = 2\n[secrets]\nindex_key = "abc"\n')
    settings = load_settings(tmp_path / "config.toml", environ={})
    assert (settings.http.port, settings.secrets.index_key) == (2, "abc")


def test_secrets_in_the_main_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[secrets]\nindex_key = "abc"\n')
    with pytest.raises(HotlineError) as caught:
        load_settings(tmp_path / "config.toml", environ={})
    assert caught.value.code == "config_secret_in_file"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOTLINE_HTTP__PORT", "70000"),
        ("HOTLINE_HTTP__PORT", "abc"),
        ("HOTLINE_CITY__OFFICE_HOURS", '["9-12"]'),
        ("HOTLINE_CITY__OFFICE_HOURS", "[]"),
        ("HOTLINE_MODE", "prod"),
    ],
)
def test_a_bad_value_names_its_setting(name: str, value: str) -> None:
    with pytest.raises(HotlineError) as caught:
        load_settings(environ={name: value})
    assert caught.value.code == "config_invalid"
    assert caught.value.params["name"].startswith(name[8:].lower().replace("__", "."))


def test_production_refuses_the_development_secrets() -> None:
    with pytest.raises(HotlineError) as caught:
        load_settings(environ={"HOTLINE_MODE": "production"})
    assert caught.value.code == "config_default_secret"
    assert caught.value.params["name"] == "secrets.master_keys.k1"


def test_production_with_its_own_secrets_starts() -> None:
    settings = load_settings(
        environ={
            "HOTLINE_MODE": "production",
            "HOTLINE_SECRETS__MASTER_KEYS": '{"k1": "a-long-master-key-of-the-city"}',
            "HOTLINE_SECRETS__INDEX_KEY": "a-long-index-key-of-the-city",
            "HOTLINE_TELEPHONY__SOURCE": "asterisk",
        }
    )
    assert settings.mode == "production"


def test_settings_cannot_be_changed_while_running() -> None:
    with pytest.raises(ValidationError):
        Settings().http.port = 1  # type: ignore[misc]  # that is the point


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    assert "development-only-secret" not in repr(Settings())
