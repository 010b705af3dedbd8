"""Exact search over packed windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from gmd_vae.evaluation.data.arrays import to_hits
from gmd_vae.evaluation.metrics import nearest as module
from gmd_vae.evaluation.metrics.nearest import nearest, pack
from hypothesis import given
from hypothesis import strategies as st


def random_labels(seed: int, count: int, steps: int, classes: int) -> npt.NDArray[np.uint16]:
    """Returns mostly silent windows, like music: they resemble each other, and there are ties."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2**classes, (count, steps)) * (random.random((count, steps)) < 0.4)
    return labels.astype(np.uint16)


def test_distances_by_hand() -> None:
    """Two classes: 1 is a kick, 2 a snare, 3 both at once."""
    query = np.array([[1, 0, 2, 0]])
    corpus = np.array(
        [
            [1, 0, 1, 3],  # differs in 2 steps: snare gone, kick instead; kick and snare more: 4 hits
            [0, 0, 2, 3],  # 2 steps: kick gone; kick and snare more: 3 hits
            [3, 1, 2, 2],  # 3 steps and 3 hits: snare, kick and snare more
        ]
    )
    found = nearest(pack(query, 2), pack(corpus, 2))
    assert (found.index.tolist(), found.steps.tolist(), found.hits.tolist()) == ([1], [2], [3])
    found = nearest(pack(query, 2), pack(corpus[[2, 0]], 2))
    assert (found.index.tolist(), found.steps.tolist(), found.hits.tolist()) == ([1], [2], [4])
    assert found.index.dtype == found.steps.dtype == found.hits.dtype == np.int64


def test_fewer_steps_come_before_fewer_hits() -> None:
    query = np.array([[0, 0, 0, 0]])
    corpus = np.array([[1, 1, 0, 0], [7, 0, 0, 0]])  # 2 steps with 2 hits, 1 step with 3 hits
    found = nearest(pack(query, 3), pack(corpus, 3))
    assert (found.index[0], found.steps[0], found.hits[0]) == (1, 1, 3)


def test_of_equals_the_first_is_found_also_across_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TILE_CORPUS", 3)
    monkeypatch.setattr(module, "_TILE_QUERIES", 2)
    corpus = np.array([[4, 4], [0, 4], [4, 4], [0, 0], [0, 0], [4, 4], [0, 0]])
    found = nearest(pack(np.array([[0, 0], [4, 4], [0, 4]]), 3), pack(corpus, 3))
    assert found.index.tolist() == [3, 0, 1]
    assert found.steps.tolist() == [0, 0, 0]


def test_packed_bits_are_the_hits() -> None:
    labels = random_labels(0, 5, 70, 9)
    packed = pack(labels, 9)
    assert packed.shape == (5, 9, 2)
    assert packed.dtype == np.uint64
    assert (np.bitwise_count(packed).sum(axis=2) == to_hits(labels, 9).sum(axis=1)).all()


@pytest.mark.parametrize(("steps", "words"), [(1, 1), (63, 1), (64, 1), (65, 2), (256, 4)])
def test_a_difference_at_the_last_step_counts(steps: int, words: int) -> None:
    silent, last = np.zeros((1, steps), np.uint16), np.zeros((1, steps), np.uint16)
    last[0, -1] = 0b101
    assert pack(last, 3).shape == (1, 3, words)
    found = nearest(pack(silent, 3), pack(last, 3))
    assert (found.steps[0], found.hits[0]) == (1, 2)


@given(st.integers(0, 2**32), st.integers(1, 9), st.sampled_from([3, 16, 64, 100]), st.integers(1, 40))
def test_it_equals_a_plain_search(seed: int, classes: int, steps: int, size: int) -> None:
    queries = random_labels(seed, 6, steps, classes)
    corpus = random_labels(seed + 1, size, steps, classes)
    found = nearest(pack(queries, classes), pack(corpus, classes))
    for number, query in enumerate(queries):
        distances = [(int((query != other).sum()), int(np.bitwise_count(query ^ other).sum())) for other in corpus]
        best = min(range(size), key=lambda index: (distances[index], index))
        assert found.index[number] == best
        assert (found.steps[number], found.hits[number]) == distances[best]


@given(st.integers(0, 2**32))
def test_a_window_of_the_corpus_is_its_own_nearest(seed: int) -> None:
    packed = pack(random_labels(seed, 30, 64, 9), 9)
    found = nearest(packed, packed)
    assert not found.steps.any()
    assert not found.hits.any()
    assert (packed[found.index] == packed).all()


def test_no_queries_give_no_neighbours() -> None:
    packed = pack(random_labels(0, 4, 64, 9), 9)
    found = nearest(packed[:0], packed)
    assert len(found.index) == len(found.steps) == len(found.hits) == 0


def test_an_empty_corpus_is_an_error() -> None:
    packed = pack(random_labels(0, 4, 64, 9), 9)
    with pytest.raises(ValueError, match="no windows to search"):
        nearest(packed, packed[:0])


@pytest.mark.parametrize(("steps", "classes"), [(256, 9), (64, 8)])
def test_windows_of_another_shape_are_an_error(steps: int, classes: int) -> None:
    one, other = pack(random_labels(0, 4, 64, 9), 9), pack(random_labels(0, 4, steps, classes), classes)
    with pytest.raises(ValueError, match="classes, words"):
        nearest(one, other)
