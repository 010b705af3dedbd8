"""The linear probe, with and without a relation of z and style."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from gmd_vae.evaluation.data.arrays import Floats
from gmd_vae.evaluation.latent.decodability import Decodability, Integers, decodability
from hypothesis import given, settings
from hypothesis import strategies as st

Split = tuple[Floats, list[str | None], Integers]


def split(files: dict[str, int], windows: int, centres: dict[str, float], seed: int, dimensions: int = 4) -> Split:
    """Windows whose first dimension lies around their style's centre; noise with scale 0.1 everywhere."""
    styles: list[str | None] = [style for style, count in files.items() for _ in range(count * windows)]
    z = np.random.default_rng(seed).normal(size=(len(styles), dimensions)) * 0.1
    z[:, 0] += [centres.get(style or "", 0.0) for style in styles]
    return z, styles, np.repeat(np.arange(len(styles) // windows), windows)


def probe(training: Split, test: Split, seed: int = 0) -> Decodability:
    found = decodability(*training, *test, seed=seed)
    assert found is not None
    return found


CENTRES = {"rock": -1.0, "jazz": 0.0, "funk": 1.0}


def test_styles_that_lie_apart_are_decoded() -> None:
    training = split({"rock": 6, "jazz": 3, "funk": 3}, 5, CENTRES, seed=0)
    found = probe(training, split({"rock": 2, "jazz": 1, "funk": 1}, 5, CENTRES, seed=1))
    assert (found.accuracy.value, found.balanced_accuracy.value) == (1.0, 1.0)
    # rock is the commonest style of training: right for half the windows, for one style of three
    assert found.majority_accuracy.value == 0.5
    assert found.majority_balanced_accuracy.value == pytest.approx(1 / 3)
    assert found.shuffled_accuracy.value < 0.8
    assert (found.styles, found.left_out) == (("funk", "jazz", "rock"), ())
    assert (found.training_windows, found.training_files, found.windows, found.files) == (60, 12, 20, 4)


def test_balanced_accuracy_by_hand() -> None:
    training = split({"rock": 3, "jazz": 3}, 4, {"rock": -1.0, "jazz": 1.0}, seed=0)
    # four windows of rock, three of them where rock lies; two of jazz, one where jazz lies
    z = np.zeros((6, 4))
    z[:, 0] = [-1, -1, -1, 1, 1, -1]
    test: Split = (z, ["rock"] * 4 + ["jazz"] * 2, np.array([0, 0, 1, 1, 2, 2]))
    found = probe(training, test)
    assert found.accuracy.value == pytest.approx(4 / 6)
    assert found.balanced_accuracy.value == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found.accuracy.low <= 4 / 6 <= found.accuracy.high


def test_a_common_style_does_not_win_by_its_number() -> None:
    # z is constant, as after posterior collapse: all windows get one prediction
    training = split({"rock": 20, "jazz": 2}, 5, {}, seed=0)
    test = split({"rock": 4, "jazz": 4}, 5, {}, seed=1)
    training[0][:], test[0][:] = 0.1, 0.1
    found = probe(training, test)
    assert found.balanced_accuracy.value == pytest.approx(0.5)
    # where z holds little information, weights by style keep ten times as much rock from outvoting jazz
    weak = {"rock": -0.1, "jazz": 0.1}
    found = probe(split({"rock": 20, "jazz": 2}, 50, weak, 0), split({"rock": 4, "jazz": 4}, 50, weak, 1))
    assert found.balanced_accuracy.value > 0.75


def test_a_file_with_many_windows_counts_as_one_file() -> None:
    # the long file of rock lies where jazz lies; as single windows it would outvote the others
    z = np.array([[-1.0]] * 3 + [[1.0]] * 40 + [[1.0]] * 3)
    training: Split = (z, ["rock"] * 43 + ["jazz"] * 3, np.array([0, 1, 2] + [3] * 40 + [4, 5, 6]))
    test: Split = (np.array([[-1.0], [1.0]]), ["rock", "jazz"], np.array([0, 1]))
    assert probe(training, test).accuracy.value == 1.0


def test_the_shuffle_keeps_the_windows_of_a_file_together() -> None:
    # each window has a dimension of its own: tested on what it learned, a probe repeats the style of every one
    files, windows = 6, 7
    styles: list[str | None] = ["rock"] * 21 + ["jazz"] * 21
    known: Split = (np.eye(files * windows), styles, np.repeat(np.arange(files), windows))
    for seed in range(3):
        found = probe(known, known, seed)
        assert found.accuracy.value == 1.0
        # thus each of the 5 shuffles is right for whole files or not at all: 30 of them in sum
        whole_files = found.shuffled_accuracy.value * files * 5
        assert whole_files == pytest.approx(round(whole_files))
        assert 0 < whole_files < 30


def test_styles_of_one_split_and_unknown_ones_are_left_out() -> None:
    z, styles, groups = split({"rock": 6, "jazz": 6, "waltz": 1, "unknown": 1}, 3, CENTRES, seed=0)
    training: Split = (z, [None if style == "unknown" else style for style in styles], groups)
    test = split({"ska": 1, "rock": 1, "jazz": 1}, 3, CENTRES, seed=1)
    found = probe(training, test)
    assert (found.styles, found.left_out) == (("jazz", "rock"), ("ska", "waltz"))
    assert (found.training_windows, found.training_files, found.windows, found.files) == (36, 12, 6, 2)
    assert found.accuracy.value == 1.0  # of the six that count


@pytest.mark.parametrize(
    ("training", "test"),
    [({"rock": 2}, {"rock": 2}), ({"rock": 1, "jazz": 1}, {"rock": 1, "funk": 1}), ({}, {"rock": 1}), ({}, {})],
)
def test_without_two_styles_in_both_splits_there_is_nothing_to_decode(
    training: dict[str, int], test: dict[str, int]
) -> None:
    assert decodability(*split(training, 2, CENTRES, 0), *split(test, 2, CENTRES, 1)) is None


def test_a_style_of_one_file_has_a_figure() -> None:
    # half of the resamples hold one style only; they count with the style that they hold
    centres = {"rock": -1.0, "jazz": 1.0}
    found = probe(split({"rock": 2, "jazz": 2}, 3, centres, 0), split({"rock": 1, "jazz": 1}, 3, centres, 1))
    assert (found.balanced_accuracy.low, found.balanced_accuracy.high) == (1.0, 1.0)
    assert not any(math.isnan(end) for end in dataclasses.astuple(found.majority_balanced_accuracy))


@settings(max_examples=5, deadline=None)
@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10), seed=st.integers(0, 9))
def test_the_unit_and_origin_of_each_dimension_do_not_matter(scale: float, shift: float, seed: int) -> None:
    weak = {"rock": -0.1, "jazz": 0.1}
    training, test = split({"rock": 4, "jazz": 4}, 3, weak, seed), split({"rock": 2, "jazz": 2}, 3, weak, seed + 100)
    found = probe(training, test)
    moved = probe((training[0] * scale + shift, *training[1:]), (test[0] * scale + shift, *test[1:]))
    assert moved.accuracy == found.accuracy
    assert 0 <= found.balanced_accuracy.low <= found.balanced_accuracy.value <= found.balanced_accuracy.high <= 1


def test_the_same_seed_gives_the_same_figures() -> None:
    weak = {"rock": -0.1, "jazz": 0.1}
    training, test = split({"rock": 4, "jazz": 4}, 3, weak, 0), split({"rock": 4, "jazz": 4}, 3, weak, 1)
    found, again, other = (probe(training, test, seed) for seed in (0, 0, 1))
    assert found == again
    assert found.accuracy == other.accuracy
    assert found.shuffled_accuracy != other.shuffled_accuracy
