"""Prepares NoteSequences for Magenta's ``GrooveConverter``: sections with drums of its classes, one tempo, and 4/4.

``GrooveConverter`` treats every note as a drum, and raises ``KeyError`` for a pitch of no class. It gives no windows
for music with changes of tempo or time signature, where Magenta's other converters split. It drops notes at random with
NumPy's global RNG.
"""

from __future__ import annotations

import contextlib
import threading
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.windows.cutting.section_meter import DEFAULT_TEMPO, has_bars_of_four_quarters, tempo_of
from gmd_vae.windows.cutting.time_changes import split_on_time_changes
from gmd_vae.windows.extraction import Dropped

MAX_BARS = 4_000  # Magenta's converter allocates every step up to the last note, so one late note could take all memory
_BAR = 16  # sixteenths: every GrooVAE has 4/4
_GLOBAL_RNG_LOCK = threading.Lock()


def pitches_of(converter: Any) -> dict[int, int]:
    """Returns the pitch for a ``GrooveConverter`` for each known drum pitch.

    The converter's classes are those of the drum kit that GMD was recorded on; their pitches stay. A pitch that is only
    in its classes for inference (General MIDI) becomes the first pitch of its class.

    Args:
        converter: Magenta's ``GrooveConverter``.
    """
    first = [pitches[0] for pitches in converter._pitch_classes]
    general = {pitch: first[drum] for pitch, drum in converter._infer_pitch_class_map.items()}
    return general | {pitch: pitch for pitch in converter._pitch_class_map}


def groove_sections(
    sequence: NoteSequence, pitches: Mapping[int, int], bars: int, dropped: Dropped
) -> list[NoteSequence]:
    """Returns the sections between changes of tempo and time signature, with known drums only.

    Args:
        sequence: NoteSequence with times in seconds. Without changes, it is one section.
        pitches: Drum pitch → pitch in the sections, from ``pitches_of``.
        bars: Length of a window in bars; shorter sections are dropped.
        dropped: Receives the counts of dropped music.

    Raises:
        ValueError: The times of the sequence are quantized.
    """
    drums = [note.pitch for note in sequence.notes if note.is_drum]
    dropped.pitches.update(pitch for pitch in drums if pitch not in pitches)
    if not any(pitch in pitches for pitch in drums):
        dropped.reasons["no_known_drums" if drums else "no_drums"] += 1
        return []
    split = split_on_time_changes(sequence)
    sections = []
    for piece in split if len(split) > 1 else [sequence]:
        section = _known_drums(piece, pitches)
        if section.notes and has_bars_of_four_quarters(section.time_signatures, dropped):
            _cut_off(section, dropped)
            if _bars(section) >= bars:
                sections.append(section)
            else:
                dropped.reasons["too_short"] += 1
    return sections


@contextlib.contextmanager
def seeded_by(record: bytes) -> Iterator[None]:
    """Seeds NumPy's global RNG with a checksum of the record, and restores its state afterwards."""
    with _GLOBAL_RNG_LOCK:
        state = np.random.get_state()
        np.random.seed(zlib.crc32(record))
        try:
            yield
        finally:
            np.random.set_state(state)


def _known_drums(section: NoteSequence, pitches: Mapping[int, int]) -> NoteSequence:
    """Returns a copy with only the drum notes of known pitches, which are replaced."""
    copy = NoteSequence()
    copy.CopyFrom(section)
    del copy.notes[:]
    for note in section.notes:
        if note.is_drum and note.pitch in pitches:
            copy.notes.add().CopyFrom(note)
            copy.notes[-1].pitch = pitches[note.pitch]
    return copy


def _cut_off(section: NoteSequence, dropped: Dropped) -> None:
    """Removes the notes behind ``MAX_BARS``."""
    end = MAX_BARS * 4 * 60 / _tempo(section)
    kept = [note for note in section.notes if note.start_time < end]
    if len(kept) < len(section.notes):
        dropped.reasons["cut_off"] += 1
        del section.notes[:]
        section.notes.extend(kept)


def _bars(section: NoteSequence) -> int:
    """Returns the number of bars up to the last hit, which is rounded to the nearest sixteenth."""
    last = max((note.start_time for note in section.notes), default=-1.0)
    return int(last * _tempo(section) / 60 * 4 + 0.5) // _BAR + 1 if last >= 0 else 0


def _tempo(section: NoteSequence) -> float:
    """Returns the tempo in quarters per minute; the default where it is not positive."""
    return tempo_of(section) if tempo_of(section) > 0 else DEFAULT_TEMPO
