"""Decoded music of several parts: streams (melody, bass, drums), and bars of several instruments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from gmd_vae.generation.decoded.decoded_music import DecodedMusic, Steps, Window
from gmd_vae.generation.decoded.fidelity import Fidelity, StreamFidelity
from gmd_vae.generation.decoded.midi_files import FilePlan, MidiOutput
from gmd_vae.generation.inputs.input_windows import InputSong, InputWindow
from gmd_vae.generation.model import ConverterModel, OpenedModel
from gmd_vae.generation.performance.humanizer import Humanizer
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.midi import writer
from gmd_vae.midi.note_sequence import NoteSequence

_QUARTERS_PER_BAR = 4
_TICKS_PER_BAR = _QUARTERS_PER_BAR * writer.TICKS_PER_QUARTER
_QUARTERS_PER_SECOND = 2  # Magenta's converters write at 120 quarter notes per minute
PlacedSequence = tuple[int, int, NoteSequence]  # first bar in the file, length in bars, notes


class DecodedStreams(DecodedMusic):
    """Windows with one class of each stream at each step, one-hot ``[steps, output_depth]``."""

    def compact(self, window: Window) -> Window:
        """Returns the window as bool: a quarter of the memory."""
        return window.astype(bool)

    def classes(self, window: Window) -> list[Steps]:
        """Returns the class of each stream at each step, int64 ``[steps]`` for each stream."""
        return [np.argmax(window[:, stream.start : stream.stop], axis=1) for stream in self.output.streams]

    def steps(self, window: Window) -> Steps:
        """Returns one number for the classes of all streams at each step, int64 ``[steps]``."""
        steps: Steps = np.zeros(len(window), np.int64)
        for stream, classes in zip(self.output.streams, self.classes(window), strict=True):
            steps = steps * stream.classes + classes
        return steps

    def window_fidelity(self, window: InputWindow, decoded: Window) -> Fidelity | None:
        """Compares the classes of each stream."""
        if window.target is None:
            return None
        target, version = self.classes(window.target), self.classes(decoded)
        counted = self._counted_steps(target, version)
        correct = {
            stream.name: int((a == b)[counted].sum())
            for stream, a, b in zip(self.output.streams, target, version, strict=True)
        }
        return StreamFidelity(window.file, window.number, int(counted.sum()), correct)

    def song_fidelity(self, song: InputSong, decoded: Sequence[Window]) -> Fidelity | None:
        """Returns ``None``: these families read no songs."""
        return None

    def midi_files(self, plan: FilePlan, model: OpenedModel, humanizer: Humanizer | None) -> Iterator[MidiOutput]:
        """Yields a file with one track for each instrument. ``humanizer`` is unused."""
        joined: list[PlacedSequence] = []
        joined_chords: list[str] = []
        joined_bars = 0
        window_bars, converter = self.output.bars, cast("ConverterModel", model)
        for index, windows in enumerate(plan.windows):
            bars = plan.bars or len(windows) * window_bars
            sequences = [
                (number * window_bars, min(window_bars, bars - number * window_bars), sequence)
                for number, sequence in enumerate(converter.to_note_sequences(windows))
            ]
            chords = list(plan.chords[index][:bars])
            yield self._write(plan.stem(index), sequences, bars, plan.playing_of(index), chords)
            if plan.join:
                joined += [(joined_bars + begin, length, sequence) for begin, length, sequence in sequences]
                joined_chords += chords
                joined_bars += bars
        if plan.join:
            yield self._write(plan.joined_stem, joined, joined_bars, plan.playing, joined_chords)

    def _counted_steps(self, target: Sequence[Steps], version: Sequence[Steps]) -> Any:
        """Returns the steps that fidelity counts, bool ``[steps]``: all of them."""
        return np.ones(len(target[0]), bool)

    def _velocity(self, note: NoteSequence.Note, playing: Playing) -> int:
        return playing.even_velocity

    def _part_name(self, program: int) -> str:
        """Returns the track name of a melodic instrument: Magenta's converter writes the bass with a program."""
        return "bass" if program else "melody"

    def _write(
        self, stem: str, sequences: Sequence[PlacedSequence], bars: int, playing: Playing, chords: Sequence[str]
    ) -> MidiOutput:
        """Returns NoteSequences at their bars as one file.

        A part is identified by its program and, among instruments with the same program, by its index. The parts of
        successive windows with the same identity are one track.
        """
        notes: dict[
            tuple[bool, int, int], list[writer.Note]
        ] = {}  # is drum, program, index among equal programs → notes
        for first, length, sequence in sequences:
            begin, end = first * _QUARTERS_PER_BAR, (first + length) * _QUARTERS_PER_BAR
            index_of: dict[tuple[int, int], int] = {}  # instrument and program → index among equal programs
            for note in sorted(sequence.notes, key=lambda note: note.instrument):
                start = begin + note.start_time * _QUARTERS_PER_SECOND
                if start >= end:
                    continue
                program = 0 if note.is_drum else note.program
                player = (note.instrument, program)
                if player not in index_of:
                    index_of[player] = sum(other == program for _, other in index_of)
                index = 0 if note.is_drum else index_of[player]
                stop = min(begin + note.end_time * _QUARTERS_PER_SECOND, end)
                start_tick, stop_tick = (round(quarters * writer.TICKS_PER_QUARTER) for quarters in (start, stop))
                velocity = min(max(self._velocity(note, playing), 1), 127)
                part = notes.setdefault((note.is_drum, program, index), [])
                part.append(writer.Note(start_tick, stop_tick, note.pitch, velocity))
        instruments = [
            writer.Instrument("drums" if part[0] else self._part_name(part[1]), part[1], part[0], notes[part])
            for part in sorted(notes)
        ]
        song = writer.Song(stem, bars * _TICKS_PER_BAR, playing.tempo)
        return MidiOutput(f"{stem}.mid", *writer.write_instruments(song, instruments, chord_texts(chords)))


def chord_texts(chords: Sequence[str]) -> list[tuple[int, str]]:
    """Returns the tick and the symbol of each chord that differs from the chord of the bar before.

    Args:
        chords: Chord symbol of each bar.
    """
    return [(bar * _TICKS_PER_BAR, chord) for bar, chord in enumerate(chords) if not bar or chords[bar - 1] != chord]


class DecodedTracks(DecodedStreams):
    """Windows of events, one-hot ``[steps, events]``: one track of events behind the other, all in the same bar."""

    def classes(self, window: Window) -> list[Steps]:
        """Returns the event of each step, int64 ``[steps]``; behind the end of a track all events are its end."""
        (events,) = super().classes(window)
        tracks = events.reshape(self.output.tracks, -1)
        tracks[np.logical_or.accumulate(tracks == self._end, axis=1)] = self._end
        return [events]

    @property
    def _end(self) -> int:
        return self.output.streams[0].classes - 1

    def _counted_steps(self, target: Sequence[Steps], version: Sequence[Steps]) -> Any:
        """Returns the steps that fidelity counts: those before the end of a track in either version."""
        return (target[0] != self._end) | (version[0] != self._end)

    def _velocity(self, note: NoteSequence.Note, playing: Playing) -> int:
        return int(note.velocity)

    def _part_name(self, program: int) -> str:
        return f"General MIDI {program + 1}"  # people count programs from 1
