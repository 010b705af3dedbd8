"""A trained model as generation uses it: its place on disk, and the interface of the opened model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.common import manifest
from gmd_vae.configuration.config import Config
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.models import checkpoints

Window = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """A trained model on disk.

    Attributes:
        config: Config that the checkpoint was trained with.
        hparams: Hyperparameters that the checkpoint was trained with.
        checkpoint: Prefix of the checkpoint.
    """

    config: Config
    hparams: dict[str, Any]
    checkpoint: Path

    def describe_checkpoint(self) -> list[dict[str, Any]]:
        """Returns the checkpoint's files for a manifest."""
        return [manifest.describe_file(file) for file in checkpoints.files_of(self.checkpoint)]


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

    def to_note_sequences(self, windows: Sequence[Window]) -> list[NoteSequence]:
        """Returns decoded windows as NoteSequences at 120 quarter notes per minute."""
        ...
