"""What a config is: the declaration that ``configs.py`` fills in. Cheap to import, no TensorFlow."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from gmd_vae.configuration.drum_windows import DrumWindows

# Magenta's own defaults, magenta.models.music_vae.lstm_models.get_default_hparams(); a test holds
# them equal to the installed package. Their types are the types that --hparams accepts.
HPARAM_DEFAULTS: dict[str, Any] = {
    "max_seq_len": 32,
    "z_size": 32,
    "free_bits": 0.0,
    "max_beta": 1.0,
    "beta_rate": 0.0,
    "batch_size": 512,
    "grad_clip": 1.0,
    "clip_mode": "global_norm",
    "grad_norm_clip_to_zero": 10000,
    "learning_rate": 0.001,
    "decay_rate": 0.9999,
    "min_learning_rate": 1e-05,
    "conditional": True,
    "dec_rnn_size": [512],
    "enc_rnn_size": [256],
    "dropout_keep_prob": 1.0,
    "sampling_schedule": "constant",
    "sampling_rate": 0.0,
    "use_cudnn": False,
    "residual_encoder": False,
    "residual_decoder": False,
    "control_preprocessing_rnn_size": [256],
}


@dataclasses.dataclass(frozen=True)
class VaeConfig:
    """A drum MusicVAE: bidirectional LSTM encoder, flat or hierarchical LSTM decoder.

    Attributes:
        name: what users type after ``--config``.
        summary: one line for ``gmd-vae configs``.
        source: where the numbers come from.
        windows: the training windows; their length is the model's sequence length.
        z_size: dimensions of the latent vector.
        encoder_sizes: units of each bidirectional LSTM layer, per direction.
        decoder_sizes: units of each LSTM layer, of the conductor and of the core decoder alike.
        levels: steps at each level of the hierarchical decoder, conductor first, e.g. ``(8, 8)``: 8
            segments of 8 steps. Empty: a flat decoder.
        conductor_autoregression: whether the conductor is fed the core decoder's last state
            (Magenta's default) or zeros (``disable_autoregression=True``, as in the paper).
        batch_size: windows per training step.
        free_bits: bits of the total KL divergence that cost nothing. Magenta's documentation says
            "per dimension"; its code subtracts them from the sum over dimensions.
        max_beta: weight of the KL divergence above the free bits.
        beta_rate: β is ``max_beta * (1 - beta_rate ** step)``; 0 means no annealing.
        sampling_schedule: scheduled sampling: ``constant``, ``inverse_sigmoid`` or ``exponential``.
        sampling_rate: the schedule's parameter; ``constant`` 0 is teacher forcing.
        learning_rate: Adam's, at step 0.
        decay_rate: the learning rate decays by this factor each step towards ``min_learning_rate``.
        min_learning_rate: the learning rate's lower bound.
        num_steps: how long ``gmd-vae train`` trains unless told otherwise.
    """

    name: str
    summary: str
    source: str
    windows: DrumWindows
    z_size: int
    encoder_sizes: tuple[int, ...]
    decoder_sizes: tuple[int, ...]
    levels: tuple[int, ...] = ()
    conductor_autoregression: bool = True
    batch_size: int = 512
    free_bits: float = 48.0
    max_beta: float = 0.2
    beta_rate: float = 0.0
    sampling_schedule: str = "inverse_sigmoid"
    sampling_rate: float = 1000.0
    learning_rate: float = 0.001
    decay_rate: float = 0.9999
    min_learning_rate: float = 1e-05
    num_steps: int = 10_000

    def __post_init__(self) -> None:
        if self.levels and math.prod(self.levels) != self.windows.steps:
            raise ValueError(
                f"config '{self.name}': levels {self.levels} make {math.prod(self.levels)} steps, "
                f"its windows have {self.windows.steps}"
            )
        if self.windows.roll_output:
            raise ValueError(f"config '{self.name}': the categorical decoder writes labels, not a drum roll")

    @property
    def hparams(self) -> dict[str, Any]:
        """Every hyperparameter by Magenta's name."""
        return {
            **HPARAM_DEFAULTS,
            "max_seq_len": self.windows.steps,
            "z_size": self.z_size,
            "enc_rnn_size": list(self.encoder_sizes),
            "dec_rnn_size": list(self.decoder_sizes),
            "batch_size": self.batch_size,
            "free_bits": self.free_bits,
            "max_beta": self.max_beta,
            "beta_rate": self.beta_rate,
            "sampling_schedule": self.sampling_schedule,
            "sampling_rate": self.sampling_rate,
            "learning_rate": self.learning_rate,
            "decay_rate": self.decay_rate,
            "min_learning_rate": self.min_learning_rate,
        }

    @property
    def parameters(self) -> int:
        """Trainable parameters of the model, as Magenta builds it."""
        return count_parameters(self, self.hparams)


def from_dict(fields: dict[str, Any]) -> VaeConfig:
    """The config whose ``dataclasses.asdict`` went through JSON: lists become tuples again.

    Raises:
        TypeError, ValueError, KeyError: the fields are not those of a config.
    """
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    windows = dict(fields.pop("windows"))
    windows["pitch_classes"] = tuple(tuple(pitches) for pitches in windows["pitch_classes"])
    return VaeConfig(**fields, windows=DrumWindows(**windows))


def count_parameters(config: VaeConfig, hparams: dict[str, Any]) -> int:
    """Trainable parameters of a drum config, layer by layer as in ``magenta.models.music_vae.lstm_models``."""
    z: int = hparams["z_size"]
    encoder: list[int] = hparams["enc_rnn_size"]
    decoder: list[int] = hparams["dec_rnn_size"]
    output: int = config.windows.output_depth

    total = 0
    width: int = config.windows.input_depth
    for units in encoder:
        total += 2 * _lstm(width, units)  # both directions
        width = 2 * units
    total += 2 * _dense(width, z)  # mu and sigma

    states = 2 * sum(decoder)  # every layer's cell state and hidden state
    embedding = z
    for _ in config.levels[:-1]:
        total += _dense(embedding, states)  # initial state
        # the conductor's input: the lower level's last state and the embedding, or one zero
        width = states + embedding if config.conductor_autoregression else 1
        total += _stack(width, decoder)
        embedding = decoder[-1]
    total += _dense(embedding, states)
    total += _stack(output + embedding, decoder)
    return total + _dense(decoder[-1], output)


def checkpoint_bytes(parameters: int) -> int:
    """Size of a checkpoint: every parameter and Adam's two moments, four bytes each."""
    return 3 * 4 * parameters


def training_bytes(config: VaeConfig, hparams: dict[str, Any]) -> int:
    """An estimate of the memory that training takes on a CPU, TensorFlow included.

    The estimate is for Magenta's layers; ours take a quarter to two fifths less (docs/performance.md).
    What the backward pass keeps is counted: seven values per LSTM unit and step (``LSTMBlockCell``)
    and about six arrays as wide as the output, times 1.5 for what is alive beside them. The rest is
    fitted to the peak memory of five runs (``tests/models/test_config.py``), which it meets within
    15 %: 1.1 GB for TensorFlow and the graph, and copies of the parameters, two for each segment
    of the hierarchical decoder, whose gradients Magenta adds up one by one.
    """
    batch_size: int = hparams["batch_size"]
    encoder: int = sum(hparams["enc_rnn_size"])
    decoder: int = sum(hparams["dec_rnn_size"])
    segments = config.levels[0] if config.levels else 1
    steps = config.windows.steps
    per_window = 2 * encoder * 7 * steps + decoder * 7 * (steps + segments)
    per_window += steps * 6 * config.windows.output_depth
    copies = 7 + 2 * segments
    return int(1.1e9 + 4 * copies * count_parameters(config, hparams) + 1.5 * 4 * batch_size * per_window)


def _lstm(inputs: int, units: int) -> int:
    return (inputs + units) * 4 * units + 4 * units


def _stack(inputs: int, sizes: list[int]) -> int:
    total = 0
    for units in sizes:
        total += _lstm(inputs, units)
        inputs = units
    return total


def _dense(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs
