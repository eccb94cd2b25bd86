"""Writes docs/settings.md and docs/reference.md from the code: `python -m tests.docs.reference`.

The pages are kept in the repository, because people read them there; a test compares them with what
this module would write, so that they cannot lie.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from core.events import Event, LiveEvent
from core.people.permissions import ROLE_PERMISSIONS
from core.settings import ROOT, Settings
from core.startup import SENTENCES
from tests.docs.workflow import workflow_page
from tickets import terms, workflow
from web.sentences import PROBLEMS

ROOMS = ("core", "chats", "telephony", "tickets", "routing", "classifier", "sla", "web")
EVENT_MODULES = (
    "core.catalog.events",
    "core.people.events",
    "chats.events",
    "telephony.events",
    "telephony.floor.events",
    "tickets.events",
    "tickets.knowledge.events",
    "sla.events",
    "sla.measures.events",
    "sla.supervision.events",
)
PAGES = {
    ROOT / "docs" / "settings.md": "settings_page",
    ROOT / "docs" / "reference.md": "reference_page",
    ROOT / "docs" / "workflow.md": "workflow_page",
}


# Codes that no person reads at a screen: what they mean to a programmer or in a log.
INTERNAL = {
    "channel_full": "more matters of one citizen than a day has room for; the channel says so itself",
    "ami_action_refused": "an action for the PBX holds something it must not; nothing was sent",
    "ami_error": "the PBX answered an action with an error",
    "ami_not_connected": "there is no connection to that PBX now",
    "ami_timeout": "the PBX did not answer an action in time",
    "pbx_refused": "`doctor`: the PBX refused the connection or the login",
    "unit_kind_unknown": "a unit can only be of the kinds of `core/people/org.py`",
    "value_unreadable": "no key of this node opens a personal value: a master key is missing or wrong",
}

# -- settings --------------------------------------------------------------------------


def setting_names(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting's dotted name and default, in the order of config.toml."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from setting_names(inner, f"{prefix}{name}.")
        elif name == "pbx":
            for one, inner_field in get_args(inner)[0].model_fields.items():
                yield f"{prefix}pbx[].{one}", inner_field.get_default()
        else:
            yield prefix + name, field.get_default(call_default_factory=True)


def comments() -> dict[str, str]:
    """Dotted name → the comment on its line of config.toml; the sample PBX block included."""
    found: dict[str, str] = {}
    table = ""
    for line in (ROOT / "config.toml").read_text(encoding="utf-8").splitlines():
        text = line.removeprefix("# ")
        if match := re.fullmatch(r"\[+([\w.]+)\]+", text.strip()):
            table = match[1] + "." if not line.startswith("#") else "telephony.pbx[]."
        elif match := re.match(r'([\w]+) = (?:"[^"]*"|\[[^]]*\]|[^#]*?)\s*(?:#\s*(.*))?$', text):
            found[table + match[1]] = match[2] or ""
    return found


SECRETS = {
    "secrets.master_keys": "keys that seal personal values, by name; `privacy.key_id` seals new ones",
    "secrets.index_key": "key of the blind index by which equal numbers meet; it can never change",
    "secrets.demo_password": "password of all demo accounts (development only)",
    "secrets.openid_secret": "secret of this hotline at the OpenID Connect provider",
    "secrets.pbx_passwords": "AMI password of each PBX, by its name",
    "secrets.webhook_key": "signs what is posted to webhooks; the receiver checks it",
    "secrets.smtp_password": "password of `notify.smtp_user`",
    "secrets.wechat_token": "token (令牌) of the WeChat callback; the platform signs with it",
    "secrets.wechat_secret": "AppSecret of the WeChat account",
    "secrets.wechat_aes_key": "EncodingAESKey, 43 signs: with it only encrypted callbacks are taken",
    "secrets.weibo_secret": "AppSecret of the Weibo application; the platform signs with it",
    "secrets.weibo_token": "access token of the Weibo account",
    "secrets.mail_password": "password of `channels.mail.user`",
}
PBX = {
    "name": "tells several PBXs apart; letters, digits, - and _",
    "host": "address of its manager interface",
    "port": "port of its manager interface",
    "username": "manager user, see `telephony/asterisk/conf/manager.conf`",
    "queue_log": "its queue_log as seen from this machine; gaps are reconciled with it",
    "recordings": "its folder of recordings as seen from this machine; without it nothing can be heard",
    "voicemails": "its folder of messages as seen from this machine; without it nobody can hear them",
}


def meaning(name: str, known: dict[str, str]) -> str:
    """What a setting means, in the words of config.toml."""
    return known.get(name) or SECRETS.get(name) or PBX.get(name.rsplit(".", 1)[-1], "")


def settings_page() -> str:
    """docs/settings.md."""
    known = comments()
    lines = [
        "# Settings",
        "",
        "Written by `python -m tests.docs.reference` from `config.toml`; do not edit.",
        "",
        "A value comes from, later ones winning: `config.toml` · `config.local.toml` beside it (git ignores",
        "it) · the environment, `HOTLINE_` + section + `__` + name: `HOTLINE_HTTP__PORT=8080`; lists and",
        "tables as JSON. `HOTLINE_CONFIG` names another `config.toml`. Unknown names are refused with the",
        'nearest valid one. Secrets are refused in `config.toml`. In `mode = "production"` default secrets',
        "and the simulator are refused.",
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    for name, default in setting_names():
        shown = (
            "a value for development"
            if name.startswith("secrets.") and default
            else f"`{_toml(default)}`"
            if _toml(default)
            else "required"
        )
        lines.append(f"| `{name}` | {shown} | {meaning(name, known)} |")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if value is None or isinstance(value, str | Path):
        return f'"{value or ""}"'
    return "" if "PydanticUndefined" in repr(value) else str(value)


# -- events, states, errors ------------------------------------------------------------


def events() -> list[type[Event]]:
    """Every event class of every room."""
    found: list[type[Event]] = []
    for module in map(importlib.import_module, EVENT_MODULES):
        for _, thing in inspect.getmembers(module, inspect.isclass):
            if issubclass(thing, Event) and thing.__module__ == module.__name__:
                found.append(thing)
    return found


def raised_codes() -> dict[str, set[str]]:
    """Every code our rooms give a HotlineError → the rooms that do."""
    found: dict[str, set[str]] = {}
    files = [path for room in (*ROOMS, "node", "command_line") for path in (ROOT / room).rglob("*.py")]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "HotlineError" and node.args:
                for code in _constants(node.args[0]):
                    found.setdefault(code, set()).add(path.relative_to(ROOT).parts[0])
    return found


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)


def first_line(thing: object) -> str:
    """The first sentence of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0].replace("|", "\\|")


