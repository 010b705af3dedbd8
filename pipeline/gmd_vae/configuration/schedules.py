"""Training schedules: learning rate, β and sampling probability at each step. Pure functions without TensorFlow.

The formulas are Magenta's (``magenta/models/music_vae/base_model.py`` and ``lstm_utils.py``); a test compares them with
its tensors.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

_POINTS = 500  # points of each curve: about one per pixel column of a panel


def learning_rate(hparams: dict[str, Any], step: int) -> float:
    """Returns Adam's learning rate after ``step`` steps.

    It decays from ``learning_rate`` towards ``min_learning_rate``, by the factor ``decay_rate`` each step
    (``MusicVAE.train`` in ``base_model.py``).

    Args:
        hparams: Hyperparameters.
        step: Number of finished training steps.
    """
    lowest: float = hparams["min_learning_rate"]
    return float((hparams["learning_rate"] - lowest) * _power(hparams["decay_rate"], step) + lowest)


def kl_beta(hparams: dict[str, Any], step: int) -> float:
    """Returns β, the weight of the KL divergence above the free bits, after ``step`` steps.

    β is ``(1 - beta_rate ** step) * max_beta`` (``MusicVAE._compute_model_loss``): 0 at step 0; with
    ``beta_rate`` 0 it is ``max_beta`` from step 1 on.

    Args:
        hparams: Hyperparameters.
        step: Number of finished training steps.
    """
    return float((1.0 - _power(hparams["beta_rate"], step)) * hparams["max_beta"])


def sampling_probability(hparams: dict[str, Any], step: int) -> float:
    """Returns the probability of scheduled sampling after ``step`` steps, from 0 to 1.

    With this probability a decoder step in training reads the decoder's own last output instead of the true one
    (``lstm_utils.get_sampling_probability``). 0 is teacher forcing, and the value without ``sampling_schedule``.

    Args:
        hparams: Hyperparameters.
        step: Number of finished training steps.

    Raises:
        ValueError: The schedule is unknown, or ``sampling_rate`` is outside of its range.
    """
    schedule = hparams.get("sampling_schedule")
    rate: float = hparams.get("sampling_rate", 0.0)
    if not schedule:
        return 0.0
    if schedule == "constant" and 0 <= rate <= 1:
        return float(rate)
    if schedule == "inverse_sigmoid" and rate >= 1:
        # 1 - k / (k + exp(step / k)); exp() overflows at 710, where the result is 1.0
        return 1.0 - rate / (rate + math.exp(min(step / rate, 700.0)))
    if schedule == "exponential" and 0 < rate < 1:
        return 1.0 - _power(rate, step)
    raise ValueError(f"sampling_schedule={schedule} with sampling_rate={rate} is not one of Magenta's schedules")


def draw_schedules(hparams: dict[str, Any], num_steps: int, target: Path, title: str) -> None:
    """Draws the three schedules as a PNG file.

    Args:
        hparams: Hyperparameters.
        num_steps: Last step of the curves.
        target: PNG file, written whole or not at all.
        title: Title above the panels.
    """
    from gmd_vae.common.charts import BLUE, GREEN, ORANGE, Line, drawing, line_chart

    # step 0 and 1 both: β without annealing jumps between them
    steps = sorted({0, min(1, num_steps), *(num_steps * point // _POINTS for point in range(_POINTS + 1))})
    panels = (
        ("Learning rate", learning_rate, BLUE),
        ("β, weight of the KL divergence", kl_beta, ORANGE),
        ("Sampling probability", sampling_probability, GREEN),
    )
    with drawing(target, width=12, height=3.6, title=title, note=f"{num_steps:,} steps") as figure:
        for axes, (name, schedule, colour) in zip(figure.subplots(1, len(panels)), panels, strict=True):
            values = [schedule(hparams, step) for step in steps]
            line_chart(axes, [Line(name, steps, values, colour, width=2.2)], title=name)
            axes.set_ylim(0, 1 if schedule is sampling_probability else max(*values, 1e-12) * 1.06)
            axes.margins(x=0.02)


def _power(base: float, step: int) -> float:
    """Returns ``base ** step`` with the base rounded to 32 bits, as in TensorFlow.

    The rounding matters: 0.99999 in 32 bits is 0.9999899864, which decays 0.1 % more in 100,000 steps.
    """
    (rounded,) = struct.unpack("<f", struct.pack("<f", base))
    try:
        return float(rounded**step)
    except OverflowError:  # a rate above 1
        return math.inf
