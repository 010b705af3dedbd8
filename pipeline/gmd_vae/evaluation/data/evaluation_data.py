"""The windows of an evaluation, with the style and the tempo of their files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Generic, TypeVar

from gmd_vae.evaluation.data.tensor_windows import TensorWindows
from gmd_vae.windows.label_windows import LabelWindows

WindowsT = TypeVar("WindowsT", LabelWindows, TensorWindows)


@dataclasses.dataclass(frozen=True)
class EvaluationData(Generic[WindowsT]):
    """One split of examples and the training windows of the model.

    Attributes:
        windows: Windows of the split; at least one.
        training: Training windows; at least one.
        styles: Primary style of each file of the split; ``None`` where no catalogue lists it.
        training_styles: Primary style of each training file, likewise.
        tempos: Tempo of each file of the split, in quarter notes per minute; ``None`` where no catalogue lists it.
        training_tempos: Tempo of each training file, likewise.
    """

    windows: WindowsT
    training: WindowsT
    styles: Sequence[str | None]
    training_styles: Sequence[str | None]
    tempos: Sequence[float | None]
    training_tempos: Sequence[float | None]

    @property
    def has_styles(self) -> bool:
        """True if a catalogue lists a style in both splits."""
        return any(self.styles) and any(self.training_styles)
