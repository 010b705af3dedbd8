"""A trained model as generation uses it: the interfaces of its weights on disk and of the opened model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import UsageError
from gmd_vae.common.priors import FITTED, NORMAL
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.models.latent_density import LatentDensity

Window = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Vectors = Mapping[str, npt.NDArray[np.float64]]


class ModelSource(Protocol):
    """A trained model before it is opened; ``sources`` has the implementations."""

    @property
    def config(self) -> Config:
        """Config that the model was trained with."""
        ...

    @property
    def hparams(self) -> dict[str, Any]:
        """Its hyperparameters."""
        ...

    @property
    def name(self) -> str:
        """The model for people, such as ``checkpoint runs/small/best/model.ckpt-6000``."""
        ...

    @property
    def short_name(self) -> str:
        """The model in names of files and tracks: the name of its card or of its run, else of its config."""
        ...

    def open(self, seed: int, layers: Layers) -> AbstractContextManager[OpenedModel]:
        """Opens the model.

        Args:
            seed: Seed of the decoder's random draws.
            layers: Implementation of the layers, where the family needs TensorFlow.

        Raises:
            GmdVaeError: The weights cannot be read, or belong to another config.
        """
        ...

    @property
    def needs_tensorflow(self) -> bool:
        """True if NumPy cannot compute the model."""
        ...

    @property
    def stored_vectors(self) -> Vectors | None:
        """Attribute vectors that the model has with it, by name; ``None``: they are computed from training windows."""
        ...

    @property
    def density(self) -> LatentDensity | None:
        """Density of z that was fitted to the model's training windows; ``None``: there is none."""
        ...

    def describe(self) -> dict[str, Any]:
        """Returns the fields of the weights for a manifest: their name and their files."""
        ...


class OpenedModel(Protocol):
    """An opened model; ``models.forward.numpy_model.NumpyModel`` and ``models.inference.sampler.Sampler`` implement it.

    Attributes:
        z_size: Size of a latent vector.
        layers: Implementation of encoder and decoder, for the manifest.
    """

    z_size: int
    layers: dict[str, str]

    def encode(
        self, inputs: Sequence[Window], lengths: Sequence[Any], controls: Sequence[Window] | None = None
    ) -> Floats:
        """Returns the posterior mean of each window, float32 ``[n, z_size]``.

        Args:
            inputs: Inputs of the encoder, each ``[steps, input_depth]``.
            lengths: Length of each window as the converter gives it: steps, or steps of each segment.
            controls: Conditioning input of each window, ``[steps, control_depth]``, where the model needs it.
        """
        ...

    def decode(
        self,
        z: Floats,
        temperature: float,
        rows: range | None = None,
        controls: Sequence[Window] | None = None,
        hits: Sequence[Window] | None = None,
        places: Sequence[tuple[int, int]] | None = None,
    ) -> list[Window]:
        """Returns one window for each latent vector: labels ``[steps]``, or ``[steps, output_depth]``.

        Args:
            z: Latent vectors, float32 ``[n, z_size]``.
            temperature: Temperature of the output distribution; 0 takes the likeliest step.
            rows: Rows of ``z`` to decode; ``None``: all. A row's window does not depend on this choice.
            controls: Conditioning input of each row of ``z``, ``[steps, control_depth]``, where the model needs it.
            hits: Hits of each row of ``z`` that replace those of a GrooVAE's decoder, float32 ``[steps, drums]``, NaN
                where the decoder draws; ``None``: it draws all.
            places: File and window of each row of ``z``, from which the draws follow; ``None``: row ``k`` is window 0
                of file ``k``.
        """
        ...


class ConverterModel(OpenedModel, Protocol):
    """An opened model of a family whose music one of Magenta's converters writes."""

    def to_note_sequences(self, windows: Sequence[Window]) -> list[NoteSequence]:
        """Returns decoded windows as NoteSequences at 120 quarter notes per minute."""
        ...


def choose_prior(source: ModelSource, given: str | None) -> str:
    """Returns the prior to draw z from: the one that was asked for, or the fitted density where the model has one.

    Args:
        source: The model.
        given: ``fitted`` or ``normal``; ``None``: no choice.

    Raises:
        UsageError: The model has no fitted density.
    """
    if given == FITTED and source.density is None:
        raise UsageError(
            f"{source.name} has no fitted density of z",
            "Leave the prior out, or train with the hyperparameter prior_components=10.",
        )
    return given or (NORMAL if source.density is None else FITTED)
