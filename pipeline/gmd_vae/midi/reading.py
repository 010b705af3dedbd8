"""Rules for reading MIDI files: every hit (the default) or as Magenta's stack; the drum channel and the drum map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_DRUM_CHANNEL = 10


@dataclass(frozen=True)
class Reading:
    """Rules for reading MIDI files. Picklable.

    Attributes:
        stock: True for the bytes of Magenta's stack: mido, pretty_midi and note_seq, faults included. False: every
            drum hit counts, with or without an end; tempos, time signatures and key signatures of all tracks count;
            a broken event costs that event and not the file.
        drum_channel: Channel whose notes are drums, from 1 to 16; None: all channels.
        drum_map: Pairs of a pitch in the file and the General MIDI pitch that replaces it, for drums. Other pitches
            stay as they are, and are counted. Empty: no map.
        drum_map_name: Name of the map, for the name of an output folder.
    """

    stock: bool = False
    drum_channel: int | None = _DRUM_CHANNEL
    drum_map: tuple[tuple[int, int], ...] = ()
    drum_map_name: str = ""

    def is_drum(self, channel: Any) -> Any:
        """Returns True if the notes of a channel are drums; for an array of channels, an array. They count from 0."""
        return channel >= 0 if self.drum_channel is None else channel == self.drum_channel - 1

    def describe(self) -> dict[str, Any]:
        """Returns the fields for manifests and for the identity of work that can be resumed."""
        return {
            "stock": self.stock,
            **({} if self.drum_channel == _DRUM_CHANNEL else {"drum_channel": self.drum_channel or "all"}),
            **({"drum_map": {str(pitch): drum for pitch, drum in self.drum_map}} if self.drum_map else {}),
        }

    def name_parts(self) -> list[str]:
        """Returns the parts of an output folder's name that say how files were read; empty for the default."""
        channel = "all-channels" if self.drum_channel is None else f"channel-{self.drum_channel}"
        return [
            *(["stock"] if self.stock else []),
            *([] if self.drum_channel == _DRUM_CHANNEL else [channel]),
            *([self.drum_map_name] if self.drum_map else []),
        ]


EVERY_HIT = Reading()
STOCK = Reading(stock=True)
