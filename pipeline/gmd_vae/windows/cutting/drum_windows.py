"""Drum windows of a NoteSequence: what Magenta's ``DrumsConverter`` cuts, found with arrays.

Mirrors ``magenta.models.music_vae.data.DrumsConverter.to_tensors`` and what it calls:
``note_seq.sequences_lib.split_note_sequence_on_time_changes`` and ``quantize_note_sequence``,
``magenta.pipelines.drum_pipelines.extract_drum_tracks``, ``note_seq.drums_lib.DrumTrack``. The
windows are the same, each as often as there (a test compares them); only the order differs:
Magenta's comes from a Python set (``magenta_order`` gives it), ours is the order of time.

Terms: a *section* lies between two changes of tempo or time signature. A *stretch* is a run of
drum hits in a section without a pause of ``gap_bars``; it begins and ends on a bar line. A *window*
is ``slice_bars`` of a stretch, beginning on a bar line.
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

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_arrays import Notes, notes_of, read_notes
from gmd_vae.windows.extraction import Dropped, Extraction, Labels, Layout

LONGEST_GAP_BARS = 1000  # without max_bars, a pause inside a stretch costs memory: about 2 MB at most
_MAX_CLASSES = 62  # labels are int64
_LAST_STEP = 2.0**62  # Magenta raises where a step does not fit int64
_DEFAULT_TIME = (4, 4, 120.0)  # a NoteSequence without them is in 4/4, at 120 quarters per minute


@dataclasses.dataclass(frozen=True)
class DrumExtractor:
    """The ``Extractor`` of a ``DrumWindows`` spec. Picklable, cheap to make.

    Raises:
        ValueError: the spec has more than 62 drum classes, no whole window, or neither a longest
            stretch (``max_bars``) nor a longest pause (``gap_bars``), so that one late note in a
            file could ask for all memory.
    """

    spec: DrumWindows

    def __post_init__(self) -> None:
        spec = self.spec
        if not 1 <= len(spec.pitch_classes) <= _MAX_CLASSES:
            raise ValueError(f"pitch_classes must be 1 to {_MAX_CLASSES} classes, not {len(spec.pitch_classes)}")
        if min(spec.slice_bars, spec.steps_per_quarter, spec.quarters_per_bar) < 1:
            raise ValueError("slice_bars, steps_per_quarter and quarters_per_bar must be 1 or more")
        if not spec.max_bars and not 0 < (spec.gap_bars or 0) <= LONGEST_GAP_BARS:
            raise ValueError(f"without max_bars, gap_bars must be above 0 and at most {LONGEST_GAP_BARS}")

    @property
    def layout(self) -> Layout:
        """Labels of ``steps`` steps."""
        spec = self.spec
        return Layout("labels", spec.steps, len(spec.pitch_classes), spec.input_depth, spec.output_depth)

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of the spec."""
        return dataclasses.asdict(self.spec)

    def __call__(self, record: bytes) -> Extraction:
        """The windows of one NoteSequence; see ``extract_drum_windows``."""
        return extract_drum_windows(self.spec, record)


def extract_drum_windows(spec: DrumWindows, record: bytes) -> Extraction:
    """Every window of a NoteSequence, each once per section, in the order of time.

    Args:
        spec: how to cut. ``DrumExtractor`` checks it.
        record: a NoteSequence in protobuf wire format.

    Returns:
        An ``Extraction`` with labels, int64 [n, spec.steps], and the counts of what gave no window.
        Where Magenta raises (times that are not numbers, a quantized NoteSequence), the music in
        question is dropped and counted. One difference is meant: a section with a tempo below 0 is
        always dropped; Magenta keeps it if all its notes fall on the first step.
    """
    from google.protobuf.message import DecodeError

    dropped = Dropped()
    nothing = np.zeros((0, spec.steps), np.int64)
    try:
        sequence, notes = read_notes(record)
    except DecodeError:
        dropped.reasons["unreadable"] += 1
        return Extraction("", nothing, dropped)
    rows = [window.data for window in placed_windows(spec, sequence, dropped, notes)]
    labels: Labels = np.frombuffer(b"".join(rows), np.int64).reshape(-1, spec.steps)
    return Extraction(sequence.id or sequence.filename, labels, dropped)


class PlacedWindow(NamedTuple):
    """A window and the place of its first occurrence.

    Attributes:
        section: its number, from 0, of those that `section_times` gives.
        step: of the section, where the window begins; a bar line.
        data: its labels' bytes, int64 [spec.steps].
    """

    section: int
    step: int
    data: bytes


