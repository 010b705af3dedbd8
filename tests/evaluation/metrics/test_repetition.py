"""Repetition and density, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.coded_windows import TRIO
from gmd_vae.configuration.window_specs import Meter
from gmd_vae.evaluation.data.coding import StreamCoding
from gmd_vae.evaluation.metrics.contents import DrumContents, StreamContents
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.metrics.repetition import Repetition, measure_repetition


def measure(labels: list[list[int]], files: list[int] | None = None, steps_per_bar: int = 4) -> Repetition:
    numbers = None if files is None else np.array(files)
    contents = DrumContents(9, Meter(steps_per_bar))
    return measure_repetition(np.array(labels, np.uint16), numbers, contents, resamples=50, seed=0)


def test_a_loop_repeats_every_step_and_every_hit() -> None:
    loop = measure([[5, 0, 1, 0] * 4, [2, 2, 0, 0] * 4])
    assert loop.repeated_steps == loop.repeated_hits == Estimate(1, 1, 1)
    assert loop.hits_per_bar.value == 2.5
    assert loop.silent_steps.value == 0.5


def test_repetition_by_hand() -> None:
    # bars 1 and 2: the labels of two steps of four are equal, both silent; of the hits 3 and 1, 1 and 2, two are shared
    by_hand = measure([[3, 0, 1, 0, 1, 0, 3, 0]])
    assert by_hand.repeated_steps.value == 2 / 4
    assert by_hand.repeated_hits.value == 2 / 4  # kick on both steps; the snare of each is in one bar only
    assert by_hand.hits_per_bar.value == 3
    assert by_hand.silent_steps.value == 0.5
    # three bars of three steps, as in other metres: no step of the second pair of bars is equal
    waltz = measure([[1, 0, 2, 1, 0, 2, 0, 1, 1]], steps_per_bar=3)
    assert waltz.repeated_steps.value == 3 / 6
    assert waltz.repeated_hits.value == pytest.approx(2 / 6)
    silent = measure([[0] * 8])
    assert silent.repeated_steps.value == 1
    assert np.isnan(silent.repeated_hits.value)


def test_windows_of_one_bar_have_no_bar_before() -> None:
    one = measure([[1, 2, 3, 0]])
    assert np.isnan([one.repeated_steps.value, one.repeated_hits.value]).all()
    assert one.hits_per_bar.value == 4


def test_intervals_are_over_files_and_for_samples_over_windows() -> None:
    windows = [[1, 0, 0, 0] * 2, [1, 0, 0, 0, 0, 0, 0, 1]] * 10
    of_one_file, of_samples = measure(windows, [0] * 20).repeated_steps, measure(windows).repeated_steps
    assert np.isnan(of_one_file.low)
    assert 0.5 < of_samples.low < of_samples.value < of_samples.high < 1


def test_streams_by_hand() -> None:
    """Two bars of a trio: of its notes, one of the melody, all of the bass and one drum of two are repeated."""
    classes = np.zeros((1, 32, 3), np.int64)
    classes[0, [0, 16], 0], classes[0, 4, 0], classes[0, 20, 0] = 40, 50, 51
    classes[0, [8, 24], 1] = 30
    classes[0, 12, 2], classes[0, 28, 2] = 1, 3
    classes[0, 5, 0] = classes[0, 21, 0] = 1  # the end of a note is no onset
    coding = StreamCoding(TRIO)
    figures = measure_repetition(coding.join(classes), None, StreamContents(coding), resamples=20, seed=0)
    assert figures.repeated_steps.value == 14 / 16  # all but the melody's second note and the drums
    assert figures.repeated_hits.value == 3 / 6
    assert figures.hits_per_bar.value == (4 + 2 + 3) / 2
    assert figures.silent_steps.value == 24 / 32
    # after the end of a shorter window there are no steps
    codes = coding.join(classes)
    codes[:, 20:] = 0
    assert measure_repetition(codes, None, StreamContents(coding), resamples=20, seed=0).repeated_steps.value == 1
