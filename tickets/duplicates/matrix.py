"""The likeness (`likeness`) of every text to every other, all at once. Pure."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tickets.duplicates.features import Features, Weights
from tickets.duplicates.likeness import idf
from tickets.duplicates.stream import Likeness, all_combined


def pairwise(texts: Sequence[Features]) -> Likeness:
    """The likeness of each text to each: a square matrix, symmetric, with ones on its diagonal."""
    whole, matter, place = (
        _cosines([getattr(text, name) for text in texts]) for name in ("whole", "matter", "place")
    )
    named = np.array([bool(text.place) for text in texts])
    both = named[:, None] & named[None, :]
    found = np.where(both, all_combined(whole, matter, place), matter)
    np.fill_diagonal(found, 1.0)
    return np.asarray(np.clip(found, 0.0, 1.0), dtype=np.float64)


def _cosines(texts: Sequence[Weights]) -> NDArray[np.float64]:
    columns: dict[str, int] = {}
    indices = [columns.setdefault(term, len(columns)) for text in texts for term in text]
    values = [weight for text in texts for weight in text.values()]
    ends = np.cumsum([0, *(len(text) for text in texts)])
    raw = sp.csr_matrix((values, indices, ends), shape=(len(texts), max(len(columns), 1)), dtype=np.float64)
    counts = np.bincount(indices, minlength=raw.shape[1]) if indices else np.zeros(raw.shape[1])
    weights = np.array(
        [idf(term, count, len(texts)) for term, count in zip(columns, counts, strict=False)] or [0.0]
    )
    scaled = raw.multiply(weights).tocsr()
    norms = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel())
    scaled = sp.diags(1 / np.where(norms > 0, norms, 1)) @ scaled
    return np.asarray((scaled @ scaled.T).toarray())
