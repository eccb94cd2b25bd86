"""Model files: the same bytes from the same texts, refused when changed, read without running anything."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from classifier import store
from classifier.card import card
from classifier.model import Model
from classifier.parts import Parts
from classifier.train import Options, prepare, train
from core.errors import HotlineError
from tests.classifier.texts import examples, of_category


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_model_read_again_answers_the_same(folder: Path, model: Model) -> None:
    again = Model.load(folder)
    for one in examples(10, seed=42):
        assert again.suggest(one.title, one.detail) == model.suggest(one.title, one.detail)
    assert again.digest == store.sha256((folder / "model.json").read_bytes())
    assert Model.load(folder, again.digest).digest == again.digest


def test_the_same_texts_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        parts = train(prepare(of_category(examples(60)), Options(folds=2)))
        store.save(parts, card(parts), tmp_path / name)
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.parametrize("name", [*store.PARTS, store.MODEL, store.DIGEST])
def test_a_changed_part_is_refused(folder: Path, name: str) -> None:
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(raw)
    with pytest.raises(HotlineError, match="model_tampered"):
        Model.load(folder)


@pytest.mark.parametrize("name", [*store.PARTS, store.MODEL, store.DIGEST])
def test_a_missing_part_is_told(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(HotlineError, match="model_missing"):
        Model.load(folder)


def forged(folder: Path, name: str, raw: bytes) -> None:
    """Another part, with every hash made to fit."""
    (folder / name).write_bytes(raw)
    about = json.loads((folder / store.MODEL).read_bytes())
    about["parts"][name] = store.sha256(raw)
    made = json.dumps(about, ensure_ascii=False).encode()
    (folder / store.MODEL).write_bytes(made)
    (folder / store.DIGEST).write_text(store.sha256(made))


def test_a_model_forged_whole_is_refused_where_its_digest_is_known(folder: Path) -> None:
    digest = Model.load(folder).digest
    forged(folder, "card.md", b"# a better card\n")
    assert Model.load(folder).digest != digest
    with pytest.raises(HotlineError, match="model_tampered"):
        Model.load(folder, digest)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.file,))


def test_reading_arrays_never_runs_code(folder: Path, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    crafted = io.BytesIO()
    np.savez(crafted, whole=np.array([Trap(trap)], dtype=object))
    for raw in (crafted.getvalue(), pickle.dumps(Trap(trap)), b""):
        forged(folder, "arrays.npz", raw)
        with pytest.raises(HotlineError, match="model_unreadable"):
            Model.load(folder)
    assert not trap.exists()


def test_arrays_of_another_shape_or_without_a_number_are_refused(folder: Path, parts: Parts) -> None:
    with np.load(folder / "arrays.npz") as arrays:
        found = {name: arrays[name] for name in arrays.files}
    for name, array in (("shift", np.zeros(2)), ("intercepts", found["intercepts"] * np.nan)):
        made = io.BytesIO()
        np.savez(made, allow_pickle=False, **{**found, name: array})
        forged(folder, "arrays.npz", made.getvalue())
        with pytest.raises(HotlineError, match="model_unreadable"):
            Model.load(folder)


def test_a_folder_with_other_things_is_left_alone_and_a_model_is_replaced(
    folder: Path, parts: Parts, tmp_path: Path
) -> None:
    other = tmp_path / "mine"
    other.mkdir()
    (other / "letter.txt").write_text("keep me")
    with pytest.raises(HotlineError, match="model_folder_foreign"):
        store.save(parts, "", other)
    assert (other / "letter.txt").read_text() == "keep me"
    store.save(parts, "another card", folder)
    assert (folder / "card.md").read_text() == "another card"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mine", "model"]


def test_the_card_says_what_the_model_is_and_where_it_is_weak(folder: Path) -> None:
    told = (folder / "card.md").read_text(encoding="utf-8")
    for word in ("文本 200 条", "010203", "阈值 0.98", "薄弱之处", "校准误差"):
        assert word in told
