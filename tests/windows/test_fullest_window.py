"""The window that stands for a take."""

from __future__ import annotations

import numpy as np
from gmd_vae.windows.fullest_window import fullest_regular

COUNT_IN = [2, 0, 2, 0]
GROOVE = [5, 4, 6, 4]
FILL = [2, 3, 7, 7]


def test_recurring_hits_count() -> None:
    windows = [
        [COUNT_IN, COUNT_IN],
        [COUNT_IN, GROOVE],
        [GROOVE, GROOVE],
        [GROOVE, FILL],
        [FILL, [0] * 4],
        [GROOVE] * 2,
    ]
    assert fullest_regular(np.array(windows)) == 2
    assert fullest_regular(np.array(windows[::-1])) == 0  # of equal ones, the first
    assert fullest_regular(np.array(windows[3:5])) == 0
    assert fullest_regular(np.zeros((3, 2, 4), np.int64)) == 0


def test_windows_of_a_bar_are_compared_with_those_beside_them() -> None:
    bars = [COUNT_IN, [2, 0, 2, 1], GROOVE, [5, 4, 4, 4], FILL]
    assert fullest_regular(np.array(bars)[:, None]) == 2
