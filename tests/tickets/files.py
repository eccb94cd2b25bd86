"""Files to upload: good ones, and ones made to do harm."""

import io
import struct
import wave
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from PIL import Image

CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
)
DOCUMENT = (
    '<?xml version="1.0"?><w:document xmlns:w="x"><w:body><w:p><w:t>{}</w:t></w:p></w:body></w:document>'
)


def picture(form: str = "JPEG", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 80, 40)).save(out, form, **options)
    return out.getvalue()


def photo_with_place() -> bytes:
    """A JPEG that says where it was taken, and with what."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x8825] = {1: "N", 2: (25.0, 16.0, 30.0), 3: "E", 4: (110.0, 17.0, 20.0)}
    return picture(exif=exif.tobytes(), comment=b"secret-comment")


def pdf(extra: bytes = b"", tail: bytes = b"") -> bytes:
    """A PDF of one empty page."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R" + extra + b">>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF\n" + tail
    )


def pdf_with_hidden(inner: bytes) -> bytes:
    """A PDF whose object stream holds `inner`."""
    packed = zlib.compress(inner)
    head = b"4 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n" % len(packed)
    return pdf().replace(b"trailer", head + packed + b"\nendstream endobj\ntrailer")


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def docx(text: str = "处理结果", **more: str | bytes) -> bytes:
    parts = {"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": DOCUMENT.format(text)}
    return zipped(parts | {name.replace("__", "/"): content for name, content in more.items()})


def xlsx(parts: Mapping[str, str | bytes] | None = None) -> bytes:
    return zipped(
        {"[Content_Types].xml": CONTENT_TYPES, "xl/workbook.xml": "<workbook/>"} | dict(parts or {})
    )


def wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    return out.getvalue()


def mp3() -> bytes:
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    return b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10) + frame * 3


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def mp4() -> bytes:
    return _box(b"ftyp", b"isom\0\0\2\0isom") + _box(b"moov", bytes(20)) + _box(b"mdat", bytes(64))


GOOD = {
    "现场.jpg": picture(),
    "截图.png": picture("PNG"),
    "图.gif": picture("GIF"),
    "图.webp": picture("WEBP"),
    "报告.pdf": pdf(),
    "回复.docx": docx(),
    "清单.xlsx": xlsx(),
    "说明.txt": "已于周一现场查看。".encode(),
    "说明2.txt": "国标编码的说明".encode("gb18030"),
    "录音.wav": wav(),
    "录音.mp3": mp3(),
    "现场.mp4": mp4(),
}
_SCRIPT = b"<script>alert(1)</script>"
_REMOTE = (
    '<Relationships><Relationship Type="x/attachedTemplate" Target="http://e/t" TargetMode="External"/>'
    "</Relationships>"
)
# name → (content, code of the refusal)
BAD: dict[str, tuple[bytes, str]] = {
    "page.html": (b"<html>" + _SCRIPT, "attachment_kind"),
    "picture.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'>" + _SCRIPT + b"</svg>", "attachment_kind"),
    "data.xml": (b"<?xml version='1.0'?><a/>", "attachment_kind"),
    "tool.exe": (b"MZ" + bytes(100), "attachment_kind"),
    "macro.docm": (docx(), "attachment_kind"),
    "noextension": (b"text", "attachment_kind"),
    "page.txt": (b"<html>" + _SCRIPT, "attachment_active"),
    "vector.txt": (b" \n<a xmlns='x'/>", "attachment_content"),
    "binary.txt": (b"text\0text", "attachment_content"),
    "page.jpg": (b"<html>" + _SCRIPT, "attachment_content"),
    "picture.png": (picture("JPEG"), "attachment_content"),
    "text.pdf": (b"hello", "attachment_content"),
    "late.pdf": (b"junk\n" + pdf(), "attachment_content"),
    "script.pdf": (pdf(b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), "attachment_active"),
    "escaped.pdf": (pdf(b"/OpenAction<</S/J#61vaScript/JS(app.alert(1))>>"), "attachment_active"),
    "hidden.pdf": (pdf_with_hidden(b"1 0 <</S/JavaScript/JS(app.alert(1))>>"), "attachment_active"),
    "launch.pdf": (pdf(b"/OpenAction<</S/Launch/F(cmd.exe)>>"), "attachment_active"),
    "inside.pdf": (pdf(b"/Names<</EmbeddedFiles 9 0 R>>"), "attachment_active"),
    "polyglot.pdf": (pdf(tail=docx()), "attachment_broken"),
    "html.pdf": (b"%PDF-1.4\n" + _SCRIPT + pdf()[9:], "attachment_active"),
    "cut.pdf": (pdf()[:-8], "attachment_broken"),
    "zip.docx": (zipped({"a.txt": "x"}), "attachment_content"),
    "macro.docx": (docx(word__vbaProject="x"), "attachment_active"),
    "object.docx": (zipped({"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": DOCUMENT,
                            "word/embeddings/oleObject1.bin": b"MZ"}), "attachment_active"),
    "remote.docx": (zipped({"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": DOCUMENT,
                            "word/_rels/settings.xml.rels": _REMOTE}), "attachment_active"),
    "entity.docx": (zipped({"[Content_Types].xml": CONTENT_TYPES,
                            "word/document.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x/>'}), "attachment_active"),
    "way.xlsx": (xlsx({"../../evil.txt": "x"}), "attachment_active"),
    "bomb.xlsx": (xlsx({"xl/sheet.xml": b"0" * 20_000_000}), "attachment_bomb"),
    "front.xlsx": (b"PK\x03\x04" + _SCRIPT + xlsx(), "attachment_active"),
    "behind.xlsx": (xlsx() + b"more", "attachment_broken"),
    "html.wav": (wav() + _SCRIPT, "attachment_active"),
    "behind.wav": (wav() + b"more", "attachment_broken"),
    "html.mp4": (mp4() + _SCRIPT, "attachment_active"),
    "behind.mp4": (mp4() + b"more", "attachment_broken"),
    "nothing.mp4": (mp4()[:20], "attachment_broken"),
    "silence.mp3": (b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(600), "attachment_broken"),
    "cut.jpg": (picture(size=(400, 400))[:700], "attachment_broken"),
}  # fmt: skip
