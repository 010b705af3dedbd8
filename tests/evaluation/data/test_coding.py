"""Codes of streams and events."""

from __future__ import annotations

import numpy as np
from fixtures.coded_windows import BARS, PROGRAM, TRIO, track, window
from gmd_vae.evaluation.data.coding import EventCoding, StreamCoding
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.integers(-1, 89), min_size=3, max_size=3), st.integers(0, 511))
def test_classes_come_back_from_codes(pitches: list[int], label: int) -> None:
    coding = StreamCoding(TRIO)
    classes = np.array([[pitches[0], pitches[1], label], [-1, -1, -1]])
    codes = coding.join(classes)
    assert codes[1] == 0 < codes[0] < 1 << coding.bits
    np.testing.assert_array_equal(coding.split(codes), classes)


def test_events_after_an_end_do_not_count() -> None:
    coding = EventCoding(BARS)
    written = np.zeros((128, 490), np.float32)
    written[np.arange(128), np.r_[track(PROGRAM, 5).clip(0), track(PROGRAM + 1, 7, 8).clip(0)]] = 1
    classes = coding.split(coding.encode_output(written))[:, 0].reshape(2, 64)
    assert (classes >= 0).sum(axis=1).tolist() == [3, 4]
    assert (
        coding.split(coding.encode_window(window(classes.reshape(-1, 1), BARS)))[:, 0].tolist()
        == classes.reshape(-1).tolist()
    )
