"""Which sections of a NoteSequence Magenta's script ``preprocess_tfrecord`` would leave out.

The script cuts a NoteSequence into sections (between two changes of tempo or time signature) and looks
at each by itself; so do we. All filters are off by default here, most are on there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_arrays import Notes, read_notes
from gmd_vae.windows.cutting.drum_windows import DrumExtractor, PlacedWindow, placed_windows, section_times
from gmd_vae.windows.extraction import Dropped, Extraction, Labels, Layout

_STEPS_PER_QUARTER = 16  # how fine the script quantizes to see where notes lie
_POSITIONS = 16  # it counts positions within this many steps: a quarter
_LAST_STEP = 2.0**62  # note_seq raises where a step does not fit int64


@dataclasses.dataclass(frozen=True)
class Filters:
    """What a section must be to give windows. The names are the script's flags.

    Attributes:
        max_total_time: seconds from a section's beginning to the end of its last note.
        max_num_notes: notes in a section.
        min_velocities: different velocities above 0.
        min_metric_positions: different positions of notes within a quarter, of 16.
        is_drum: for the two minimums only drum notes count (True), or only others (False); None: all.
        drums_only: every note is a drum note.
        max_time_splits: a NoteSequence with more sections gives nothing at all.
    """

    max_total_time: float | None = None
    max_num_notes: int | None = None
    min_velocities: int = 0
    min_metric_positions: int = 0
    is_drum: bool | None = None
    drums_only: bool = False
    max_time_splits: int | None = None

    @property
    def is_on(self) -> bool:
        """Whether it may refuse anything."""
        return dataclasses.replace(self, is_drum=None) != NO_FILTERS

    def describe(self) -> dict[str, Any]:
        """Those that are on, for a manifest."""
        given = dataclasses.asdict(self) if self.is_on else {}
        return {name: value for name, value in given.items() if value != getattr(NO_FILTERS, name)}


NO_FILTERS = Filters()

# The script's defaults. The last one is not a flag there: it is always on.
STOCK_FILTERS = Filters(
    max_total_time=1800, max_num_notes=10_000, min_velocities=1, min_metric_positions=1, max_time_splits=100
)


def refused_sections(filters: Filters, sequence: Any, notes: Notes) -> dict[int, str]:
    """The sections with notes that give no windows, each with the first reason, a key of ``REASONS``.

    If any filter is on, a section that cannot be quantized is refused too, as by the script. Of
    sequences that the script dies of (quantized ones, times that are not numbers) some may pass: the
    extractors refuse them.

    Args:
        filters: what to ask of a section.
        sequence: a NoteSequence.
        notes: those of the sequence.

    Returns:
        The number of each refused section, from 0, of those that ``section_times`` gives.
    """
    split = section_times(sequence) if filters.is_on else None
    if split is None or not split[1]:
        return {}
    times, states = split
    sections = _sections_of(notes, times)
    order = np.argsort(sections, kind="stable")
    order = order[np.searchsorted(sections[order], 0) : np.searchsorted(sections[order], len(states))]
    notes, sections = _some(notes, order), sections[order]
    present = np.unique(sections)
    if filters.max_time_splits is not None and len(states) > filters.max_time_splits:
        return dict.fromkeys(present.tolist(), "too_many_splits")
    refused = {}
    bounds = np.append(np.searchsorted(sections, present), len(sections)).tolist()
    for number, begin, end in zip(present.tolist(), bounds, bounds[1:], strict=False):
        members = _some(notes, slice(begin, end))
        if reason := _reason(filters, members, times[number], times[number + 1], states[number]):
            refused[number] = reason
    return refused


def accepted_notes(sequence: Any, notes: Notes, refused: Collection[int]) -> Notes:
    """The notes that lie in no refused section."""
    split = section_times(sequence)
    if split is None or not refused:
        return notes
    return _some(notes, ~np.isin(_sections_of(notes, split[0]), list(refused)))


def _sections_of(notes: Notes, times: list[float]) -> Labels:
    """The number of each note's section; -1, or the number of sections, for those outside."""
    return np.searchsorted(np.array(times), notes.start, side="right") - 1


def _some(notes: Notes, which: Any) -> Notes:
    return Notes(*(column[which] for column in notes))


def _reason(filters: Filters, notes: Notes, begin: float, end: float, state: tuple[int, int, float]) -> str | None:
    """Why the notes of a section are refused; the questions are in the script's order."""
    stop = np.minimum(notes.end, end) - begin
    if filters.max_total_time is not None and np.fmax.reduce(stop, initial=0.0) > filters.max_total_time:
        return "too_long"
    if filters.max_num_notes is not None and len(notes.start) > filters.max_num_notes:
        return "too_many_notes"
    numerator, denominator, qpm = state
    if denominator <= 0 or denominator & (denominator - 1) or numerator == 0:
        return "bad_time_signature"
    steps_per_second = _STEPS_PER_QUARTER * qpm / 60.0
    with np.errstate(all="ignore"):  # infinite times are looked for below
        steps = np.array([notes.start - begin, stop]) * steps_per_second + 0.5
    if not (np.abs(steps) < _LAST_STEP).all():
        return "bad_times"
    if (steps <= -1.0).any():
        return "negative_times"
    counted = notes.velocity > 0
    if filters.is_drum is not None:
        counted &= notes.is_drum == filters.is_drum
    if len(np.unique(notes.velocity[counted])) < filters.min_velocities:
        return "few_velocities"
    if len(np.unique(steps[0][counted].astype(np.int64) % _POSITIONS)) < filters.min_metric_positions:
        return "few_positions"
    if filters.drums_only and not notes.is_drum.all():
        return "not_only_drums"
    return None


@dataclasses.dataclass(frozen=True)
class FilteredDrumExtractor:
    """A ``DrumExtractor`` that leaves out the sections that filters refuse."""

    spec: DrumWindows
    filters: Filters

    @property
    def layout(self) -> Layout:
        """As without the filters."""
        return DrumExtractor(self.spec).layout

    @property
    def settings(self) -> dict[str, Any]:
        """As without the filters, which do not shape a window."""
        return DrumExtractor(self.spec).settings

    def __call__(self, record: bytes) -> Extraction:
        """The windows of one NoteSequence; see ``extract_drum_windows``."""
        from google.protobuf.message import DecodeError

        dropped = Dropped()
        try:
            sequence, notes = read_notes(record)
        except DecodeError:
            dropped.reasons["unreadable"] += 1
            return Extraction("", np.zeros((0, self.spec.steps), np.int64), dropped)
        rows = [window.data for window in accepted_windows(self.spec, self.filters, sequence, notes, dropped)]
        labels: Labels = np.frombuffer(b"".join(rows), np.int64).reshape(-1, self.spec.steps)
        return Extraction(sequence.id or sequence.filename, labels, dropped)


def accepted_windows(
    spec: DrumWindows, filters: Filters, sequence: Any, notes: Notes, dropped: Dropped
) -> Iterable[PlacedWindow]:
    """``placed_windows`` of the sections that the filters do not refuse; the others are counted in ``dropped``."""
    refused = refused_sections(filters, sequence, notes)
    dropped.reasons.update(refused.values())
    left = accepted_notes(sequence, notes, refused)
    if refused and not len(left.start):
        return ()
    return placed_windows(spec, sequence, dropped, left)
