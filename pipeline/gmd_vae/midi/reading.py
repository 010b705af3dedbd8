"""The two ways to read MIDI files: every hit (the default), and as Magenta's stack reads them (``--stock``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_DRUM_CHANNEL = 9  # channel 10, counted from 0


@dataclass(frozen=True)
class Reading:
    """Rules for reading MIDI files. Picklable.

    Attributes:
        stock: True for the bytes of Magenta's stack: mido, pretty_midi and note_seq, faults included. False: every
            drum hit counts, with or without an end; tempos, time signatures and key signatures of all tracks count;
            a broken event costs that event and not the file.
    """

    stock: bool = False

    def is_drum(self, channel: Any) -> Any:
        """Returns True if the notes of a channel are drums; for an array of channels, an array. They count from 0."""
        return channel == _DRUM_CHANNEL

    def describe(self) -> dict[str, Any]:
        """Returns the fields for manifests and for the identity of work that can be resumed."""
        return {"stock": self.stock}


EVERY_HIT = Reading()
STOCK = Reading(stock=True)
