"""Shapes of a model's input and output, as plain data without TensorFlow.

A test compares each of them with the installed Magenta's converters and decoders.
"""

from __future__ import annotations

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Stream:
    """Columns of the output, one of which is chosen at each step (a categorical distribution).

    Attributes:
        name: Name of the part that it plays.
        start: Number of its first column.
        stop: Number of the column behind its last one.
    """

    name: str
    start: int
    stop: int

    @property
    def classes(self) -> int:
        """Number of columns."""
        return self.stop - self.start


@dataclasses.dataclass(frozen=True)
class OutputSpec:
    """Shapes of one window as a model reads and writes it.

    Attributes:
        bars: Bars of 4/4 in a window.
        steps: Steps in a window, those of all tracks together; the longest where windows may be shorter.
        input_depth: Columns of the encoder's input.
        output_depth: Columns of the decoder's output.
        control_depth: Columns of the conditioning input; 0 for none.
        streams: Categorical streams of the output; empty where the output is none.
        tracks: Tracks that stand one behind the other in a window and sound together.
        controls: Kind of the conditioning input of each step.
        given_hits: Drum classes whose hits can be given to the decoder in place of its own; 0 for none.
        is_label: The output is one categorical distribution over drum labels, and a decoded window is labels.
    """

    bars: int
    steps: int
    input_depth: int
    output_depth: int
    control_depth: int = 0
    streams: tuple[Stream, ...] = ()
    tracks: int = 1
    controls: Literal["chords", "hits", ""] = ""
    given_hits: int = 0
    is_label: bool = False

    @property
    def steps_per_bar(self) -> int:
        """Steps in one bar."""
        return self.steps // self.bars


def bars_in_words(bars: int) -> str:
    """Returns a number of bars for people, for example ``1 bar`` or ``4 bars``."""
    return f"{bars} bar" if bars == 1 else f"{bars} bars"
