"""From decoded windows to the bytes of MIDI files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families.output_spec import Output
from gmd_vae.generation.decoded import labels_of
from gmd_vae.generation.inputs.groove import GrooveSong
from gmd_vae.generation.inputs.windows import Song
from gmd_vae.generation.performance.drum_notes import drum_midi
from gmd_vae.generation.performance.performed import Performed
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.generation.request import Request
from gmd_vae.midi import writer
from gmd_vae.midi.note_sequence import NoteSequence

Window = npt.NDArray[Any]

_QUARTERS_A_BAR = 4
_TICKS_A_BAR = _QUARTERS_A_BAR * writer.TICKS_PER_QUARTER
_QUARTERS_A_SECOND = 2  # Magenta's converters write at 120 quarters a minute
_AT_ONCE = 1 << 16  # steps of files that a GrooVAE plays at a time


@dataclasses.dataclass(frozen=True)
class MidiFile:
    """One file to write.

    Attributes:
        name: without a folder.
        data: its bytes.
        notes: in it.
        early: notes that a GrooVAE would begin before the file does; they begin with it.
    """

    name: str
    data: bytes
    notes: int
    early: int = 0


@dataclasses.dataclass(frozen=True)
class Files:
    """The files to write.

    Attributes:
        request: what was asked for.
        numbers: of the files.
        total: how many there are, those included that are not written.
        windows: of each file.
        songs: what each file plays whole; empty where no file does.
        tempos: of each file, quarters a minute; that of ``playing`` where it is empty.
        playing: how the notes are played.
    """

    request: Request
    numbers: range
    total: int
    windows: Sequence[Sequence[Window]]
    songs: Sequence[Song | GrooveSong]
    tempos: Sequence[float]
    playing: Playing

    def playing_of(self, place: int) -> Playing:
        """How the file of that place in ``numbers`` is played."""
        return dataclasses.replace(self.playing, tempo=self.tempos[place]) if self.tempos else self.playing

    def name_of(self, number: int) -> str:
        """Such as ``sample-007``, without an ending."""
        return f"{self.request.mode}-{number:0{max(3, len(str(self.total - 1)))}d}"

    @property
    def joined(self) -> str:
        """The name of the file of all."""
        return f"{self.request.mode}-joined"


class Humanizer(Protocol):
    """A GrooVAE that says how patterns are played."""

    def perform(self, patterns: Sequence[Sequence[int]], first: int) -> list[Performed]:
        """Labels of patterns, and how each is played; ``first``: the number of the first of them."""
        ...


def beat_files(
    files: Files, spec: DrumWindows, output: Output, humanizer: Humanizer | None = None
) -> Iterator[MidiFile]:
    """Yields the MIDI file of each drum pattern; of all of them in one, at the end, if that is wished for.

    Args:
        files: which.
        spec: the drums, and the bars.
        output: what the model writes; of a GrooVAE, velocities and timing are its own.
        humanizer: says how loud and when, in the place of ``files.playing``.
    """
    whole: list[int] = []
    values: list[npt.NDArray[Any]] = []
    patterns: list[list[int]] = []
    begun = 0
    for place, windows in enumerate(files.windows):
        steps = _steps(files, place, spec)
        labels = _labels(files, place, windows, spec, output)[:steps]
        whole += labels if files.request.join else ()
        if output.kind == "groove":
            played = np.concatenate(windows)[:steps]
            values += [played] if files.request.join else ()
            yield _beat(files, place, labels, spec, Performed("GrooVAE", played))
        elif humanizer is None:
            yield _beat(files, place, labels, spec, None)
        else:
            patterns.append(labels)
            if sum(map(len, patterns)) >= _AT_ONCE or place == len(files.windows) - 1:
                for offset, performed in enumerate(humanizer.perform(patterns, files.numbers[begun])):
                    yield _beat(files, begun + offset, patterns[offset], spec, performed)
                begun, patterns = place + 1, []
    if not files.request.join:
        return
    of_all = [Performed("GrooVAE", np.concatenate(values))] if values else [None]
    if humanizer is not None:
        of_all = [*humanizer.perform([whole], 0)]
    yield _drums(files.joined, whole, spec, files.playing, files.total, of_all[0])


def _steps(files: Files, place: int, spec: DrumWindows) -> int | None:
    """How many steps of a file's windows are wanted; ``None``: all."""
    bars = files.songs[place].bars if files.songs else files.request.bars
    return bars * spec.steps_per_bar if bars else None


def _labels(files: Files, place: int, windows: Sequence[Window], spec: DrumWindows, output: Output) -> list[int]:
    """The labels of a file: windows one behind the other, or each piece of a song in its place, silence between."""
    labels = [labels_of(window, output) for window in windows]
    song = files.songs[place] if files.songs else None
    if not isinstance(song, Song):
        joined: list[int] = np.concatenate(labels).tolist()
        return joined
    bars = np.zeros((song.bars, spec.steps_per_bar), np.int64)
    for piece, window in zip(song.pieces, labels, strict=True):
        share = window.reshape(-1, spec.steps_per_bar)[piece.skip :]
        bars[piece.place : piece.place + len(share)] = share
    placed: list[int] = bars.reshape(-1).tolist()
    return placed


