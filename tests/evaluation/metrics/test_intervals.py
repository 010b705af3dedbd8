"""Intervals of a bootstrap over files."""

import math

import numpy as np
import pytest
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, divide
from hypothesis import given
from hypothesis import strategies as st

SIX_FILES = np.repeat(np.arange(6), 4)


def no_interval(estimate: Estimate) -> bool:
    return math.isnan(estimate.low) and math.isnan(estimate.high)


def test_two_files_by_hand() -> None:
    """Two draws from two files: (0, 0), (0, 1), (1, 0) or (1, 1), each in a quarter of the resamples.

    File 0 has two windows with 0, file 1 has two with 1. The mean is 0 in a quarter of the resamples and 1 in
    a quarter: more than 2.5 % of them on both sides, so the interval is the whole range.
    """
    estimate = FileResampler(np.array([0, 0, 1, 1])).mean(np.array([0, 0, 1, 1]))
    assert estimate == Estimate(0.5, 0.0, 1.0)


def test_a_ratio_is_of_sums_and_not_a_mean_of_ratios() -> None:
    """1 of 1 and 1 of 3: 2 of 4, where the mean of the ratios would be two thirds."""
    estimate = FileResampler(np.array([0, 1])).ratio(np.array([1, 1]), np.array([1, 3]))
    assert estimate.value == 0.5
    assert estimate.low == pytest.approx(1 / 3)
    assert estimate.high == 1


def test_the_interval_of_many_independent_files_is_that_of_the_normal_distribution() -> None:
    """One window a file, 400 draws of N(0, 1): the mean's standard error is 1/20, so ± 1.96/20."""
    values = np.random.default_rng(1).standard_normal(400)
    estimate = FileResampler(np.arange(400), resamples=8000).mean(values)
    half = 1.96 * values.std() / 20
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.006)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.006)


def test_windows_that_repeat_each_other_do_not_narrow_the_interval() -> None:
    """The same 30 values, once as a window each, once as 50 equal windows a file."""
    values = np.random.default_rng(2).random(30)
    once = FileResampler(np.arange(30)).mean(values)
    often = FileResampler(np.repeat(np.arange(30), 50)).mean(np.repeat(values, 50))
    as_if_independent = FileResampler(np.arange(1500)).mean(np.repeat(values, 50))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    assert as_if_independent.high - as_if_independent.low < (once.high - once.low) / 5


def test_a_file_with_more_windows_weighs_more() -> None:
    assert FileResampler(np.array([0, 0, 0, 1])).mean(np.array([1, 1, 1, 0])).value == 0.75


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(3).random(24)
    first = FileResampler(SIX_FILES, seed=7).mean(values)
    assert FileResampler(SIX_FILES, seed=7).mean(values) == first
    other = FileResampler(SIX_FILES, seed=8).mean(values)
    assert other.value == first.value
    assert (other.low, other.high) != (first.low, first.high)


def test_files_may_have_any_numbers() -> None:
    """Numbers of files need not be 0, 1, 2, ..."""
    values = np.random.default_rng(4).random(24)
    assert FileResampler(SIX_FILES * 10 + 3).files == 6
    assert FileResampler(SIX_FILES * 10 + 3).mean(values) == FileResampler(SIX_FILES).mean(values)


def test_columns_at_once_are_the_columns_one_by_one() -> None:
    random = np.random.default_rng(5)
    above, below = random.random((24, 3)), random.random((24, 3))
    resampler = FileResampler(SIX_FILES)
    for number, estimate in enumerate(resampler.ratios(above, below)):
        alone = resampler.ratio(above[:, number], below[:, number])
        assert dataclass_values(estimate) == pytest.approx(dataclass_values(alone))


def test_a_statistic_of_sums() -> None:
    """The last bar minus the first: the files have (4 of 4, 2 of 4) and (3 of 4, 3 of 4) right steps.

    Together 5/8 − 7/8 = −0.25; the first file alone −0.5, the second alone 0.
    """
    columns = np.array([[4, 2, 4], [3, 3, 4]])
    estimate = FileResampler(np.array([0, 1])).statistic(columns, lambda s: divide(s[..., 1] - s[..., 0], s[..., 2]))
    assert estimate == Estimate(-0.25, -0.5, 0.0)


