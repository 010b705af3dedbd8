"""Baselines, with values computed by hand."""

import numpy as np
import pytest
from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.metrics import baselines
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

WINDOWS = np.array([[1, 2, 3, 4], [5, 6, 7, 0]], np.uint16)


def test_silence() -> None:
    answer = baselines.silence(WINDOWS)
    assert answer.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert answer.dtype == np.uint16


def test_the_most_frequent_step_is_that_of_training() -> None:
    """4 occurs three times; neither the order nor the labels of ``WINDOWS`` matter."""
    training = np.array([[5, 4, 4, 0], [0, 3, 4, 5]])
    assert baselines.most_frequent_step(WINDOWS, training).tolist() == [[4, 4, 4, 4], [4, 4, 4, 4]]


def test_of_two_most_frequent_steps_the_lowest_is_taken() -> None:
    assert (baselines.most_frequent_step(WINDOWS, np.array([[9, 6, 9, 6]])) == 6).all()


def test_the_previous_bar_in_bars_of_two() -> None:
    """Bars ab cd ef give cd ab cd: the first bar has no bar before it."""
    assert baselines.previous_bar(np.array([[1, 2, 3, 4, 5, 6]]), 2).tolist() == [[3, 4, 1, 2, 3, 4]]
    assert baselines.previous_bar(WINDOWS, 2).tolist() == [[3, 4, 1, 2], [7, 0, 5, 6]]


def test_a_single_bar_has_no_neighbour() -> None:
    assert baselines.previous_bar(WINDOWS, 4).tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]


def test_the_nearest_training_window() -> None:
    """The first window differs from the training windows at 4, 1 and 2 steps, the second at 4, 4 and 3."""
    training = np.array([[0, 0, 0, 1], [1, 2, 3, 5], [1, 2, 0, 0]], np.uint16)
    assert baselines.nearest_training(WINDOWS, training, classes=3).tolist() == [[1, 2, 3, 5], [1, 2, 0, 0]]


def test_no_windows_give_no_predictions() -> None:
    none = np.zeros((0, 4), np.uint16)
    assert baselines.silence(none).shape == (0, 4)
    assert baselines.most_frequent_step(none, WINDOWS).shape == (0, 4)
    assert baselines.previous_bar(none, 2).shape == (0, 4)
    assert baselines.nearest_training(none, WINDOWS, 3).shape == (0, 4)


def test_no_training_windows_are_refused() -> None:
    none = np.zeros((0, 4), np.uint16)
    with pytest.raises(ValueError, match="no training windows"):
        baselines.most_frequent_step(WINDOWS, none)
    with pytest.raises(ValueError, match="no windows"):
        baselines.nearest_training(WINDOWS, none, 3)


@given(arrays(np.int64, (2, 12), elements=st.integers(0, 3)))
def test_the_first_bar_is_as_often_right_as_the_second(windows: Labels) -> None:
    right = windows == baselines.previous_bar(windows, 4)
    assert right[:, :4].sum() == right[:, 4:8].sum()
    np.testing.assert_array_equal(right[:, 4:], windows[:, 4:] == windows[:, :-4])


@given(
    arrays(np.int64, (3, 8), elements=st.integers(0, 7)),
    arrays(np.int64, st.tuples(st.integers(1, 5), st.just(8)), elements=st.integers(0, 7)),
)
def test_no_training_window_is_nearer_than_the_nearest(windows: Labels, training: Labels) -> None:
    chosen = (baselines.nearest_training(windows, training, 3) != windows).sum(axis=1)
    every = (windows[:, None] != training).sum(axis=2)
    assert (chosen == every.min(axis=1)).all()
