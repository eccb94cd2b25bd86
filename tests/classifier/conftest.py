"""A small model, trained once for all tests of the room."""

from pathlib import Path

import pytest

from classifier import store
from classifier.card import card
from classifier.labels import Levels
from classifier.model import Model
from classifier.parts import Parts
from classifier.train import Options, prepare, train
from tests.classifier.texts import examples, of_category


@pytest.fixture(scope="session")
def parts() -> Parts:
    options = Options(levels=Levels(width=2), folds=3)
    return train(prepare(of_category(examples()), options))


@pytest.fixture
def folder(parts: Parts, tmp_path: Path) -> Path:
    """The model, written."""
    store.save(parts, card(parts), tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture(scope="session")
def model(parts: Parts) -> Model:
    return Model(parts)


@pytest.fixture(scope="session")
def joint() -> Model:
    """Category, request type and urgency in one decision."""
    columns = ("category", "type", "urgency")
    options = Options(columns=columns, levels=Levels(width=2), folds=3)
    return Model(train(prepare(examples(300), options)))
