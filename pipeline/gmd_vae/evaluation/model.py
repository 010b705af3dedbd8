"""What evaluation asks of a model, and a checkpoint that answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.evaluation.data.label_data import Labels
from gmd_vae.windows.extraction import Tensors

if TYPE_CHECKING:  # TensorFlow takes seconds to import: only for a result that is not there yet
    from gmd_vae.models.inference.label_scorer import ScoredVae, Scores
    from gmd_vae.models.inference.sampler import TrainedVae
    from gmd_vae.models.inference.tensor_scorer import ScoredTensors, TensorScores

Vectors = npt.NDArray[np.float32]  # [n, z_size]

# A temperature at which the likeliest class always wins: logits differ by 1e-7 or not at all, and 100 times
# the noise of sampling is enough.
LIKELIEST = 1e-9


class Model(Protocol):
    """A drum model as evaluation sees it: its windows are labels."""

    z_size: int

    def encode(self, labels: Labels) -> tuple[Vectors, Vectors]:
        """The posterior of each window ``[n, steps]``: means and standard deviations, float32 ``[n, z_size]``."""

    def score(self, labels: Labels, z: Vectors) -> Scores:
        """The likelihood of each step of each window, given its latent vector and the true steps before."""

    def decode(self, z: Vectors, temperature: float) -> Labels:
        """One window ``[n, steps]`` for each latent vector, each step given what was decoded before it."""


class TensorModel(Protocol):
    """A model of anything else: its windows are tensors, as the converter makes them."""

    z_size: int

    def encode(self, windows: Sequence[Tensors]) -> tuple[Vectors, Vectors]:
        """The posterior of each window: means and standard deviations, float32 ``[n, z_size]``."""

    def score(self, windows: Sequence[Tensors], z: Vectors) -> TensorScores:
        """What the decoder makes of each step, given its latent vector and the true steps before."""

    def decode(
        self,
        controls: Sequence[npt.NDArray[Any]] | None,
        z: Vectors,
        temperature: float,
        rows: range | None = None,
        hits: Sequence[npt.NDArray[Any]] | None = None,
    ) -> list[npt.NDArray[Any]]:
        """One window ``[steps, output_depth]`` for each latent vector, each step given what was decoded before it.

        Args:
            controls: of each row of ``z``, ``[steps, control_depth]``, where the model needs them.
            z: float32 ``[n, z_size]``.
            temperature: of the output distribution; `LIKELIEST` for none.
            rows: of ``z``, those to decode; by default all. They come out as among all the others.
            hits: GrooVAE: see ``TrainedVae.decode``.
        """


@contextlib.contextmanager
def open_model(config: Config, hparams: dict[str, Any], checkpoint: Path, seed: int, layers: Layers) -> Iterator[Model]:
    """A checkpoint's model of drum labels.

    Args:
        config: the config it was trained with.
        hparams: its hyperparameters.
        checkpoint: prefix.
        seed: of sampling.
        layers: what computes it.

    Raises:
        GmdVaeError: the checkpoint does not fit.
    """
    from gmd_vae.models.inference.label_scorer import ScoredVae
    from gmd_vae.models.inference.sampler import TrainedVae

    with (
        ScoredVae(config, hparams, checkpoint, layers) as scored,
        TrainedVae(config, hparams, checkpoint, seed, layers) as trained,
    ):
        yield _CheckpointModel(scored, trained)


@contextlib.contextmanager
def open_tensor_model(
    config: Config, hparams: dict[str, Any], checkpoint: Path, seed: int, layers: Layers
) -> Iterator[TensorModel]:
    """A checkpoint's model of tensors; arguments and errors as of ``open_model``."""
    from gmd_vae.models.inference.sampler import TrainedVae
    from gmd_vae.models.inference.tensor_scorer import ScoredTensors

    with (
        ScoredTensors(config, hparams, checkpoint, layers) as scored,
        TrainedVae(config, hparams, checkpoint, seed, layers) as trained,
    ):
        yield _CheckpointTensorModel(scored, trained)


class _CheckpointModel:
    def __init__(self, scored: ScoredVae, trained: TrainedVae) -> None:
        self._scored, self._trained = scored, trained
        self.z_size = trained.z_size

    def encode(self, labels: Labels) -> tuple[Vectors, Vectors]:
        return self._scored.encode(labels)

    def score(self, labels: Labels, z: Vectors) -> Scores:
        return self._scored.score(labels, z)

    def decode(self, z: Vectors, temperature: float) -> Labels:
        decoded = np.array(self._trained.decode(z, temperature))
        if self._trained.makes_labels:
            return decoded
        bits = np.arange(decoded.shape[-1], dtype=np.int64)  # a roll: a column for each drum class
        return np.asarray((decoded > 0).astype(np.int64) @ (1 << bits))


class _CheckpointTensorModel:
    def __init__(self, scored: ScoredTensors, trained: TrainedVae) -> None:
        self._scored, self._trained = scored, trained
        self.z_size = trained.z_size

    def encode(self, windows: Sequence[Tensors]) -> tuple[Vectors, Vectors]:
        return self._scored.encode(windows)

    def score(self, windows: Sequence[Tensors], z: Vectors) -> TensorScores:
        return self._scored.score(windows, z)

    def decode(
        self,
        controls: Sequence[npt.NDArray[Any]] | None,
        z: Vectors,
        temperature: float,
        rows: range | None = None,
        hits: Sequence[npt.NDArray[Any]] | None = None,
    ) -> list[npt.NDArray[Any]]:
        return self._trained.decode(z, temperature, rows, controls, hits)
