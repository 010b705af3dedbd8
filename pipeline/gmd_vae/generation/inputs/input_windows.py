"""Windows and whole songs of a user's MIDI file, and the interface of the readers that find them."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.generation.inputs.midi_input import MidiInput
from gmd_vae.windows.cutting.played_hits import PlayedHits


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
        played: Velocities and offsets of the hits, for drum labels from MIDI; ``None`` where they are not known, or the
            family has its own.
        bar: Bar at which the window begins, from 0; in a song, at which its own part begins. 0 where windows have no
            order in time.
        skipped_bars: In a song: bars at the beginning of the window that belong to the window before.
        loop_bars: Bars of the file, where they were repeated to the length of the window; else ``None``.
        file_bars: First and last bar of the file that the window holds, from 1; ``None`` for windows of a song, and
            where windows have no order in time.
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
    played: PlayedHits | None = None
    bar: int = 0
    skipped_bars: int = 0
    loop_bars: int | None = None
    file_bars: tuple[int, int] | None = None


@dataclasses.dataclass(frozen=True)
class InputSong:
    """The drums of a whole MIDI file, cut into windows that follow each other.

    Attributes:
        file: MIDI file.
        windows: Windows in order of time. The last one may go on beyond the end of the song.
        bars: Length of the song in bars.
        tempo: Quarter notes per minute at the beginning.
        missing: Music of the file that no window holds, as sentences without a full stop.
        loop_bars: Bars of the file, where they were repeated to the length of a window; else ``None``.
        first_bar: Bar of the file at which the song begins, from 1.
    """

    file: Path
    windows: tuple[InputWindow, ...]
    bars: int
    tempo: float
    missing: tuple[str, ...]
    loop_bars: int | None = None
    first_bar: int = 1


class InputReader(abc.ABC):
    """Finds the windows of one config in a user's music.

    Attributes:
        reads_songs: True if ``song`` is defined: the windows of the family have an order in time, and bars.
    """

    reads_songs = False

    def __init__(self, config: Config) -> None:
        """Finds windows as ``config`` declares them."""
        self.config = config

    @abc.abstractmethod
    def windows(self, midi: MidiInput) -> tuple[InputWindow, ...]:
        """Returns all windows of the music, at least one.

        Raises:
            GmdVaeError: The music has no window.
        """

    def song(self, midi: MidiInput) -> InputSong:
        """Returns the whole music.

        Raises:
            GmdVaeError: The music has no window.
            ValueError: The family has no songs, see ``reads_songs``.
        """
        raise ValueError(f"family '{self.config.family}' reads no songs")

    def window(self, midi: MidiInput, number: int | None = None) -> InputWindow:
        """Returns one window of the music.

        Args:
            midi: The music.
            number: Number of the window, from 1, as ``gmd-vae inspect`` counts them; ``None``: ``default_number``.

        Raises:
            GmdVaeError: The music has no window.
            UsageError: The music has no window with that number.
        """
        windows = self.windows(midi)
        if number is not None and number > len(windows):
            raise UsageError(
                f"'{midi.name}' has no window {number}: it has {len(windows):,}",
                f"Choose a smaller --window.{self.inspect_hint(midi)}",
            )
        return windows[(number or self.default_number(windows)) - 1]

    def default_number(self, windows: Sequence[InputWindow]) -> int:
        """Returns the number of the window that stands for all, from 1.

        Where windows have an order in time, it is the fullest regular one, and else the first.

        Args:
            windows: All windows of the music, at least one.
        """
        return 1

    def last_window(self, midi: MidiInput) -> InputWindow:
        """Returns the window at the end of the music; raises as ``windows``."""
        return self.windows(midi)[-1]

    def decoded_window(self, window: npt.NDArray[Any]) -> InputWindow:
        """Returns a window in the form in which models of the family decode it.

        Args:
            window: Labels ``[steps]``, or ``[steps, output_depth]``.

        Raises:
            ValueError: The family has no such windows.
        """
        raise ValueError(f"family '{self.config.family}' reads MIDI only")

    def inspect_hint(self, midi: MidiInput) -> str:
        """Returns a sentence with the ``gmd-vae inspect`` command that shows the windows, or ""."""
        return ""
