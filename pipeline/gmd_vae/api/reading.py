"""``Reading``: rules for reading MIDI files, in the words of the command line."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

from gmd_vae.api.arguments import boolean, not_a, path_text, whole
from gmd_vae.common.errors import UsageError
from gmd_vae.midi import reading as midi_reading
from gmd_vae.midi.drum_maps import read_drum_map


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """Rules for reading MIDI files: those of ``--drum-channel``, ``--drum-map`` and ``--stock``.

    >>> gmd_vae.Reading(drum_channel=1, drum_map="roland-td")

    Attributes:
        drum_channel: MIDI channel whose notes are drums, 1 to 16; ``"all"``: every note.
        drum_map: Table for the drums of another kit: ``"general-midi"``, ``"roland-td"``, or a file with two columns,
            pitch and General MIDI pitch or name; ``None``: the pitches are General MIDI's.
        stock: Reads as Magenta's stack does, which drops hits without an end. It excludes the two others.
    """

    drum_channel: int | Literal["all"] = 10
    drum_map: str | Path | None = None
    stock: bool = False


def reading_rules(value: Any) -> midi_reading.Reading:
    """Returns a ``Reading`` as the rules of the room ``midi``; ``None`` has the default ones.

    Raises:
        UsageError: The value is no ``Reading``, one of its rules is none, or there is no such drum map.
        GmdVaeError: The file of the drum map is damaged.
    """
    if value is None:
        return midi_reading.EVERY_HIT
    if not isinstance(value, Reading):
        raise not_a("reading", value, "a gmd_vae.Reading")
    channel: Any = value.drum_channel
    if isinstance(channel, str) and channel != "all":
        raise not_a("drum_channel", channel, "1 to 16, or 'all'")
    number = None if isinstance(channel, str) else whole("drum_channel", channel, 1, 16)
    if boolean("stock", value.stock):
        if number != midi_reading.STOCK.drum_channel or value.drum_map is not None:
            raise UsageError("stock reads as Magenta does, without drum_channel and drum_map", "Leave one of them out.")
        return midi_reading.STOCK
    pairs = () if value.drum_map is None else read_drum_map(path_text("drum_map", value.drum_map))[1]
    return midi_reading.Reading(drum_channel=number, drum_map=pairs)
