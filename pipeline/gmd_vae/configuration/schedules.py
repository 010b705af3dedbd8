"""Training schedules: learning rate, β, free bits, sampling probability, average. Pure functions without TensorFlow.

With the levers off (``own_hparams.py``) the formulas are Magenta's (``magenta/models/music_vae/base_model.py`` and
``lstm_utils.py``). ``training/scheduled_hparams.py`` has the same as tensors; tests compare them.
"""

from __future__ import annotations

import math
import struct
import textwrap
from pathlib import Path
from typing import Any

from gmd_vae.configuration.own_hparams import OWN_HPARAMS, PLANNED

_DRAWN = ("warm_up_steps", "learning_rate_schedule", "beta_warm_up_steps", "free_bits_until")  # by the curves
COOLDOWN_BEGINS = 0.8  # share of the run; Hägele et al. 2024: a fifth is enough, and as good as a cosine
_LINE = 180  # characters of the levers in a line of the picture
_POINTS = 500  # points of each curve: about one per pixel column of a panel


def learning_rate(hparams: dict[str, Any], step: int, num_steps: int) -> float:
    """Returns Adam's learning rate after ``step`` steps.

    It falls from ``learning_rate`` towards ``min_learning_rate``: with ``learning_rate_schedule`` "exponential" by the
    factor ``decay_rate`` each step (``MusicVAE.train`` in ``base_model.py``); with "cosine" along half a cosine wave
    (Loshchilov and Hutter 2017) from the end of the warm-up to ``num_steps``, where it stays; with "cooldown" it is
    constant, and falls in the last fifth of the run, as 1 - √x (Hägele et al. 2024, "Scaling Laws and Compute-Optimal
    Training Beyond Fixed Training Durations"). In the first steps, the warm-up of `warm_up_steps`, it is multiplied
    with 1/W, 2/W, ..., 1.

    Args:
        hparams: Hyperparameters.
        step: Number of finished training steps.
        num_steps: Number of steps of a planned schedule.
    """
    lowest: float = hparams["min_learning_rate"]
    warm_up = warm_up_steps(hparams, num_steps)
    done = (step - warm_up) / max(1, num_steps - warm_up)
    if hparams["learning_rate_schedule"] == "cosine":
        share = (1.0 + math.cos(math.pi * min(max(done, 0.0), 1.0))) / 2.0
    elif hparams["learning_rate_schedule"] == "cooldown":
        share = 1.0 - math.sqrt(min(max(done - COOLDOWN_BEGINS, 0.0) / (1.0 - COOLDOWN_BEGINS), 1.0))
    else:
        share = _power(hparams["decay_rate"], step)
    rate = (hparams["learning_rate"] - lowest) * share + lowest
    return float(rate * min(1.0, (step + 1) / warm_up) if warm_up else rate)


