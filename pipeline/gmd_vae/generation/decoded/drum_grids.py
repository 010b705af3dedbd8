"""Decoded drum grids: windows of drum labels, or of drum rolls (NADE)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families.output_spec import OutputSpec
from gmd_vae.generation.decoded.decoded_music import DecodedMusic, Steps, Window
from gmd_vae.generation.decoded.fidelity import Fidelity, hit_fidelity
from gmd_vae.generation.decoded.midi_files import FilePlan, MidiOutput
from gmd_vae.generation.inputs.input_windows import InputSong, InputWindow
from gmd_vae.generation.model import OpenedModel
from gmd_vae.generation.performance.drum_notes import drum_midi
from gmd_vae.generation.performance.groove_performance import GroovePerformance
from gmd_vae.generation.performance.humanizer import Humanizer
from gmd_vae.generation.performance.kept_hits import KeptHits
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.windows.cutting.played_hits import PlayedHits

_HUMANIZED_STEPS_AT_ONCE = 1 << 16


class DecodedLabels(DecodedMusic):
    """Windows of drum labels: bit ``k`` of a label says that a drum of class ``k`` begins at the step."""

    def __init__(self, output: OutputSpec, grid: DrumWindows) -> None:
        """Takes the shapes of a decoded window, and the drum classes and bars of the grid."""
        super().__init__(output)
        self.grid = grid

    def steps(self, window: Window) -> Steps:
        """Returns the labels of a decoded window, int64 ``[steps]``."""
        return window.astype(np.int64)

    def window_fidelity(self, window: InputWindow, decoded: Window) -> Fidelity | None:
        """Compares the labels of a window."""
        return None if window.target is None else hit_fidelity(window.file, window.target, self.steps(decoded))

    def song_fidelity(self, song: InputSong, decoded: Sequence[Window]) -> Fidelity | None:
        """Compares the labels over the bars of each window that count."""
        own_parts = [slice(window.skipped_bars * self.output.steps_per_bar, None) for window in song.windows]
        targets = [
            window.target[part]
            for window, part in zip(song.windows, own_parts, strict=True)
            if window.target is not None
        ]
        labels = [self.steps(window)[part] for window, part in zip(decoded, own_parts, strict=True)]
        return hit_fidelity(song.file, np.concatenate(targets), np.concatenate(labels))

    def midi_files(self, plan: FilePlan, model: OpenedModel, humanizer: Humanizer | None) -> Iterator[MidiOutput]:
        """Yields one drum track for each file."""
        joined: list[int] = []
        pending: list[list[int]] = []  # patterns that the humanizer will perform
        first_pending = 0
        for index, windows in enumerate(plan.windows):
            labels = [self.steps(window) for window in windows]
            pattern: list[int] = plan.arrange(index, labels, self.grid.steps_per_bar).tolist()
            joined += pattern if plan.join else []
            if humanizer is None:
                yield self.midi_file(plan, index, pattern)
                continue
            pending.append(pattern)
            if sum(map(len, pending)) >= _HUMANIZED_STEPS_AT_ONCE or index == len(plan.windows) - 1:
                performances = humanizer.perform(pending)
                for offset, (pattern, performance) in enumerate(zip(pending, performances, strict=True)):
                    yield self.midi_file(plan, first_pending + offset, pattern, performance)
                first_pending, pending = index + 1, []
        if plan.join:
            yield self.joined_file(plan, joined, humanizer.perform([joined])[0] if humanizer else None)

    def midi_file(
        self, plan: FilePlan, index: int, pattern: Sequence[int], performance: GroovePerformance | None = None
    ) -> MidiOutput:
        """Returns the file of one pattern.

        Args:
            plan: Names and options.
            index: Index of the file in ``plan.numbers``.
            pattern: Drum labels, one for each step.
            performance: Velocities and offsets; ``None``: those of ``plan.playing``. Hits of an input keep theirs.
        """
        played = plan.played_in(index, self.grid.steps_per_bar)
        written = self._write(
            plan.stem(index), pattern, plan.playing_of(index), plan.numbers[index], performance, played
        )
        return dataclasses.replace(written, bar_labels=plan.label(index))

    def joined_file(self, plan: FilePlan, pattern: Sequence[int], performance: GroovePerformance | None) -> MidiOutput:
        """Returns the file of all patterns in a row; arguments as for ``midi_file``."""
        played = plan.played_in_joined(self.grid.steps_per_bar)
        written = self._write(plan.joined_stem, pattern, plan.playing, plan.total, performance, played)
        bars = len(pattern) // self.grid.steps_per_bar // len(plan.windows)
        return dataclasses.replace(written, bar_labels=plan.joined_labels(bars))

    def _write(
        self,
        stem: str,
        pattern: Sequence[int],
        playing: Playing,
        number: int,
        performance: GroovePerformance | None,
        played: PlayedHits | None,
    ) -> MidiOutput:
        early_hits = 0
        if performance is not None:
            playing = dataclasses.replace(playing, feel=performance)
            early_hits = 0 if playing.quantize else performance.early_hits(pattern)
        if played is not None and playing.kept:
            kept = KeptHits(played, playing)
            playing = dataclasses.replace(playing, feel=kept)
            early_hits = kept.early_hits(pattern)
        data, notes = drum_midi(pattern, self.grid, playing, number, stem)
        return MidiOutput(f"{stem}.mid", data, notes, early_hits)


class DecodedRolls(DecodedLabels):
    """Windows of drum rolls, ``[steps, drums]``: columns above 0.5 are hits."""

    def steps(self, window: Window) -> Steps:
        """Returns the labels of a decoded window, int64 ``[steps]``."""
        return np.asarray((window > 0.5).astype(np.int64) @ (1 << np.arange(window.shape[1], dtype=np.int64)))
