"""Our own CSS, JavaScript and templates use only what Chromium 81 understands and the policy allows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
VENDOR = WEB / "static" / "vendor"

CSS = {
    ":is()": r":is\(",
    ":where()": r":where\(",
    ":has()": r":has\(",
    "nesting": r"^\s*&|{[^{}]*{[^{}]*}[^{}]*{[^}]*}\s*}\s*}",
    "inset": r"(^|[\s;{])inset\s*:",
    "aspect-ratio": r"aspect-ratio\s*:",
    "color-mix": r"color-mix\(",
    "logical margins": r"(margin|padding|border|inset)-(inline|block)",
    "flex gap": r"(^|[\s;{])(gap|row-gap|column-gap)\s*:",
    "dvh": r"\d(dvh|svh|lvh|dvw)\b",
    "layers and containers": r"@(layer|container|property|scope)\b",
    "inline import": r"@import",
    "another site": r"url\(\s*['\"]?(https?:)?//",
}
JS = {
    "logical assignment": r"(\?\?|\|\||&&)=",
    "private names": r"(this\.#|(^|[{;}])\s*#\w+\s*[=(;])",
    ".at()": r"\.at\(",
    "structuredClone": r"structuredClone",
    "replaceAll": r"replaceAll",
    "import maps": r"importmap",
    "crypto.randomUUID": r"randomUUID",
    "replaceChildren": r"replaceChildren",
    "Object.hasOwn": r"Object\.hasOwn",
    "findLast": r"findLast",
    "numeric separators": r"\d_\d",
    "Promise.any": r"Promise\.any|AbortSignal\.(timeout|any)",
    "eval": r"\beval\(|new Function\(",
    "another site": r"['\"](https?:)?//[a-z]",
}
TEMPLATE = {
    "inline style": r"\sstyle\s*=",
    "style element": r"<style",
    "inline script": r"<script(?![^>]*\ssrc=)",
    "handler attribute": r"\son[a-z]+\s*=",
    "script address": r"javascript:",
    "import map": r"importmap",
    "another site": r"(src|href|action)\s*=\s*['\"](https?:)?//",
    "unescaped": r"\|\s*safe\b|autoescape\s+false",
    "htmx script": r"hx-on|hx-vals\s*=\s*['\"]js:|hx-headers\s*=\s*['\"]js:",
}


def _files(folder: str, pattern: str) -> list[Path]:
    return [path for path in sorted((WEB / folder).rglob(pattern)) if VENDOR not in path.parents]


def _stripped(path: Path) -> str:
    """Without comments: what is written about a forbidden thing is not a use of it."""
    text = path.read_text("utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S) if path.suffix in (".css", ".js") else text
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.S) if path.suffix == ".html" else text
    return re.sub(r"(^|\s)//[^\n]*", r"\1", text) if path.suffix == ".js" else text


def _uses(paths: list[Path], rules: dict[str, str]) -> list[tuple[str, str, str]]:
    found = []
    for path in paths:
        text = _stripped(path)
        for name, pattern in rules.items():
            hit = re.search(pattern, text, flags=re.M)
            if hit:
                found.append((path.name, name, hit[0][:60]))
    return found


@pytest.mark.parametrize(
    ("folder", "pattern", "rules"),
    [("static", "*.css", CSS), ("static", "*.js", JS), ("templates", "*.html", TEMPLATE)],
    ids=["css", "javascript", "templates"],
)
def test_nothing_forbidden_is_used(folder: str, pattern: str, rules: dict[str, str]) -> None:
    paths = _files(folder, pattern)
    assert paths
    assert _uses(paths, rules) == []


@pytest.mark.parametrize(
    ("suffix", "rules", "sample"),
    [
        (".css", CSS, "a:is(b) { gap: 4px; inset: 0; }"),
        (".js", JS, "class A { #x = 1; f() { this.y ??= [1].at(0); } }"),
        (".html", TEMPLATE, '<a onclick="x()" style="color:red">{{ x|safe }}</a><script>1</script>'),
    ],
)
def test_the_rules_find_what_they_are_for(
    tmp_path: Path, suffix: str, rules: dict[str, str], sample: str
) -> None:
    path = tmp_path / f"sample{suffix}"
    path.write_text(sample, "utf-8")
    assert len(_uses([path], rules)) >= 3


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'id="([a-z]+)"', (WEB / "static" / "icons.svg").read_text("utf-8")))
    named: set[str] = set()
    for path in _files("templates", "*.html"):
        named |= set(re.findall(r"ui\.icon\('([a-z]+)'", path.read_text("utf-8")))
    assert named <= sprite
