"""Fits what training fits: the weights of every label, the calibration. Needs scikit-learn; never used to
suggest.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from classifier.calibration import Array, Calibration, Places

COST = 0.5  # of the support vector machines: C
PRIOR = 1.0  # texts with and without a term that every class is given beforehand
SHARPNESS = (
    0.8  # share of a term's own log ratio in its scale, the rest is the mean of all (Wang and Manning 2012)
)
MIXED = 20  # up to so many leaves the calibration mixes the scores of all
_KEPT_NEAR = 1e-3  # pull of the calibration towards one temperature for all


def weights(
    features: Any, leaves: Places, number: int, seed: int, counts_as: Array
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One support vector machine for each leaf against the rest; shapes (terms, leaves) and (leaves,).

    Terms are first stretched by how much oftener texts of the leaf have them than others do (NB-SVM); the
    stretch is folded into the weights, so that suggesting multiplies once. `counts_as`: how many texts each
    counts as, for its leaf and against every other.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    size = features.shape[1]
    made, intercepts = np.zeros((size, number), np.float32), np.zeros(number, np.float32)
    present = csr_matrix(
        (np.ones_like(features.data), features.indices, features.indptr), shape=features.shape
    )
    everywhere = np.asarray(present.sum(axis=0)).ravel()
    for leaf in range(number):
        own = leaves == leaf
        if not own.any() or own.all():  # a part of the texts may lack a label
            intercepts[leaf] = 1.0 if own.all() else -1.0
            continue
        stretch = _stretch(present, own, everywhere)
        stretched = features.copy()
        stretched.data = features.data * stretch[features.indices]
        machine = LinearSVC(C=COST, class_weight="balanced", random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the last steps do not move a decision
            machine.fit(stretched, own, sample_weight=counts_as)
        made[:, leaf] = machine.coef_[0] * stretch
        intercepts[leaf] = machine.intercept_[0]
    return made, intercepts


def _stretch(present: Any, own: NDArray[np.bool_], everywhere: Array) -> Array:
    """By how much each term is stretched for one leaf; 1 on average."""
    here, texts = np.asarray(present[own].sum(axis=0)).ravel(), int(own.sum())
    mine = (here + PRIOR) / (texts + 2 * PRIOR)
    others = (everywhere - here + PRIOR) / (len(own) - texts + 2 * PRIOR)
    ratio = np.abs(np.log(mine / others))
    stretch: Array = SHARPNESS * ratio + (1 - SHARPNESS) * ratio.mean()
    return stretch / (stretch.mean() or 1.0)


def centroids(features: Any, classes: Places, number: int) -> NDArray[np.float32]:
    """The middle of each class, of length 1; shape (terms, classes)."""
    made = np.zeros((features.shape[1], number), np.float32)
    for place in range(number):
        middle = np.asarray(features[classes == place].sum(axis=0)).ravel()
        length = np.sqrt(middle @ middle)
        made[:, place] = middle / (length or 1.0)
    return made


def calibrate(scores: Array, leaves: Places) -> Calibration:
    """The calibration under which out-of-fold scores, shape (views, texts, leaves), promise the labels best.

    Up to `MIXED` leaves: a matrix for each view, kept near a multiple of the identity; above it a scale for
    each view. In both cases a shift for each leaf.
    """
    views, texts, number = scores.shape
    wanted = np.zeros((texts, number))
    wanted[np.arange(texts), leaves] = 1.0
    mixed = number <= MIXED
    one = 3.0 / views
    start = np.stack([one * np.eye(number)] * views) if mixed else np.full(views, one)
    shape = start.shape

    def loss(values: Array) -> tuple[float, Array]:
        mixing, shift = values[:-number].reshape(shape), values[-number:]
        promised = Calibration(mixing, shift).probabilities(scores)
        slope = (promised - wanted) / texts
        apart = _apart(mixing) if mixed else np.zeros(shape)
        pull = _KEPT_NEAR * float((apart**2).sum() + (shift**2).sum())
        of_mixing = (
            np.einsum("vti,tj->vij", scores, slope) if mixed else np.einsum("vti,ti->v", scores, slope)
        )
        likely = np.maximum(promised[np.arange(texts), leaves], 1e-12)
        back = (of_mixing + 2 * _KEPT_NEAR * apart).ravel(), slope.sum(axis=0) + 2 * _KEPT_NEAR * shift
        return float(-np.log(likely).mean() + pull), np.concatenate(back)

    begin = np.concatenate([start.ravel(), np.zeros(number)])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return Calibration(found[:-number].reshape(shape), found[-number:])


def _apart(mixing: Array) -> Array:
    """What each view's matrix has beyond a multiple of the identity."""
    size = mixing.shape[1]
    means = np.trace(mixing, axis1=1, axis2=2) / size
    apart: Array = mixing - means[:, None, None] * np.eye(size)
    return apart
