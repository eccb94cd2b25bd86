"""Static files: read once, addressed by the digest of the whole tree, cached for good.

`/static/<digest>/js/app.js` never changes, and a relative import inside a module keeps the digest
in its address, so one new file is never mixed with an old one. `/static/js/app.js` without a digest
is answered too, but has to be asked for again each time.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".toml": "text/plain"}
_COMPRESSIBLE = {".js", ".css", ".svg"}
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One static file in memory."""

    body: bytes
    packed: bytes | None
    content_type: str
    etag: str


class Assets:
    """All static files of the console."""

    def __init__(self, root: Path = STATIC) -> None:
        self._files = {
            path.relative_to(root).as_posix(): _load(path)
            for path in sorted(root.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        tree = hashlib.sha256()
        for name, asset in self._files.items():
            tree.update(f"{name}\0{asset.etag}\n".encode())
        self.digest = tree.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The lasting address of a file. Raises KeyError for a file that is not there."""
        if name not in self._files:
            raise KeyError(f"no static file {name}")
        return f"/static/{self.digest}/{name}"

    def text(self, name: str) -> str:
        """A file as text. Raises KeyError for a file that is not there."""
        return self._files[name].body.decode()

    def answer(self, request: web.Request) -> web.Response:
        """The response for `/static/...`; 404 for what is not in the tree."""
        name = request.match_info["path"]
        lasting = name.startswith(f"{self.digest}/")
        asset = self._files.get(name.removeprefix(f"{self.digest}/"))
        if asset is None:
            raise web.HTTPNotFound
        headers = {
            "ETag": f'"{asset.etag}"',
            "Cache-Control": _FOR_GOOD if lasting else "no-cache",
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        body = asset.body
        if asset.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = asset.packed
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers, content_type=asset.content_type, charset="utf-8")


def _load(path: Path) -> Asset:
    body = path.read_bytes()
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    content_type = _TYPES.get(path.suffix, guessed)
    packed = gzip.compress(body, 6, mtime=0) if path.suffix in _COMPRESSIBLE and len(body) > 1024 else None
    return Asset(body, packed, content_type, hashlib.sha256(body).hexdigest()[:32])


ASSETS = web.AppKey("assets", Assets)