def warm_up_steps(hparams: dict[str, Any], num_steps: int) -> int:
    """Returns the number of steps in which the learning rate rises.

    It is ``warm_up_steps``; with a planned schedule at most a tenth of the run, which would otherwise end while the
    rate rises.

    Args:
        hparams: Hyperparameters.
        num_steps: Number of steps of a planned schedule.
    """
    steps: int = hparams["warm_up_steps"]
    return min(steps, num_steps // 10) if hparams["learning_rate_schedule"] in PLANNED else steps


def kl_beta(hparams: dict[str, Any], step: int) -> float:
    """Returns β, the weight of the KL divergence above the free bits, after ``step`` steps.

    β is ``(1 - beta_rate ** step) * max_beta`` (``MusicVAE._compute_model_loss``): 0 at step 0; with
    ``beta_rate`` 0 it is ``max_beta`` from step 1 on. In the first ``beta_warm_up_steps`` steps it is multiplied with a
    factor that rises linearly from 0 to 1.

    Args:
        hparams: Hyperparameters.
        step: Number of finished training steps.
    """
    beta = (1.0 - _power(hparams["beta_rate"], step)) * hparams["max_beta"]
    warm_up: int = hparams["beta_warm_up_steps"]
    return float(beta * min(1.0, step / warm_up) if warm_up else beta)


def free_bits(hparams: dict[str, Any], step: int) -> float:
    """Returns the bits of KL divergence per window that cost nothing, after ``step`` steps.

    They decline linearly from ``free_bits`` to 0 at step ``free_bits_until``; with 0 there they are constant.

    Args:
        hparams: Hyperparameters.
        step: Number of finished training steps.
    """
    until: int = hparams["free_bits_until"]
    return float(hparams["free_bits"] * max(0.0, 1.0 - step / until) if until else hparams["free_bits"])


def average_decay(hparams: dict[str, Any], step: int) -> float:
    """Returns the share of itself that the average of the weights keeps in the update after ``step`` steps.

    It is ``average_decay``, and ``(step - 1) / (step + 8)`` as long as this is less. So the average begins with the
    weights after the first step and looks back over about the last tenth of a short run, as with ``num_updates`` of
    ``tf.train.ExponentialMovingAverage``; no initial weight remains in it.

    Args:
        hparams: Hyperparameters.
        step: Number of finished training steps, at least 1.
    """
    return float(min(hparams["average_decay"], (step - 1) / (step + 8)))


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


def schedule_notes(hparams: dict[str, Any], num_steps: int) -> list[str]:
    """Returns a sentence for each schedule that the run does not finish, or that has no effect.

    These are no errors: a run may be continued with more steps.

    Args:
        hparams: Hyperparameters.
        num_steps: Number of steps of the run.
    """
    ends = (
        (warm_up_steps(hparams, num_steps), "the learning rate rises", "warm_up_steps"),
        (hparams["beta_warm_up_steps"], "β rises", "beta_warm_up_steps"),
        (hparams["free_bits_until"], "the free bits decline", "free_bits_until"),
    )
    found = [
        f"{change} until step {end:,} ({name}), and the run ends at step {num_steps:,}."
        for end, change, name in ends
        if end > num_steps
    ]
    if hparams["free_bits_until"] and not hparams["free_bits"]:
        found.append("free_bits_until has no effect without free_bits.")
    return found


def draw_schedules(hparams: dict[str, Any], num_steps: int, target: Path, title: str) -> None:
    """Draws the schedules as a PNG file, with the other levers that are on below the panels.

    Args:
        hparams: Hyperparameters.
        num_steps: Number of steps of the run, and last step of the curves.
        target: PNG file, written whole or not at all.
        title: Title above the panels.
    """
    from gmd_vae.common.charts import BLUE, GREEN, GREY, ORANGE, PURPLE, Line, drawing, line_chart

    # step 0 and 1 both: β without annealing jumps between them
    steps = sorted({0, min(1, num_steps), *(num_steps * point // _POINTS for point in range(_POINTS + 1))})
    panels = (
        ("Learning rate", [learning_rate(hparams, step, num_steps) for step in steps], BLUE),
        ("β, weight of the KL divergence", [kl_beta(hparams, step) for step in steps], ORANGE),
        ("Free bits per window", [free_bits(hparams, step) for step in steps], PURPLE),
        ("Sampling probability", [sampling_probability(hparams, step) for step in steps], GREEN),
    )
    others = [name for name in OWN_HPARAMS if name not in _DRAWN and hparams[name] != OWN_HPARAMS[name]]
    with drawing(target, width=15, height=4, title=title, note=f"{num_steps:,} steps") as figure:
        for axes, (name, values, colour) in zip(figure.subplots(1, len(panels)), panels, strict=True):
            line_chart(axes, [Line(name, steps, values, colour, width=2.2)], title=name)
            axes.set_ylim(0, 1 if name == "Sampling probability" else (max(values) or 1) * 1.06)
            axes.margins(x=0.02)
        levers = "   ".join(f"{name}={hparams[name]}" for name in others)
        figure.supxlabel(textwrap.fill(levers, _LINE), x=0.01, ha="left", color=GREY, fontsize=10)


def _power(base: float, step: int) -> float:
    """Returns ``base ** step`` with the base rounded to 32 bits, as in TensorFlow.

    The rounding matters: 0.99999 in 32 bits is 0.9999899864, which decays 0.1 % more in 100,000 steps.
    """
    (rounded,) = struct.unpack("<f", struct.pack("<f", base))
    try:
        return float(rounded**step)
    except OverflowError:  # a rate above 1
        return math.inf
