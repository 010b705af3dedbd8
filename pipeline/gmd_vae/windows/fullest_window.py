"""The window that stands for a take: the fullest regular one. The first one is often a count-in."""

from __future__ import annotations

import numpy as np

from gmd_vae.windows.extraction import Labels


def fullest_regular(labels: Labels) -> int:
    """Returns the index of the window with the most recurring hits; of equal ones, the first.

    A hit recurs if the bar before or after it has the same drum at the same place. So fills and pauses count little,
    and so does a count-in, which is regular but sparse. A window of one bar is compared with the windows beside it.

    Args:
        labels: Drum labels, int64 ``[windows, bars, steps_per_bar]``.
    """
    bars = labels if labels.shape[1] > 1 else labels.transpose(1, 0, 2)
    beside = np.zeros_like(bars)
    beside[:, 1:] |= bars[:, :-1]
    beside[:, :-1] |= bars[:, 1:]
    recurring = (bars & beside).reshape(labels.shape[0], -1)
    counts = np.zeros(len(labels), np.int64)
    for drum in range(int(labels.max()).bit_length()):
        counts += ((recurring >> drum) & 1).sum(axis=1)
    return int(np.argmax(counts))
