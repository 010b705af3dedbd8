"""Baselines of multitrack bars."""

from __future__ import annotations

import numpy as np
from fixtures.coded_windows import BARS, END, PROGRAM, track
from gmd_vae.evaluation.data.coding import EventCoding
from gmd_vae.evaluation.metrics import event_baselines


def test_baselines_of_bars() -> None:
    coding = EventCoding(BARS)
    training = coding.join(
        np.stack([np.concatenate([track(PROGRAM, a), track(PROGRAM, b)]) for a, b in ((1, 2), (3, 4), (3, 5))])[
            ..., None
        ]
    )
    asked = coding.join(np.concatenate([track(PROGRAM, 9, 4), track(PROGRAM, 3)])[None, :, None])
    np.testing.assert_array_equal(event_baselines.nearest_by_events(asked, training, coding), training[1:2])
    most_frequent = coding.split(event_baselines.most_frequent_event(asked, training))[0, :, 0]
    assert most_frequent[:3].tolist() == [PROGRAM, 3, END]
    drawn = event_baselines.random_training(np.repeat(asked, 200, axis=0), training, seed=0)
    assert len(np.unique(drawn, axis=0)) == 3
