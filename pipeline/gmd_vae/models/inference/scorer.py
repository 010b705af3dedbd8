"""The interface of the scorers: posteriors, and the loss of every step under teacher forcing."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
BatchT = TypeVar("BatchT", contravariant=True)  # the windows that a scorer reads


@dataclasses.dataclass(frozen=True)
class StepScores:
    """The decoder's output for windows under teacher forcing: each step is given the true steps before it.

    Attributes:
        losses: Loss of each step, float32 ``[n, steps]``, for each part of the output by its name; 0 where a window
            has no step. ``steps`` (drum labels) and streams: negative log likelihood in nats. GrooVAE: ``hits`` in
            nats, ``velocities`` and ``offsets`` as squared errors, which are no likelihoods.
        likeliest: Likeliest output of each step. Drum labels: integers ``[n, steps]``; a NADE decides class by class,
            each given the classes before it. Streams: int32 ``[n, steps, streams]``. GrooVAE: float32
            ``[n, steps, 27]``, probabilities of hits, velocities (0 to 1) and offsets (-1 to 1).
    """

    losses: dict[str, Floats]
    likeliest: npt.NDArray[Any]


class Scorer(Protocol[BatchT]):
    """A checkpoint's model as a probability distribution over windows."""

    def encode(self, windows: BatchT) -> tuple[Floats, Floats]:
        """Returns the posterior q(z|x) of each window: means and standard deviations, float32 ``[n, z_size]``."""

    def score(self, windows: BatchT, z: Floats) -> StepScores:
        """Returns loss and likeliest output of each step.

        Args:
            windows: Windows.
            z: Latent vector of each window, float32 ``[n, z_size]``.
        """
