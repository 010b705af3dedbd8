"""The records that Magenta's script ``preprocess_tfrecord`` makes of one NoteSequence, for drum configs.

The code repeats ``ExtractExamplesDoFn``, ``DrumsConverter.from_tensors`` and ``note_seq.DrumTrack.to_sequence`` without
TensorFlow; a test compares the bytes.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

import numpy as np

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_arrays import read_notes
from gmd_vae.windows.cutting.beat_time import Music
from gmd_vae.windows.cutting.filters import STOCK_FILTERS, Filters, accepted_windows
from gmd_vae.windows.extraction import Dropped, Labels
from gmd_vae.windows.stock.order import MAGENTA_CAP, by_section, magenta_order

_QPM = 120.0
_TICKS_PER_QUARTER = 220
_VELOCITY = 80
_INSTRUMENT = 9


class StockExtraction(NamedTuple):
    """The script's records of one NoteSequence.

    Attributes:
        sequence_id: ``id`` of the NoteSequence; may be empty.
        sequences: A NoteSequence without an id for each window, in wire format; equal windows have equal bytes.
        dropped: Counts of the music that gave no record.
    """

    sequence_id: str
    sequences: list[bytes]
    dropped: Dropped


@dataclasses.dataclass(frozen=True)
class StockDrumExtractor:
    """The ``StockExtractor`` of drum windows.

    Attributes:
        spec: Settings of the windows, checked by ``DrumExtractor``.
        cap: Maximum number of windows of a section, the first in Magenta's order.
        filters: Conditions on sections.
    """

    spec: DrumWindows
    cap: int = MAGENTA_CAP
    filters: Filters = STOCK_FILTERS

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that the records depend on, for the manifest."""
        return {**self.spec.cutting, "cap": self.cap, "filters": self.filters.describe()}

    def __call__(self, record: bytes) -> StockExtraction:
        """Returns the script's records of one NoteSequence. Damaged music raises no error; it is counted."""
        from google.protobuf.message import DecodeError

        dropped = Dropped()
        try:
            sequence, notes = read_notes(record)
        except DecodeError:
            dropped.reasons["unreadable"] += 1
            return StockExtraction("", [], dropped)
        sequences: list[bytes] = []
        accepted = accepted_windows(self.spec, self.filters, Music(sequence, notes), dropped)
        for _, placed in by_section(accepted):
            windows = magenta_order([window.data for window in placed])
            dropped.reasons["capped"] += max(0, len(windows) - self.cap)
            for window in windows[: self.cap]:
                labels = np.frombuffer(window, np.int64)
                if _is_reproduced(self.spec, labels):
                    sequences.append(drum_sequence(self.spec, labels))
                else:
                    dropped.reasons["not_reproduced"] += 1
        return StockExtraction(sequence.id, sequences, dropped)


def _is_reproduced(spec: DrumWindows, labels: Labels) -> bool:
    """Returns True if the NoteSequence of a window gives a window again; else the script drops it.

    It does if the drums begin in the first bar, end in the last bar, and have no pause that ends a stretch.
    """
    steps = np.flatnonzero(labels)
    if not len(steps) or steps[0] >= spec.steps_per_bar or steps[-1] < len(labels) - spec.steps_per_bar:
        return False
    longest = int(np.max(np.diff(steps), initial=1)) - 1
    return not spec.gap_bars or longest < spec.gap_bars * spec.steps_per_bar


def drum_sequence(spec: DrumWindows, labels: Labels) -> bytes:
    """Returns the NoteSequence that ``DrumsConverter.from_tensors`` makes of a window, in wire format.

    Args:
        spec: Settings of the window.
        labels: Drum labels, int64 ``[spec.steps]``.
    """
    writer = _writer(spec)
    notes = [writer.notes(step, label) for step, label in enumerate(labels.tolist()) if label]
    steps = int(np.max(np.flatnonzero(labels), initial=-1)) + 1
    return writer.beginning + b"".join(notes) + writer.ending(steps)


class _Writer:
    """Writes NoteSequences piece by piece in wire format, and caches the pieces.

    The pieces are in the order of protobuf's field numbers: beginning, notes, ending.
    """

    def __init__(self, spec: DrumWindows) -> None:
        from gmd_vae.midi.note_sequence import NoteSequence

        sequence = NoteSequence(ticks_per_quarter=_TICKS_PER_QUARTER)
        sequence.tempos.add(qpm=_QPM)
        self.beginning: bytes = sequence.SerializeToString()
        self._message = NoteSequence
        self._first_pitches = [pitches[0] for pitches in spec.pitch_classes]
        self._seconds_per_step = 60.0 / _QPM / spec.steps_per_quarter
        self.notes = functools.lru_cache(maxsize=1 << 16)(self._notes)
        self.ending = functools.cache(self._ending)

    def _notes(self, step: int, label: int) -> bytes:
        """Returns the notes of a step, in the order of Python's frozensets, as Magenta writes them."""
        classes = frozenset(number for number in range(label.bit_length()) if label >> number & 1)
        sequence = self._message()
        for pitch in frozenset(self._first_pitches[number] for number in classes):
            sequence.notes.add(
                pitch=pitch,
                velocity=_VELOCITY,
                start_time=step * self._seconds_per_step,
                end_time=(step + 1) * self._seconds_per_step,
                instrument=_INSTRUMENT,
                is_drum=True,
            )
        data: bytes = sequence.SerializeToString()
        return data

    def _ending(self, steps: int) -> bytes:
        """Returns the total time of a number of steps."""
        data: bytes = self._message(total_time=steps * self._seconds_per_step).SerializeToString()
        return data


@functools.lru_cache(maxsize=4)
def _writer(spec: DrumWindows) -> _Writer:
    return _Writer(spec)
