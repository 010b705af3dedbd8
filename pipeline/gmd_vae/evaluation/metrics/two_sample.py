"""A classifier that separates windows from held-out windows: the better the windows, the worse it does.

Source: Lopez-Paz & Oquab 2017, "Revisiting Classifier Two-Sample Tests" (ICLR). They report the accuracy; the area
under the ROC curve (AUC) needs no threshold.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, divide

FOLDS = 5
_ROOM = 1.5  # largest size of a fold in its share: a model that always plays one window must not fill one fold

Integers = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Separation:
    """Outcome of one classifier on the held-out windows, as sums over which a bootstrap can run.

    Attributes:
        wins: For each held-out window, the number of other windows of its fold with a higher score; equal scores
            count half. ``[n]``.
        pairs: Number of other windows of its fold, ``[n]``.
    """

    wins: Floats
    pairs: Floats

    def auc(self, resampler: FileResampler) -> Estimate:
        """Estimates the AUC over the pairs of two windows of one fold.

        Args:
            resampler: Resampler of the held-out windows. The interval holds for these other windows and classifiers.
        """
        return resampler.ratio(self.wins, self.pairs)

    def auc_above(self, yardstick: Separation, resampler: FileResampler) -> Estimate:
        """Estimates the difference of two AUCs on the same held-out windows; arguments as of ``auc``."""
        columns = np.stack([self.wins, self.pairs, yardstick.wins, yardstick.pairs], axis=1)
        return resampler.statistic(
            columns, lambda sums: divide(sums[..., 0], sums[..., 1]) - divide(sums[..., 2], sums[..., 3])
        )


def split_by_file(files: Integers) -> Integers:
    """Assigns windows to folds of about the same size, the windows of a file together.

    Windows of one recording repeat each other. With some of them among the windows that it is trained on, a classifier
    recognises the recording, and separates even training windows from held-out windows nearly always.

    Args:
        files: Number of each window's file, ``[n]``.

    Returns:
        Fold of each window, ``[n]``; ``FOLDS`` folds, or one for each file if there are fewer files.
    """
    numbers, number_of, counts = np.unique(files, return_inverse=True, return_counts=True)
    sizes = np.zeros(min(FOLDS, len(numbers)), np.int64)
    fold_of = np.zeros(len(numbers), np.int64)
    for place in np.argsort(-counts, kind="stable"):  # the largest file first, each to the smallest fold
        fold_of[place] = sizes.argmin()
        sizes[fold_of[place]] += counts[place]
    return np.asarray(fold_of[number_of])


def split_like(nearest: Integers, groups: Integers, folds: Integers) -> Integers:
    """Assigns other windows to the folds of the held-out windows that they are nearest to.

    So a copy of a held-out window, or another window of the same file, is in its fold. Else a classifier would be
    trained on the copy as a sample, and tested on the original.

    Args:
        nearest: Number of the nearest held-out window of each window, ``[m]``.
        groups: Number of each window's file, ``[m]``; samples have one each. A file goes where most of its windows are
            nearest to. Where a fold is full, which is at ``_ROOM`` times its share, the file goes to the emptiest fold.
        folds: Fold of each held-out window, ``[n]``.

    Returns:
        Fold of each window, ``[m]``.
    """
    sizes = np.bincount(folds)
    room = np.maximum(1, _ROOM * sizes * len(nearest) / len(folds))
    filled = np.zeros(len(sizes))
    result = np.zeros(len(nearest), np.int64)
    order = np.argsort(groups, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        fold = int(np.bincount(folds[nearest[rows]]).argmax())
        if filled[fold] and filled[fold] + len(rows) > room[fold]:
            fold = int((filled / room).argmin())
        result[rows] = fold
        filled[fold] += len(rows)
    return result


def separate(held_out: Floats, folds: Integers, other: Floats, other_folds: Integers) -> Separation | None:
    """Trains classifiers to separate two sets of windows, each tested on the fold that it was not trained on.

    The classifier is gradient boosting on small trees (scikit-learn's ``HistGradientBoostingClassifier``): unlike a
    linear one it also separates samples that are thinner and denser than music while their mean is right.

    Args:
        held_out: Features of the held-out windows, ``[n, k]``.
        folds: Fold of each of them, ``[n]``.
        other: Features of the other windows, ``[m, k]``.
        other_folds: Fold of each of them, ``[m]``.

    Returns:
        The outcome; ``None`` if a set has a single fold.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    if min(len(np.unique(folds)), len(np.unique(other_folds))) < 2:
        return None
    wins, pairs = np.zeros(len(held_out)), np.zeros(len(held_out))
    for fold in np.unique(other_folds):
        tested, other_tested = folds == fold, other_folds == fold
        learned = np.concatenate([held_out[~tested], other[~other_tested]])
        is_other = np.arange(len(learned)) >= (~tested).sum()
        model = HistGradientBoostingClassifier(
            max_iter=40, learning_rate=0.15, max_leaf_nodes=8, l2_regularization=1.0, early_stopping=False
        )
        # one thread: sums do not depend on the number of cores, and the data are small
        with threadpool_limits(1):
            model.fit(learned, is_other)
            scores, other_scores = (model.predict_proba(part)[:, 1] for part in (held_out[tested], other[other_tested]))
        ordered = np.sort(other_scores)
        below, not_above = (np.searchsorted(ordered, scores, side) for side in ("left", "right"))
        wins[tested] = len(ordered) - (below + not_above) / 2
        pairs[tested] = len(ordered)
    return Separation(wins, pairs)
