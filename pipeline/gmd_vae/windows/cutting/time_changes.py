"""Cuts a NoteSequence at its changes of tempo and time signature, as note_seq does, without note_seq.

Follows ``split_note_sequence_on_time_changes`` and ``_extract_subsequences`` in ``sequences_lib.py`` of note-seq 0.0.5
(copyright The Magenta Authors, Apache License 2.0). A test compares the sections with note_seq's, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.refusals import MAX_QUARTERS
from gmd_vae.midi.sequence_limits import quarters
from gmd_vae.windows.cutting.section_meter import DEFAULT_TEMPO

_CHORD = NoteSequence.TextAnnotation.CHORD_SYMBOL
_BEAT = NoteSequence.TextAnnotation.BEAT
_PEDALS = (64, 66, 67)  # control numbers: sustain, sostenuto, una corda
_MAX_COPIED = 64 << 20  # bytes of what every section, and later every bar, has a copy of, in all of them together
_PEDAL_BYTES = 16
_EMPTIED = (
    "notes",
    "time_signatures",
    "key_signatures",
    "tempos",
    "text_annotations",
    "control_changes",
    "pitch_bends",
)


def split_on_time_changes(sequence: NoteSequence) -> list[NoteSequence]:
    """Returns the sections between changes of tempo and time signature; each begins at 0 seconds.

    Args:
        sequence: NoteSequence with times in seconds. It is not changed.

    Raises:
        ValueError: The times of the sequence are quantized, or its sections would take far more memory than it does:
            each has a copy of the names of all instruments, and of the pedals that are down.
    """
    cuts = _cuts(sequence)
    if len(cuts) < 2:
        return []
    resolution = sequence.quantization_info
    if resolution.steps_per_quarter > 0 or resolution.steps_per_second > 0:
        raise ValueError("a quantized NoteSequence has no seconds to cut it at")
    empty = NoteSequence()
    empty.CopyFrom(sequence)
    empty.total_time = 0.0
    for name in _EMPTIED:
        empty.ClearField(name)
    pedals = [change for change in sequence.control_changes if change.control_number in _PEDALS]
    held = {_pedal(change) for change in pedals}
    common = empty.SerializeToString()
    # the converter for several instruments cuts sections into bars in the same way
    bars = int(min(quarters(sequence, sequence.total_time), MAX_QUARTERS)) // 4
    if max(len(cuts) - 1, bars) * (len(common) + _PEDAL_BYTES * len(held)) > _MAX_COPIED:
        raise ValueError(
            f"{len(cuts) - 1:,} sections and {bars:,} bars, each with {len(common):,} bytes and {len(held):,} pedals"
        )
    sections = [NoteSequence.FromString(common) for _ in cuts[:-1]]
    _add_notes(sequence, cuts, sections)
    for name in ("time_signatures", "key_signatures", "tempos"):
        _add_states(getattr(sequence, name), cuts, [getattr(section, name) for section in sections])
    texts = [section.text_annotations for section in sections]
    _add_states([text for text in sequence.text_annotations if text.annotation_type == _CHORD], cuts, texts)
    _add_beats([text for text in sequence.text_annotations if text.annotation_type == _BEAT], cuts, texts)
    controls = [section.control_changes for section in sections]
    _add_states(pedals, cuts, controls, _pedal)
    for section, start in zip(sections, cuts, strict=False):
        section.subsequence_info.start_time_offset = start
        section.subsequence_info.end_time_offset = sequence.total_time - start - section.total_time
    return sections


def _pedal(change: Any) -> tuple[int, int]:
    """Returns the instrument and the control number of a pedal."""
    return change.instrument, change.control_number


def _cuts(sequence: NoteSequence) -> list[float]:
    """Returns the times in seconds at which sections begin, from 0, and the end of the last one."""
    signature, tempo = (4, 4), DEFAULT_TEMPO
    changes = sorted([*sequence.time_signatures, *sequence.tempos], key=lambda change: change.time)
    cuts = [0.0]
    for change in changes:
        if not change.time < sequence.total_time:  # also a time that is not a number
            continue
        if isinstance(change, NoteSequence.Tempo):
            if change.qpm == tempo:
                continue
            tempo = change.qpm
        else:
            if (change.numerator, change.denominator) == signature:
                continue
            signature = (change.numerator, change.denominator)
        if change.time > cuts[-1]:
            cuts.append(change.time)
    if sequence.total_time > cuts[-1]:
        cuts.append(sequence.total_time)
    return cuts


def _add_notes(sequence: NoteSequence, cuts: Sequence[float], sections: Sequence[NoteSequence]) -> None:
    """Adds each note to the section in which it begins, and ends it with the section."""
    for note, index in _placed(sequence.notes, cuts, lambda note: note.start_time):
        section, start = sections[index], cuts[index]
        added = section.notes.add()
        added.CopyFrom(note)
        added.start_time -= start
        added.end_time = min(note.end_time, cuts[index + 1]) - start
        if added.end_time > section.total_time:
            section.total_time = added.end_time


def _add_beats(beats: Iterable[Any], cuts: Sequence[float], containers: Sequence[Any]) -> None:
    """Adds each beat to the section in which it lies."""
    for beat, index in _placed(beats, cuts, lambda beat: beat.time):
        containers[index].add().CopyFrom(beat)
        containers[index][-1].time -= cuts[index]


def _placed(events: Iterable[Any], cuts: Sequence[float], time_of: Callable[[Any], float]) -> Iterable[tuple[Any, int]]:
    """Yields the events in the order of time, each with the index of its section."""
    index = -1
    for event in sorted(events, key=time_of):
        if time_of(event) < cuts[0]:
            continue
        while index < len(cuts) - 1 and time_of(event) >= cuts[index + 1]:
            index += 1
        if index == len(cuts) - 1:
            return
        yield event, index


def _add_states(
    events: Iterable[Any],
    cuts: Sequence[float],
    containers: Sequence[Any],
    key: Callable[[Any], object] = lambda event: None,
) -> None:
    """Adds events that hold until the next one. A section begins with a copy of what holds at its start.

    Args:
        events: Events of one kind.
        cuts: Times in seconds at which sections begin, and the end of the last one.
        containers: Repeated field of each section.
        key: Returns the key of an event; an event replaces the one before it with the same key.
    """
    holding: dict[object, Any] = {}
    index = -1
    for event in sorted(events, key=lambda event: event.time):
        if event.time <= cuts[0]:
            holding[key(event)] = event
            continue
        while index < len(cuts) - 1 and event.time > cuts[index + 1]:
            index += 1
            if index < len(cuts) - 1:
                _begin(containers[index], holding)
        if index == len(cuts) - 1:
            break
        if event.time < cuts[index + 1]:  # one on the cut begins the next section
            containers[index].add().CopyFrom(event)
            containers[index][-1].time -= cuts[index]
        holding[key(event)] = event
    for container in containers[index + 1 :]:
        _begin(container, holding)


def _begin(container: Any, holding: dict[object, Any]) -> None:
    for event in holding.values():
        container.add().CopyFrom(event)
        container[-1].time = 0.0
