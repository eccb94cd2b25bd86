"""Text stays readable in every theme: WCAG 2.1 AA, computed from the variables themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "web" / "static" / "css" / "tokens.css").read_text("utf-8")
TEXT, LARGE = 4.5, 3.0
PAIRS = [
    ("text", "bg"),
    ("text", "surface"),
    ("text", "raised"),
    ("text", "sunken"),
    ("text", "hover"),
    ("text", "selected"),
    ("text-soft", "bg"),
    ("text-soft", "surface"),
    ("text-soft", "sunken"),
    ("text-soft", "raised"),
    ("accent", "surface"),
    ("accent", "bg"),
    ("accent", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    *((tone, f"{tone}-soft") for tone in ("info", "warn", "bad", "good", "secret", "quiet")),
    *((tone, "surface") for tone in ("info", "warn", "bad", "good", "secret", "quiet")),
]


def _theme(selector: str) -> dict[str, str]:
    block = re.search(re.escape(selector) + r"\s*{([^}]*)}", TOKENS)
    assert block, selector
    return dict(re.findall(r"--hl-([\w-]+):\s*(#[0-9a-f]{6})", block[1]))


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """The ratio of WCAG 2.1 between two colours."""
    high, low = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("selector", [":root", '[data-theme="dark"]', '[data-theme="contrast"]'])
def test_every_text_colour_is_readable_on_the_grounds_it_is_used_on(selector: str) -> None:
    colours = {**_theme(":root"), **_theme(selector)}
    weak = [(a, b, round(contrast(colours[a], colours[b]), 2)) for a, b in PAIRS]
    assert [pair for pair in weak if pair[2] < TEXT] == []
    assert contrast(colours["focus"], colours["surface"]) >= LARGE
    assert contrast(colours["line-strong"], colours["surface"]) >= LARGE  # borders of fields


def test_every_theme_names_the_same_colours() -> None:
    base = set(_theme(":root"))
    for selector in ('[data-theme="dark"]', '[data-theme="contrast"]'):
        assert set(_theme(selector)) == base
