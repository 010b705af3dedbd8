"""Rules for reading MIDI files: every hit (the default) or as Magenta's stack; the drum channel and the drum map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gmd_vae.common.errors import UsageError, nearest

_DRUM_CHANNEL = 10


@dataclass(frozen=True)
class DrumChannel:
    """The channel of the drums in all files, or in one. As text: as ``--drum-channel`` takes it.

    Attributes:
        channel: Channel from 1 to 16; None: all channels.
        file: The file, by its whole name or the end of it; empty: all files.
    """

    channel: int | None
    file: str = ""

    def __str__(self) -> str:
        channel = str(self.channel or "all")
        return f"{self.file}={channel}" if self.file else channel


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
        own_channels: Channels of single files. ``for_files`` gives the files their whole names.
    """

    stock: bool = False
    drum_channel: int | None = _DRUM_CHANNEL
    drum_map: tuple[tuple[int, int], ...] = ()
    drum_map_name: str = ""
    own_channels: tuple[DrumChannel, ...] = ()

    def for_files(self, names: Sequence[str]) -> Reading:
        """Returns the rules with the whole names of the files in ``own_channels``.

        Args:
            names: Names of all files that are read, with forward slashes.

        Raises:
            UsageError: A name fits no file, or several, or a file is named with two channels.
        """
        found: dict[str, DrumChannel] = {}
        different = list(dict.fromkeys(names))
        for own in self.own_channels:
            fitting = [name for name in different if name == own.file]
            fitting = fitting or [name for name in different if name.endswith(f"/{own.file}")]
            # typed with the folder that is read, as a shell completes it
            fitting = fitting or sorted((name for name in different if own.file.endswith(f"/{name}")), key=len)[-1:]
            if not fitting:
                known = different if "/" in own.file else list({name.rpartition("/")[2]: None for name in different})
                raise UsageError(f"--drum-channel {own} names no file that is read", nearest(own.file, known))
            if len(fitting) > 1:
                raise UsageError(
                    f"--drum-channel {own} fits {len(fitting):,} files, such as '{fitting[0]}' and '{fitting[1]}'",
                    "Write more of its path.",
                )
            (name,) = fitting
            if name in found and found[name].channel != own.channel:
                raise UsageError(f"'{name}' has two drum channels: {found[name]} and {own}", "Leave one of them out.")
            found[name] = replace(own, file=name)
        return replace(self, own_channels=tuple(found[name] for name in sorted(found)))

    def for_file(self, name: str) -> Reading:
        """Returns the rules for one file, without ``own_channels``.

        Args:
            name: Name of the file, as in ``for_files``.
        """
        if not self.own_channels:
            return self
        channels = [own.channel for own in self.own_channels if own.file == name]
        return replace(self, drum_channel=channels[0] if channels else self.drum_channel, own_channels=())

    def is_drum(self, channel: Any) -> Any:
        """Returns True if the notes of a channel are drums; for an array of channels, an array. They count from 0."""
        return channel >= 0 if self.drum_channel is None else channel == self.drum_channel - 1

    def describe(self) -> dict[str, Any]:
        """Returns the fields for manifests and for the identity of work that can be resumed."""
        return {
            "stock": self.stock,
            **({} if self.drum_channel == _DRUM_CHANNEL else {"drum_channel": self.drum_channel or "all"}),
            **(
                {"drum_channel_of": {own.file: own.channel or "all" for own in self.own_channels}}
                if self.own_channels
                else {}
            ),
            **({"drum_map": {str(pitch): drum for pitch, drum in self.drum_map}} if self.drum_map else {}),
        }

    def name_parts(self) -> list[str]:
        """Returns the parts of an output folder's name that say how files were read; empty for the default."""
        channel = "all-channels" if self.drum_channel is None else f"channel-{self.drum_channel}"
        return [
            *(["stock"] if self.stock else []),
            *([] if self.drum_channel == _DRUM_CHANNEL else [channel]),
            *(["own-channels"] if self.own_channels else []),
            *([self.drum_map_name] if self.drum_map else []),
        ]


EVERY_HIT = Reading()
STOCK = Reading(stock=True)
