"""Input windows and songs as drum labels, found by the code that cuts training windows. No TensorFlow."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import as_command
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families import family_of
from gmd_vae.families.output_spec import bars_in_words
from gmd_vae.generation.inputs.input_windows import InputReader, InputSong, InputWindow
from gmd_vae.generation.inputs.midi_input import MidiInput
from gmd_vae.inspection.fitting_drums import advice_for, fitting_drums
from gmd_vae.inspection.why_no_window import why_no_window
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.windows.cutting import positions
from gmd_vae.windows.cutting.beat_time import Music, at_one_tempo
from gmd_vae.windows.cutting.drum_windows import LONGEST_GAP_BARS
from gmd_vae.windows.cutting.played_hits import PlayedDrums, PlayedHits
from gmd_vae.windows.extraction import REASONS, Dropped, Labels, of_count
from gmd_vae.windows.fullest_window import fullest_regular
from gmd_vae.windows.repeated_loop import Loop, find_loop, known_drums, repeat_loop


class DrumReader(InputReader):
    """Finds the drum labels of a config with ``DrumWindows``."""

    reads_songs = True

    def windows(self, midi: MidiInput) -> tuple[InputWindow, ...]:
        """Returns the windows that training would get from the file: each content once, at its first bar.

        A loop that is shorter than a window is repeated.
        """
        spec = self._checked_spec()
        dropped = Dropped()
        music = _music(midi)
        drums = positions.windows(spec, music, dropped)
        loop = None
        if not drums:
            loop, music = self._repeated(midi, music, dropped)
            drums = positions.windows(spec, music, Dropped())
        played = PlayedDrums(spec, music)
        return tuple(
            dataclasses.replace(
                self._window(midi.file, window.labels, len(drums), number, window.bpm),
                bar=math.floor(window.bar - 0.5),
                played=played.hits_at(window.place, window.labels),
                loop_bars=loop and loop.bars,
                file_bars=self._file_bars(math.floor(window.bar + 0.5), loop and loop.bars),
            )
            for number, window in enumerate(drums, start=1)
        )

    def default_number(self, windows: Sequence[InputWindow]) -> int:
        """Returns the number of the fullest regular window."""
        labels = np.array([window.target for window in windows], np.int64)
        return 1 + fullest_regular(labels.reshape(len(windows), self.config.windows.bars, -1))

    def song(self, midi: MidiInput) -> InputSong:
        """Returns the music from its first window to its last: each stretch of drums in consecutive windows.

        Where a stretch is not a whole number of windows, its last window overlaps the one before, and only the bars
        behind the overlap count. A loop that is shorter than a window is repeated.
        """
        spec = self._checked_spec()
        dropped = Dropped()
        # training cuts long stretches off; a song goes on to its end. A pause still bounds the memory.
        whole = dataclasses.replace(spec, max_bars=None) if 0 < (spec.gap_bars or 0) <= LONGEST_GAP_BARS else spec
        music = _music(midi)
        stretches = positions.stretches(whole, music, dropped)
        loop = None
        if not stretches:
            loop, music = self._repeated(midi, music, dropped)
            stretches = positions.stretches(whole, music, dropped := Dropped())
        played = PlayedDrums(spec, music)
        shares: list[
            tuple[Labels, int, int, float, PlayedHits]
        ] = []  # labels, bar in the song, skipped bars, tempo, hits
        first_bar = math.floor(stretches[0].bar + 0.5)
        end = 0
        for stretch in stretches:
            # a section may begin in the middle of a bar: its bars then count from the nearest bar line
            bar = max(math.floor(stretch.bar + 0.5) - first_bar, end)
            bars = len(stretch.labels)
            for begin in range(0, bars, spec.slice_bars):
                start = min(begin, bars - spec.slice_bars)
                labels = stretch.labels[start : start + spec.slice_bars].reshape(-1)
                place = dataclasses.replace(stretch.place, step=stretch.place.step + start * spec.steps_per_bar)
                hits = played.hits_at(place, labels)
                shares.append((labels, bar + begin, begin - start, stretch.bpm, hits))
            end = bar + bars
        windows = tuple(
            dataclasses.replace(
                self._window(midi.file, labels, len(shares), number, tempo),
                bar=bar,
                skipped_bars=skipped_bars,
                played=hits,
                loop_bars=loop and loop.bars,
            )
            for number, (labels, bar, skipped_bars, tempo, hits) in enumerate(shares, start=1)
        )
        counts = [(count, REASONS[reason]) for reason, count in dropped.reasons.items() if count]
        missing = tuple(f"{count:,} {of_count(count, text)}" for count, text in counts)
        if dropped.pitches:
            missing += (f"drum notes that are no known drum: {dropped.pitches.total():,}",)
        return InputSong(midi.file, windows, end, stretches[0].bpm, missing, loop and loop.bars, first_bar)

    def last_window(self, midi: MidiInput) -> InputWindow:
        """Returns the last bars of the music, as many as a window has."""
        song = self.song(midi)
        last = song.windows[-1]
        first_bar = song.first_bar + last.bar - last.skipped_bars
        return dataclasses.replace(last, number=None, file_bars=self._file_bars(first_bar, song.loop_bars))

    def decoded_window(self, window: npt.NDArray[Any]) -> InputWindow:
        """Returns the window of labels ``[steps]``."""
        return self._window(Path(), window, 1, 1, None)

    def inspect_hint(self, midi: MidiInput, fitting: str = "") -> str:
        """Returns a sentence with the ``gmd-vae inspect`` command that shows the windows.

        Args:
            midi: The music.
            fitting: Config that finds windows in it; empty: that of the model.
        """
        if not midi.file.is_file():  # music from Python
            return ""
        return f" See it with: {as_command('inspect', midi.file, '--config', fitting or self.config.name)}"

    def _checked_spec(self) -> DrumWindows:
        """Returns the config's windows; refuses those that cannot be cut."""
        family_of(self.config).extractor(self.config)
        return self.config.drum_windows

    def _file_bars(self, first: int, loop_bars: int | None) -> tuple[int, int]:
        """Returns the first and the last bar of the file in a window that begins at a bar; of a loop, its own bars."""
        return first, first + (loop_bars or self.config.drum_windows.slice_bars) - 1

    def _window(self, path: Path, labels: Labels, count: int, number: int, tempo: float | None) -> InputWindow:
        spec = self.config.drum_windows
        return InputWindow(
            path, labels_to_inputs(labels, spec), spec.steps, count=count, number=number, target=labels, tempo=tempo
        )

    def _repeated(self, midi: MidiInput, music: Music, dropped: Dropped) -> tuple[Loop, Music]:
        """Returns the loop of music without a window, and the music with the loop repeated to a window.

        Args:
            midi: The file, for the error.
            music: The music.
            dropped: Reasons why no window was found.

        Raises:
            GmdVaeError: No loop fills a window.
        """
        spec = self.config.drum_windows
        hits = known_drums(spec, music.notes)
        loop = find_loop(spec, music, hits)
        if loop is None:
            raise self._no_window_error(midi, dropped)
        if not loop.fills_a_window:  # 3 bars of 4: where the loop goes on is up to the musician
            raise GmdVaeError(
                f"'{midi.name}' has no {self._wanted()}: it has {loop.bars}, which cannot be repeated to "
                f"{loop.window_bars} without a cut",
                f"Make it {bars_in_words(loop.window_bars)} long in your music program.",
            )
        repeated = repeat_loop(spec, music, hits, loop)
        if not positions.windows(spec, repeated, Dropped()):  # a pause of a bar ends a stretch
            raise self._no_window_error(midi, dropped)
        return loop, repeated

    def _no_window_error(self, midi: MidiInput, dropped: Dropped) -> GmdVaeError:
        """Returns the error for a file without a window: the needed music, the reasons, the next action."""
        spec = self.config.drum_windows
        fitting = fitting_drums(_music(midi)).config
        advice = advice_for(fitting, "generate") if fitting else ""
        nothing = {"what": "It has no notes", "next_action": "Give another MIDI file."}
        reasons = why_no_window(spec, dropped, advice, midi.action_without_drums()) or [nothing]
        problems = "; ".join(reason["what"][0].lower() + reason["what"][1:] for reason in reasons)
        return GmdVaeError(
            f"'{midi.name}' has no {self._wanted()}: {problems}",
            f"{reasons[0]['next_action']}{self.inspect_hint(midi, fitting)}",
        )

    def _wanted(self) -> str:
        """Returns the music of a window in words."""
        numerator, denominator = self.config.drum_windows.signature
        return f"{bars_in_words(self.config.drum_windows.slice_bars)} of {numerator}/{denominator} drums"


def _music(midi: MidiInput) -> Music:
    """Returns the music of a file, moved to one tempo."""
    return at_one_tempo(midi.sequence, notes_of(midi.sequence))


def labels_to_inputs(labels: Labels, windows: DrumWindows) -> npt.NDArray[np.bool_]:
    """Returns the encoder's input for the labels of one window, as ``DrumsConverter`` encodes them.

    Args:
        labels: Drum labels, int64 ``[steps]``.
        windows: Drum classes, and the form of the input: drum roll or one-hot vector.

    Returns:
        bool ``[steps, input_depth]``: the drum roll with its "no hit" column, or the one-hot vectors.
    """
    if not windows.roll_input:
        return np.asarray(labels[:, None] == np.arange(windows.input_depth))
    hits = (labels[:, None] >> np.arange(len(windows.pitch_classes))) & 1
    return np.concatenate([hits.astype(bool), (labels == 0)[:, None]], axis=1)
