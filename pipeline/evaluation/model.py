"""What evaluation asks of a model, and a checkpoint that answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.windows import Labels
from pipeline.models.layers import Layers
from pipeline.models.registry import Config

if TYPE_CHECKING:  # TensorFlow takes seconds to import: only for a result that is not there yet
    from pipeline.models.scored import ScoredVae, Scores
    from pipeline.models.trained import TrainedVae

Vectors = npt.NDArray[np.float32]  # [n, z_size]

# A temperature at which the likeliest class always wins: logits differ by 1e-7 or not at all, and 100 times
# the noise of sampling is enough.
LIKELIEST = 1e-9


class Model(Protocol):
    """A drum model as evaluation sees it."""

    z_size: int

    def encode(self, labels: Labels) -> tuple[Vectors, Vectors]:
        """The posterior of each window ``[n, steps]``: means and standard deviations, float32 ``[n, z_size]``."""

    def score(self, labels: Labels, z: Vectors) -> Scores:
        """The likelihood of each step of each window, given its latent vector and the true steps before."""

    def decode(self, z: Vectors, temperature: float) -> Labels:
        """One window ``[n, steps]`` for each latent vector, each step given what was decoded before it."""


@contextlib.contextmanager
def open_model(config: Config, hparams: dict[str, Any], checkpoint: Path, seed: int, layers: Layers) -> Iterator[Model]:
    """A checkpoint's model.

    Args:
        config: the config it was trained with.
        hparams: its hyperparameters.
        checkpoint: prefix.
        seed: of sampling.
        layers: what computes it.

    Raises:
        GmdVaeError: the checkpoint does not fit, or the config's output is not one drum label a step.
    """
    from pipeline.models.scored import ScoredVae
    from pipeline.models.trained import TrainedVae

    with (
        ScoredVae(config, hparams, checkpoint, layers) as scored,
        TrainedVae(config, hparams, checkpoint, seed, layers) as trained,
    ):
        yield _CheckpointModel(scored, trained)


class _CheckpointModel:
    def __init__(self, scored: ScoredVae, trained: TrainedVae) -> None:
        self._scored, self._trained = scored, trained
        self.z_size = trained.z_size

    def encode(self, labels: Labels) -> tuple[Vectors, Vectors]:
        return self._scored.encode(labels)

    def score(self, labels: Labels, z: Vectors) -> Scores:
        return self._scored.score(labels, z)

    def decode(self, z: Vectors, temperature: float) -> Labels:
        return np.array(self._trained.decode(z, temperature))
