"""The order in which Magenta's ``DrumsConverter`` gives the windows of a section, and its cap.

The converter puts the windows into a Python set, ``list(set(windows))``, each a tuple with a frozenset
of drum classes for every step. The order of a set of such tuples follows from what is in it, in which
order it came, and how Python builds sets; no seed is in it. So it is found by building the very set.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from gmd_vae.windows.cutting.drum_windows import PlacedWindow

MAGENTA_CAP = 5  # DrumsConverter's max_tensors_per_notesequence, which none of Magenta's drum configs changes

_MANY_LABELS = 1 << 16  # labels to remember; all there are with nine classes, 61 classes have too many


def magenta_order(windows: Sequence[bytes]) -> list[bytes]:
    """The windows of one section, each once, in Magenta's order.

    Args:
        windows: each the bytes of its labels, int64 [steps], in the order of time.
    """
    by_events = {tuple(map(_event, np.frombuffer(window, np.int64).tolist())): window for window in windows}
    events = list(by_events)  # a set made from the dictionary itself would be built in another way
    return [by_events[one] for one in set(events)]


def by_section(placed: Iterable[PlacedWindow]) -> Iterable[tuple[int, Iterable[PlacedWindow]]]:
    """The windows of ``placed_windows`` in groups, with the number of each group's section."""
    return itertools.groupby(placed, lambda window: window.section)


@functools.lru_cache(maxsize=_MANY_LABELS)
def _event(label: int) -> frozenset[int]:
    """The drum classes of a label."""
    return frozenset(number for number in range(label.bit_length()) if label >> number & 1)