def placed_windows(
    spec: DrumWindows, sequence: Any, dropped: Dropped, notes: Notes | None = None
) -> Iterator[PlacedWindow]:
    """The windows of ``extract_drum_windows``, in its order.

    Args:
        spec: how to cut.
        sequence: a NoteSequence.
        dropped: the counts of what gave no window are added to it.
        notes: those of the sequence, if they are not in it.
    """
    stretches_found = placed_stretches(spec, sequence, dropped, notes)
    by_section = itertools.groupby(stretches_found, lambda stretch: stretch.section)
    for section, stretches in by_section:
        distinct: dict[bytes, int] = {}
        found = 0
        for stretch in stretches:
            for number, window in enumerate(_slices(spec, stretch.labels)):
                found += 1
                distinct.setdefault(window, stretch.step + number * spec.steps_per_bar)
        dropped.reasons["repeated"] += found - len(distinct)
        yield from (PlacedWindow(section, step, window) for window, step in distinct.items())


class PlacedStretch(NamedTuple):
    """A stretch that is at least one window long.

    Attributes:
        section: its number, as in `PlacedWindow`.
        step: of the section, where the stretch begins; a bar line.
        labels: int64 ``[bars, steps_per_bar]``.
    """

    section: int
    step: int
    labels: Labels


def placed_stretches(
    spec: DrumWindows, sequence: Any, dropped: Dropped, notes: Notes | None = None
) -> Iterator[PlacedStretch]:
    """The stretches that windows are cut from, in the order of time; see ``placed_windows``."""
    hits = _read_hits(spec, notes or notes_of(sequence), dropped)
    if hits is None:
        return
    for section, steps, bits in _sections(spec, sequence, hits, dropped):
        for origin, labels in _stretches(spec, steps, bits, dropped):
            yield PlacedStretch(section, origin, labels)


class _Hits(NamedTuple):
    """The notes of a sequence. ``start`` and ``end`` in seconds; ``bit`` is 0 for no known drum."""

    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    bit: Labels


@functools.lru_cache(maxsize=8)
def _pitch_bits(pitch_classes: tuple[tuple[int, ...], ...]) -> Labels:
    """MIDI pitch → its class as a bit, 0 for none. int64 [128]. As Magenta, the last class wins."""
    bits = np.zeros(128, np.int64)
    for number, pitches in enumerate(pitch_classes):
        bits[list(pitches)] = 1 << number
    return bits


def _read_hits(spec: DrumWindows, notes: Notes, dropped: Dropped) -> _Hits | None:
    """The notes with their classes; None if no drum of a known class is among them."""
    pitch = notes.pitch
    heard = notes.is_drum & (notes.velocity != 0)
    in_range = (pitch >= 0) & (pitch < 128)
    bit = np.where(heard & in_range, _pitch_bits(spec.pitch_classes)[np.where(in_range, pitch, 0)], 0)
    if not heard.any():
        dropped.reasons["no_drums"] += 1
        return None
    dropped.pitches = Counter(pitch[heard & (bit == 0)].tolist())
    if not bit.any():
        dropped.reasons["no_known_drums"] += 1
        return None
    return _Hits(notes.start, notes.end, bit)


def section_times(sequence: Any) -> tuple[list[float], list[tuple[int, int, float]]] | None:
    """Where sections begin and end (seconds), and each one's numerator, denominator and tempo.

    None if a change has a time that is not a number. Mirrors
    ``split_note_sequence_on_time_changes``: a change that changes nothing does not split, nor does
    one at or after ``total_time``.
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
    """Yields, for each section with drums and bars of the right length, its number and its hits quantized.

    Two arrays, int64 [hits]: the step, ascending and without repeats, and the label at that step.
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
    """A section's steps and labels, or None with the reason counted.

    The floating-point operations and their order are Magenta's (``_extract_subsequences``,
    ``quantize_to_step``): a note half-way between two steps falls on the same side.
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
    with np.errstate(all="ignore"):  # infinite times are looked for below
        start = (hits.start - begin) * steps_per_second + 0.5
        stop = (np.minimum(hits.end, end) - begin) * steps_per_second + 0.5
    if not (_all_below(start, _LAST_STEP) and _all_below(stop, _LAST_STEP)):
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
    """Whether every value is a number within ±limit: false for NaN."""
    return bool((np.abs(values) < limit).all())


def _stretches(spec: DrumWindows, steps: Labels, bits: Labels, dropped: Dropped) -> Iterator[tuple[int, Labels]]:
    """Yields the stretches of a section that hold a window: first step, and labels, int64 [bars, steps_per_bar].

    Mirrors ``extract_drum_tracks``: after a stretch, the search goes on at the bar line behind its
    last hit, so a hit between a pause shorter than a bar and that line is lost.
    """
    bar = spec.steps_per_bar
    pauses = steps[1:] - steps[:-1] - 1
    gap = spec.gap_bars * bar if spec.gap_bars else float("inf")
    ends = [*(np.flatnonzero(pauses >= gap) + 1).tolist(), len(steps)]
    begin = 0
    for end in ends:
        if end <= begin:
            continue  # the pause lies in the bar that an earlier stretch ended in
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
    """Yields the windows of a stretch, one beginning at each bar, as the bytes of their labels."""
    data = stretch.tobytes()
    bar, window = spec.steps_per_bar * 8, spec.steps * 8
    for begin in range(0, len(data) - window + 1, bar):
        yield data[begin : begin + window]
