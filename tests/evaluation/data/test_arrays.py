"""Labels as hits."""

from __future__ import annotations

import numpy as np
from gmd_vae.evaluation.data.arrays import to_hits
from hypothesis import given
from hypothesis import strategies as st


def test_each_bit_is_a_drum() -> None:
    # kick and snare, nothing, the third class, and the ninth alone
    hits = to_hits(np.array([[0b11, 0, 0b100, 0b1_0000_0000]], np.uint16), 9)
    assert hits.dtype == np.bool_
    assert [np.flatnonzero(step).tolist() for step in hits[0]] == [[0, 1], [], [2], [8]]


@given(st.lists(st.integers(0, 2**16 - 1), min_size=1), st.sampled_from([np.uint16, np.int64]))
def test_no_bit_is_lost_whatever_the_type(labels: list[int], dtype: type) -> None:
    hits = to_hits(np.array([labels], dtype), 16)
    assert (hits[0] @ (1 << np.arange(16))).tolist() == labels
