"""Accuracy of melodies and trios, with values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.coded_windows import MELODY, TRIO
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.stream_accuracy import compare_streams


def test_melodies_by_hand() -> None:
    """32 steps; the truth: a note of two steps, its end, another note. The guess: the first note a step late."""
    truth, guess = np.zeros((2, 32, 1), np.int32), np.zeros((2, 32, 1), np.int32)
    truth[0, [0, 2, 16], 0] = 40, 1, 52
    guess[0, [1, 2, 16], 0] = 40, 1, 52
    compared = compare_streams(truth, guess, streams=MELODY.streams, bars=2, resampler=FileResampler(np.array([0, 1])))
    assert compared.step_accuracy.value == 62 / 64
    assert compared.window_accuracy.value == 0.5
    assert [bar.value for bar in compared.bars] == [30 / 32, 1]
    assert compared.accuracy_drop.value == pytest.approx(2 / 32)
    melody = compared.streams["melody"]
    assert melody.event_accuracy.value == pytest.approx(2 / 3)  # the end, and the second note
    assert melody.notes_f1.value == 0.5
    assert melody.notes == 2


def test_drums_of_a_trio_count_hit_by_hit() -> None:
    truth, guess = np.zeros((1, 32, 3), np.int32), np.zeros((1, 32, 3), np.int32)
    truth[0, 0], guess[0, 0] = (40, 30, 0b101), (40, 31, 0b111)
    compared = compare_streams(truth, guess, streams=TRIO.streams, bars=2, resampler=FileResampler(np.array([0])))
    assert compared.streams["drums"].notes_f1.value == pytest.approx(4 / 5)
    assert compared.notes_f1.value == pytest.approx(2 * 3 / (4 + 5))
    assert compared.step_accuracy.value == 31 / 32
    assert compared.streams["melody"].step_accuracy.value == 1
