"""Parameter counts and memory estimates of a config, computed layer by layer without TensorFlow.

The layers are those of ``magenta.models.music_vae.lstm_models``; a test compares the counts with the variables that
Magenta builds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gmd_vae.configuration.config import Config
from gmd_vae.families import family_of


def count_parameters(config: Config, hparams: dict[str, Any] | None = None) -> int:
    """Returns the number of trainable parameters.

    Args:
        config: The config.
        hparams: All hyperparameters by Magenta's names; by default those of the config.
    """
    hparams = hparams or config.hparams
    output = family_of(config).output(config)
    decoder = _decoder(config, hparams, output.control_depth)
    return _encoder(config, hparams, output.input_depth + output.control_depth) + decoder


def checkpoint_bytes(parameters: int) -> int:
    """Returns the size of a checkpoint: each parameter and Adam's two moments, 4 bytes each."""
    return 3 * 4 * parameters


def lstm(inputs: int, units: int) -> int:
    """Returns the parameters of one LSTM layer: kernel ``[inputs + units, 4 * units]`` and bias."""
    return (inputs + units) * 4 * units + 4 * units


def lstm_stack(inputs: int, sizes: Sequence[int]) -> int:
    """Returns the parameters of LSTM layers on top of each other."""
    total = 0
    for units in sizes:
        total += lstm(inputs, units)
        inputs = units
    return total


def dense(inputs: int, outputs: int) -> int:
    """Returns the parameters of a dense layer."""
    return inputs * outputs + outputs


def _encoder(config: Config, hparams: dict[str, Any], width: int) -> int:
    total = 0
    for _ in config.encoder_levels or (0,):  # one bidirectional encoder for each level
        for units in hparams["enc_rnn_size"]:
            total += 2 * lstm(width, units)
            width = 2 * units
    return total + 2 * dense(width, hparams["z_size"])  # mean and standard deviation of the posterior


def _decoder(config: Config, hparams: dict[str, Any], control_depth: int) -> int:
    sizes: list[int] = hparams["dec_rnn_size"]
    states = 2 * sum(sizes)  # cell state and hidden state of each layer
    total, embedding = 0, hparams["z_size"]
    for _ in config.levels[:-1]:
        total += dense(embedding, states)  # the conductor's initial state
        # the conductor's input: the core decoder's last state and the embedding, or one zero
        total += lstm_stack(states + embedding if config.conductor_autoregression else 1, sizes)
        embedding = sizes[-1]
    for inputs, outputs in family_of(config).core_decoders(config, hparams):
        total += dense(embedding, states)  # initial state
        total += lstm_stack(inputs + embedding + control_depth, sizes)
        total += dense(sizes[-1], outputs)
    return total + family_of(config).extra_parameters(config, hparams)
