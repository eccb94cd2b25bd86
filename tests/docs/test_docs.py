"""The documentation says what the code does; these tests keep it so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.people.permissions import Role
from core.settings import ROOT
from core.startup import SENTENCES
from tests.docs import reference
from tickets import terms, workflow
from web.sentences import PROBLEMS

DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
COMMAND = re.compile(r"python3 hotline\.py ([a-z]+(?: (?:verify|create|seed|reset)\b)?)")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("page", reference.PAGES, ids=lambda page: page.name)
def test_a_generated_page_is_what_the_code_says_now(page: Path) -> None:
    wanted = getattr(reference, reference.PAGES[page])()
    assert page.read_text(encoding="utf-8") == wanted, "run: .venv/bin/python -m tests.docs.reference"


def test_config_toml_shows_every_setting_and_no_secret() -> None:
    shown = set(reference.comments())
    wanted = {name for name, _ in reference.setting_names() if not name.startswith("secrets.")}
    assert wanted - shown == set()
    assert shown - wanted == set()


def test_every_setting_has_a_meaning() -> None:
    known = reference.comments()
    assert [name for name, _ in reference.setting_names() if not reference.meaning(name, known)] == []


def test_every_error_code_has_a_sentence_for_somebody() -> None:
    explained = {*PROBLEMS, *SENTENCES, *reference.INTERNAL}
    assert sorted(set(reference.raised_codes()) - explained) == []


def test_every_event_class_says_what_it_tells() -> None:
    assert [event.__name__ for event in reference.events() if not reference.first_line(event)] == []


def test_the_glossary_has_every_word_of_the_trade() -> None:
    glossary = text("docs/glossary.md")
    words = {*workflow.STATE_LABELS.values(), *workflow.ACTION_LABELS.values()}
    words |= {word for labels in terms.LABELS.values() for word in labels.values()}
    codes = {*workflow.STATE_LABELS, *(f"`{role}`" for role in Role)}
    assert sorted(word for word in words | codes if word not in glossary) == []


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    broken = []
    for page in DOCS:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if (
                "://" not in target
                and not target.startswith("mailto:")
                and not (page.parent / target).exists()
            ):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_a_readme_names_both_commands_and_the_map(page: str) -> None:
    content = text(page)
    for needed in (
        "python3 hotline.py run",
        "python3 hotline.py test",
        "docs/asterisk.md",
        "docs/operations.md",
    ):
        assert needed in content
    for room in ("telephony/", "tickets/", "routing/", "classifier/", "sla/", "web/", "tests/", "core/"):
        assert room in content


def commands_of_the_docs() -> list[str]:
    found = {match for page in DOCS for match in COMMAND.findall(page.read_text(encoding="utf-8"))}
    return sorted(found - {"wheels"})  # that one is the bootstrap's own


@pytest.mark.parametrize("command", commands_of_the_docs())
def test_a_command_of_the_documentation_exists(command: str) -> None:
    arguments = [*command.split(), "--help"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "commands.py"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: hotline.py" in done.stdout


def test_the_locks_pin_hashes_and_name_no_index() -> None:
    for name in ("requirements.lock", "requirements-test.lock"):
        lock = text(name)
        assert "://" not in lock
        assert "index-url" not in lock
        packages = re.findall(r"^[\w.-]+==[^\n]*\\\n(    --hash=sha256:[0-9a-f]{64})", lock, re.MULTILINE)
        assert len(packages) == len(re.findall(r"^[\w.-]+==", lock, re.MULTILINE)) > 50


def test_the_test_lock_holds_the_run_lock() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[\w.-]+==[^\s;]+", text(name), re.MULTILINE))

    assert pins("requirements.lock") - pins("requirements-test.lock") == set()


def test_the_repository_names_no_machine_and_no_package_registry() -> None:
    forbidden = re.compile(
        "|".join(
            (
                "/ro" + "ot/",
                "/wo" + "rk/",
                "/home/[a-z]",
                "python" + "hosted",
                "registry.npm" + "js",
                "PyPI mirror",
            )
        )
    )
    found = []
    for path in tracked():
        if path.suffix in (".png", ".woff2", ".wav", ".ico", ".npz"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if len(line) < 2000 and forbidden.search(line) and path.name != Path(__file__).name:
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert found == []