def test_one_file_has_a_value_and_no_interval() -> None:
    estimate = FileResampler(np.array([5, 5, 5])).mean(np.array([1, 2, 3]))
    assert estimate.value == 2
    assert no_interval(estimate)


def test_a_figure_of_one_of_many_files_has_no_interval() -> None:
    """A drum that is in one file only: every resample gives the same recall, or none."""
    true_hits = np.zeros(24)
    true_hits[:4] = 2
    estimate = FileResampler(SIX_FILES).ratio(true_hits / 2, true_hits)
    assert estimate.value == 0.5
    assert no_interval(estimate)


def test_resamples_without_the_drum_are_left_out() -> None:
    """Hits are in two of six files, found in one and missed in the other: the interval is 0 to 1 without NaN."""
    true_hits, found = np.zeros(24), np.zeros(24)
    true_hits[:8], found[:4] = 1, 1
    assert FileResampler(SIX_FILES).ratio(found, true_hits) == Estimate(0.5, 0.0, 1.0)


def test_nothing_by_nothing_is_not_a_number() -> None:
    estimate = FileResampler(SIX_FILES).ratio(np.zeros(24), np.zeros(24))
    assert math.isnan(estimate.value)
    assert no_interval(estimate)


def test_a_value_that_is_not_a_number_is_not_hidden() -> None:
    assert math.isnan(FileResampler(np.array([0, 1, 2])).mean(np.array([1.0, math.nan, 1.0])).value)


def test_no_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="no windows"):
        FileResampler(np.zeros(0, np.int64))


def test_values_of_other_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="3 rows for 24 windows"):
        FileResampler(SIX_FILES).mean(np.zeros(3))


@pytest.mark.filterwarnings("error")
def test_division_by_nothing_gives_no_warning() -> None:
    quotients = divide(np.array([1.0, 0.0, 3.0]), np.array([0.0, 0.0, 2.0]))
    np.testing.assert_equal(quotients, [math.nan, math.nan, 1.5])


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=30), st.floats(-5, 5))
def test_intervals_stay_in_bounds_and_move_with_the_values(windows: list[tuple[int, float]], shift: float) -> None:
    files, values = np.array([file for file, _ in windows]), np.array([value for _, value in windows])
    resampler = FileResampler(files, resamples=50)
    estimate, moved = resampler.mean(values), resampler.mean(values + shift)
    assert moved.value == pytest.approx(estimate.value + shift, abs=1e-9)
    if resampler.files == 1:
        assert no_interval(estimate)
        return
    assert values.min() - 1e-9 <= estimate.low <= estimate.high <= values.max() + 1e-9
    assert (moved.low, moved.high) == pytest.approx((estimate.low + shift, estimate.high + shift), abs=1e-9)


def dataclass_values(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def test_a_paired_difference_has_no_width_from_the_files() -> None:
    files = np.repeat(np.arange(6), 5)
    resampler = FileResampler(files, 200)
    of_files = np.repeat([0.1, 0.9, 0.5, 0.2, 0.8, 0.4], 5)  # some files are easy for every model
    better, worse = (resampler.sums(of_files + more, np.ones(30)) for more in (0.05, 0.0))
    assert better.numerators == pytest.approx([0.75, 4.75, 2.75, 1.25, 4.25, 2.25])
    assert better.denominators == (5,) * 6
    difference = better.minus(worse, 200, 0)
    assert (difference.value, difference.low, difference.high) == pytest.approx((0.05, 0.05, 0.05))
    alone = resampler.mean(of_files)
    assert alone.high - alone.low > 0.2
    with pytest.raises(ValueError, match="different files"):
        better.minus(FileResampler(files[:10]).sums(np.ones(10), np.ones(10)), 200, 0)