def reference_page() -> str:
    """docs/reference.md."""
    lines = ["# Reference", "", "Written by `python -m tests.docs.reference` from the code; do not edit.", ""]
    lines += ["## Ticket states", "", "| code | 中文 | ends the ticket |", "|---|---|---|"]
    for state, label in workflow.STATE_LABELS.items():
        lines.append(f"| `{state}` | {label} | {'yes' if state in workflow.FINAL else ''} |")
    lines += ["", "## Actions", "", "| code | 中文 | from | to |", "|---|---|---|---|"]
    for action, label in workflow.ACTION_LABELS.items():
        rule = workflow.RULES.get(action)
        sources = ", ".join(sorted(rule.sources)) if rule else "no rule in the table"
        targets = (" / ".join(rule.targets) or "the same") if rule else ""
        lines.append(f"| `{action}` | {label} | {sources} | {targets} |")
    for kind, labels in terms.LABELS.items():
        lines += ["", f"## {kind.__name__}", "", first_line(kind), "", "| code | 中文 |", "|---|---|"]
        lines += [f"| `{code}` | {word} |" for code, word in labels.items()]
    lines += ["", "## Roles", "", "| role | may |", "|---|---|"]
    lines += [
        f"| `{role}` | {', '.join(f'`{act}`' for act in sorted(acts)) or 'nothing yet'} |"
        for role, acts in ROLE_PERMISSIONS.items()
    ]
    lines += ["", "## Events", "", "| event | live | tells |", "|---|---|---|"]
    for event in events():
        lines.append(f"| `{event.__name__}` | {_live(event)} | {first_line(event)} |")
    lines += ["", "## Error codes", "", *_error_rows()]
    return "\n".join(lines) + "\n"


def _live(event: type[Event]) -> str:
    return "yes" if issubclass(event, LiveEvent) else ""


def _error_rows() -> list[str]:
    """One row per code: where it is raised, what the console says, what the command line says."""
    rows = ["| code | raised in | at the console | at the command line, or meaning |", "|---|---|---|---|"]
    raised = raised_codes()
    for code in sorted({*raised, *PROBLEMS, *SENTENCES}):
        problem, sentence = PROBLEMS.get(code), SENTENCES.get(code)
        console = f"{problem.status} {problem.title}" if problem else ""
        other = sentence[0] if sentence else INTERNAL.get(code, "")
        rows.append(f"| `{code}` | {', '.join(sorted(raised.get(code, ())))} | {console} | {other} |")
    return rows


__all__ = ["workflow_page"]

if __name__ == "__main__":
    for page, writer in PAGES.items():
        page.write_text(globals()[writer](), encoding="utf-8")
        print(page.relative_to(ROOT))
