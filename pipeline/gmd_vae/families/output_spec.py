"""What the decoder of a config writes, as plain data: whoever scores or plays it asks here. No TensorFlow.

A test holds each row equal to the installed Magenta's converters and decoders.
"""

from __future__ import annotations

import dataclasses
from typing import Literal, TypeAlias

from gmd_vae.configuration.config import VaeConfig
from gmd_vae.configuration.registry import Config

Kind: TypeAlias = Literal["labels", "roll", "streams", "groove"]


@dataclasses.dataclass(frozen=True)
class Stream:
    """Some columns of the output, one of which is chosen each step (a categorical distribution).

    Attributes:
        name: of what it plays.
        start: its first column.
        stop: the column behind its last one.
    """

    name: str
    start: int
    stop: int

    @property
    def classes(self) -> int:
        """How many columns."""
        return self.stop - self.start


@dataclasses.dataclass(frozen=True)
class Output:
    """What a decoder writes at each step.

    Attributes:
        kind: ``labels``: one drum label. ``roll``: a bit for each drum class, drawn one after the other (NADE).
            ``streams``: one class of each stream. ``groove``: hits, velocities and offsets of the drum classes.
        bars: bars of 4/4 in a window.
        steps: of a window, those of all tracks together; where windows may be shorter, the longest.
        streams: of kind ``streams``.
        tracks: parts of the window that stand one behind the other and sound together; their steps are
            events, not sixteenths. 1: steps are sixteenths.
        controls: what a step is conditioned on: ``chords``, ``hits`` or nothing.
    """

    kind: Kind
    bars: int
    steps: int
    streams: tuple[Stream, ...] = ()
    tracks: int = 1
    controls: Literal["chords", "hits", ""] = ""

    @property
    def is_events(self) -> bool:
        """Whether steps are events of tracks, rather than places of a bar."""
        return self.tracks > 1


def output_of(config: Config) -> Output:
    """What a config's decoder writes."""
    steps: int = config.hparams["max_seq_len"]
    if config.windows is not None:
        return Output("roll" if config.windows.roll_output else "labels", config.windows.slice_bars, steps)
    assert not isinstance(config, VaeConfig)
    model = config.model
    if model.startswith("groovae"):
        controls: Literal["hits", ""] = "hits" if "hits_control" in model else ""
        return Output("groove", steps // 16, steps, controls=controls)
    chords: Literal["chords", ""] = "chords" if model.endswith("chords") else ""
    if "multiperf" in model:
        # magenta.models.music_vae.data_hierarchical.MultiInstrumentPerformanceConverter: 360 events of a
        # performance (128 on, 128 off, 96 time shifts, 8 velocities), 129 programs, an end token
        return Output("streams", 1, steps, (Stream("events", 0, _EVENTS),), tracks=8, controls=chords)
    if "trio" in model:
        parts = (Stream("melody", 0, 90), Stream("bass", 90, 180), Stream("drums", 180, 692))
        return Output("streams", 16, steps, parts)
    return Output("streams", steps // 16, steps, (Stream("melody", 0, 90),), controls=chords)


_EVENTS = 490
