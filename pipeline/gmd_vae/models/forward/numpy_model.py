"""A model with its variables, computed in NumPy: encodes windows, decodes latent vectors."""

from __future__ import annotations

import concurrent.futures
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.machine import usable_cores
from gmd_vae.configuration.config import Config
from gmd_vae.families import family_of
from gmd_vae.models.forward.decoder import Decoder
from gmd_vae.models.forward.draws import LOWEST_TEMPERATURE, GivenLabels, LabelChoice, fractions
from gmd_vae.models.forward.encoder import Encoder

Floats = npt.NDArray[np.float32]
Window = npt.NDArray[Any]

_ROWS = 64  # windows that are decoded together: their states and logits fit into the second-level cache


def obstacle(config: Config, hparams: Mapping[str, Any]) -> str | None:
    """Returns the reason why a model cannot be computed in NumPy, or ``None``.

    Args:
        config: Config of the model.
        hparams: All its hyperparameters by Magenta's names.
    """
    if not family_of(config).output(config).is_label:
        return f"models of the family '{config.family}' need TensorFlow"
    if hparams["residual_encoder"] or hparams["residual_decoder"]:
        return "residual connections need TensorFlow"
    return None


class NumpyModel:
    """A model that encodes and decodes without TensorFlow; implements ``generation.model.OpenedModel``.

    Equal calls give equal results, whatever was called before, and threads may share a model.

    Args:
        config: Config of the model.
        hparams: All its hyperparameters by Magenta's names.
        variables: Its variables by Magenta's names, with the shapes of ``families.parameters.variable_shapes``.
        seed: Seed of the decoder's draws (`draws`), any integer.

    Attributes:
        z_size: Size of a latent vector.
        layers: Implementation of encoder and decoder, for manifests.

    Raises:
        ValueError: NumPy cannot compute the model (`obstacle`).
    """

    def __init__(
        self, config: Config, hparams: Mapping[str, Any], variables: Mapping[str, Floats], seed: int = 0
    ) -> None:
        if reason := obstacle(config, hparams):
            raise ValueError(f"config '{config.name}': {reason}")
        self.z_size: int = hparams["z_size"]
        self.layers = {"encoder": "NumPy, fp32", "decoder": "NumPy, fp32"}
        self._seed = seed
        self._encoder = Encoder(variables, len(hparams["enc_rnn_size"]))
        self._decoder = Decoder(
            variables,
            config.levels or (config.windows.steps,),
            hparams["dec_rnn_size"],
            self.z_size,
            autoregressive=config.conductor_autoregression,
            reads_labels=True,
        )

    def encode(
        self, inputs: Sequence[Window], lengths: Sequence[Any], controls: Sequence[Window] | None = None
    ) -> Floats:
        """Returns the posterior mean of each window; the arguments are those of `posterior`."""
        return self.posterior(inputs, lengths, controls)[0]

    def posterior(
        self,
        inputs: Sequence[Window],
        lengths: Sequence[Any] | None = None,
        controls: Sequence[Window] | None = None,
    ) -> tuple[Floats, Floats]:
        """Computes the posterior q(z|x) of each window, a diagonal Gaussian.

        Args:
            inputs: Inputs of the encoder, each ``[steps, input_depth]``.
            lengths: Length of each window in steps; ``None``: all steps of its input.
            controls: Conditioning input of each window; ``None``: drum labels have none.

        Returns:
            Means and standard deviations, float32 ``[n, z_size]``.
        """
        if lengths is None:
            lengths = [len(window) for window in inputs]
        steps = [int(np.reshape(length, -1)[0]) for length in lengths]
        means, scales = (np.empty((len(inputs), self.z_size), np.float32) for _ in range(2))
        blocks: list[list[int]] = []  # windows of one length
        for length, numbers in itertools.groupby(sorted(range(len(steps)), key=steps.__getitem__), steps.__getitem__):
            blocks += _blocks(list(numbers), self._encoder.rows_at_once(length))

        def encode_block(numbers: list[int]) -> None:
            block = [inputs[number][: steps[number]] for number in numbers]
            means[numbers], scales[numbers] = self._encoder.posterior(np.stack(block).astype(np.float32, copy=False))

        _for_each(encode_block, blocks)
        return means, scales

    def decode(
        self,
        z: Floats,
        temperature: float,
        rows: range | None = None,
        controls: Sequence[Window] | None = None,
        hits: Sequence[Window] | None = None,
        places: Sequence[tuple[int, int]] | None = None,
    ) -> list[Window]:
        """Samples one window for each latent vector.

        Args:
            z: Latent vectors, float32 ``[n, z_size]``.
            temperature: Temperature of the output distribution; at 0 the likeliest label always wins, of equal ones the
                first.
            rows: Rows of ``z`` to decode; ``None``: all. A row's window does not depend on the other rows.
            controls: Conditioning input of each row; ``None``: drum labels have none.
            hits: Given hits of each row; ``None``: drum labels have none.
            places: File and window of each row of ``z``, from which the draws follow; ``None``: row ``k`` is window 0
                of file ``k``.

        Returns:
            Labels of each row, int32 ``[steps]``.

        Raises:
            GmdVaeError: The decoder's output is not finite.
        """
        wanted = range(len(z))[rows.start : rows.stop] if rows is not None else range(len(z))
        decoded: list[Window | None] = [None] * len(wanted)
        draws = temperature >= LOWEST_TEMPERATURE

        def decode_block(numbers: range) -> None:
            at = [(row, 0) for row in numbers] if places is None else [places[row] for row in numbers]
            drawn = fractions(self._seed, at, self._decoder.steps) if draws else None
            choice = LabelChoice(len(numbers), self._decoder.steps, temperature, drawn)
            with np.errstate(all="ignore"):  # infinite numbers are reported below
                self._decoder.decode(z[numbers.start : numbers.stop].astype(np.float32, copy=False), choice)
            if not choice.is_finite:
                raise GmdVaeError(
                    "The decoder's output is not finite: its weights or the latent vectors are damaged",
                    "Take another checkpoint, or other latent vectors.",
                )
            first = numbers.start - wanted.start
            decoded[first : first + len(numbers)] = choice.labels

        _for_each(decode_block, _blocks(wanted, _ROWS))
        return [window for window in decoded if window is not None]

    def logits(self, labels: npt.NDArray[np.integer[Any]], z: Floats) -> Floats:
        """Computes the logits of each step, given the true labels of the steps before it (teacher forcing).

        Args:
            labels: True labels, ``[n, steps]``.
            z: Latent vector of each window, float32 ``[n, z_size]``.

        Returns:
            Logits, float32 ``[n, steps, labels]``; 130 kB for a window of four bars.
        """
        given = GivenLabels(labels, self._decoder.core.depth)
        self._decoder.decode(np.asarray(z, np.float32), given)
        return given.logits


def _blocks(numbers: Any, size: int) -> list[Any]:
    """Returns a sequence in parts of at most ``size`` elements."""
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def _for_each(work: Callable[[Any], None], blocks: Sequence[Any]) -> None:
    """Calls a function for each block, on all cores where there are several: NumPy computes in parallel."""
    if len(blocks) < 2:
        for block in blocks:
            work(block)
        return
    with concurrent.futures.ThreadPoolExecutor(min(usable_cores(), len(blocks))) as threads:
        for _ in threads.map(work, blocks):
            pass
