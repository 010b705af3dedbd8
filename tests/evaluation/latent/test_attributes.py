"""Attribute vectors, and what they do to the music."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gmd_vae.evaluation.latent.attributes import Change, attribute_vectors, changes, rises_to_most
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


def linear(z: np.ndarray) -> dict[str, np.ndarray]:
    """Attributes of a decoder whose music has the numbers of z as attributes."""
    return {"a": z[:, 0], "b": z[:, 1], "busier": z.sum(axis=1)}


def test_a_vector_raises_its_attribute_to_the_quarter_with_most_and_leaves_the_other_drums() -> None:
    random = np.random.default_rng(0)
    a = random.normal(size=400)
    z = np.stack([a, 0.9 * a + 0.1 * random.normal(size=400), random.normal(size=400)], axis=1)  # b comes with a
    attributes = linear(z)
    found = attribute_vectors(z, attributes, linear)
    rises = rises_to_most(attributes)
    assert rises["a"] == pytest.approx(np.sort(a)[-100:].mean() - a.mean())
    assert found["a"][:2] == pytest.approx([rises["a"], 0], abs=1e-6)
    assert found["b"][:2] == pytest.approx([0, rises["b"]], abs=1e-6)
    assert found["busier"].sum() == pytest.approx(rises["busier"])
    assert found["busier"][:2].min() > 0, "more of both drums"
    assert found["a"].dtype == np.float64


@pytest.mark.parametrize(("gain", "multiple"), [(1.0, 1), (0.8, 1.25), (0.3, 10 / 3), (0.1, 6), (0.0, 6), (4.0, 0.5)])
def test_a_vector_is_as_long_as_the_decoder_needs(gain: float, multiple: float) -> None:
    values = np.linspace(-1, 1, 200)
    rise = rises_to_most({"a": values})["a"]
    (found,) = attribute_vectors(values[:, None], {"a": values}, lambda points: {"a": gain * points[:, 0]})["a"]
    assert found == pytest.approx(multiple * rise)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], 6.5 - 3.5),  # a quarter of eight is two
        ([0, 0, 0, 1, 2, 3, 9, 9], 9 - 3),  # equal values stay together
        ([0, 0, 0, 0, 0, 0, 1, 2], 1.5 - 3 / 8),
        ([0, 0, 0, 0, 0, 0, 0, 2], 2 - 2 / 8),  # most have none: those that have some
        ([1, 5, 5, 5, 5, 5, 5, 5], 5 - 4.5),  # most have the same, and it is the largest value
    ],
)
def test_the_quarter_with_most_above_the_mean(values: list[float], expected: float) -> None:
    assert rises_to_most({"a": np.array(values, float)}) == {"a": pytest.approx(expected)}


def test_an_attribute_without_two_values_has_no_vector() -> None:
    def decoded(z: np.ndarray) -> dict[str, np.ndarray]:
        return {"swing": np.zeros(len(z))}

    values = {"silent": np.zeros(3), "swing": np.array([0.0, 1.0, 0.0])}
    assert list(attribute_vectors(np.ones((3, 2)), values, decoded)) == ["swing"]
    assert attribute_vectors(np.ones((1, 2)), {"one window": np.ones(1)}, decoded) == {}
    assert attribute_vectors(np.ones((0, 2)), {"no window": np.ones(0)}, decoded) == {}


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="'swing'"):
        rises_to_most({"swing": np.array([0.0, math.nan])})


@given(values=arrays.arrays(np.float64, st.integers(2, 40), elements=st.integers(0, 5)), seed=st.integers(0, 99))
def test_more_of_an_attribute_is_more_and_the_order_of_windows_does_not_matter(values: np.ndarray, seed: int) -> None:
    random = np.random.default_rng(seed)
    z = random.normal(size=(len(values), 3))

    def silent(points: np.ndarray) -> dict[str, np.ndarray]:
        return {"a": np.zeros(len(points))}

    found = attribute_vectors(z, {"a": values}, silent)
    assert bool(found) == (len(set(values.tolist())) > 1)
    if found:
        order = random.permutation(len(values))
        assert attribute_vectors(z[order], {"a": values[order]}, silent)["a"] == pytest.approx(found["a"])
        assert attribute_vectors(values[:, None], {"a": values}, silent)["a"][0] > 0


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
