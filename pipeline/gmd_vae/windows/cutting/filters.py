"""Filters of sections, as in Magenta's script ``preprocess_tfrecord``.

As in the script, each section (``section_times``) is tested by itself. Here all filters
are off by default; in the script most are on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_arrays import Notes, read_notes
from gmd_vae.windows.cutting.beat_time import Music, at_one_tempo
from gmd_vae.windows.cutting.drum_windows import LAST_STEP, DrumExtractor, PlacedWindow, placed_windows, section_times
from gmd_vae.windows.extraction import Dropped, Extraction, Labels, Layout

_STEPS_PER_QUARTER = 16  # resolution of the script's metric positions
_POSITIONS = 16  # number of metric positions: those within a quarter


@dataclasses.dataclass(frozen=True)
class Filters:
    """Conditions on a section. The names are the flags of Magenta's script.

    Attributes:
        max_total_time: Maximum time from the start of a section to the end of its last note, in seconds.
        max_num_notes: Maximum number of notes in a section.
        min_velocities: Minimum number of different velocities above 0.
        min_metric_positions: Minimum number of different positions of notes within a quarter, out of 16.
        is_drum: Notes that count for the two minimums: drum notes (True), other notes (False), all (``None``).
        drums_only: Accepts only sections with drum notes alone.
        max_time_splits: Maximum number of sections in a NoteSequence; with more, all sections are refused.
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
        """True if a filter may refuse a section."""
        return dataclasses.replace(self, is_drum=None) != NO_FILTERS

    def describe(self) -> dict[str, Any]:
        """Returns the filters that are on, for a manifest."""
        given = dataclasses.asdict(self) if self.is_on else {}
        return {name: value for name, value in given.items() if value != getattr(NO_FILTERS, name)}


NO_FILTERS = Filters()

# The script's defaults. ``max_time_splits`` is no flag of the script: it is always on there.
STOCK_FILTERS = Filters(
    max_total_time=1800, max_num_notes=10_000, min_velocities=1, min_metric_positions=1, max_time_splits=100
)


def refused_sections(filters: Filters, music: Music) -> dict[int, str]:
    """Finds the sections that the filters refuse.

    If any filter is on, a section that cannot be quantized is refused too, as in the script. NoteSequences that make
    the script fail (quantized ones, times that are not numbers) may pass here; the extractors refuse them.

    Args:
        filters: Conditions on a section.
        music: NoteSequence and its notes.

    Returns:
        Number of each refused section with notes, from 0, in the order of ``section_times`` → first reason, a key of
        ``REASONS``.
    """
    split = section_times(music.sequence) if filters.is_on else None
    if split is None or not split[1]:
        return {}
    notes = music.notes
    times, states = split
    sections = _sections_of(notes, times)
    order = np.argsort(sections, kind="stable")
    order = order[np.searchsorted(sections[order], 0) : np.searchsorted(sections[order], len(states))]
    notes, sections = _select(notes, order), sections[order]
    present = np.unique(sections)
    if filters.max_time_splits is not None and len(states) > filters.max_time_splits:
        return dict.fromkeys(present.tolist(), "too_many_splits")
    refused = {}
    bounds = np.append(np.searchsorted(sections, present), len(sections)).tolist()
    for number, begin, end in zip(present.tolist(), bounds, bounds[1:], strict=False):
        members = _select(notes, slice(begin, end))
        limits = times[number], times[number + 1]
        if reason := _reason(filters, members, *limits, states[number], music):
            refused[number] = reason
    return refused


def accepted_notes(sequence: Any, notes: Notes, refused: Collection[int]) -> Notes:
    """Returns the notes outside of the refused sections.

    Args:
        sequence: NoteSequence.
        notes: Notes of the sequence.
        refused: Numbers of the refused sections.
    """
    split = section_times(sequence)
    if split is None or not refused:
        return notes
    return _select(notes, ~np.isin(_sections_of(notes, split[0]), list(refused)))


def _sections_of(notes: Notes, times: list[float]) -> Labels:
    """Returns the section number of each note, int64 ``[notes]``; -1 before the first, their count after the last."""
    return np.searchsorted(np.array(times), notes.start, side="right") - 1


def _select(notes: Notes, selection: Any) -> Notes:
    return Notes(*(column[selection] for column in notes))


def _reason(
    filters: Filters,
    notes: Notes,
    begin: float,
    end: float,
    state: tuple[int, int, float],
    music: Music,
) -> str | None:
    """Returns the first reason to refuse a section, in the order of the script's tests; ``None`` if it is accepted.

    Args:
        filters: Conditions on the section.
        notes: Notes of the section.
        begin: Start of the section in seconds.
        end: End of the section in seconds.
        state: Numerator, denominator and tempo of the section.
        music: The whole NoteSequence.
    """
    stop = np.minimum(notes.end, end) - begin
    length = np.fmax.reduce(stop, initial=0.0)
    if music.tempos is not None:
        length = float(music.given_seconds(begin + length) - music.given_seconds(begin))
    if filters.max_total_time is not None and length > filters.max_total_time:
        return "too_long"
    if filters.max_num_notes is not None and len(notes.start) > filters.max_num_notes:
        return "too_many_notes"
    numerator, denominator, qpm = state
    if denominator <= 0 or denominator & (denominator - 1) or numerator == 0:
        return "bad_time_signature"
    steps_per_second = _STEPS_PER_QUARTER * qpm / 60.0
    with np.errstate(all="ignore"):  # infinite times are found below
        steps = np.array([notes.start - begin, stop]) * steps_per_second + 0.5
    if not (np.abs(steps) < LAST_STEP).all():
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
    """A ``DrumExtractor`` with section filters.

    Attributes:
        spec: Settings of the windows.
        filters: Conditions on sections.
    """

    spec: DrumWindows
    filters: Filters

    @property
    def layout(self) -> Layout:
        """Format of the windows: labels."""
        return DrumExtractor(self.spec).layout

    @property
    def settings(self) -> dict[str, Any]:
        """Fields of the spec. The manifest lists the filters separately."""
        return DrumExtractor(self.spec).settings

    def __call__(self, record: bytes) -> Extraction:
        """Returns the windows of the accepted sections of one NoteSequence."""
        from google.protobuf.message import DecodeError

        dropped = Dropped()
        try:
            sequence, notes = read_notes(record)
        except DecodeError:
            dropped.reasons["unreadable"] += 1
            return Extraction("", np.zeros((0, self.spec.steps), np.int64), dropped)
        music = at_one_tempo(sequence, notes)
        rows = [window.data for window in accepted_windows(self.spec, self.filters, music, dropped)]
        labels: Labels = np.frombuffer(b"".join(rows), np.int64).reshape(-1, self.spec.steps)
        return Extraction(sequence.id or sequence.filename, labels, dropped)


def accepted_windows(spec: DrumWindows, filters: Filters, music: Music, dropped: Dropped) -> Iterable[PlacedWindow]:
    """Returns the windows of the sections that the filters accept, as ``placed_windows`` does.

    Args:
        spec: Settings of the windows.
        filters: Conditions on sections.
        music: NoteSequence and its notes.
        dropped: Receives the counts of refused sections and of the music that gives no window.
    """
    refused = refused_sections(filters, music)
    dropped.reasons.update(refused.values())
    accepted = accepted_notes(music.sequence, music.notes, refused)
    if refused and not len(accepted.start):
        return ()
    return placed_windows(spec, music.sequence, dropped, accepted)
