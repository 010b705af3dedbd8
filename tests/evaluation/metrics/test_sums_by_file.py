"""The sums by file of a figure give the figure, and paired differences follow from them."""

from __future__ import annotations

import numpy as np
import pytest
from gmd_vae.evaluation.figures import HITS_F1, NOTES_F1, STEP_ACCURACY
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.label_accuracy import compare_labels
from gmd_vae.evaluation.metrics.stream_accuracy import compare_streams
from gmd_vae.families.output_spec import Stream

FILES = np.array([0, 0, 1, 2, 2, 2])


def test_hits_and_steps_of_drum_labels() -> None:
    random = np.random.default_rng(3)
    truth, good, bad = (random.integers(0, 8, (6, 16)) for _ in range(3))
    good = np.where(random.random((6, 16)) < 0.7, truth, good)
    resampler = FileResampler(FILES, 200)
    one, other = (
        compare_labels(truth, guess, classes=3, steps_per_bar=8, resampler=resampler) for guess in (good, bad)
    )
    for figure in (STEP_ACCURACY, HITS_F1):
        sums = figure.read_sums(one)
        assert sum(sums.numerators) / sum(sums.denominators) == pytest.approx(figure.read(one).value)
        difference = sums.minus(figure.read_sums(other), 200, 0)
        assert difference.value == pytest.approx(figure.read(one).value - figure.read(other).value)
        assert 0 < difference.low <= difference.value <= difference.high


def test_notes_of_streams() -> None:
    random = np.random.default_rng(4)
    truth, guess = (random.integers(0, 5, (6, 16, 1)) for _ in range(2))
    compared = compare_streams(
        truth, guess, streams=(Stream("melody", 0, 5),), bars=2, resampler=FileResampler(FILES, 200)
    )
    sums = NOTES_F1.read_sums(compared)
    assert sum(sums.numerators) / sum(sums.denominators) == pytest.approx(compared.notes_f1.value)
    assert len(sums.numerators) == 3
