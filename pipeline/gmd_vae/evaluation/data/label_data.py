"""What evaluation takes: windows as labels or as hits, with what is known about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmd_vae.windows.label_windows import LabelWindows

Labels: TypeAlias = npt.NDArray[np.integer[Any]]  # [n, steps]; bit i: a drum of class i begins at this step
Floats: TypeAlias = npt.NDArray[np.float64]
Hits: TypeAlias = npt.NDArray[np.bool_]  # [n, steps, classes]


@dataclasses.dataclass(frozen=True)
class Data:
    """What a model is evaluated on.

    Attributes:
        windows: of the split.
        training: what it was trained on.
        styles: of each file of the split; ``None``: not known.
        training_styles: of each file of the training split.
        voices: the names of the drum classes.
        steps_per_bar: steps in one bar.
    """

    windows: LabelWindows
    training: LabelWindows
    styles: Sequence[str | None]
    training_styles: Sequence[str | None]
    voices: tuple[str, ...]
    steps_per_bar: int

    @property
    def classes(self) -> int:
        """How many drum classes there are."""
        return len(self.voices)


def to_hits(labels: Labels, classes: int) -> Hits:
    """Labels ``[..., steps]`` as hits ``[..., steps, classes]``."""
    return (labels[..., None] >> np.arange(classes, dtype=labels.dtype)) & labels.dtype.type(1) > 0
