"""What is kept as a code is shown as a word."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from telephony.controls.terms import Act
from web.words import AUDIT_ACTIONS, AUDIT_OBJECTS

ROOT = Path(__file__).parents[2]
ROOMS = ("core", "telephony", "chats", "tickets", "classifier", "routing", "sla", "web")


def audited(keyword: str) -> Iterator[tuple[str, str]]:
    """Per call of `audit.record` that spells `keyword` out: the file, the code."""
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("audit.record"):
                continue
            for given in node.keywords:
                if given.arg == keyword and isinstance(given.value, ast.Constant):
                    yield path.name, str(given.value.value)


@pytest.mark.parametrize(("keyword", "words"), [("action", AUDIT_ACTIONS), ("object_type", AUDIT_OBJECTS)])
def test_the_audit_log_has_a_word_for_everything_it_is_told(keyword: str, words: dict[str, str]) -> None:
    told = list(audited(keyword))
    assert len(told) > 40
    assert [(file, code) for file, code in told if code not in words] == []


@pytest.mark.parametrize("words", [AUDIT_ACTIONS, AUDIT_OBJECTS])
def test_a_word_of_the_audit_log_means_one_thing(words: dict[str, str]) -> None:
    assert [word for word, times in Counter(words.values()).items() if times > 1] == []


def test_the_audit_log_has_a_word_for_every_order_about_a_call() -> None:
    assert [act for act in Act if f"call.{act.value}" not in AUDIT_ACTIONS] == []
