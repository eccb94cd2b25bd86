"""hotline.py makes .venv from the lock, or says in one sentence why it cannot."""

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOOR = ROOT / "hotline.py"


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A copy of the door with a lock of nothing and a command line that only says what it was given."""
    shutil.copy(DOOR, tmp_path / "hotline.py")
    for name in ("requirements.lock", "requirements-test.lock"):
        (tmp_path / name).write_text("# nothing\n")
    (tmp_path / "commands.py").write_text("import sys\nprint('arguments:', sys.argv[1:])\n")
    return tmp_path


@pytest.fixture
def door(product: Path) -> ModuleType:
    """The door as a module, standing in the copied product."""
    spec = importlib.util.spec_from_file_location("door", product / "hotline.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def knock(product: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(product / "hotline.py"), *arguments],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": str(product), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_an_old_python_can_read_the_file_and_gets_one_sentence() -> None:
    source = DOOR.read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    guard = next(node for node in tree.body if isinstance(node, ast.If))
    stub = ModuleType("sys")
    stub.version_info = (3, 8, 10)  # type: ignore[attr-defined]  # what an old Python would say
    stub.exit = _stop  # type: ignore[attr-defined]  # the same
    with pytest.raises(SystemExit) as ended:
        exec(compile(ast.Module([guard], []), "door", "exec"), {"sys": stub})  # the guard stands alone
    assert "3.11 or newer" in str(ended.value)
    assert "this is Python 3.8" in str(ended.value)
    assert "apt-get install" in str(ended.value)
    before = [node for node in tree.body if node.lineno < guard.lineno]
    assert all(isinstance(node, ast.Import | ast.Expr) for node in before)


def _stop(message: str) -> None:
    raise SystemExit(message)


@pytest.mark.parametrize("name", ["python3.6", "python3.8", "python3.10"])
def test_a_real_old_python_says_it_too(name: str) -> None:
    found = shutil.which(name)
    works = found and subprocess.run([found, "-V"], capture_output=True, check=False).returncode == 0
    if not found or not works:
        pytest.skip(f"no {name} on this machine")
    done = subprocess.run([found, str(DOOR), "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_first_start_makes_the_venv_and_the_second_only_hands_over(product: Path) -> None:
    first = knock(product, "run", "--fast")
    assert first.stdout.splitlines()[-1] == "arguments: ['run', '--fast']"
    assert "Installing" in first.stdout
    second = knock(product, "run")
    assert second.stdout == "arguments: ['run']\n"
    assert json.loads((product / ".venv/hotline.json").read_text())["run"]


def test_a_half_made_venv_is_made_again(product: Path) -> None:
    knock(product, "run")
    (product / ".venv/hotline.making").touch()
    (product / ".venv/left-over").touch()
    again = knock(product, "run")
    assert "Making .venv" in again.stdout
    assert not (product / ".venv/left-over").exists()


def test_a_changed_lock_is_installed(product: Path) -> None:
    knock(product, "run")
    (product / "requirements.lock").write_text("# something else\n")
    assert "Installing" in knock(product, "run").stdout


def test_a_venv_whose_python_has_gone_is_made_again(product: Path) -> None:
    knock(product, "run")
    python = product / ".venv/bin/python"
    python.unlink()
    python.symlink_to(product / "gone")
    again = knock(product, "run")
    assert again.stdout.splitlines()[-1] == "arguments: ['run']"


def test_an_index_out_of_reach_is_one_sentence(product: Path) -> None:
    (product / "requirements.lock").write_text(f"nothing-of-this-name==1.0 --hash=sha256:{'0' * 64}\n")
    done = knock(product, "run", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "The packages could not be loaded: the package index cannot be reached.\n  Help:"
    )
    assert len(done.stderr.splitlines()) == 2


def test_a_folder_of_wheels_is_the_only_source(product: Path) -> None:
    (product / "requirements.lock").write_text(f"nothing-of-this-name==1.0 --hash=sha256:{'0' * 64}\n")
    (product / "wheels").mkdir()
    done = knock(product, "run", HOTLINE_WHEELS=str(product / "wheels"))
    assert done.returncode == 2
    assert done.stderr.startswith("The folder of HOTLINE_WHEELS lacks a package")
    missing = knock(product, "run", HOTLINE_WHEELS=str(product / "absent"))
    assert "is no folder" in missing.stderr


def test_a_python_without_venv_is_one_sentence(
    door: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door.importlib.util, "find_spec", lambda name: None)
    assert door.main(["run"]) == 2
    said = capsys.readouterr().err
    assert "without the modules venv and ensurepip" in said
    assert "sudo apt-get install python3" in said


def test_a_folder_of_somebody_else_is_one_sentence(
    door: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door.os, "access", lambda path, mode: False)
    assert door.main(["run"]) == 2
    said = capsys.readouterr().err
    assert "cannot be written by the user" in said
    assert "sudo chown -R" in said


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "its hash differs"),
        ("Temporary failure in name resolution\nERROR: No matching distribution found", "cannot be reached"),
        ("ERROR: something new", "ERROR: something new"),
    ],
)
def test_what_pip_says_becomes_a_sentence(door: ModuleType, log: str, sentence: str) -> None:
    assert sentence in door.explain(log).sentence


def test_help_needs_no_installation(product: Path) -> None:
    done = knock(product, "--help")
    assert done.returncode == 0
    assert "python3 hotline.py COMMAND" in done.stdout
    assert not (product / ".venv").exists()
