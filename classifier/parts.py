"""Everything a trained model is made of. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Calibration, Thresholds
from classifier.encoder import Encoder
from classifier.labels import Leaves

Half = NDArray[np.float16]


@dataclass(frozen=True)
class Parts:
    """`weights`: of each view (terms of the view, leaves); `intercepts` (views, leaves); `centroids` (terms
    of the whole, classes).
    """

    leaves: Leaves
    encoder: Encoder
    weights: tuple[Half, ...]
    intercepts: NDArray[np.float32]
    centroids: Half
    calibration: Calibration
    thresholds: Thresholds
    dictionary: str
    about: Mapping[str, Any] = field(default_factory=dict)
