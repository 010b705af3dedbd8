"""Baselines of reconstruction for multitrack windows; ``baselines`` has those of labels and streams."""

from __future__ import annotations

import numpy as np

from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.data.coding import EventCoding

_QUERIES = 64  # windows compared with all others at one time
_DRAWS = 31  # second word of the RNG's seed, so that different draws are independent


def most_frequent_event(codes: Labels, training: Labels) -> Labels:
    """Predicts at each step the most frequent code that the training windows have there.

    Args:
        codes: True windows, ``[n, steps]``.
        training: Training windows, ``[m, steps]``, at least one. Of equally frequent codes the lowest is taken.

    Returns:
        ``[n, steps]``, dtype of ``training``.
    """
    most_frequent = []
    for column in training.T:
        values, counts = np.unique(column, return_counts=True)
        most_frequent.append(values[counts.argmax()])
    return np.tile(np.array(most_frequent, training.dtype), [len(codes), 1])


def random_training(codes: Labels, training: Labels, seed: int) -> Labels:
    """Predicts a training window drawn uniformly, independent of the true window.

    Args:
        codes: True windows, ``[n, steps]``.
        training: Training windows, ``[m, steps]``, at least one.
        seed: Seed of the draws.

    Returns:
        ``[n, steps]``, dtype of ``training``.
    """
    drawn: Labels = training[np.random.default_rng([seed, _DRAWS]).integers(len(training), size=len(codes))]
    return drawn


def nearest_by_events(codes: Labels, training: Labels, coding: EventCoding) -> Labels:
    """Predicts the training window that shares the most events, at any position (largest Dice coefficient).

    Args:
        codes: True windows, ``[n, steps]``.
        training: Training windows, ``[m, steps]``, at least one. Of equally near windows the first is taken.
        coding: Coding of both.

    Returns:
        ``[n, steps]``, dtype of ``training``.
    """
    queries, corpus = _counts(codes, coding), _counts(training, coding)
    sizes = queries.sum(axis=1)[:, None] + corpus.sum(axis=1)[None]
    chosen = np.zeros(len(codes), np.int64)
    for start in range(0, len(codes), _QUERIES):
        rows = slice(start, start + _QUERIES)
        shared = np.zeros((len(queries[rows]), len(corpus)), np.int64)
        for event in np.flatnonzero(queries[rows].any(axis=0)):
            shared += np.minimum(queries[rows, event, None], corpus[None, :, event])
        chosen[rows] = (2 * shared / np.maximum(sizes[rows], 1)).argmax(axis=1)
    nearest: Labels = training[chosen]
    return nearest


def _counts(codes: Labels, coding: EventCoding) -> Labels:
    """Returns the number of each event in each window, int32 ``[n, events]``, without ends: all windows have those."""
    events = coding.end
    flat = np.where((codes > 0) & (codes <= events), codes - 1, events) + np.arange(len(codes))[:, None] * (events + 1)
    counted = np.bincount(flat.reshape(-1), minlength=len(codes) * (events + 1)).reshape(len(codes), -1)
    return counted[:, :events].astype(np.int32)
