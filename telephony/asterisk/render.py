"""Write the Asterisk configuration of one site from the templates in conf/.

Standard library only, so that it runs on the PBX's machine without the hotline's environment.
The end-to-end tests use it with loopback addresses: what is tested is what a site copies.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
TEMPLATES = HERE / "conf"
DEFAULTS = HERE / "site.toml"
UNCHANGED = "change-me"
_PLACEHOLDER = re.compile(r"@([A-Z][A-Z_]*)@")
# A semicolon starts a comment and a line end a new setting: neither can be part of a value.
_FORBIDDEN = re.compile(r"[;\x00-\x1f\x7f]")


class SiteError(ValueError):
    """The site file cannot be used; the text says which key and why."""


def load_site(path: Path) -> dict[str, str | int]:
    """Read a site file over the defaults. Raises SiteError for an unknown key."""
    values = tomllib.loads(DEFAULTS.read_text("utf-8"))
    for key, value in tomllib.loads(path.read_text("utf-8")).items():
        if key not in values:
            raise SiteError(f"unknown key {key!r} in {path}")
        values[key] = value
    return values


def phone_password(phone_secret: str, extension: int) -> str:
    """The SIP password of one phone: 24 hexadecimal digits, the same every time it is asked for."""
    return hmac.new(phone_secret.encode(), str(extension).encode(), hashlib.sha256).hexdigest()[:24]


def extensions(site: Mapping[str, str | int]) -> range:
    """The agents' extensions."""
    first = int(site["first_agent"])
    agents = range(first, first + int(site["agents"]))
    if not agents or agents[0] < 1000 or agents[-1] > 1999:
        raise SiteError("agents' extensions must lie between 1000 and 1999: the dialplan says _1XXX")
    return agents


def render(site: Mapping[str, str | int]) -> dict[str, str]:
    """Return file name -> text. Raises SiteError for a bad value or an unchanged secret."""
    _check(site)
    values = {key.upper(): str(value) for key, value in site.items()}
    agents = extensions(site)
    fixed = agents if site["members"] == "static" else range(0)
    values["HOTLINE_MEMBERS"] = _members(fixed)
    values["EXPERT_MEMBERS"] = _members(range(int(site["first_expert"]), agents[-1] + 1) if fixed else fixed)
    values["AGENT_PHONES"] = "\n".join(_phone(site, extension) for extension in agents)
    files = {path.name: _fill(path, values) for path in sorted(TEMPLATES.glob("*.conf"))}
    files["phones.csv"] = "".join(
        f"{extension},{phone_password(str(site['phone_secret']), extension)}\n" for extension in agents
    )
    return files


def placeholders(template: Path) -> set[str]:
    """The names a template asks for."""
    return set(_PLACEHOLDER.findall(template.read_text("utf-8")))


def write(site: Mapping[str, str | int], target: Path) -> list[Path]:
    """Write the rendered files into `target`, readable by owner and group only (they hold secrets)."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in render(site).items():
        path = target / name
        path.touch(mode=0o640)
        path.chmod(0o640)
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def _check(site: Mapping[str, str | int]) -> None:
    for key, value in site.items():
        if _FORBIDDEN.search(str(value)):
            raise SiteError(f"{key} must not hold a semicolon or a control character")
    for key in ("ami_secret", "phone_secret"):
        if site[key] == UNCHANGED:
            raise SiteError(f"{key} is still {UNCHANGED!r}: make one with  openssl rand -hex 24")
    if site["members"] not in ("console", "static"):
        raise SiteError('members must be "console" or "static"')
    if site["voicemail"] not in ("yes", "no"):
        raise SiteError('voicemail must be "yes" or "no"')
    if not re.fullmatch(r"[1-9]|off", str(site["status_key"])):
        raise SiteError('status_key must be one of "1" to "9", or "off"')
    if site["phones"] not in ("desk", "browser"):
        raise SiteError('phones must be "desk" or "browser"')


def _members(agents: range) -> str:
    return "\n".join(f"member => PJSIP/{extension}" for extension in agents) or "; signed in from the console"


def _phone(site: Mapping[str, str | int], extension: int) -> str:
    password = phone_password(str(site["phone_secret"]), extension)
    return (
        f"[{extension}](agent-{site['phones']})\nauth = {extension}\naors = {extension}\n"
        f'callerid = "{extension}" <{extension}>\n'
        f"[{extension}](agent-auth)\nusername = {extension}\npassword = {password}\n"
        f"[{extension}](agent-aor)\n"
    )


def _fill(template: Path, values: Mapping[str, str]) -> str:
    def value_of(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise SiteError(f"{template.name} asks for @{match[1]}@, which the site file does not have")
        return values[match[1]]

    return _PLACEHOLDER.sub(value_of, template.read_text("utf-8"))


def main(arguments: list[str]) -> int:
    """`render.py SITE.toml TARGET_DIR`; returns the process's exit status."""
    if len(arguments) != 2:
        print("usage: render.py SITE.toml TARGET_DIR", file=sys.stderr)
        return 2
    try:
        written = write(load_site(Path(arguments[0])), Path(arguments[1]))
    except (SiteError, OSError, tomllib.TOMLDecodeError) as error:
        print(f"render.py: {error}", file=sys.stderr)
        return 1
    print(f"{len(written)} files in {arguments[1]}; the phones' passwords are in phones.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
