"""Variables, parameter counts and sizes of a config's model, computed layer by layer without TensorFlow.

The layers are those of ``magenta.models.music_vae.lstm_models``; a test compares names and shapes with the variables
that Magenta builds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gmd_vae.configuration.config import Config
from gmd_vae.families import family_of

Shapes = dict[str, tuple[int, ...]]  # of variables, by Magenta's names


def variable_shapes(config: Config, hparams: dict[str, Any] | None = None) -> Shapes:
    """Returns the names and shapes of all trainable variables.

    Args:
        config: The config.
        hparams: All hyperparameters; by default those of the config.
    """
    hparams = hparams or config.hparams
    output = family_of(config).output(config)
    encoder = _encoder(config, hparams, output.input_depth + output.control_depth)
    return {**encoder, **_decoder(config, hparams, output.control_depth)}


def count_parameters(config: Config, hparams: dict[str, Any] | None = None) -> int:
    """Returns the number of trainable parameters.

    Args:
        config: The config.
        hparams: All hyperparameters; by default those of the config.
    """
    return sum(math.prod(shape) for shape in variable_shapes(config, hparams).values())


def checkpoint_bytes(parameters: int, *, averages: bool = False) -> int:
    """Returns the size of a checkpoint: each parameter, Adam's two moments and any average, 4 bytes each."""
    return (4 if averages else 3) * 4 * parameters


def _lstm_stack(scope: str, inputs: int, sizes: Sequence[int]) -> Shapes:
    """Returns the variables of LSTM layers on top of each other; a kernel has inputs and states as rows."""
    shapes: Shapes = {}
    for layer, units in enumerate(sizes):
        shapes[f"{scope}/cell_{layer}/lstm_cell/kernel"] = (inputs + units, 4 * units)
        shapes[f"{scope}/cell_{layer}/lstm_cell/bias"] = (4 * units,)
        inputs = units
    return shapes


def _dense(scope: str, inputs: int, outputs: int) -> Shapes:
    return {f"{scope}/kernel": (inputs, outputs), f"{scope}/bias": (outputs,)}


def _encoder(config: Config, hparams: dict[str, Any], width: int) -> Shapes:
    shapes: Shapes = {}
    levels = [f"encoder/hierarchical_level_{level}" for level in range(len(config.encoder_levels))]
    for scope in levels or ["encoder"]:  # one bidirectional encoder for each level
        for layer, units in enumerate(hparams["enc_rnn_size"]):
            for direction in ("fw", "bw"):
                cells = f"{scope}/cell_{layer}/bidirectional_rnn/{direction}/multi_rnn_cell"
                shapes.update(_lstm_stack(cells, width, [units]))
            width = 2 * units
    for part in ("mu", "sigma"):  # mean and standard deviation of the posterior
        shapes.update(_dense(f"encoder/{part}", width, hparams["z_size"]))
    return shapes


def _decoder(config: Config, hparams: dict[str, Any], control_depth: int) -> Shapes:
    sizes: list[int] = hparams["dec_rnn_size"]
    states = 2 * sum(sizes)  # cell state and hidden state of each layer
    shapes: Shapes = {}
    embedding = hparams["z_size"]
    for level in range(len(config.levels) - 1):
        scope = f"decoder/hierarchical_level_{level}"
        shapes.update(_dense(f"{scope}/initial_state", embedding, states))
        # the conductor's input: the core decoder's last state and the embedding, or one zero
        shapes.update(_lstm_stack(scope, states + embedding if config.conductor_autoregression else 1, sizes))
        embedding = sizes[-1]
    cores = family_of(config).core_decoders(config, hparams)
    for number, (inputs, outputs) in enumerate(cores):
        scope = "core_decoder/decoder" if config.levels else "decoder"
        if len(cores) > 1:
            scope = f"core_decoder/core_decoder_{number}/decoder"
        shapes.update(_dense(f"{scope}/z_to_initial_state", embedding, states))
        shapes.update(_lstm_stack(f"{scope}/multi_rnn_cell", inputs + embedding + control_depth, sizes))
        shapes.update(_dense(f"{scope}/output_projection", sizes[-1], outputs))
    return {**shapes, **family_of(config).extra_variables(config, hparams)}
