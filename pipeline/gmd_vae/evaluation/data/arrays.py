"""Array types of windows that evaluation compares: drum labels and drum hits."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Labels: TypeAlias = npt.NDArray[np.integer[Any]]  # [n, steps]; bit i: a drum of class i begins at this step
Floats: TypeAlias = npt.NDArray[np.float64]
Hits: TypeAlias = npt.NDArray[np.bool_]  # [n, steps, classes]
Vectors: TypeAlias = npt.NDArray[np.float32]  # [n, z_size], latent vectors


def to_hits(labels: Labels, classes: int) -> Hits:
    """Returns labels ``[..., steps]`` as hits ``[..., steps, classes]``."""
    return (labels[..., None] >> np.arange(classes, dtype=labels.dtype)) & labels.dtype.type(1) > 0
