"""The model interface that evaluation measures, and its implementation with a checkpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import numpy.typing as npt

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.evaluation.data.arrays import Labels, Vectors
from gmd_vae.families import family_of
from gmd_vae.families.family import Family
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.windows.extraction import Tensors

if TYPE_CHECKING:  # TensorFlow takes seconds to import: only for a result that is not there yet
    from gmd_vae.models.inference.sampler import Sampler
    from gmd_vae.models.inference.scorer import Scorer, StepScores

# A temperature at which the likeliest class always wins: logits differ by 1e-7 or not at all, and 100 times
# the noise of sampling is enough.
LIKELIEST = 1e-9

BatchT = TypeVar("BatchT", contravariant=True)  # the windows that a model reads


class Model(Protocol[BatchT]):
    """A trained model. Drum models read labels ``[n, steps]``, all others tensors.

    Attributes:
        z_size: Dimensions of the latent space.
        density: Density of z that is the prior; ``None``: N(0, I).
        usual_temperature: Temperature at which ``generate`` draws samples of this model where the user names none.
    """

    z_size: int
    density: LatentDensity | None
    usual_temperature: float

    def encode(self, windows: BatchT) -> tuple[Vectors, Vectors]:
        """Returns the posterior of each window: means and standard deviations, float32 ``[n, z_size]``."""

    def score(self, windows: BatchT, z: Vectors) -> StepScores:
        """Returns loss and likeliest output of each step, given the latent vector and the true steps before it."""

    def decode(
        self,
        z: Vectors,
        temperature: float,
        rows: range | None = None,
        controls: Sequence[npt.NDArray[Any]] | None = None,
        hits: Sequence[npt.NDArray[Any]] | None = None,
    ) -> list[npt.NDArray[Any]]:
        """Decodes latent vectors free-running: each step is given the decoded steps before it.

        Args:
            z: Latent vectors, float32 ``[n, z_size]``.
            temperature: Temperature of the output distribution; ``LIKELIEST`` for the likeliest output.
            rows: Rows of ``z`` to decode; ``None``: all. A row's output does not depend on this choice.
            controls: Conditioning input of each row of ``z``, ``[steps, control_depth]``, where the model needs it.
            hits: Hits that replace the decoder's own, for GrooVAE; see ``Sampler.decode``.

        Returns:
            One array a row: labels ``[steps]`` from drum models, tensors ``[steps, output_depth]`` from all others.
        """


LabelModel: TypeAlias = Model[Labels]
TensorModel: TypeAlias = Model[Sequence[Tensors]]


@contextlib.contextmanager
def open_model(
    config: Config,
    hparams: dict[str, Any],
    checkpoint: Path,
    seed: int,
    layers: Layers,
    density: LatentDensity | None = None,
) -> Iterator[Model[Any]]:
    """Opens the model of a checkpoint. Starts TensorFlow.

    Args:
        config: Config that the checkpoint was trained with.
        hparams: Its hyperparameters.
        checkpoint: Prefix of the checkpoint.
        seed: Seed of sampling.
        layers: Implementation of the layers.
        density: Density of z that is the prior; ``None``: N(0, I).

    Raises:
        GmdVaeError: The checkpoint does not fit the config.
    """
    from gmd_vae.models.inference.sampler import Sampler

    family = family_of(config)
    with (
        family.open_scorer(config, hparams, checkpoint, layers) as scorer,
        Sampler(config, hparams, checkpoint, seed, layers) as sampler,
    ):
        yield _ScorerAndSampler(scorer, sampler, family, density)


class _ScorerAndSampler:
    """A scorer for teacher forcing and a sampler for free-running decoding, on one checkpoint; implements ``Model``."""

    def __init__(self, scorer: Scorer[Any], sampler: Sampler, family: Family, density: LatentDensity | None) -> None:
        self._scorer, self._sampler, self._family = scorer, sampler, family
        self.z_size, self.density = sampler.z_size, density
        self.usual_temperature = family.sampling_temperature

    def encode(self, windows: Any) -> tuple[Vectors, Vectors]:
        return self._scorer.encode(windows)

    def score(self, windows: Any, z: Vectors) -> StepScores:
        return self._scorer.score(windows, z)

    def decode(
        self,
        z: Vectors,
        temperature: float,
        rows: range | None = None,
        controls: Sequence[npt.NDArray[Any]] | None = None,
        hits: Sequence[npt.NDArray[Any]] | None = None,
    ) -> list[npt.NDArray[Any]]:
        return self._family.stored_windows(self._sampler.decode(z, temperature, rows, controls, hits))
