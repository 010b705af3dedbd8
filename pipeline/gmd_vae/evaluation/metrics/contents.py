"""Hits and features of windows, in drum labels and in codes of streams: sets of windows are compared by them."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import Meter
from gmd_vae.evaluation.data.arrays import Floats, Labels, to_hits
from gmd_vae.evaluation.data.coding import Classes, StreamCoding
from gmd_vae.evaluation.metrics import rhythm
from gmd_vae.evaluation.metrics.stream_accuracy import FIRST_PITCH, is_drums, onsets, shared_onsets
from gmd_vae.families.output_spec import Stream

_MOST_CLASSES = 16  # with more drum classes, pairs of them are no features: a full drum kit has 1,830 pairs
_SEMITONES = 12
_STEP, _LEAP = 2, 7  # semitones: the largest step of a melody, and the largest interval that is no leap

Integers = npt.NDArray[np.int64]


class Contents(Protocol):
    """The music in windows ``[n, steps]`` of one family."""

    @property
    def steps_per_bar(self) -> int:
        """Steps in one bar."""

    @property
    def bits(self) -> int:
        """Bits of a label or code."""

    def is_step(self, windows: Labels) -> npt.NDArray[np.bool_]:
        """Returns False for the steps after the end of a shorter window, ``[n, steps]``."""

    def hits(self, windows: Labels) -> Integers:
        """Counts the hits, or the notes that begin, at each step, ``[n, steps]``."""

    def shared(self, before: Labels, after: Labels) -> Integers:
        """Counts the hits that both have at each step: same drum class, or same stream and pitch."""

    def features(self, windows: Labels) -> Floats:
        """Computes the features that a classifier separates windows by, float64 ``[n, k]``."""


@dataclasses.dataclass(frozen=True)
class DrumContents:
    """The music in drum labels.

    Attributes:
        bits: Number of drum classes.
        meter: Bars and beats in steps.
    """

    bits: int
    meter: Meter

    @property
    def steps_per_bar(self) -> int:
        """Steps in one bar."""
        return self.meter.steps_per_bar

    def is_step(self, windows: Labels) -> npt.NDArray[np.bool_]:
        """Returns True everywhere."""
        return np.ones(windows.shape, bool)

    def hits(self, windows: Labels) -> Integers:
        """Counts the hits at each step."""
        return np.asarray(np.bitwise_count(windows), np.int64)

    def shared(self, before: Labels, after: Labels) -> Integers:
        """Counts the hits of the same drum classes."""
        return np.asarray(np.bitwise_count(before & after), np.int64)

    def features(self, windows: Labels) -> Floats:
        """Computes rhythmic features. Measured on GMD, the cells of the windows themselves add nothing to them.

        - hits of each bar, of each drum class, and at each position of the bar;
        - silent steps, different labels, and repetition at several distances;
        - hits of each drum class that the bar before has too;
        - steps at which two drum classes begin together, for each pair of them;
        - syncopation, groove consistency and swing.
        """
        hits, per_bar, per_beat = to_hits(windows, self.bits), self.steps_per_bar, self.meter.steps_per_beat
        bars = hits.reshape(len(hits), -1, per_bar, self.bits)
        before, after = bars[:, :-1], bars[:, 1:]
        in_both, in_one = (part.sum(axis=(1, 2)) for part in (before & after, before | after))
        columns = [
            *(bars.sum(axis=axes) for axes in ((2, 3), (1, 2), (1, 3))),
            *_repetition(self, windows),
            in_both / np.maximum(in_one, 1),
            rhythm.syncopation(hits, per_bar, per_beat),
            rhythm.groove_consistency(hits, per_bar),
            rhythm.swing(hits, per_bar, per_beat),
        ]
        if self.bits <= _MOST_CLASSES:
            values = hits.astype(np.float32)
            first, second = np.triu_indices(self.bits, 1)
            columns.append((values.transpose(0, 2, 1) @ values)[:, first, second])
        return _table(columns)


@dataclasses.dataclass(frozen=True)
class StreamContents:
    """The music in codes of melodies and trios.

    Attributes:
        coding: Coding of the streams.
    """

    coding: StreamCoding

    @property
    def steps_per_bar(self) -> int:
        """Steps in one bar."""
        return self.coding.output.steps_per_bar

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return self.coding.bits

    def is_step(self, windows: Labels) -> npt.NDArray[np.bool_]:
        """Returns False after the end of a shorter window."""
        return np.asarray(windows > 0)

    def hits(self, windows: Labels) -> Integers:
        """Counts the notes and drums that begin at each step."""
        classes = self.coding.split(windows)
        counts = [onsets(classes[..., place], stream) for place, stream in self._streams]
        return np.asarray(np.sum(counts, axis=0), np.int64)

    def shared(self, before: Labels, after: Labels) -> Integers:
        """Counts the notes of the same stream and pitch, and the same drums."""
        one, other = self.coding.split(before), self.coding.split(after)
        counts = [shared_onsets(one[..., place], other[..., place], stream) for place, stream in self._streams]
        return np.asarray(np.sum(counts, axis=0), np.int64)

    def features(self, windows: Labels) -> Floats:
        """Computes features of rhythm and, of each melodic stream, of pitch.

        - notes that begin in each bar and at each position of the bar, of each stream;
        - steps without a beginning, different codes, and repetition at several distances;
        - of drums, the hits of each class;
        - of melodies, pitch classes, lowest, mean and highest pitch, and shares of small and large intervals.
        """
        classes, count = self.coding.split(windows), len(windows)
        columns: list[npt.NDArray[np.generic]] = list(_repetition(self, windows))
        for place, stream in self._streams:
            begins = onsets(classes[..., place], stream).reshape(count, -1, self.steps_per_bar)
            columns += [begins.sum(axis=2), begins.sum(axis=1)]
            if is_drums(stream):
                labels = np.maximum(classes[..., place], 0)
                columns.append(to_hits(labels, (stream.classes - 1).bit_length()).sum(axis=1))
            else:
                columns.append(np.array([_pitch_features(window) for window in classes[..., place]]))
        return _table(columns)

    @property
    def _streams(self) -> tuple[tuple[int, Stream], ...]:
        return tuple(enumerate(self.coding.output.streams))


def _pitch_features(classes: Classes) -> list[float]:
    """Returns pitch classes, range and intervals of the notes of one melody, ``[steps]``."""
    pitches = classes[classes >= FIRST_PITCH].astype(np.int64)
    of_class = np.bincount(pitches % _SEMITONES, minlength=_SEMITONES)
    if not len(pitches):
        return [*of_class.tolist(), *[0.0] * 6]
    intervals = np.abs(np.diff(pitches))
    number = max(1, len(intervals))
    shares = [part.sum() / number for part in (intervals == 0, intervals <= _STEP, intervals > _LEAP)]
    return [*of_class.tolist(), pitches.min(), pitches.mean(), pitches.max(), *shares]


def _repetition(contents: Contents, windows: Labels) -> list[Floats]:
    """Returns silent steps, different steps, and the repetition up to two beats and at whole bars."""
    steps, per_bar = windows.shape[1], contents.steps_per_bar
    hits = contents.hits(windows)
    columns: list[Floats] = [
        (hits == 0).sum(axis=1).astype(np.float64),
        np.array([len(np.unique(window)) for window in windows], np.float64),
    ]
    for lag in sorted({*(lag for lag in (1, 2, 4, 8) if lag < steps), *range(per_bar, steps, per_bar)}):
        after, before = windows[:, lag:], windows[:, :-lag]
        shared = contents.shared(before, after).sum(axis=1)
        either = hits[:, lag:].sum(axis=1) + hits[:, :-lag].sum(axis=1) - shared
        columns += [(after == before).mean(axis=1), shared / np.maximum(either, 1)]
    return columns


def _table(columns: list[npt.NDArray[np.generic]]) -> Floats:
    """Joins columns ``[n]`` and ``[n, k]``."""
    return np.concatenate([np.asarray(part, np.float64).reshape(len(part), -1) for part in columns], axis=1)
