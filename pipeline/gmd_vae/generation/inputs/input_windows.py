"""Windows and whole songs of a user's MIDI file, and the interface of the readers that find them."""

from __future__ import annotations

import abc
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import read_regular
from gmd_vae.configuration.config import Config
from gmd_vae.midi.drum_channels import action_without_drums
from gmd_vae.midi.midi_io import MidiMusic, read_midi
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.reading import EVERY_HIT, Reading
from gmd_vae.midi.refusals import MAX_BYTES


@dataclasses.dataclass(frozen=True)
class InputWindow:
    """One window of a user's MIDI file.

    Attributes:
        file: MIDI file.
        inputs: Input of the encoder, ``[steps, input_depth]``.
        length: Length of the window as the converter gives it: steps, or steps of each segment.
        count: Number of windows in the file.
        number: Number of this window, from 1; ``None`` for the last bars of a song.
        target: Decoder output that would reproduce the window: labels, int64 ``[steps]``, for drum grids, else
            ``[steps, output_depth]``. ``None`` where no output is the right one.
        tempo: Quarter notes per minute; ``None`` where it is unknown.
        controls: Conditioning input of the decoder, ``[steps, control_depth]``; ``None`` for drum grids.
        given_hits: Hits that replace those of a GrooVAE's decoder, float32 ``[steps, drums]``, NaN where the decoder
            draws; ``None`` in other families.
        is_silent: True if the window has no notes.
        bar: In a song: bar at which the window's own part begins, from 0.
        skipped_bars: In a song: bars at the beginning of the window that belong to the window before.
    """

    file: Path
    inputs: npt.NDArray[Any]
    length: Any
    count: int
    number: int | None = 1
    target: npt.NDArray[Any] | None = None
    tempo: float | None = None
    controls: npt.NDArray[Any] | None = None
    given_hits: npt.NDArray[np.float32] | None = None
    is_silent: bool = False
    bar: int = 0
    skipped_bars: int = 0


@dataclasses.dataclass(frozen=True)
class InputSong:
    """The drums of a whole MIDI file, cut into windows that follow each other.

    Attributes:
        file: MIDI file.
        windows: Windows in order of time. The last one may go on beyond the end of the song.
        bars: Length of the song in bars.
        tempo: Quarter notes per minute at the beginning.
        missing: Music of the file that no window holds, as sentences without a full stop.
    """

    file: Path
    windows: tuple[InputWindow, ...]
    bars: int
    tempo: float
    missing: tuple[str, ...]


class InputReader(abc.ABC):
    """Reads MIDI files as windows of one config.

    Attributes:
        reads_songs: True if ``song`` is defined: the windows of the family have an order in time.
        reading: Rules for reading the files.
    """

    reads_songs = False
    reading: Reading = EVERY_HIT

    def __init__(self, config: Config) -> None:
        """Reads windows as ``config`` declares them."""
        self.config = config

    @abc.abstractmethod
    def windows(self, path: Path) -> tuple[InputWindow, ...]:
        """Returns all windows of a MIDI file, at least one.

        Raises:
            GmdVaeError: The file cannot be read or has no window.
        """

    def song(self, path: Path) -> InputSong:
        """Returns a whole MIDI file.

        Raises:
            GmdVaeError: The file cannot be read or has no window.
            ValueError: The family has no songs, see ``reads_songs``.
        """
        raise ValueError(f"family '{self.config.family}' reads no songs")

    def window(self, path: Path, number: int | None = None) -> InputWindow:
        """Returns one window of a MIDI file.

        Args:
            path: MIDI file.
            number: Number of the window, from 1, as ``gmd-vae inspect`` counts them; ``None``: the first.

        Raises:
            GmdVaeError: The file cannot be read or has no window.
            UsageError: The file has no window with that number.
        """
        windows = self.windows(path)
        if number is not None and number > len(windows):
            raise UsageError(
                f"'{shown_path(path)}' has no window {number}: it has {len(windows):,}",
                f"Choose a smaller --window.{self.inspect_hint(path)}",
            )
        return windows[(number or 1) - 1]

    def last_window(self, path: Path) -> InputWindow:
        """Returns the window at the end of a MIDI file; raises as ``windows``."""
        return self.windows(path)[-1]

    def without_drums(self, path: Path) -> str:
        """Returns the next action for a MIDI file without drums, as a sentence."""
        return action_without_drums(read_regular(path, MAX_BYTES), self.reading)

    def inspect_hint(self, path: Path) -> str:
        """Returns a sentence with the ``gmd-vae inspect`` command that shows the windows, or ""."""
        return ""


def read_sequence(path: Path, reading: Reading = EVERY_HIT) -> NoteSequence:
    """Returns a MIDI file as a NoteSequence; arguments and errors as ``read_input``."""
    return read_input(path, reading).sequence


def read_input(path: Path, reading: Reading = EVERY_HIT) -> MidiMusic:
    """Returns the content of a MIDI file.

    Args:
        path: MIDI file.
        reading: Rules for reading it.

    Raises:
        GmdVaeError: The file is missing, too large, or not MIDI.
    """
    if path.is_dir():
        raise GmdVaeError(f"Input MIDI '{shown_path(path)}' is a folder", "Name one MIDI file in it.")
    if not path.is_file():
        raise GmdVaeError(f"Input MIDI '{shown_path(path)}' does not exist", "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise GmdVaeError(f"'{shown_path(path)}' is larger than {MAX_BYTES >> 20} MiB", "Is it a MIDI file?")
    return read_midi(read_regular(path, MAX_BYTES), path.parent.name, str(path), reading)


def shown_path(path: Path) -> str:
    """Returns a path without control characters, for messages."""
    return printable(str(path), limit=None)
