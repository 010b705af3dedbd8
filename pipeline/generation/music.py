"""From decoded windows to the bytes of MIDI files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.examples.spec import DrumWindows
from pipeline.generation.drum_midi import drum_midi
from pipeline.generation.inputs import Song
from pipeline.generation.playing import Playing
from pipeline.generation.request import Request
from pipeline.models.trained import TrainedVae
from pipeline.notes.midi import note_sequence_to_midi_bytes

Window = npt.NDArray[np.integer[Any]]


@dataclasses.dataclass(frozen=True)
class MidiFile:
    """One file to write.

    Attributes:
        name: without a folder.
        data: its bytes.
        notes: in it.
    """

    name: str
    data: bytes
    notes: int


def beat_files(
    request: Request,
    numbers: range,
    total: int,
    music: Sequence[Sequence[Window]],
    songs: Sequence[Song],
    spec: DrumWindows,
    playing: Playing,
) -> Iterator[MidiFile]:
    """Yields the MIDI file of each beat; of all of them in one, at the end, if that is wished for.

    Args:
        request: what was asked for.
        numbers: of the files.
        total: how many there are, those included that are not written.
        music: of each file, its windows, labels ``[steps]``.
        songs: what each file reconstructs; empty for all other modes.
        spec: the config's windows.
        playing: how labels become notes. A song keeps its own tempo unless ``request.tempo`` says another.
    """
    whole: list[int] = []
    for number, windows in zip(numbers, music, strict=True):
        played = playing
        if songs:
            labels = _of_song(songs[number], windows, spec)
            played = dataclasses.replace(playing, tempo=request.tempo or songs[number].tempo)
        else:
            labels = np.concatenate(windows)[: request.bars * spec.steps_per_bar if request.bars else None].tolist()
        name = beat_name(request.mode, number, total)
        yield MidiFile(f"{name}.mid", *drum_midi(labels, spec, played, number, name))
        if request.join:
            whole += labels
    if request.join:
        name = f"{request.mode}-joined"
        yield MidiFile(f"{name}.mid", *drum_midi(whole, spec, playing, total, name))


def converted_files(
    request: Request, numbers: range, total: int, windows: Any, model: TrainedVae
) -> Iterator[MidiFile]:
    """Yields the MIDI file of each window that is not labels, by Magenta's converter."""
    for number, sequence in zip(numbers, model.to_note_sequences(windows), strict=True):
        name = beat_name(request.mode, number, total)
        yield MidiFile(f"{name}.mid", note_sequence_to_midi_bytes(sequence), len(sequence.notes))


def beat_name(mode: str, number: int, total: int) -> str:
    """Such as ``sample-007``."""
    return f"{mode}-{number:0{max(3, len(str(total - 1)))}d}"


def _of_song(song: Song, windows: Sequence[Window], spec: DrumWindows) -> list[int]:
    """The labels of a whole song: each piece in its place, silence where there is none."""
    bars = np.zeros((song.bars, spec.steps_per_bar), np.int64)
    for piece, window in zip(song.pieces, windows, strict=True):
        share = window.reshape(-1, spec.steps_per_bar)[piece.skip :]
        bars[piece.place : piece.place + len(share)] = share
    labels: list[int] = bars.reshape(-1).tolist()
    return labels
