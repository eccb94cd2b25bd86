"""The backup file: a tar.

* `manifest.json`: when, which release, how many rows in each table, the head of the audit chain,
  fingerprints of the keys;
* `database.sql.gz`: pg_dump, from the same snapshot as the counts;
* `files.json`: what lies in the folders beside the database; attachments with their digest, recordings,
  which are to be copied by other means, without;
* `attachments/…`: the attachments themselves. A row is written after its file, so that files listed after
  the snapshot are all that its rows speak of.
"""

import hashlib
import hmac
import io
import json
import os
import re
import shutil
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import HotlineError
from core.settings import Settings

FORMAT = 1
DUMP = "database.sql.gz"
ATTACHMENTS = "attachments"
# Only names of our own making are packed and unpacked: a backup must not write elsewhere.
_ATTACHMENT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{40}(\.t)?")


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself."""

    format: int
    made_at: str  # UTC, ISO 8601
    revision: str
    server: str
    counts: dict[str, int]
    audit_linked: int
    audit_head: str
    settings: str  # SHA-256 of the settings without the secrets
    keys: dict[str, str]  # fingerprints: they say whether a key is the right one, not what it is
    dump: str  # SHA-256 of database.sql.gz
    files: int = 0


def list_files(settings: Settings) -> list[dict[str, Any]]:
    """Recordings and attachments: path, bytes, modification time (Unix seconds)."""
    folders = {ATTACHMENTS: settings.var / ATTACHMENTS, "recordings": settings.var / "recordings"}
    folders |= {
        f"{what} of {pbx.name}": folder
        for pbx in settings.telephony.pbx
        for what, folder in (("recordings", pbx.recordings), ("messages", pbx.voicemails))
        if folder
    }
    found: list[dict[str, Any]] = []
    for name, folder in folders.items():
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            known = name != ATTACHMENTS or _ATTACHMENT.fullmatch(path.relative_to(folder).as_posix())
            if known and path.is_file():
                state = path.stat()
                entry = {"folder": name, "path": str(path.relative_to(folder))}
                found.append(entry | {"bytes": state.st_size, "modified": int(state.st_mtime)})
    return found


def settings_digest(settings: Settings) -> str:
    """SHA-256 over the settings without the secrets: says whether two machines are set alike."""
    return hashlib.sha256(settings.model_dump_json(exclude={"secrets"}).encode()).hexdigest()


def fingerprints(settings: Settings) -> dict[str, str]:
    """Eight bytes of HMAC for each key: enough to recognise a wrong key at a restore."""
    keys = {f"master {name}": key for name, key in settings.secrets.master_keys.items()}
    keys["index"] = settings.secrets.index_key
    return {
        name: hmac.digest(key.encode(), b"hotline backup", "sha256")[:8].hex() for name, key in keys.items()
    }


def pack(
    target: Path, manifest: Manifest, dump: Path, files: list[dict[str, Any]], attachments: Path
) -> None:
    """Write all members to `target`, readable by its owner only, safe on the disk at return.

    Adds the digest of each attachment to `files`.
    """
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w") as archive:
            _add(archive, "manifest.json", asdict(manifest))
            archive.add(dump, DUMP)
            for entry in files:
                if entry["folder"] == ATTACHMENTS:
                    entry["sha256"] = digest_of(attachments / entry["path"])
                    archive.add(attachments / entry["path"], f"{ATTACHMENTS}/{entry['path']}")
            _add(archive, "files.json", files)
        raw.flush()
        os.fsync(raw.fileno())


def _add(archive: tarfile.TarFile, name: str, data: Any) -> None:
    text = json.dumps(data, indent=1, ensure_ascii=False).encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text), 0o600
    archive.addfile(entry, io.BytesIO(text))


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(source: Path) -> tuple[Manifest, list[dict[str, Any]]]:
    """The manifest and the list of files of a backup whose dump is whole.

    Errors: backup_unreadable.
    """
    try:
        with tarfile.open(source) as archive:
            data = json.load(member(archive, "manifest.json"))
            if data.get("format") != FORMAT:
                raise ValueError(f"its format is {data.get('format')}, this release reads {FORMAT}")
            manifest = Manifest(**data)
            digest = hashlib.file_digest(member(archive, DUMP), "sha256").hexdigest()
            if digest != manifest.dump:
                raise ValueError("the digest of its dump does not fit")
            return manifest, json.load(member(archive, "files.json"))
    except (OSError, tarfile.TarError, KeyError, TypeError, AttributeError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        raise HotlineError("backup_unreadable", file=str(source), why=why) from error


def unpack(source: Path, files: list[dict[str, Any]], attachments: Path) -> list[str]:
    """Put the attachments of a backup into their folder; a file that is there already is only looked at.

    Returns the names of those that are not what they were: missing in the backup, or of another digest.
    """
    wrong: list[str] = []
    with tarfile.open(source) as archive:
        for entry in files:
            if entry["folder"] != ATTACHMENTS or "sha256" not in entry:
                continue
            path = attachments / entry["path"]
            ours = _ATTACHMENT.fullmatch(entry["path"]) and _unpack_one(archive, entry["path"], path)
            if not ours or digest_of(path) != entry["sha256"]:
                wrong.append(entry["path"])
    return wrong


def _unpack_one(archive: tarfile.TarFile, name: str, path: Path) -> bool:
    """True when the file is in its place now."""
    if path.exists():
        return True
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.half")
    try:
        with member(archive, f"{ATTACHMENTS}/{name}") as packed, half.open("wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
    except (KeyError, ValueError, tarfile.TarError):
        half.unlink(missing_ok=True)
        return False
    half.rename(path)
    return True


def member(archive: tarfile.TarFile, name: str) -> io.BufferedReader:
    """One file of the archive, for reading; ValueError or KeyError when it is none."""
    member = archive.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is no file")
    return member  # type: ignore[return-value]  # typeshed says IO[bytes]; file_digest wants the class it is
