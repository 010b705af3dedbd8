"""Linear decodability of style: does a straight cut through latent space tell the styles apart?"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.label_data import Floats
from gmd_vae.evaluation.latent.posterior import Latents
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, divide

_SHUFFLES = 5  # one alone is chance itself: on GMD their balanced accuracies lie between 0.04 and 0.13
_ITERATIONS = 1000  # a limit that is never reached: on GMD it takes about 50

Integers = npt.NDArray[np.integer[Any]]


@dataclasses.dataclass(frozen=True)
class Decodability:
    """Scores of a linear classifier on z, beside two that know nothing of the music; intervals over files.

    Attributes:
        accuracy: share of the held-out windows whose style is right.
        balanced_accuracy: mean over the styles of the share of their windows that is right, so that
            the common styles count no more than the rare ones (Brodersen et al. 2010, "The Balanced
            Accuracy and Its Posterior Distribution").
        shuffled_accuracy: of the same classifier, trained on styles shuffled among the training files:
            what there is without a bond between z and style (control task: Hewitt & Liang 2019,
            "Designing and Interpreting Probes with Control Tasks"). Mean of 5 shuffles.
        shuffled_balanced_accuracy: likewise.
        majority_accuracy: of always answering the commonest style of the training windows.
        majority_balanced_accuracy: likewise: 1 by the number of styles.
        styles: those told apart, sorted.
        left_out: styles of one split only, sorted: they cannot be both learned and tested.
        training_windows: training windows of these styles.
        training_files: their source files.
        windows: held-out windows of these styles.
        files: their source files.
    """

    accuracy: Estimate
    balanced_accuracy: Estimate
    shuffled_accuracy: Estimate
    shuffled_balanced_accuracy: Estimate
    majority_accuracy: Estimate
    majority_balanced_accuracy: Estimate
    styles: tuple[str, ...]
    left_out: tuple[str, ...]
    training_windows: int
    training_files: int
    windows: int
    files: int


def decodability(
    training_z: Latents,
    training_styles: Sequence[str | None],
    training_groups: Integers,
    z: Latents,
    styles: Sequence[str | None],
    groups: Integers,
    *,
    seed: int = 0,
) -> Decodability | None:
    """Trains a linear probe (Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes").

    Multinomial logistic regression on z, each dimension standardised over the training windows. Six
    fits, each under a second for 4,000 windows of 256 dimensions and ten styles.

    Args:
        training_z: posterior means of training windows, ``[n, d]``.
        training_styles: their primary styles, ``n`` names; all windows of a file have one style.
            ``None`` where it is not known: such windows are left out.
        training_groups: their files' numbers, ``[n]``.
        z: posterior means of the held-out windows, ``[m, d]``.
        styles: their primary styles, ``m`` names or ``None``.
        groups: their files' numbers, ``[m]``; they have nothing to do with those of the training files.
        seed: of the shuffles.

    Returns:
        None if fewer than two styles are in both splits: there is nothing to tell apart.
    """
    learnable, testable = ({style for style in of if style is not None} for of in (training_styles, styles))
    shared = sorted(learnable & testable)
    if len(shared) < 2:
        return None
    number: dict[str | None, int] = {style: index for index, style in enumerate(shared)}
    y, truth = (np.array([number.get(style, -1) for style in of]) for of in (training_styles, styles))
    learned, tested = y >= 0, truth >= 0
    y, truth = y[learned], truth[tested]
    z_learned, z_tested = training_z[learned].astype(np.float64), z[tested].astype(np.float64)
    _, first, file_of = np.unique(training_groups[learned], return_index=True, return_inverse=True)

    def right(file_styles: Integers) -> Floats:
        predicted = _predict(z_learned, file_styles, file_of, z_tested, len(shared))
        hit: Floats = (predicted == truth).astype(np.float64)
        return hit

    file_styles, random = y[first], np.random.default_rng(seed)
    shuffles = np.mean([right(random.permutation(file_styles)) for _ in range(_SHUFFLES)], axis=0)
    majority = (truth == np.bincount(y).argmax()).astype(np.float64)
    resampler = FileResampler(groups[tested])
    return Decodability(
        *_scores(right(file_styles), truth, resampler),
        *_scores(shuffles, truth, resampler),
        *_scores(majority, truth, resampler),
        styles=tuple(shared),
        left_out=tuple(sorted(learnable ^ testable)),
        training_windows=len(y),
        training_files=len(first),
        windows=len(truth),
        files=resampler.files,
    )


def _predict(z: Floats, file_styles: Integers, file_of: Integers, held_out: Floats, styles: int) -> Integers:
    """Trains on the windows ``z``, whose styles are those of their files; predicts those of ``held_out``."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    # Each style counts the same, and each file of a style: GMD's splits have other shares of styles,
    # and the windows of a file repeat each other. All weights together are the number of files.
    weights = len(file_styles) / styles / np.bincount(file_styles)[file_styles] / np.bincount(file_of)
    # With files as the observations, C = 1 is the posterior mode under N(0, 1) for each coefficient
    # of a standardised dimension: no search, which would need yet more files.
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=_ITERATIONS))
    # The products are small: a second thread mostly waits (5 s of CPU time a fit instead of 0.7, measured
    # on a busy machine of two cores), and sums would depend on the number of cores.
    with threadpool_limits(1):
        model.fit(z, file_styles[file_of], logisticregression__sample_weight=weights[file_of])
        predicted: Integers = model.predict(held_out)
    return predicted


def _scores(right: Floats, truth: Integers, resampler: FileResampler) -> tuple[Estimate, Estimate]:
    """Accuracy and balanced accuracy, from the share of the classifiers that are right, window by window."""
    of_style = np.eye(truth.max() + 1)[truth]

    def balanced(sums: Floats) -> Floats:
        rights, counts = np.split(sums, 2, axis=-1)
        present = counts > 0  # a resample may have no file of a rare style: then it is the mean of the others
        recalls = np.where(present, divide(rights, counts), 0.0)
        return divide(recalls.sum(axis=-1), present.sum(axis=-1).astype(np.float64))

    columns = np.concatenate([right[:, None] * of_style, of_style], axis=1)
    return resampler.mean(right), resampler.statistic(columns, balanced)
