"""The data that the report page draws and plays a beat from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.midi.midi_io import read_midi
from gmd_vae.rendering.drum_part import DrumPart, drum_part
from gmd_vae.rendering.report.beat_data import BeatData, describe_beat

MakeMidi = Callable[..., bytes]
TEMPO = b"\x00\xff\x51\x03" + (600_000).to_bytes(3, "big")


def part(**changes: Any) -> DrumPart:
    times = np.asarray(changes.pop("times", [0.0, 0.5]))
    voices = np.asarray(changes.pop("voices", [0] * len(times)), np.int64)
    velocities = np.asarray(changes.pop("velocities", [100] * len(times)), np.int64)
    return DrumPart(times, voices, velocities, changes.pop("seconds", 2.0), **changes)


def described(music: DrumPart, midi: bytes = b"") -> BeatData:
    return describe_beat(music, midi)


def test_a_grid_has_rows_of_four_bars_and_a_hit_before_a_row_belongs_to_it() -> None:
    grid = described(part(times=[0.0, 7.97, 8.0, 17.9], voices=[0, 7, 0, 1], seconds=18.0))
    rows = grid.drawn["rows"]
    assert [(row["begin"], row["end"]) for row in rows] == [(0, 16), (16, 32), (32, 36)]
    assert (grid.rows, grid.drawn["length"]) == (3, 16)  # to the same scale
    assert rows[2]["bars"] == [36]  # where the last bar ends
    voices = grid.drawn["voices"]
    assert [voices[slice(*row["hits"])] for row in rows] == [[0], [7, 0], [1]]
    assert grid.drawn["quarters"][1] == pytest.approx(15.94)
    assert grid.facts == "120\xa0bpm · 9\xa0bars · 4\xa0hits"
    assert "kick 2, snare 1, crash 1" in grid.description
    assert grid.drawn["bars"][-1] == [18_000, 36.0]


@pytest.mark.parametrize(
    ("before", "place"),
    [  # events ahead of the notes, the tempo within them
        (TEMPO, 4),
        (b"", None),
        (2 * TEMPO, None),
    ],
)
def test_the_place_of_the_only_tempo_is_known(before: bytes, place: int | None, make_midi: MakeMidi) -> None:
    data = make_midi(before=before)
    found = described(drum_part(read_midi(data, "", "x"), "x"), data)
    assert found.drawn["tempoAt"] == (None if place is None else data.index(TEMPO) + place)
    assert found.drawn["tempo"] == (100 if before else 120)


def test_tempos_and_meters_are_kept() -> None:
    grid = described(part(tempos=((0.0, 60.0), (3.0, 120.0)), meters=((0.0, 3, 4),), times=[0.0, 3.5], seconds=4.5))
    assert grid.facts == "60 to 120\xa0bpm · 3/4 · 2\xa0bars · 2\xa0hits"
    assert grid.drawn["bars"] == [[0, 0.0], [3000, 3.0], [4500, 6.0]]


def test_long_music_is_cut_and_too_many_hits_are_refused() -> None:
    grid = described(part(times=np.arange(0, 80, 0.5), seconds=80.0))
    assert "first 16 of 40\xa0bars" in grid.facts
    assert len(grid.drawn["times"]) == 64
    with pytest.raises(GmdVaeError, match="too many to draw"):
        described(part(times=np.linspace(0, 2, 5_000)))


def test_silence_has_an_empty_grid() -> None:
    grid = described(part(times=[], voices=[], velocities=[]))
    assert "Silence." in grid.description
    assert grid.drawn["times"] == []
