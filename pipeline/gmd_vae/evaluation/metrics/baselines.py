"""What simple answers would score as reconstructions: a model that is worth its training does better."""

from __future__ import annotations

import numpy as np

from gmd_vae.evaluation.data.label_data import Labels
from gmd_vae.evaluation.metrics.nearest import nearest, pack


def silence(labels: Labels) -> Labels:
    """No drum at any step; the shape and dtype of ``labels``, ``[n, steps]``."""
    return np.zeros_like(labels)


def most_frequent_step(labels: Labels, training: Labels) -> Labels:
    """The commonest label of all training steps, at every step. In much music that is silence.

    Args:
        labels: the windows to answer for, ``[n, steps]``.
        training: ``[m, steps]``; of labels that are equally common, the lowest counts.

    Returns:
        ``[n, steps]``, the dtype of ``training``.

    Raises:
        ValueError: there are no training windows.
    """
    if not training.size:
        raise ValueError("there are no training windows")
    values, counts = np.unique(training, return_counts=True)
    return np.full(labels.shape, values[counts.argmax()])


def previous_bar(labels: Labels, steps_per_bar: int) -> Labels:
    """Each bar repeats the true bar before it; the first bar, which has none, repeats the second.

    It knows the true music around each bar, as a teacher-forced model does. The first bar is as often right
    as the second (a step is equal both ways), so the figure is that of copying a neighbouring bar, over all the
    steps that a model is scored on. In windows of a single bar there is nothing to repeat: silence.

    Args:
        labels: the windows to answer for, ``[n, steps]``.
        steps_per_bar: steps in one bar; ``steps`` is a multiple.

    Returns:
        ``[n, steps]``, the dtype of ``labels``.
    """
    bars = labels.reshape(len(labels), labels.shape[1] // steps_per_bar, steps_per_bar)
    answer = np.zeros_like(bars)
    answer[:, 1:] = bars[:, :-1]
    if bars.shape[1] > 1:
        answer[:, 0] = bars[:, 1]
    return answer.reshape(labels.shape)


def nearest_training(labels: Labels, training: Labels, classes: int) -> Labels:
    """The training window with the fewest differing steps: the best that learning by heart can do.

    Ties are decided as ``nearest.nearest`` says. It takes about a second for 1,760 windows of 64 steps
    and 13,226 training windows.

    Args:
        labels: the windows to answer for, ``[n, steps]``.
        training: ``[m, steps]``.
        classes: number of drum classes.

    Returns:
        ``[n, steps]``, the dtype of ``training``.

    Raises:
        ValueError: there are no training windows, or they have another length.
    """
    found: Labels = training[nearest(pack(labels, classes), pack(training, classes)).index]
    return found
