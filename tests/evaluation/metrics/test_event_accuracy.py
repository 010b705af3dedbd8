"""Accuracy of multitrack bars, with values computed by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fixtures.coded_windows import BARS, OFF, ON, PROGRAM, SHIFT, VELOCITY, track
from gmd_vae.evaluation.metrics.event_accuracy import DRUMS, compare_events, count_found, notes_of
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching


def value(figure: Estimate | None) -> float:
    """Returns the value of a figure that must be there."""
    assert figure is not None
    return figure.value


def test_bars_by_hand() -> None:
    piano = track(PROGRAM, VELOCITY, ON + 60, SHIFT + 24, OFF + 60, ON + 64)
    late = track(PROGRAM, VELOCITY, ON + 60, SHIFT + 25, OFF + 60, ON + 64)
    drums, other = track(PROGRAM + DRUMS, ON + 36), track(PROGRAM + 5, ON + 36)
    truth, guess = (np.concatenate(tracks)[None, :, None] for tracks in ((piano, drums), (late, other)))
    compared = compare_events(truth, guess, output=BARS, resampler=FileResampler(np.array([0])))
    assert value(compared.notes_f1) == pytest.approx(2 * 2 / 6)  # a step late is near enough; no drum is not a drum
    assert value(compared.programs_f1) == 0.5
    assert value(compared.track_length_accuracy) == 1
    assert compared.kinds["time shift"].value == 0
    assert compared.kinds["note on"].value == 1
    assert compared.step_accuracy.value == pytest.approx(8 / 10)
    guitar = np.concatenate([track(PROGRAM + 25, *piano[1:6]), drums])[None, :, None]
    compared = compare_events(truth, guitar, output=BARS, resampler=FileResampler(np.array([0])))
    assert (value(compared.notes_f1), value(compared.same_program_f1)) == (1, pytest.approx(2 / 6))


@given(st.lists(st.integers(0, 95), max_size=12), st.lists(st.integers(0, 95), max_size=12))
def test_no_way_to_pair_notes_finds_more(here: list[int], there: list[int]) -> None:
    def notes(steps: list[int]) -> Any:
        same = np.zeros(len(steps), np.int64)
        return SimpleNamespace(window=same, program=same, pitch=same, step=np.array(steps, np.int64))

    near = np.abs(np.subtract.outer(here, there)) <= 1 if here and there else np.zeros((1, 1), bool)
    most = (maximum_bipartite_matching(csr_array(near)) >= 0).sum()
    assert count_found(notes(here), notes(there), 1).tolist() == [most]


def test_a_track_without_a_program_is_a_piano_and_notes_after_the_bar_are_not_played() -> None:
    tracks = np.stack([track(ON + 60, SHIFT + 96, ON + 61), track(PROGRAM + 9, PROGRAM + 5, ON + 62)])[None]
    notes = notes_of(tracks)
    assert list(zip(notes.program.tolist(), notes.pitch.tolist(), notes.step.tolist(), strict=True)) == [
        (0, 60, 0),
        (9, 62, 0),
    ]
