"""The files of a job: ``FilePlan`` with their windows, names and options, and ``MidiOutput`` with the bytes of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.datasets.safe_names import safe_stem
from gmd_vae.generation.inputs.input_windows import InputSong
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.windows.cutting.played_hits import PlayedHits

Window = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class MidiOutput:
    """One generated file.

    Attributes:
        name: File name without a folder.
        data: Bytes of the file.
        notes: Number of notes.
        early_notes: Notes that would begin before the file does; they are moved to its beginning.
        bar_labels: Labels for pictures, by the bar that they stand over, from 1.
    """

    name: str
    data: bytes
    notes: int
    early_notes: int = 0
    bar_labels: Mapping[int, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class FilePlan:
    """The files to write.

    Attributes:
        model: Short name of the model, the first word of each file name.
        mode: Mode of the request.
        seed: Seed of the request.
        numbers: Numbers of the files.
        total: Number of files of the request, those included that are not written.
        windows: Decoded windows of each file.
        songs: Song of each file; empty where files are no songs.
        bars: Bars of each file where no songs are; ``None``: all bars of its windows.
        chords: Chord symbols of the bars of each file, empty for models without chords.
        tempos: Tempo of each file in quarter notes per minute; empty: the tempo of ``playing``.
        playing: Velocity, swing and feel.
        join: Writes one more file with all others in a row.
        played: Played hits of the input at each window of each file, see ``kept_playing``; empty where none are kept.
        labels: Label of each file of the request for pictures; empty for none.
    """

    model: str
    mode: str
    seed: int
    numbers: range
    total: int
    windows: Sequence[Sequence[Window]]
    songs: Sequence[InputSong]
    bars: int | None
    chords: Sequence[Sequence[str]]
    tempos: Sequence[float]
    playing: Playing
    join: bool
    played: Sequence[Sequence[PlayedHits | None]] = ()
    labels: Sequence[str] = ()

    def playing_of(self, index: int) -> Playing:
        """Returns the options of the file with that index in ``numbers``."""
        return dataclasses.replace(self.playing, tempo=self.tempos[index]) if self.tempos else self.playing

    def stem(self, index: int) -> str:
        """Returns the file name without its ending, such as ``groove-4bar_sample_seed0_007_120bpm``.

        Names sort by number, and no two models, modes or seeds share one, so that files of several folders can be
        collected in one.
        """
        number = f"{self.numbers[index]:0{max(3, len(str(self.total - 1)))}d}"
        return self._named(number, self.playing_of(index).tempo)

    @property
    def joined_stem(self) -> str:
        """The name of the joined file without its ending."""
        return self._named("joined", self.playing.tempo)

    def label(self, index: int) -> dict[int, str]:
        """Returns the label of the file with that index in ``numbers``, over its first bar."""
        return {1: self.labels[self.numbers[index]]} if self.labels else {}

    def joined_labels(self, bars: int) -> dict[int, str]:
        """Returns the labels of all files over their first bars in the joined file; by number where they have none.

        Args:
            bars: Bars of each file.
        """
        names = self.labels or [f"{number:03d}" for number in self.numbers]
        return {1 + number * bars: name for number, name in enumerate(names)}

    def _named(self, which: str, tempo: float) -> str:
        tempo_text = f"{tempo:.2f}".rstrip("0").rstrip(".")
        return f"{safe_stem(self.model)}_{self.mode}_seed{self.seed}_{which}_{tempo_text}bpm"

    def played_in(self, index: int, steps_per_bar: int) -> PlayedHits | None:
        """Returns the played hits of a file, at the steps of ``arrange``; ``None`` where none are known.

        Args:
            index: Index of the file in ``numbers``.
            steps_per_bar: Steps in a bar.
        """
        windows = [hits for hits in self.played[index] if hits is not None] if self.played else []
        if not windows:
            return None
        velocities, offsets = zip(*windows, strict=True)
        return PlayedHits(self.arrange(index, velocities, steps_per_bar), self.arrange(index, offsets, steps_per_bar))

    def played_in_joined(self, steps_per_bar: int) -> PlayedHits | None:
        """Returns the played hits of the joined file; ``None`` where none are known."""
        files = [self.played_in(index, steps_per_bar) for index in range(len(self.windows))]
        known = [hits for hits in files if hits is not None]
        if not known:
            return None
        silence = PlayedHits(np.zeros_like(known[0].velocities), np.zeros_like(known[0].offsets))
        velocities, offsets = zip(*(hits or silence for hits in files), strict=True)
        return PlayedHits(np.concatenate(velocities), np.concatenate(offsets))

    def arrange(self, index: int, windows: Sequence[Window], steps_per_bar: int) -> Window:
        """Returns the windows of a file as one array, ``[steps, ...]``.

        The windows of a song stand at their bars, with zeros between them. Other windows follow each other.

        Args:
            index: Index of the file in ``numbers``.
            windows: Its windows, each ``[steps, ...]``.
            steps_per_bar: Steps in a bar.
        """
        if not self.songs:
            steps = None if self.bars is None else self.bars * steps_per_bar
            return np.concatenate(windows)[:steps]
        song = self.songs[index]
        arranged = np.zeros((song.bars * steps_per_bar, *windows[0].shape[1:]), windows[0].dtype)
        for window, decoded in zip(song.windows, windows, strict=True):
            begin = window.bar * steps_per_bar
            part = decoded[window.skipped_bars * steps_per_bar :][: len(arranged) - begin]
            arranged[begin : begin + len(part)] = part
        return arranged
