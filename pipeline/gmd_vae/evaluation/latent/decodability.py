"""Linear decodability of style: accuracy of a linear classifier from z to the style of the music."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats
from gmd_vae.evaluation.latent.posterior import Latents
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, divide

_SHUFFLES = 5  # single shuffles vary too much: on GMD their balanced accuracies lie between 0.04 and 0.13
_ITERATIONS = 1000  # a limit that is not reached: on GMD the fit takes about 50

Integers = npt.NDArray[np.integer[Any]]


@dataclasses.dataclass(frozen=True)
class Decodability:
    """Scores of a linear classifier on z and of two controls, with intervals over files.

    Attributes:
        accuracy: Share of the held-out windows whose predicted style is right.
        balanced_accuracy: Mean over the styles of their accuracy, so that frequent styles have no larger weight
            (Brodersen et al. 2010, "The Balanced Accuracy and Its Posterior Distribution").
        shuffled_accuracy: Accuracy of the same classifier trained on styles that are shuffled among the training
            files, mean of 5 shuffles (control task: Hewitt & Liang 2019, "Designing and Interpreting Probes with
            Control Tasks").
        shuffled_balanced_accuracy: Balanced accuracy of the same control.
        majority_accuracy: Accuracy of always predicting the most frequent style of the training windows.
        majority_balanced_accuracy: Balanced accuracy of the same control: 1 divided by the number of styles.
        styles: Styles that are in both splits, sorted.
        left_out: Styles that are in one split only, sorted.
        training_windows: Number of training windows of these styles.
        training_files: Number of their source files.
        windows: Number of held-out windows of these styles.
        files: Number of their source files.
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

    The probe is a multinomial logistic regression on z, each dimension standardised over the training windows. It is
    fitted six times; a fit takes less than a second for 4,000 windows of 256 dimensions and ten styles.

    Args:
        training_z: Posterior means of training windows, ``[n, d]``.
        training_styles: Their primary styles, ``n`` names; all windows of a file have one style. Windows with
            ``None``, an unknown style, are left out.
        training_groups: Numbers of their files, ``[n]``.
        z: Posterior means of the held-out windows, ``[m, d]``.
        styles: Their primary styles, ``m`` names or ``None``.
        groups: Numbers of their files, ``[m]``, independent of the numbers of the training files.
        seed: Seed of the shuffles.

    Returns:
        The scores; ``None`` if fewer than two styles are in both splits.
    """
    learnable, testable = ({style for style in names if style is not None} for names in (training_styles, styles))
    shared = sorted(learnable & testable)
    if len(shared) < 2:
        return None
    number: dict[str | None, int] = {style: index for index, style in enumerate(shared)}
    y, truth = (np.array([number.get(style, -1) for style in names]) for names in (training_styles, styles))
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
    """Fits the classifier to windows ``z`` with the styles of their files; predicts the styles of ``held_out``."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    # Each style has the same weight, and each file of a style: the shares of styles differ between GMD's splits, and
    # the windows of a file repeat each other. The weights sum to the number of files.
    weights = len(file_styles) / styles / np.bincount(file_styles)[file_styles] / np.bincount(file_of)
    # With files as the observations, C = 1 gives the posterior mode under N(0, 1) for each coefficient of a
    # standardised dimension. A search for C would need more files.
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=_ITERATIONS))
    # The matrix products are small: a second thread mostly waits (5 s of CPU time per fit instead of 0.7, measured on a
    # busy machine with two cores), and sums would depend on the number of cores.
    with threadpool_limits(1):
        model.fit(z, file_styles[file_of], logisticregression__sample_weight=weights[file_of])
        predicted: Integers = model.predict(held_out)
    return predicted


def _scores(right: Floats, truth: Integers, resampler: FileResampler) -> tuple[Estimate, Estimate]:
    """Estimates accuracy and balanced accuracy from the share of classifiers that are right for each window."""
    one_hot = np.eye(truth.max() + 1)[truth]

    def balanced(sums: Floats) -> Floats:
        rights, counts = np.split(sums, 2, axis=-1)
        present = counts > 0  # a resample may have no file of a rare style: then the mean is over the others
        recalls = np.where(present, divide(rights, counts), 0.0)
        return divide(recalls.sum(axis=-1), present.sum(axis=-1).astype(np.float64))

    columns = np.concatenate([right[:, None] * one_hot, one_hot], axis=1)
    return resampler.mean(right), resampler.statistic(columns, balanced)
