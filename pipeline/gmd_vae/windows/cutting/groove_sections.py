"""A NoteSequence as Magenta's ``GrooveConverter`` takes it: drums of its classes, in one tempo and in 4/4.

Magenta's takes every note for a drum and raises ``KeyError`` for a pitch of no class, gives nothing for music that
changes its tempo or its metre (its other converters split there), and drops notes by NumPy's global dice.
"""

from __future__ import annotations

import contextlib
import threading
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
from gmd_vae.windows.extraction import Dropped

MAX_BARS = 4_000  # Magenta's converter holds a file's every step: one late note could ask for all memory
_BAR = 16  # sixteenths, all that a GrooVAE knows
_DEFAULT_TEMPO = 120.0
_GLOBAL_GENERATOR = threading.Lock()


def pitches_of(converter: Any) -> dict[int, int]:
    """What to hand a ``GrooveConverter`` for each drum pitch: the same where it is of one of its classes.

    The classes are those of the drum kit that GMD was recorded on. A pitch that is only in the classes for
    inference, which are those of General MIDI, becomes the first pitch of its class.
    """
    first = [pitches[0] for pitches in converter._pitch_classes]
    general = {pitch: first[drum] for pitch, drum in converter._infer_pitch_class_map.items()}
    return general | {pitch: pitch for pitch in converter._pitch_class_map}


def groove_sections(
    sequence: NoteSequence, pitches: Mapping[int, int], bars: int, dropped: Dropped
) -> list[NoteSequence]:
    """The sections between changes of tempo and time signature, with known drums only.

    Music without such changes is one section, as it is. What is left out is added to ``dropped``.

    Args:
        sequence: notes in seconds.
        pitches: drum pitch → pitch in the sections; see ``pitches_of``.
        bars: of a window; shorter sections are left out.
        dropped: the counts of what is left out are added to it.

    Raises:
        Exception: as ``split_note_sequence_on_time_changes``.
    """
    drums = [note.pitch for note in sequence.notes if note.is_drum]
    dropped.pitches.update(pitch for pitch in drums if pitch not in pitches)
    if not any(pitch in pitches for pitch in drums):
        dropped.reasons["no_known_drums" if drums else "no_drums"] += 1
        return []
    split = note_seq_module("sequences_lib").split_note_sequence_on_time_changes(sequence)
    found = []
    for section in split if len(split) > 1 else [sequence]:
        part = _known_drums(section, pitches)
        if part.notes and _is_in_four(part, dropped):
            _cut_off(part, dropped)
            if _bars(part) >= bars:
                found.append(part)
            else:
                dropped.reasons["too_short"] += 1
    return found


@contextlib.contextmanager
def seeded_by(record: bytes) -> Iterator[None]:
    """Seeds NumPy's global generator from a record, and restores its state afterwards."""
    with _GLOBAL_GENERATOR:
        state = np.random.get_state()
        np.random.seed(zlib.crc32(record))
        try:
            yield
        finally:
            np.random.set_state(state)


def _known_drums(section: NoteSequence, pitches: Mapping[int, int]) -> NoteSequence:
    part = NoteSequence()
    part.CopyFrom(section)
    del part.notes[:]
    for note in section.notes:
        if note.is_drum and note.pitch in pitches:
            part.notes.add().CopyFrom(note)
            part.notes[-1].pitch = pitches[note.pitch]
    return part


def _is_in_four(part: NoteSequence, dropped: Dropped) -> bool:
    """Whether its bars have four quarters; counts it if not."""
    for signature in part.time_signatures:
        numerator, denominator = signature.numerator, signature.denominator
        possible = numerator > 0 and denominator > 0 and denominator & (denominator - 1) == 0
        if not possible or numerator != denominator:
            dropped.reasons["other_bar_length" if possible else "bad_time_signature"] += 1
            dropped.time_signatures[f"{numerator}/{denominator}"] += 1
            return False
    return True


def _cut_off(part: NoteSequence, dropped: Dropped) -> None:
    """Leaves out what comes after the last bar that fits into memory."""
    end = MAX_BARS * 4 * 60 / _tempo(part)
    kept = [note for note in part.notes if note.start_time < end]
    if len(kept) < len(part.notes):
        dropped.reasons["cut_off"] += 1
        del part.notes[:]
        part.notes.extend(kept)


def _bars(part: NoteSequence) -> int:
    """How many bars it has, the last one up to its end; a hit belongs to the nearest sixteenth."""
    last = max((note.start_time for note in part.notes), default=-1.0)
    return int(last * _tempo(part) / 60 * 4 + 0.5) // _BAR + 1 if last >= 0 else 0


def _tempo(part: NoteSequence) -> float:
    """Quarters a minute."""
    return part.tempos[0].qpm if part.tempos and part.tempos[0].qpm > 0 else _DEFAULT_TEMPO
