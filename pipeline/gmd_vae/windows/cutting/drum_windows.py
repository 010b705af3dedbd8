"""Drum windows of a NoteSequence, computed with arrays: the windows of Magenta's ``DrumsConverter``.

``beat_time.py`` first moves music with several tempos to one tempo. The steps after it are those of
``magenta.models.music_vae.data.DrumsConverter.to_tensors``:

1. ``section_times``: cut at changes of tempo and time signature
   (``note_seq.sequences_lib.split_note_sequence_on_time_changes``).
2. ``_quantize``: hits to steps and labels (``quantize_note_sequence``).
3. ``_stretches``: cut at long pauses (``magenta.pipelines.drum_pipelines.extract_drum_tracks``).
4. ``_slices``: one window at each bar.

For music with one tempo, the windows and their counts equal Magenta's (a test compares them). Only the order differs:
Magenta's comes from a Python set (``stock/order.py`` computes it), ours is the order of time.

Terms: a *section* lies between two changes of time signature (with ``preprocess --stock`` also of tempo). A *stretch*
is a part of a section without a pause of ``gap_bars`` between two drum hits; it begins and ends on a bar line. A
*window* is ``slice_bars`` bars of a stretch, and begins on a bar line.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import MAX_CLASSES, DrumWindows
from gmd_vae.midi.note_arrays import Notes, notes_of, read_notes
from gmd_vae.windows.cutting.beat_time import at_one_tempo
from gmd_vae.windows.extraction import Dropped, Extraction, Labels, Layout

LONGEST_GAP_BARS = 1000  # without max_bars, a pause inside a stretch takes memory: at most about 2 MB
LAST_STEP = 2.0**62  # Magenta raises where a step does not fit int64
_DEFAULT_TIME = (4, 4, 120.0)  # 4/4 at 120 quarters per minute, for a NoteSequence without changes


@dataclasses.dataclass(frozen=True)
class DrumExtractor:
    """The ``Extractor`` of drum windows.

    Attributes:
        spec: Settings of the windows.

    Raises:
        ValueError: The spec has more than 62 drum classes, no whole window, or neither a longest stretch
            (``max_bars``) nor a longest pause (``gap_bars``). Without both, one late note could take all memory.
    """

    spec: DrumWindows

    def __post_init__(self) -> None:
        spec = self.spec
        if not 1 <= len(spec.pitch_classes) <= MAX_CLASSES:
            raise ValueError(f"pitch_classes must be 1 to {MAX_CLASSES} classes, not {len(spec.pitch_classes)}")
        if min(spec.slice_bars, spec.steps_per_quarter, spec.quarters_per_bar) < 1:
            raise ValueError("slice_bars, steps_per_quarter and quarters_per_bar must be 1 or more")
        if not spec.max_bars and not 0 < (spec.gap_bars or 0) <= LONGEST_GAP_BARS:
            raise ValueError(f"without max_bars, gap_bars must be above 0 and at most {LONGEST_GAP_BARS}")

    @property
    def layout(self) -> Layout:
        """Format of the windows: labels."""
        spec = self.spec
        return Layout("labels", spec.steps, len(spec.pitch_classes), spec.input_depth, spec.output_depth)

    @property
    def settings(self) -> dict[str, Any]:
        """Fields of the spec."""
        return self.spec.cutting

    def __call__(self, record: bytes) -> Extraction:
        """Returns the windows of one NoteSequence (``extract_drum_windows``)."""
        return extract_drum_windows(self.spec, record)


def extract_drum_windows(spec: DrumWindows, record: bytes) -> Extraction:
    """Returns the windows of a NoteSequence in the order of time. Equal windows of a section count once.

    Args:
        spec: Settings of the windows, checked by ``DrumExtractor``.
        record: NoteSequence in protobuf wire format.

    Returns:
        Labels, int64 ``[windows, spec.steps]``, and counts of the music that gave no window. Music for which Magenta
        raises an error (times that are not numbers, a quantized NoteSequence) is dropped and counted. There is one
        intended difference: a section with a negative tempo is always dropped; Magenta keeps it if all notes are on the
        first step.
    """
    from google.protobuf.message import DecodeError

    dropped = Dropped()
    nothing = np.zeros((0, spec.steps), np.int64)
    try:
        sequence, notes = read_notes(record)
    except DecodeError:
        dropped.reasons["unreadable"] += 1
        return Extraction("", nothing, dropped)
    music = at_one_tempo(sequence, notes)
    rows = [window.data for window in placed_windows(spec, music.sequence, dropped, music.notes)]
    labels: Labels = np.frombuffer(b"".join(rows), np.int64).reshape(-1, spec.steps)
    return Extraction(sequence.id or sequence.filename, labels, dropped)


class PlacedWindow(NamedTuple):
    """A window and the position of its first occurrence.

    Attributes:
        section: Number of the section, from 0, in the order of ``section_times``.
        step: First step of the window in its section; a bar line.
        data: Bytes of the labels, int64 ``[spec.steps]``.
    """

    section: int
    step: int
    data: bytes


def placed_windows(
    spec: DrumWindows, sequence: Any, dropped: Dropped, notes: Notes | None = None
) -> Iterator[PlacedWindow]:
    """Yields the windows with their positions. A change of tempo begins a section, as in Magenta (``beat_time.py``).

    Args:
        spec: Settings of the windows.
        sequence: NoteSequence.
        dropped: Receives the counts of the music that gives no window.
        notes: Notes of the sequence, where they are not in ``sequence`` itself.
    """
    all_stretches = placed_stretches(spec, sequence, dropped, notes)
    by_section = itertools.groupby(all_stretches, lambda stretch: stretch.section)
    for section, stretches in by_section:
        distinct: dict[bytes, int] = {}  # window -> its first step
        count = 0
        for stretch in stretches:
            for number, window in enumerate(_slices(spec, stretch.labels)):
                count += 1
                distinct.setdefault(window, stretch.step + number * spec.steps_per_bar)
        dropped.reasons["repeated"] += count - len(distinct)
        yield from (PlacedWindow(section, step, window) for window, step in distinct.items())


class PlacedStretch(NamedTuple):
    """A stretch of at least one window.

    Attributes:
        section: Number of the section, from 0, in the order of ``section_times``.
        step: First step of the stretch in its section; a bar line.
        labels: Drum labels, int64 ``[bars, steps_per_bar]``.
    """

    section: int
    step: int
    labels: Labels


def placed_stretches(
    spec: DrumWindows, sequence: Any, dropped: Dropped, notes: Notes | None = None
) -> Iterator[PlacedStretch]:
    """Yields the stretches of a NoteSequence in the order of time. The arguments are those of ``placed_windows``."""
    hits = _read_hits(spec, notes or notes_of(sequence), dropped)
    if hits is None:
        return
    for section, steps, bits in _sections(spec, sequence, hits, dropped):
        for origin, labels in _stretches(spec, steps, bits, dropped):
            yield PlacedStretch(section, origin, labels)


class _Hits(NamedTuple):
    """Notes as arrays.

    Attributes:
        start: Start times in seconds, float64 ``[notes]``.
        end: End times in seconds, float64 ``[notes]``.
        bit: Drum class as a bit of a label, int64 ``[notes]``; 0 for other notes.
    """

    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    bit: Labels


@functools.lru_cache(maxsize=8)
def pitch_bits(pitch_classes: tuple[tuple[int, ...], ...]) -> Labels:
    """Returns the drum class of each MIDI pitch as a bit, int64 ``[128]``; 0 for none.

    A pitch of several classes belongs to the last one, as in Magenta.
    """
    bits = np.zeros(128, np.int64)
    for number, pitches in enumerate(pitch_classes):
        bits[list(pitches)] = 1 << number
    return bits


def _read_hits(spec: DrumWindows, notes: Notes, dropped: Dropped) -> _Hits | None:
    """Returns the notes with their drum classes; ``None`` if no note has a class."""
    pitch = notes.pitch
    is_hit = notes.is_drum & (notes.velocity != 0)
    in_range = (pitch >= 0) & (pitch < 128)
    bit = np.where(is_hit & in_range, pitch_bits(spec.pitch_classes)[np.where(in_range, pitch, 0)], 0)
    if not is_hit.any():
        dropped.reasons["no_drums"] += 1
        return None
    dropped.pitches = Counter(pitch[is_hit & (bit == 0)].tolist())
    if not bit.any():
        dropped.reasons["no_known_drums"] += 1
        return None
    return _Hits(notes.start, notes.end, bit)


def section_times(sequence: Any) -> tuple[list[float], list[tuple[int, int, float]]] | None:
    """Returns the limits of all sections, as ``note_seq``'s ``split_note_sequence_on_time_changes`` cuts them.

    A change to the same tempo and time signature does not split, nor does one at or after ``total_time``.

    Args:
        sequence: NoteSequence.

    Returns:
        The start of each section and the end of the last one in seconds; and numerator, denominator and tempo (quarters
        per minute) of each section. ``None`` if the time of a change is not a number.
    """
    times = [0.0]
    states = [_DEFAULT_TIME]
    numerator, denominator, qpm = _DEFAULT_TIME
    changes = [*sequence.time_signatures, *sequence.tempos]
    if any(change.time != change.time for change in changes):
        return None
    for change in sorted(changes, key=lambda change: change.time):
        if not change.time < sequence.total_time:
            continue
        before = (numerator, denominator, qpm)
        if hasattr(change, "qpm"):
            qpm = change.qpm
        else:
            numerator, denominator = change.numerator, change.denominator
        if (numerator, denominator, qpm) == before:
            continue
        if change.time > times[-1]:
            times.append(change.time)
            states.append(_DEFAULT_TIME)
        states[-1] = (numerator, denominator, qpm)
    if not sequence.total_time > times[-1]:
        return times[:1], []
    times.append(sequence.total_time)
    return times, states


def _sections(spec: DrumWindows, sequence: Any, hits: _Hits, dropped: Dropped) -> Iterator[tuple[int, Labels, Labels]]:
    """Yields each section with drums and bars of the config's length: number, steps and labels.

    The steps are ascending and without repeats, int64 ``[steps with hits]``; the labels are those at these steps.
    """
    split = section_times(sequence)
    if split is None or np.isnan(hits.start).any():
        dropped.reasons["bad_times"] += 1
        return
    times, states = split
    if not states:
        dropped.reasons["no_length"] += 1
        return
    info = sequence.quantization_info
    if info.steps_per_quarter > 0 or info.steps_per_second > 0:
        dropped.reasons["quantized"] += 1
        return
    if len(states) == 1 and hits.start.min() >= times[0] and hits.start.max() < times[1]:  # nearly every file
        quantized = _quantize(spec, hits, times[0], times[1], states[0], dropped)
        if quantized is not None:
            yield 0, *quantized
        return
    bounds = np.array(times)
    section_of = np.searchsorted(bounds, hits.start, side="right") - 1
    inside = (section_of >= 0) & (section_of < len(states))
    dropped.reasons["outside"] += int(np.count_nonzero(hits.bit[~inside]))
    with_drums = np.unique(section_of[inside & (hits.bit != 0)])
    order = np.argsort(section_of, kind="stable")
    first = np.searchsorted(section_of, with_drums, side="left", sorter=order)
    last = np.searchsorted(section_of, with_drums, side="right", sorter=order)
    for section, begin, end in zip(with_drums.tolist(), first.tolist(), last.tolist(), strict=True):
        members = order[begin:end]
        section_hits = _Hits(hits.start[members], hits.end[members], hits.bit[members])
        quantized = _quantize(spec, section_hits, times[section], times[section + 1], states[section], dropped)
        if quantized is not None:
            yield section, *quantized


def _quantize(
    spec: DrumWindows, hits: _Hits, begin: float, end: float, state: tuple[int, int, float], dropped: Dropped
) -> tuple[Labels, Labels] | None:
    """Quantizes the hits of one section.

    The floating-point operations and their order are those of ``note_seq`` (``_extract_subsequences``,
    ``quantize_to_step``), so that a note half-way between two steps is rounded in the same direction.

    Args:
        spec: Settings of the windows.
        hits: Hits of the section.
        begin: Start of the section in seconds.
        end: End of the section in seconds.
        state: Numerator, denominator and tempo of the section.
        dropped: Receives the reason if the section is dropped.

    Returns:
        Steps and labels, int64 ``[steps with hits]``; ``None`` if the section is dropped.
    """
    numerator, denominator, qpm = state
    if denominator <= 0 or denominator & (denominator - 1) or numerator == 0:
        dropped.reasons["bad_time_signature"] += 1
        dropped.time_signatures[f"{numerator}/{denominator}"] += 1
        return None
    if spec.steps_per_quarter * (4.0 / denominator * numerator) != spec.steps_per_bar:
        dropped.reasons["other_bar_length"] += 1
        dropped.time_signatures[f"{numerator}/{denominator}"] += 1
        return None
    steps_per_second = spec.steps_per_quarter * qpm / 60.0
    with np.errstate(all="ignore"):  # infinite times are found below
        start = (hits.start - begin) * steps_per_second + 0.5
        stop = (np.minimum(hits.end, end) - begin) * steps_per_second + 0.5
    if not (_all_below(start, LAST_STEP) and _all_below(stop, LAST_STEP)):
        dropped.reasons["bad_times"] += 1
        return None
    if qpm < 0 or stop.min() <= -1.0:  # a note without an end time, in a section that begins later
        dropped.reasons["negative_times"] += 1
        return None
    known = hits.bit != 0
    steps = start[known].astype(np.int64)
    order = np.argsort(steps, kind="stable")
    steps, bits = steps[order], hits.bit[known][order]
    new = np.append(0, np.flatnonzero(steps[1:] != steps[:-1]) + 1)
    labels: Labels = np.bitwise_or.reduceat(bits, new)
    return steps[new], labels


def _all_below(values: npt.NDArray[np.float64], limit: float) -> bool:
    """Returns True if the absolute value of every element is below the limit; False with NaN."""
    return bool((np.abs(values) < limit).all())


def _stretches(spec: DrumWindows, steps: Labels, bits: Labels, dropped: Dropped) -> Iterator[tuple[int, Labels]]:
    """Yields the stretches of a section with at least one window: first step, and labels ``[bars, steps_per_bar]``.

    As in ``extract_drum_tracks``, the search for the next stretch begins at the bar line behind a stretch. Hits after a
    pause shorter than a bar, but before that line, are lost (``after_gap``).
    """
    bar = spec.steps_per_bar
    pauses = steps[1:] - steps[:-1] - 1
    gap = spec.gap_bars * bar if spec.gap_bars else float("inf")
    ends = [*(np.flatnonzero(pauses >= gap) + 1).tolist(), len(steps)]
    begin = 0
    for end in ends:
        if end <= begin:
            continue  # the pause lies in the last bar of an earlier stretch
        origin = int(steps[begin]) // bar * bar
        bars = (int(steps[end - 1]) - origin) // bar + 1
        following = int(np.searchsorted(steps, origin + bars * bar))
        dropped.reasons["after_gap"] += following - end
        if spec.max_bars and bars > spec.max_bars:
            dropped.reasons["cut_off"] += 1
            bars = spec.max_bars
        if bars < spec.slice_bars:
            dropped.reasons["too_short"] += 1
        else:
            kept = slice(begin, int(np.searchsorted(steps[:end], origin + bars * bar)))
            labels = np.zeros(bars * bar, np.int64)
            labels[steps[kept] - origin] = bits[kept]
            yield origin, labels.reshape(bars, bar)
        begin = following


def _slices(spec: DrumWindows, stretch: Labels) -> Iterator[bytes]:
    """Yields the windows of a stretch, one at each bar, as the bytes of their labels."""
    data = stretch.tobytes()
    bar, window = spec.steps_per_bar * 8, spec.steps * 8
    for begin in range(0, len(data) - window + 1, bar):
        yield data[begin : begin + window]
