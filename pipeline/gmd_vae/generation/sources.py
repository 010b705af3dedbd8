"""Implementations of ``ModelSource``: the weights of a trained model on disk."""

from __future__ import annotations

import contextlib
import dataclasses
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from gmd_vae.common import extras, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.generation.model import OpenedModel, Vectors
from gmd_vae.models import checkpoints
from gmd_vae.models.forward.numpy_model import NumpyModel, obstacle
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.models.model_file import ModelFile


@dataclasses.dataclass(frozen=True)
class CheckpointSource:
    """The weights of a checkpoint, ours or Magenta's; implements ``ModelSource``.

    Attributes:
        config: Config that the checkpoint was trained with.
        hparams: Hyperparameters that the checkpoint was trained with.
        checkpoint: Prefix of the checkpoint.
        density: Density of z that its run fitted; ``None``: there is none.
        title: Name of its run folder or its archive; ``None`` for a checkpoint without one.
    """

    config: Config
    hparams: dict[str, Any]
    checkpoint: Path
    density: LatentDensity | None = None
    title: str | None = None

    @property
    def name(self) -> str:
        """The checkpoint with its prefix."""
        return f"checkpoint {self.checkpoint}"

    @property
    def short_name(self) -> str:
        """The name of the run or the archive, else of the config."""
        return self.title or self.config.name

    @property
    def stored_vectors(self) -> Vectors | None:
        """``None``: a checkpoint has no attribute vectors."""
        return None

    @property
    def needs_tensorflow(self) -> bool:
        """True if NumPy cannot compute the model."""
        return obstacle(self.config, self.hparams) is not None

    def open(self, seed: int, layers: Layers) -> AbstractContextManager[OpenedModel]:
        """Opens the model in NumPy, or in TensorFlow where it needs that."""
        if not self.needs_tensorflow:
            # only here: a model file needs none of them
            from gmd_vae.families.parameters import variable_shapes
            from gmd_vae.models.checkpoint_variables import read_model_variables

            variables = read_model_variables(self.checkpoint, variable_shapes(self.config, self.hparams))
            return contextlib.nullcontext(NumpyModel(self.config, self.hparams, variables, seed))
        extras.require(f"A model of '{self.config.name}'")
        # TensorFlow takes seconds to import
        from gmd_vae.models.inference.sampler import Sampler

        return Sampler(self.config, self.hparams, self.checkpoint, seed, layers)

    def describe(self) -> dict[str, Any]:
        """Returns the name of the checkpoint and its files with their digests."""
        files = [manifest.describe_file(file) for file in checkpoints.files_of(self.checkpoint)]
        return {"name": self.checkpoint.name, "files": files}


@dataclasses.dataclass(frozen=True)
class ModelFileSource:
    """The weights of a model file (``.safetensors``); implements ``ModelSource``.

    Attributes:
        name: The model for people, such as ``bundled model groove-4bar``.
        path: The file.
        model: Its content.
    """

    name: str
    path: Path
    model: ModelFile

    @property
    def short_name(self) -> str:
        """The name on the model's card."""
        return self.model.card.name

    @property
    def config(self) -> Config:
        """Config of the model."""
        return self.model.config

    @property
    def hparams(self) -> dict[str, Any]:
        """Hyperparameters of the model."""
        return self.model.hparams

    @property
    def stored_vectors(self) -> Vectors | None:
        """The attribute vectors of the file; ``None`` if it has none."""
        return self.model.attribute_vectors or None

    @property
    def density(self) -> LatentDensity | None:
        """The density of z in the file; ``None`` if it has none."""
        return self.model.density

    @property
    def needs_tensorflow(self) -> bool:
        """False: ``open`` refuses a model file that NumPy cannot compute."""
        return False

    def open(self, seed: int, layers: Layers) -> AbstractContextManager[OpenedModel]:
        """Opens the model in NumPy."""
        if reason := obstacle(self.config, self.hparams):
            raise GmdVaeError(
                f"'{self.path}' cannot be used as it is: {reason}",
                "Make a checkpoint of it with 'gmd-vae export FILE -o DIR --format magenta', and "
                "give DIR in its place.",
            )
        return contextlib.nullcontext(NumpyModel(self.config, self.hparams, self.model.variables, seed))

    def describe(self) -> dict[str, Any]:
        """Returns the name of the file and its digest."""
        return {"name": self.path.name, "files": [manifest.describe_file(self.path)]}
