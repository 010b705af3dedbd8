"""Attribute vectors, and what they do to the music."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gmd_vae.evaluation.latent.attributes import Change, attribute_vectors, changes
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


def vector(z: list[float], values: list[float]) -> float:
    """The vector of one attribute in a latent space of one dimension."""
    (found,) = attribute_vectors(np.array(z)[:, None], {"density": np.array(values)})["density"]
    return float(found)


def test_the_quarter_with_most_minus_the_quarter_with_least() -> None:
    # eight windows: a quarter is two. Least: values 0 and 1, z 10 and 20. Most: 6 and 7, z 100 and 200.
    z = [10.0, 100.0, 0.0, 0.0, 0.0, 0.0, 200.0, 20.0]
    values = [0.0, 6.0, 2.0, 3.0, 4.0, 5.0, 7.0, 1.0]
    assert vector(z, values) == (100 + 200) / 2 - (10 + 20) / 2


def test_a_vector_for_each_attribute_in_every_dimension() -> None:
    z = np.array([[0.0, 1.0], [2.0, 5.0]], np.float32)
    found = attribute_vectors(z, {"up": np.array([0.0, 1.0]), "down": np.array([1.0, 0.0])})
    assert {name: value.tolist() for name, value in found.items()} == {"up": [2.0, 4.0], "down": [-2.0, -4.0]}
    assert found["up"].dtype == np.float64


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # equal values stay together: least is 0, 0, 0 (z 1, 2, 3), most is 9 (z 8) and the other 9 (z 7)
        ([0, 0, 0, 1, 2, 3, 9, 9], (7 + 8) / 2 - (1 + 2 + 3) / 3),
        # most have none: those that have some (z 7 and 8) against all that have none
        ([0, 0, 0, 0, 0, 0, 1, 2], (7 + 8) / 2 - (1 + 2 + 3 + 4 + 5 + 6) / 6),
        # most have the same, and it is the largest value
        ([1, 5, 5, 5, 5, 5, 5, 5], (2 + 3 + 4 + 5 + 6 + 7 + 8) / 7 - 1),
        # most have the same, in the middle: those above (z 8) against those below (z 1)
        ([1, 5, 5, 5, 5, 5, 5, 9], 8 - 1),
    ],
)
def test_ties(values: list[float], expected: float) -> None:
    assert vector([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], values) == pytest.approx(expected)


def test_an_attribute_without_two_values_has_no_vector() -> None:
    found = attribute_vectors(np.ones((3, 2)), {"silent": np.zeros(3), "swing": np.array([0.0, 1.0, 0.0])})
    assert list(found) == ["swing"]
    assert attribute_vectors(np.ones((1, 2)), {"one window": np.ones(1)}) == {}
    assert attribute_vectors(np.ones((0, 2)), {"no window": np.ones(0)}) == {}


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="'swing'"):
        attribute_vectors(np.ones((2, 1)), {"swing": np.array([0.0, math.nan])})


@given(values=arrays.arrays(np.float64, st.integers(2, 40), elements=st.integers(0, 5)), seed=st.integers(0, 99))
def test_the_order_of_windows_does_not_matter_and_less_is_the_opposite_of_more(values: np.ndarray, seed: int) -> None:
    random = np.random.default_rng(seed)
    z = random.normal(size=(len(values), 3))
    found = attribute_vectors(z, {"a": values, "opposite": -values})
    assert bool(found) == (len(set(values.tolist())) > 1)
    if found:
        order = random.permutation(len(values))
        assert attribute_vectors(z[order], {"a": values[order]})["a"] == pytest.approx(found["a"])
        assert found["opposite"] == pytest.approx(-found["a"])
        # of the attribute itself the vector always has more: both sets are not empty, and share no window
        assert attribute_vectors(values[:, None], {"a": values})["a"][0] > 0


def test_changes_by_hand() -> None:
    before = {"kick": np.array([2.0, 4.0]), "snare": np.array([1.0, 1.0])}
    added = {"more kick": {"kick": np.array([5.0, 5.0]), "snare": np.array([1.0, 0.0])}}
    removed = {"more kick": {"kick": np.array([1.0, 3.0]), "snare": np.array([1.0, 1.0])}}
    found = changes(before, added, removed, {"kick": 2.0, "snare": 0.5})
    # kick: +3 and +1, mean 2, one standard deviation of 2; then -1, half of one. Snare: 0 and -1, mean -1/2.
    assert found == {"more kick": {"kick": Change(1.0, -0.5), "snare": Change(-1.0, 0.0)}}


def test_changes_that_are_not_defined_are_nan() -> None:
    one = {"ride": np.array([1.0])}
    constant = changes(one, {"v": one}, {"v": one}, {"ride": 0.0})["v"]["ride"]
    none = {"ride": np.array([])}
    empty = changes(none, {"v": none}, {"v": none}, {"ride": 1.0})["v"]["ride"]
    assert all(math.isnan(value) for change in (constant, empty) for value in (change.added, change.removed))
