"""A baseline that plays given hits by gradient boosting on what is written about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats, Hits
from gmd_vae.evaluation.metrics.groove_errors import STEPS_PER_BAR, Performance

_LARGEST = 50_000  # training hits: a second for each of the two models; twice as many changed no error by a hundredth

_DRUM, _STYLE = 0, 4  # columns of categories


@dataclasses.dataclass(frozen=True)
class PlayedWindows:
    """Windows with the style and the tempo of their files.

    Attributes:
        played: The windows.
        styles: Primary style of each window's file, ``n`` names; ``None`` where it is unknown.
        tempos: Tempo of each window's file in quarter notes per minute, likewise.
    """

    played: Performance
    styles: Sequence[str | None]
    tempos: Sequence[float | None]


def play_boosted(training: PlayedWindows, truth: PlayedWindows, seed: int) -> Performance | None:
    """Plays every true hit with the velocity and the offset that two regressions on its features expect.

    The regressions are scikit-learn's ``HistGradientBoostingRegressor`` with its defaults and squared error. Features:
    drum class, position in the bar, steps since and until the next hit of the drum class in the window, style, tempo,
    and the drum classes that begin at the same step. They see neither velocities nor offsets of other hits, so a model
    that reads a whole window can do better.

    Args:
        training: Training windows.
        truth: True windows, with the hits to play.
        seed: Seed of the choice of training hits.

    Returns:
        The performance; ``None`` if the training windows are silent.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    names = sorted({style for style in training.styles if style is not None})
    features = hit_features(training, names)
    if not len(features):
        return None
    chosen = np.sort(np.random.default_rng(seed).permutation(len(features))[:_LARGEST])
    tested = hit_features(truth, names)
    answers = []
    with threadpool_limits(1):  # sums do not depend on the number of cores
        for values in (training.played.velocities, training.played.offsets):
            model = HistGradientBoostingRegressor(categorical_features=[_DRUM, _STYLE], early_stopping=False)
            model.fit(features[chosen], values[training.played.hits][chosen])
            answer = np.zeros(truth.played.hits.shape, np.float32)
            if len(tested):
                answer[truth.played.hits] = model.predict(tested)
            answers.append(answer)
    velocities, offsets = answers
    return Performance(truth.played.hits, np.clip(velocities, 0, 1), np.clip(offsets, -1, 1))


def hit_features(windows: PlayedWindows, styles: Sequence[str]) -> Floats:
    """Computes the features of each hit, in the order of ``numpy.nonzero``.

    Args:
        windows: Windows of ``n`` files.
        styles: Names of the styles; a style is the number of its name.

    Returns:
        float64 ``[hits, k]``: drum class, position in the bar, steps since the last hit of the class and until the next
        one, style, tempo, and a column for each class that begins at the step. NaN for what a window does not have.
    """
    hits = windows.played.hits
    window, step, drum = np.nonzero(hits)
    number = {style: float(place) for place, style in enumerate(styles)}
    style_of = np.array([number.get(style or "", np.nan) for style in windows.styles])
    tempo_of = np.array([np.nan if tempo is None else tempo for tempo in windows.tempos])
    since, until = _steps_since(hits), _steps_since(hits[:, ::-1])[:, ::-1]
    return np.column_stack(
        [
            drum,
            step % STEPS_PER_BAR,
            since[window, step, drum],
            until[window, step, drum],
            style_of[window],
            tempo_of[window],
            hits[window, step],
        ]
    ).astype(np.float64)


def _steps_since(hits: Hits) -> npt.NDArray[np.float32]:
    """Returns the steps from the last earlier hit of each class to each step, ``[n, steps, classes]``; else NaN."""
    since = np.full(hits.shape, np.nan, np.float32)
    for step in range(1, hits.shape[1]):
        since[:, step] = np.where(hits[:, step - 1], 1, since[:, step - 1] + 1)
    return since
