"""The order of a section's windows in Magenta's ``DrumsConverter``, and their maximum number.

The converter returns ``list(set(windows))``; each window is a tuple with one frozenset of drum classes for each step.
The order of such a set depends on its elements, on the order of their insertion and on the implementation of Python's
sets, but on no random seed. This module builds the same set to get the same order.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from gmd_vae.windows.cutting.drum_windows import PlacedWindow

MAGENTA_CAP = 5  # DrumsConverter's default max_tensors_per_notesequence; none of Magenta's drum configs changes it

_CACHED_LABELS = 1 << 16  # more than the 512 labels of nine classes; 61 classes have too many for a full table


def magenta_order(windows: Sequence[bytes]) -> list[bytes]:
    """Returns the different windows of one section in Magenta's order.

    Args:
        windows: Bytes of the labels of each window, int64 ``[steps]``, in the order of time.
    """
    by_events = {tuple(map(_event, np.frombuffer(window, np.int64).tolist())): window for window in windows}
    events = list(by_events)  # Python builds a set from a dictionary in another way than from a list
    return [by_events[window_events] for window_events in set(events)]


def by_section(placed: Iterable[PlacedWindow]) -> Iterable[tuple[int, Iterable[PlacedWindow]]]:
    """Groups the windows of ``placed_windows`` by section; returns section numbers and groups."""
    return itertools.groupby(placed, lambda window: window.section)


@functools.lru_cache(maxsize=_CACHED_LABELS)
def _event(label: int) -> frozenset[int]:
    """Returns the drum classes of a label."""
    return frozenset(number for number in range(label.bit_length()) if label >> number & 1)
