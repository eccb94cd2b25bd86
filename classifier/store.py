"""A model as files: arrays, term lists, one JSON that names every part by its hash. Reading them runs no
code.

    model.json      labels, calibration, thresholds, tokenizer, seed, figures, SHA-256 of every other part
    model.sha256    SHA-256 of model.json: the digest of the whole
    arrays.npz      weights of each view, intercepts, centroids, frequencies, mixing, shift (read without
    pickle)
    terms.json      the term lists of the seven blocks
    dictionary.txt  the words the model was trained with
    card.md         for people: where it comes from, how good it is, what it is weak at

The same texts, options and seed give the same bytes: nothing here knows the hour.
"""

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from classifier.calibration import Calibration, Thresholds
from classifier.encoder import Encoder
from classifier.labels import Leaves
from classifier.parts import Parts
from classifier.texts import BLOCKS, VIEWS
from core.errors import HotlineError

FORMAT = 1
MODEL, DIGEST = "model.json", "model.sha256"
PARTS = ("arrays.npz", "terms.json", "dictionary.txt", "card.md")


def tokenizer() -> str:
    """The release of the dictionary texts are cut by."""
    return f"jieba {version('jieba')}"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def save(parts: Parts, card: str, folder: Path) -> str:
    """Write a model; the digest of the whole. A model that is there is replaced whole or not at all.

    Errors: model_unwritable; model_folder_foreign when the folder holds something else.
    """
    contents = {
        "arrays.npz": _arrays(parts),
        "terms.json": _json(parts.encoder.blocks),
        "dictionary.txt": parts.dictionary.encode(),
        "card.md": card.encode(),
    }
    about = {
        "format": FORMAT,
        "tokenizer": tokenizer(),
        "views": _views(),
        "labels": parts.leaves.data(),
        "thresholds": parts.thresholds.data(),
        "about": dict(parts.about),
        "dictionary": sha256(contents["dictionary.txt"]),
        "temperature": round(parts.calibration.temperature, 6),
        "parts": {name: sha256(contents[name]) for name in PARTS},
    }
    contents[MODEL] = _json(about, indent=1)
    digest = sha256(contents[MODEL])
    contents[DIGEST] = f"{digest}\n".encode()
    try:
        _replace(folder, contents)
    except OSError as error:
        raise HotlineError("model_unwritable", folder=str(folder), why=error.strerror or "?") from None
    return digest


def _replace(folder: Path, contents: Mapping[str, bytes]) -> None:
    if folder.exists() and (
        not folder.is_dir() or not {one.name for one in folder.iterdir()} <= set(contents)
    ):
        raise HotlineError("model_folder_foreign", folder=str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in contents.items():
            (made / name).write_bytes(content)
        made.chmod(0o755)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
            folder.rename(old / "model")
            made.rename(folder)
            shutil.rmtree(old)
        else:
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _arrays(parts: Parts) -> bytes:
    target = io.BytesIO()
    arrays: dict[str, Any] = {view.name: own for view, own in zip(VIEWS, parts.weights, strict=True)}
    np.savez(
        target,
        allow_pickle=False,
        **arrays,
        intercepts=parts.intercepts,
        centroids=parts.centroids,
        frequencies=parts.encoder.idf,
        mixing=parts.calibration.mixing,
        shift=parts.calibration.shift,
    )
    return target.getvalue()


def _views() -> dict[str, dict[str, float]]:
    """The blocks of each view and what they weigh."""
    return {view.name: dict(zip(BLOCKS[view.first : view.end], view.weights, strict=True)) for view in VIEWS}


def _json(data: Any, indent: int | None = None) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=indent, sort_keys=True) + "\n").encode()


def load(folder: Path, wanted: str | None = None) -> tuple[Parts, str]:
    """The parts of a model and its digest; every byte is compared with its hash before it is read.

    Errors: model_missing, model_tampered, model_unreadable, model_tokenizer.
    """
    contents = _read(folder)
    digest = sha256(contents[MODEL])
    if wanted is not None and digest != wanted:
        raise HotlineError("model_tampered", folder=str(folder), part=MODEL)
    if contents[DIGEST].decode("ascii", "replace").strip() != digest:
        raise HotlineError("model_tampered", folder=str(folder), part=MODEL)
    try:
        about = json.loads(contents[MODEL])
        hashes = {name: str(about["parts"][name]) for name in PARTS}
        release, form = str(about["tokenizer"]), int(about["format"])
    except (ValueError, KeyError, TypeError):
        raise HotlineError("model_unreadable", folder=str(folder), part=MODEL) from None
    for name, expected in hashes.items():
        if sha256(contents[name]) != expected:
            raise HotlineError("model_tampered", folder=str(folder), part=name)
    if form != FORMAT or release != tokenizer():
        raise HotlineError(
            "model_tokenizer", folder=str(folder), found=f"{release}, {form}", wanted=tokenizer()
        )
    try:
        return _parts(about, contents), digest
    except (ValueError, KeyError, TypeError, IndexError, EOFError):
        raise HotlineError("model_unreadable", folder=str(folder), part="arrays.npz") from None


def _read(folder: Path) -> dict[str, bytes]:
    """Every file by its name; never a name that a file gives."""
    contents = {}
    for name in (MODEL, DIGEST, *PARTS):
        try:
            contents[name] = (folder / name).read_bytes()
        except OSError as error:
            why = error.strerror or "it cannot be read"
            raise HotlineError("model_missing", folder=str(folder), part=name, why=why) from None
    return contents


def _parts(about: dict[str, Any], contents: dict[str, bytes]) -> Parts:
    with np.load(io.BytesIO(contents["arrays.npz"]), allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    blocks = json.loads(contents["terms.json"])
    if about["views"] != _views():
        raise ValueError("made of other views")
    leaves = Leaves.of(about["labels"])
    encoder = Encoder(
        [[str(term) for term in block] for block in blocks], found["frequencies"].astype(np.float32)
    )
    number = len(leaves.values)
    spans = {view.name: encoder.span(view) for view in VIEWS}
    shapes = {name: (end - begin, number) for name, (begin, end) in spans.items()}
    shapes |= {"centroids": (shapes["whole"][0], len(leaves.names)), "intercepts": (len(VIEWS), number)}
    shapes |= {"shift": (number,)}  # type: ignore[dict-item]  # one axis
    if any(found[name].shape != shape for name, shape in shapes.items()):
        raise ValueError("arrays of another shape")
    if found["mixing"].shape not in {(len(VIEWS),), (len(VIEWS), number, number)}:
        raise ValueError("arrays of another shape")
    if not all(np.isfinite(array).all() for array in found.values()):
        raise ValueError("values that are no numbers")
    thresholds = about["thresholds"]
    automatic = {
        str(kept): {str(k): float(v) for k, v in own.items()} for kept, own in thresholds["automatic"].items()
    }
    return Parts(
        leaves=leaves,
        encoder=encoder,
        weights=tuple(found[view.name].astype(np.float16) for view in VIEWS),
        intercepts=found["intercepts"].astype(np.float32),
        centroids=found["centroids"].astype(np.float16),
        calibration=Calibration(found["mixing"].astype(np.float64), found["shift"].astype(np.float64)),
        thresholds=Thresholds(automatic, float(thresholds["cosine"]), float(thresholds["margin"])),
        dictionary=contents["dictionary.txt"].decode(),
        about=about["about"],
    )