def _beat(files: Files, place: int, labels: Sequence[int], spec: DrumWindows, performed: Performed | None) -> MidiFile:
    number = files.numbers[place]
    return _drums(files.name_of(number), labels, spec, files.playing_of(place), number, performed)


def _drums(
    name: str, labels: Sequence[int], spec: DrumWindows, playing: Playing, number: int, performed: Performed | None
) -> MidiFile:
    if performed is None:
        return MidiFile(f"{name}.mid", *drum_midi(labels, spec, playing, number, name))
    playing = dataclasses.replace(playing, feel=performed)
    return MidiFile(f"{name}.mid", *drum_midi(labels, spec, playing, number, name), performed.early(labels))


def part_files(
    files: Files,
    output: Output,
    chords: Sequence[Sequence[str]],
    to_note_sequences: Callable[[Sequence[Window]], list[NoteSequence]],
) -> Iterator[MidiFile]:
    """Yields the MIDI file of each piece of several parts; of all of them in one, at the end, if that is wished for.

    Args:
        files: which.
        output: what the model writes.
        chords: of each file, its bars'; empty where there are none.
        to_note_sequences: windows as NoteSequences, one each, at 120 quarters a minute.
    """
    together: list[tuple[int, int, NoteSequence]] = []  # the bar where it begins, how many bars, what
    all_chords: list[str] = []
    at = 0
    for place, windows in enumerate(files.windows):
        bars = files.request.bars or len(windows) * output.bars
        sequences = [
            (number * output.bars, min(output.bars, bars - number * output.bars), sequence)
            for number, sequence in enumerate(to_note_sequences(windows))
        ]
        playing, name = files.playing_of(place), files.name_of(files.numbers[place])
        of_file = list(chords[place][:bars])
        yield _parts(name, sequences, bars, playing, output, of_file)
        if files.request.join:
            together += [(at + begin, length, sequence) for begin, length, sequence in sequences]
            all_chords += of_file
            at += bars
    if files.request.join:
        yield _parts(files.joined, together, at, files.playing, output, all_chords)


def _parts(
    name: str,
    sequences: Sequence[tuple[int, int, NoteSequence]],
    bars: int,
    playing: Playing,
    output: Output,
    chords: Sequence[str],
) -> MidiFile:
    """NoteSequences in their places as one file.

    The instruments of all windows that play the same program, and are as manieth with it, are one part.
    """
    notes: dict[tuple[bool, int, int], list[writer.Note]] = {}  # drums or not, program, as manieth
    for first, length, sequence in sequences:
        begin, end = first * _QUARTERS_A_BAR, (first + length) * _QUARTERS_A_BAR
        known: dict[tuple[int, int], int] = {}  # instrument and program → as manieth
        for note in sorted(sequence.notes, key=lambda note: note.instrument):
            start = begin + note.start_time * _QUARTERS_A_SECOND
            if start >= end:
                continue
            program = 0 if note.is_drum else note.program
            player = (note.instrument, program)
            if player not in known:
                known[player] = sum(other == program for _, other in known)
            among = 0 if note.is_drum else known[player]
            stop = min(begin + note.end_time * _QUARTERS_A_SECOND, end)
            velocity = note.velocity if output.is_events else playing.velocity
            start_tick, stop_tick = (round(quarters * writer.TICKS_PER_QUARTER) for quarters in (start, stop))
            of_instrument = notes.setdefault((note.is_drum, program, among), [])
            of_instrument.append(writer.Note(start_tick, stop_tick, note.pitch, min(max(velocity, 1), 127)))
    instruments = [
        writer.Instrument(_part_name(output, is_drum, program), program, is_drum, notes[is_drum, program, among])
        for is_drum, program, among in sorted(notes)
    ]
    song = writer.Song(name, bars * _TICKS_A_BAR, playing.tempo)
    return MidiFile(f"{name}.mid", *writer.write_instruments(song, instruments, chord_texts(chords)))


def chord_texts(chords: Sequence[str]) -> list[tuple[int, str]]:
    """Returns the tick and the symbol of each chord that differs from the chord of the bar before.

    Args:
        chords: Chord symbol of each bar.
    """
    return [(bar * _TICKS_A_BAR, chord) for bar, chord in enumerate(chords) if not bar or chords[bar - 1] != chord]


def _part_name(output: Output, is_drum: bool, program: int) -> str:
    if is_drum:
        return "drums"
    if output.is_events:
        return f"General MIDI {program + 1}"  # programs are counted from 1 wherever people read them
    return "bass" if program else "melody"
