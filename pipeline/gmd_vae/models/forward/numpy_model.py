"""A model with its variables, computed in NumPy: encodes windows, decodes latent vectors."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.own_hparams import FULL_VELOCITY
from gmd_vae.families import family_of
from gmd_vae.models.forward.decoder import Decoder, TeacherForcing
from gmd_vae.models.forward.draws import LOWEST_TEMPERATURE, LabelChoice, fractions
from gmd_vae.models.forward.encoder import Encoder
from gmd_vae.models.forward.groove import GrooveChoice, reads_blanks

Floats = npt.NDArray[np.float32]
Window = npt.NDArray[Any]

_ROWS = 64  # windows that are decoded together: their states and logits fit into the second-level cache


def obstacle(config: Config, hparams: Mapping[str, Any]) -> str | None:
    """Returns the reason why a model cannot be computed in NumPy, or ``None``.

    Args:
        config: Config of the model.
        hparams: All its hyperparameters.
    """
    if not family_of(config).runs_in_numpy:
        return f"models of the family '{config.family}' need TensorFlow"
    if hparams["residual_encoder"] or hparams["residual_decoder"]:
        return "residual connections need TensorFlow"
    return None


class NumpyModel:
    """A model that encodes and decodes without TensorFlow; implements ``generation.model.OpenedModel``.

    Equal calls give equal results, whatever was called before, and threads may share a model.

    Args:
        config: Config of the model.
        hparams: All its hyperparameters.
        variables: Its variables by Magenta's names, with the shapes of ``families.parameters.variable_shapes``.
        seed: Seed of the decoder's draws (`draws`), any integer.

    Attributes:
        z_size: Size of a latent vector.
        control_depth: Columns of the conditioning input of each window; 0 for none.
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
        output = family_of(config).output(config)
        self.control_depth, self._drums = output.control_depth, output.given_hits
        self._blank, self._full = reads_blanks(output.controls, hparams), hparams[FULL_VELOCITY]
        self._seed = seed
        self._encoder = Encoder(variables, len(hparams["enc_rnn_size"]))
        self._decoder = Decoder(
            variables,
            config.levels or (config.windows.steps,),
            hparams["dec_rnn_size"],
            self.z_size,
            autoregressive=config.conductor_autoregression,
            reads_labels=output.is_label,
        )

    def with_seed(self, seed: int) -> NumpyModel:
        """Returns the same model, with the same weights in memory, whose draws have another seed."""
        model = copy.copy(self)
        model._seed = seed
        return model

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
            controls: Conditioning input of each window, ``[steps, control_depth]``; required if ``control_depth``.

        Returns:
            Means and standard deviations, float32 ``[n, z_size]``.

        Raises:
            ValueError: The model needs controls, and there are none.
        """
        self._check_controls(controls)
        if lengths is None:
            lengths = [len(window) for window in inputs]
        steps = [int(np.reshape(length, -1)[0]) for length in lengths]
        means, scales = (np.empty((len(inputs), self.z_size), np.float32) for _ in range(2))
        blocks: list[list[int]] = []  # windows of one length
        for length, numbers in itertools.groupby(sorted(range(len(steps)), key=steps.__getitem__), steps.__getitem__):
            blocks += _blocks(list(numbers), self._encoder.rows_at_once(length))

        def encode_block(numbers: list[int]) -> None:
            block = np.stack([inputs[number][: steps[number]] for number in numbers])
            if self.control_depth and controls is not None:
                read = np.stack([controls[number][: steps[number]] for number in numbers])
                block = np.concatenate([block, read], axis=-1)
            means[numbers], scales[numbers] = self._encoder.posterior(block.astype(np.float32, copy=False))

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
            temperature: Temperature of the output distribution; at 0 the likeliest label or hit always wins, of equal
                ones the first.
            rows: Rows of ``z`` to decode; ``None``: all. A row's window does not depend on the other rows.
            controls: Conditioning input of each row of ``z``, ``[steps, control_depth]``; required if
                ``control_depth``.
            hits: Hits of each row of ``z`` that replace those of a GrooVAE's decoder, float32 ``[steps, drums]``, NaN
                where the decoder draws. By default it draws all.
            places: File and window of each row of ``z``, from which the draws follow; ``None``: row ``k`` is window 0
                of file ``k``.

        Returns:
            One array for each row: labels, int32 ``[steps]``; of a GrooVAE hits, velocities and offsets, float32
            ``[steps, 3 * drums]``.

        Raises:
            ValueError: The model needs controls and there are none, or it takes no hits and there are some.
            GmdVaeError: The decoder's output is not finite.
        """
        self._check_controls(controls)
        if hits is not None and not self._drums:
            raise ValueError("hits are for GrooVAE")
        wanted = range(len(z))[rows.start : rows.stop] if rows is not None else range(len(z))
        decoded: list[Window | None] = [None] * len(wanted)
        draws = temperature >= LOWEST_TEMPERATURE

        def decode_block(numbers: range) -> None:
            at = [(row, 0) for row in numbers] if places is None else [places[row] for row in numbers]
            count = self._decoder.steps * (self._drums or 1)
            drawn = fractions(self._seed, at, count) if draws else None
            shape = (len(numbers), self._decoder.steps)
            choice: LabelChoice | GrooveChoice = LabelChoice(*shape, temperature, drawn)
            if self._drums:
                given = None if hits is None else np.stack([hits[row] for row in numbers]).astype(np.float32)
                choice = GrooveChoice(*shape, self._drums, temperature, drawn, given, self._blank, self._full)
            read = self._controls_by_step(controls, numbers)
            with np.errstate(all="ignore"):  # infinite numbers are reported below
                self._decoder.decode(z[numbers.start : numbers.stop].astype(np.float32, copy=False), choice, read)
            if not choice.is_finite:
                raise GmdVaeError(
                    "The decoder's output is not finite: its weights or the latent vectors are damaged",
                    "Take another checkpoint, or other latent vectors.",
                )
            first = numbers.start - wanted.start
            decoded[first : first + len(numbers)] = choice.windows

        _for_each(decode_block, _blocks(wanted, _ROWS))
        return [window for window in decoded if window is not None]

    def logits(self, windows: Window, z: Floats, controls: Sequence[Window] | None = None) -> Floats:
        """Computes the outputs of each step before their activation, given the true steps before it (teacher forcing).

        Args:
            windows: True windows: labels, ``[n, steps]``; of a GrooVAE columns, ``[n, steps, 3 * drums]``.
            z: Latent vector of each window, float32 ``[n, z_size]``.
            controls: Conditioning input of each window, ``[steps, control_depth]``; required if ``control_depth``.

        Returns:
            Logits of labels, float32 ``[n, steps, labels]``, 130 kB for a window of four bars; of a GrooVAE the outputs
            before sigmoid and tanh, ``[n, steps, 3 * drums]``.

        Raises:
            ValueError: The model needs controls, and there are none.
        """
        self._check_controls(controls)
        forced = TeacherForcing(np.asarray(windows), self._decoder.core.depth)
        self._decoder.decode(np.asarray(z, np.float32), forced, self._controls_by_step(controls, range(len(z))))
        return forced.outputs

    def _check_controls(self, controls: Sequence[Window] | None) -> None:
        if self.control_depth and controls is None:
            raise ValueError("this model needs controls")

    def _controls_by_step(self, controls: Sequence[Window] | None, rows: range) -> Floats | None:
        """Returns the controls of some rows, float32 ``[steps, rows, control_depth]``; ``None`` for no controls."""
        if not self.control_depth or controls is None:
            return None
        return np.stack([controls[row] for row in rows], axis=1).astype(np.float32, copy=False)


def _blocks(numbers: Any, size: int) -> list[Any]:
    """Returns a sequence in parts of at most ``size`` elements."""
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def _for_each(work: Callable[[Any], None], blocks: Sequence[Any]) -> None:
    """Calls a function for each block, on all cores where there are several: NumPy computes in parallel."""
    if len(blocks) < 2:
        for block in blocks:
            work(block)
        return
    # only now: these imports take as long as decoding several windows
    from concurrent.futures import ThreadPoolExecutor

    from gmd_vae.common.machine import usable_cores

    with ThreadPoolExecutor(min(usable_cores(), len(blocks))) as threads:
        for _ in threads.map(work, blocks):
            pass
