"""What changes during training by plan: learning rate, β and sampling probability, step by step.

The formulas are Magenta's (``magenta/models/music_vae/base_model.py`` and ``lstm_utils.py``), a test
compares them with its tensors. Pure functions, no TensorFlow.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

_POINTS = 500  # of each curve: about one per pixel column of a panel


def learning_rate(hparams: dict[str, Any], step: int) -> float:
    """Adam's learning rate in the training step that follows ``step`` others.

    From ``learning_rate`` it decays towards ``min_learning_rate``, by ``decay_rate`` each step
    (``base_model.py``, ``MusicVAE.train``).

    Args:
        hparams: by Magenta's names.
        step: steps done.
    """
    lowest: float = hparams["min_learning_rate"]
    return float((hparams["learning_rate"] - lowest) * _power(hparams["decay_rate"], step) + lowest)


def kl_beta(hparams: dict[str, Any], step: int) -> float:
    """β, the weight of the KL divergence above the free bits, after ``step`` steps.

    It rises from 0 at step 0 to ``max_beta``: from step 1 on where ``beta_rate`` is 0, else the more
    slowly the closer ``beta_rate`` is to 1 (``base_model.py``, ``MusicVAE._compute_model_loss``).
    """
    return float((1.0 - _power(hparams["beta_rate"], step)) * hparams["max_beta"])


def sampling_probability(hparams: dict[str, Any], step: int) -> float:
    """The probability, in training, that the decoder is fed its own last output instead of the truth.

    ``lstm_utils.get_sampling_probability``; 0 is teacher forcing, and what Magenta takes where there
    is no ``sampling_schedule``.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: the schedule is unknown, or ``sampling_rate`` is outside its range.
    """
    schedule = hparams.get("sampling_schedule")
    rate: float = hparams.get("sampling_rate", 0.0)
    if not schedule:
        return 0.0
    if schedule == "constant" and 0 <= rate <= 1:
        return float(rate)
    if schedule == "inverse_sigmoid" and rate >= 1:
        # 1 - k / (k + exp(step / k)); exp() overflows at 710, where the result has long been 1.0
        return 1.0 - rate / (rate + math.exp(min(step / rate, 700.0)))
    if schedule == "exponential" and 0 < rate < 1:
        return 1.0 - _power(rate, step)
    raise ValueError(f"sampling_schedule={schedule} with sampling_rate={rate} is not one of Magenta's schedules")


def draw_schedules(hparams: dict[str, Any], num_steps: int, target: Path, title: str) -> None:
    """Draws the three schedules as a PNG file.

    Args:
        hparams: by Magenta's names.
        num_steps: the last step shown.
        target: the file, written whole.
        title: above the panels.
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
    """``base ** step`` with the base as TensorFlow holds it, in 32 bits.

    The rounding of the base matters: 0.99999 in 32 bits is 0.9999899864, and 0.1 % more decay after
    100,000 steps.
    """
    (rounded,) = struct.unpack("<f", struct.pack("<f", base))
    try:
        return float(rounded**step)
    except OverflowError:  # a rate above 1
        return math.inf
