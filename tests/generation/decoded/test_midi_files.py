"""Names of the files of a job, and the arrangement of their windows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from gmd_vae.generation.decoded.midi_files import FilePlan
from gmd_vae.generation.inputs.input_windows import InputSong, InputWindow
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.generation.request import GenerationRequest

STEPS_PER_BAR = 4
PLAN = FilePlan("groove-4bar", "sample", 7, range(2), 2, [], (), None, [], (), Playing(), join=False)


@pytest.mark.parametrize(("total", "number"), [(2, "001"), (1000, "001"), (1001, "0001")])
def test_file_names_have_equally_many_digits(total: int, number: str) -> None:
    assert dataclasses.replace(PLAN, total=total).stem(1) == f"groove-4bar_sample_seed7_{number}_120bpm"


def test_file_names_say_the_tempo_and_still_sort_by_number() -> None:
    plan = dataclasses.replace(PLAN, tempos=[128.0, 96.126])
    assert [plan.stem(0), plan.stem(1), plan.joined_stem] == [
        "groove-4bar_sample_seed7_000_128bpm",
        "groove-4bar_sample_seed7_001_96.13bpm",
        "groove-4bar_sample_seed7_joined_120bpm",
    ]


@pytest.mark.parametrize(
    ("model", "word"),
    [
        ("hierdec-drum_4bar_small", "hierdec-drum_4bar_small"),
        ("Z\u00fcrich: mine / v2?", "Zurich-mine-v2"),
        ("../..", "model"),
        ("\u6f22", "model"),
        ("x" * 90, "x" * 40),
    ],
)
def test_every_file_system_takes_the_name_of_the_model(model: str, word: str) -> None:
    assert dataclasses.replace(PLAN, model=model).stem(0) == f"{word}_sample_seed7_000_120bpm"


def test_windows_follow_each_other_and_are_cut_at_the_last_bar() -> None:
    windows = [np.full(8, 1), np.full(8, 2)]
    assert PLAN.arrange(0, windows, STEPS_PER_BAR).tolist() == [1] * 8 + [2] * 8
    assert dataclasses.replace(PLAN, bars=3).arrange(0, windows, STEPS_PER_BAR).tolist() == [1] * 8 + [2] * 4


def test_windows_of_a_song_stand_at_their_bars() -> None:
    places = [(0, 0), (2, 1), (5, 0)]  # bar in the song, bars that belong to the window before
    windows = tuple(
        InputWindow(Path("a.mid"), np.zeros((8, 1)), 8, 3, bar=bar, skipped_bars=skipped) for bar, skipped in places
    )
    plan = dataclasses.replace(PLAN, songs=(InputSong(Path("a.mid"), windows, 6, 120.0, ()),))
    arranged = plan.arrange(0, [np.full(8, 1), np.full(8, 2), np.full(8, 3)], STEPS_PER_BAR)
    assert arranged.reshape(6, STEPS_PER_BAR)[:, 0].tolist() == [1, 1, 2, 0, 0, 3]


def test_pictures_name_the_places_of_an_interpolation_and_else_the_numbers() -> None:
    labels = GenerationRequest(mode="interpolate", count=4).labels(7)
    assert labels == ["start", "1/3", "2/3", "input 2", "1/3", "2/3", "end"]
    plan = dataclasses.replace(PLAN, numbers=range(7), labels=labels)
    assert [plan.label(index) for index in (0, 3, 6)] == [{1: "start"}, {1: "input 2"}, {1: "end"}]
    assert list(plan.joined_labels(4).items())[:3] == [(1, "start"), (5, "1/3"), (9, "2/3")]
    assert GenerationRequest(mode="vary").labels(2) == []
    assert (PLAN.label(1), PLAN.joined_labels(2)) == ({}, {1: "000", 3: "001"})
