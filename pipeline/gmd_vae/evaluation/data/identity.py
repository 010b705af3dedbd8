"""The inputs of a result by their contents: while they are the same, a result stays valid."""

from __future__ import annotations

import dataclasses

from gmd_vae.common.priors import FITTED, NORMAL
from gmd_vae.models.latent_density import between


@dataclasses.dataclass(frozen=True)
class CheckpointFiles:
    """A checkpoint by its contents.

    Attributes:
        name: Name of the checkpoint, for example ``model.ckpt-6800``.
        step: Training step; ``None`` where the name has none.
        files: SHA-256 of each file.
    """

    name: str
    step: int | None
    files: dict[str, str]


@dataclasses.dataclass(frozen=True)
class ExamplesFolder:
    """A folder of examples by its contents.

    Attributes:
        folder: Path of the folder.
        sha256: SHA-256 of its manifest.
    """

    folder: str
    sha256: str


@dataclasses.dataclass(frozen=True)
class TrainingFolder(ExamplesFolder):
    """The folder of the training examples.

    Attributes:
        windows: Number of training windows.
    """

    windows: int


@dataclasses.dataclass(frozen=True)
class Prior:
    """The prior that z of samples is drawn from.

    Attributes:
        name: One of ``priors.PRIORS``.
        windows: Number of training windows of a fitted density; ``None``: N(0, I).
        gaussians: Number of Gaussians of a density that a version before 0.15 fitted.
        sha256: SHA-256 of the numbers of the density.
    """

    name: str = NORMAL
    windows: int | None = None
    gaussians: int | None = None
    sha256: str | None = None


@dataclasses.dataclass(frozen=True)
class Identity:
    """The checkpoint and the data of a result.

    Attributes:
        run: Folder of the run.
        config: Name of its config.
        split: Name of the evaluated split.
        checkpoint: Evaluated checkpoint.
        examples: Evaluated examples.
        training: Training examples.
        catalogues: SHA-256 of each catalogue.
        training_seed: Seed of the run.
        recipe: SHA-256 of config, hyperparameters, layers, training examples and initial weights: runs with the same
            recipe differ only in their seed, and in the number of their steps.
        planned_steps: Last step that was planned; ``None`` in results of earlier versions.
        prior: Prior of the samples; ``None`` in results of earlier versions: N(0, I).
    """

    run: str
    config: str
    split: str
    checkpoint: CheckpointFiles
    examples: ExamplesFolder
    training: TrainingFolder
    catalogues: tuple[str, ...]
    training_seed: int | None = None
    recipe: str | None = None
    planned_steps: int | None = None
    prior: Prior | None = None

    @property
    def fitted_prior(self) -> str | None:
        """The fitted density that is the prior, in words after "z from"; ``None``: N(0, I)."""
        if self.prior is None or self.prior.name != FITTED:
            return None
        if self.prior.gaussians is not None:
            return f"{self.prior.gaussians} Gaussians fitted to the training windows"
        return between(self.prior.windows or 0)
