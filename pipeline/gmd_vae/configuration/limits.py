"""Types and ranges of a config's fields and hyperparameters.

One check serves ``configs.py``, a user's own config file, ``--hparams``, and the hyperparameters in a ``run.json``. The
upper limits are far above any model that trains, and keep damaged files from taking all memory.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gmd_vae.configuration.own_hparams import PLANNED

MOST_TRAINING_STEPS = 10**12
MOST_UNITS = 1 << 16  # of a layer, and dimensions of z; the widest layer of all configs has 2,048
MOST_COMPONENTS = 1000  # training windows of a density of z
MOST_LAYERS = 32
_LARGEST = 10**9

# Names become folders (runs/NAME). Brackets are wildcards and markup for other programs.
_NAME = re.compile(r"(?![-. ])[^/\\\[\]:*?\"<>|]+(?<![. ])")
_LONGEST_NAME = 100  # bytes in UTF-8; a file name may have 255, and names of checkpoints and temporary files are longer


class Range(NamedTuple):
    """The values of a number.

    Attributes:
        kind: ``int``, or ``float`` for any number.
        low: Lowest value.
        high: Highest value.
        above: True if the lowest value itself is not allowed.
    """

    kind: type
    low: float
    high: float
    above: bool = False

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float) if self.kind is float else int):
            return False
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        high = f"{self.high:,}" if self.high < 1e15 else f"{self.high:g}"
        limits = f"greater than {self.low} and at most {high}" if self.above else f"from {self.low} to {high}"
        return f"{'a whole number' if self.kind is int else 'a number'} {limits}"


COUNT = Range(int, 1, 10**6)
_NUMBERS = {
    "max_seq_len": COUNT,
    "z_size": Range(int, 1, MOST_UNITS),
    "free_bits": Range(float, 0, _LARGEST),
    "max_beta": Range(float, 0, _LARGEST),
    "beta_rate": Range(float, 0, 1),
    "batch_size": COUNT,
    "grad_clip": Range(float, 0, _LARGEST, above=True),
    "grad_norm_clip_to_zero": Range(float, 0, 1e30, above=True),
    "learning_rate": Range(float, 0, 1000, above=True),
    "decay_rate": Range(float, 0, 1, above=True),
    "min_learning_rate": Range(float, 0, 1000),
    "dropout_keep_prob": Range(float, 0.001, 1),  # with less, TensorFlow drops everything
    "sampling_rate": Range(float, 0, _LARGEST),
    "nade_num_hidden": Range(int, 1, MOST_UNITS),
    "average_decay": Range(float, 0, 0.999999),  # with 1 the average would stay at the initial weights
    "warm_up_steps": Range(int, 0, MOST_TRAINING_STEPS),
    "beta_warm_up_steps": Range(int, 0, MOST_TRAINING_STEPS),
    "free_bits_until": Range(int, 0, MOST_TRAINING_STEPS),
    **dict.fromkeys(
        ("mix_windows", "mix_bars", "replace_bars", "drop_voices", "swap_voices", "blank_inputs"), Range(float, 0, 1)
    ),
    **dict.fromkeys(("widen_velocities", "raise_full_velocities", "widen_timing"), Range(float, 0, 2)),
    "full_velocity_from": Range(float, 0, 1, above=True),
    "transpose": Range(int, 0, 24),  # two octaves; Magenta transposes by up to 3 or 5 semitones
    "prior_components": Range(int, 0, MOST_COMPONENTS),
}
_SIZES = ("enc_rnn_size", "dec_rnn_size", "control_preprocessing_rnn_size")
_CHOICES = {
    "sampling_schedule": ("constant", "inverse_sigmoid", "exponential"),
    "clip_mode": ("value", "global_norm"),
    "learning_rate_schedule": ("exponential", *PLANNED),
    "best_by": ("elbo", "objective"),
}
_SWITCHES = ("conditional", "use_cudnn", "residual_encoder", "residual_decoder")
# the ranges of magenta.models.music_vae.lstm_utils.get_sampling_probability
_SAMPLING_RATES = {"constant": "from 0 to 1", "inverse_sigmoid": "1 or more", "exponential": "between 0 and 1"}


def check_hparams(hparams: Mapping[str, Any]) -> None:
    """Checks the type and range of each hyperparameter, and that schedule and rate fit each other.

    Args:
        hparams: All hyperparameters.

    Raises:
        ValueError: A value does not fit; the text names it and the values that do.
    """
    for name, value in hparams.items():
        if expected := _expected(name, value):
            raise ValueError(f"{name} is {shortened(value)}, and must be {expected}")
    schedule, rate = hparams["sampling_schedule"], hparams["sampling_rate"]
    fits = {"constant": rate <= 1, "inverse_sigmoid": rate >= 1, "exponential": 0 < rate < 1}[schedule]
    if not fits:
        raise ValueError(
            f"sampling_rate={rate} does not fit sampling_schedule={schedule}, and must be {_SAMPLING_RATES[schedule]}"
        )


def _expected(name: str, value: Any) -> str:
    """Returns the values that a hyperparameter can have; empty if this is one."""
    if name in _NUMBERS:
        return "" if value in _NUMBERS[name] else str(_NUMBERS[name])
    if name in _SIZES:
        units = Range(int, 1, MOST_UNITS)
        fits = isinstance(value, (list, tuple)) and 0 < len(value) <= MOST_LAYERS
        fits = fits and all(size in units for size in value)
        return "" if fits else f"1 to {MOST_LAYERS} whole numbers from 1 to {MOST_UNITS:,} in brackets"
    if name in _SWITCHES:
        return "" if isinstance(value, bool) else "true or false"
    choices = _CHOICES[name]
    return "" if isinstance(value, str) and value in choices else " or ".join(f"'{known}'" for known in choices)


def check_name(name: Any) -> None:
    """Checks the name of a config, which becomes the name of a folder.

    Raises:
        ValueError: It is no text, or no name of a file.
    """
    fits = isinstance(name, str) and name.isprintable() and _NAME.fullmatch(name)
    if not fits or len(name.encode()) > _LONGEST_NAME:
        raise ValueError(
            f"the name of a config is {shortened(name)}, and must be 1 to 100 letters, digits, spaces and signs "
            "such as _, - and +: it becomes the name of a folder"
        )


def check_fields(fields: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Checks the types and ranges of fields.

    Args:
        fields: Value of each field.
        expected: Of some fields: a range, a type, or the allowed values.

    Raises:
        ValueError: A field does not fit.
    """
    words = {str: "text", bool: "True or False", dict: "a dictionary"}
    for name, allowed in expected.items():
        value = fields[name]
        if isinstance(allowed, type):
            if not isinstance(value, allowed):
                raise ValueError(f"{name} is {shortened(value)}, and must be {words[allowed]}")
        elif value not in allowed:
            one_of = allowed if isinstance(allowed, Range) else " or ".join(map(repr, allowed))
            raise ValueError(f"{name} is {shortened(value)}, and must be {one_of}")


def check_numbers(name: str, values: Any, allowed: Range, most: int = 1000) -> None:
    """Checks a tuple of whole numbers.

    Raises:
        ValueError: It is no tuple, is too long, or a number is out of range.
    """
    if not isinstance(values, tuple) or len(values) > most or not all(value in allowed for value in values):
        expected = f"a tuple of at most {most:,} numbers, each {allowed}"
        raise ValueError(f"{name} is {shortened(values)}, and must be {expected}")


def shortened(value: Any) -> str:
    """Returns a value from outside as a short text for a message."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**40:
        return "a number of more than 40 digits"  # Python refuses to write thousands of digits
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    try:
        text = repr(value)
    except Exception:  # an object of the user's own
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
