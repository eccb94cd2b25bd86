"""Flat XML as platforms post it: one element with fields. No entities, no document types, small. Pure."""

from typing import Any
from xml.parsers import expat

MOST_BYTES = 64 * 1024
MOST_FIELDS = 100
DEEPEST = 3


class BadXml(ValueError):
    """Not what a platform posts."""


def fields(body: bytes) -> dict[str, str]:
    """The fields of `<xml><A>…</A><B>…</B></xml>`; those further down are left out. Raises `BadXml`."""
    if len(body) > MOST_BYTES:
        raise BadXml("large")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadXml("encoding") from None
    reader = _Reader()
    parser = expat.ParserCreate("UTF-8")  # whatever the body says it is written in
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ProcessingInstructionHandler = reader.refuse
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        raise BadXml("broken") from None
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self._text: list[str] = []
        self._count = 0

    def refuse(self, *_args: Any) -> None:
        raise BadXml("refused")

    def begin(self, name: str, _attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._count += 1
        self._text = []
        if len(self._path) > DEEPEST or self._count > MOST_FIELDS or (len(self._path) == 1 and name != "xml"):
            raise BadXml("shape")

    def text(self, data: str) -> None:
        self._text.append(data)

    def end(self, name: str) -> None:
        if len(self._path) == 2:
            if name in self.found:
                raise BadXml("twice")
            self.found[name] = "".join(self._text)
        self._path.pop()
        self._text = []


def cdata(text: str) -> str:
    """Text as it may stand in a field: controls that XML has no place for are left out."""
    kept = "".join(
        sign for sign in text if sign in "\n\t" or (ord(sign) >= 32 and sign not in "\ufffe\uffff")
    )
    kept = kept.encode("utf-8", "ignore").decode()  # half characters
    return "<![CDATA[" + kept.replace("]]>", "]]]]><![CDATA[>") + "]]>"
