"""Windows follow the beat through a tempo map, and music with one tempo is cut as by Magenta."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.tempo_maps import TICKS, beat_ticks, tempo_map_midi
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.generation.inputs.midi_input import read_midi_file
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.windows.cutting import positions
from gmd_vae.windows.cutting.beat_time import TempoMap, at_one_tempo
from gmd_vae.windows.cutting.drum_windows import DrumExtractor, placed_windows
from gmd_vae.windows.cutting.filters import FilteredDrumExtractor, Filters
from gmd_vae.windows.extraction import Dropped, Extraction
from hypothesis import given, settings
from hypothesis import strategies as st

BAR = 4 * TICKS


def read(midi: bytes) -> Any:
    return midi_to_note_sequence(midi, "", "x.mid")


def cut(midi: bytes, spec: DrumWindows | None = None) -> Extraction:
    return DrumExtractor(spec or DrumWindows())(read(midi).SerializeToString())


def labels(midi: bytes) -> list[list[int]]:
    windows: Any = cut(midi).windows
    return windows.tolist()  # type: ignore[no-any-return]


TEMPO_MAPS = {
    "a tempo for each bar": {bar * BAR: 99 + 2 * (bar % 2) for bar in range(12)},
    "a drift": {beat * TICKS: 100 + 0.05 * beat for beat in range(48)},
    "a ritardando": {0: 120, **{8 * BAR + beat * TICKS // 4: 118 - beat for beat in range(60)}},
    "a change at each 16th": {step * TICKS // 4: 80 + step % 41 for step in range(12 * 16)},
    "the double": {0: 90, 6 * BAR: 180},
    "a change within a bar": {0: 90, 4 * BAR + 777: 140},
    "no tempo before the first": {1: 100},
    "a late one": {0: 100, 4 * BAR + 3: 150},
    "an early one": {0: 100, 4 * BAR - 3: 150},
    "the first at the second bar": {BAR: 75},
}


@pytest.mark.parametrize("tempos", TEMPO_MAPS.values(), ids=TEMPO_MAPS)
def test_a_tempo_map_changes_no_window(tempos: dict[int, float]) -> None:
    hits = beat_ticks(12)
    assert labels(tempo_map_midi(hits, tempos)) == labels(tempo_map_midi(hits, {0: 120}))
    counts = [cut(tempo_map_midi(hits, each)).dropped.as_json() for each in (tempos, {0: 120})]
    assert counts[0] == counts[1]


HITS = st.lists(st.tuples(st.integers(0, 12 * BAR), st.sampled_from([36, 38, 42, 46, 51, 99])), min_size=1, max_size=80)
CHANGES = st.dictionaries(st.integers(0, 13 * BAR), st.floats(20, 300), max_size=40)


@settings(max_examples=200, deadline=None)
@given(hits=HITS, tempos=CHANGES)
def test_any_groove_gives_the_same_windows_under_any_tempo_map(hits: list[tuple[int, int]], tempos: Any) -> None:
    constant = cut(tempo_map_midi(hits, {0: 120}))
    mapped = cut(tempo_map_midi(hits, tempos))
    assert np.asarray(mapped.windows).tolist() == np.asarray(constant.windows).tolist()
    assert mapped.dropped.as_json() == constant.dropped.as_json()


def test_music_with_one_tempo_is_not_changed() -> None:
    for tempos in ({0: 97}, {0: 97, BAR: 97}, {}):
        sequence = read(tempo_map_midi(beat_ticks(8), tempos))
        music = at_one_tempo(sequence, notes_of(sequence))
        assert music.sequence is sequence
        assert music.tempos is None


def test_stock_cuts_at_each_change() -> None:
    sequence = read(tempo_map_midi(beat_ticks(12), {0: 90, 6 * BAR: 180}))
    sections = {window.section for window in placed_windows(DrumWindows(), sequence, Dropped())}
    assert sections == {0, 1}


@pytest.mark.parametrize("late", [1, 5, TICKS // 8])
def test_a_late_time_signature_leaves_the_downbeat_in_its_bar(late: int) -> None:
    spec = DrumWindows(slice_bars=4, quarters_per_bar=3)
    hits = [(beat * TICKS, 36 if beat % 3 == 0 else 42) for beat in range(24)]
    exact, moved = (cut(tempo_map_midi(hits, {0: 100}, {at: (3, 4)}), spec) for at in (0, late))
    assert np.asarray(moved.windows).tolist() == np.asarray(exact.windows).tolist()
    assert moved.dropped.as_json() == exact.dropped.as_json()
    other = tempo_map_midi(hits, {0: 100}, {late + TICKS // 4: (3, 4)})  # this one begins a bar of its own
    assert cut(other, spec).dropped.as_json() != exact.dropped.as_json()


def test_a_change_of_time_signature_still_cuts() -> None:
    midi = tempo_map_midi(beat_ticks(12), {0: 90, 3: 100, 9 * BAR: 80}, {0: (4, 4), 4 * BAR: (2, 2), 8 * BAR: (7, 8)})
    extraction = cut(midi)
    assert len(extraction.windows) == 2
    assert extraction.dropped.reasons["other_bar_length"] == 1


def test_windows_have_the_seconds_and_the_tempo_of_the_music() -> None:
    hits = [(tick, 36 + 2 * (tick // BAR % 3)) for tick, _ in beat_ticks(8)]
    sequence = read(tempo_map_midi(hits, {0: 60, 2 * BAR: 120}))
    windows = positions.windows(DrumWindows(slice_bars=1), at_one_tempo(sequence, notes_of(sequence)), Dropped())
    assert [(window.bar, round(window.seconds, 6), round(window.bpm, 3)) for window in windows[:3]] == [
        (1.0, 0.0, 60.0),
        (2.0, 4.0, 60.0),
        (3.0, 8.0, 120.0),
    ]


def test_the_tempo_of_music_is_the_one_of_its_median_beat() -> None:
    tempos = TempoMap.of(read(tempo_map_midi(beat_ticks(8), {1: 100, 7 * BAR: 60})))
    assert tempos is not None
    assert tempos.tempo_between(0, 32) == pytest.approx(100)
    assert tempos.tempo_between(29, 30) == pytest.approx(60)
    assert tempos.tempo_between(4, 4) == pytest.approx(100)


def test_quarters_and_seconds_are_inverse() -> None:
    rng = random.Random(5)
    changes = {rng.randrange(60 * TICKS): rng.uniform(30, 250) for _ in range(50)}
    tempos = TempoMap.of(read(tempo_map_midi([(tick * TICKS, 36) for tick in range(64)], changes)))
    assert tempos is not None
    quarters = np.linspace(0, 64, 333)
    np.testing.assert_allclose(tempos.to_quarters(tempos.to_seconds(quarters)), quarters, atol=1e-9)


def test_a_filter_of_length_counts_the_seconds_of_the_music() -> None:
    record = read(tempo_map_midi(beat_ticks(8), {0: 60, 4 * BAR: 30})).SerializeToString()  # 48 seconds
    filters = [Filters(max_total_time=seconds) for seconds in (45, 49)]
    counts = [len(FilteredDrumExtractor(DrumWindows(), each)(record).windows) for each in filters]
    assert counts == [0, 5]


@pytest.mark.parametrize("qpm", [0.0, -5.0, math.nan, math.inf])
def test_an_impossible_tempo_costs_only_its_section(qpm: float) -> None:
    sequence = read(tempo_map_midi(beat_ticks(12), {0: 120}))
    sequence.tempos.add(time=12.0, qpm=qpm)
    extraction = DrumExtractor(DrumWindows())(sequence.SerializeToString())
    assert len(extraction.windows) >= 1


def test_generate_reads_a_tempo_map_as_the_windows_of_one_tempo(tmp_path: Path) -> None:
    from gmd_vae.configuration.registry import get_config
    from gmd_vae.families import family_of

    files = [tmp_path / "map.mid", tmp_path / "constant.mid"]
    tempos: tuple[dict[int, float], ...] = (TEMPO_MAPS["a tempo for each bar"], {0: 99})
    for path, each in zip(files, tempos, strict=True):
        path.write_bytes(tempo_map_midi(beat_ticks(12), each))
    for name in ("hierdec-drum_4bar_small", "groovae_2bar_humanize_small"):
        config = get_config(name)
        mapped, constant = (family_of(config).input_reader(config).song(read_midi_file(path)) for path in files)
        assert mapped.bars == constant.bars
        assert mapped.tempo == pytest.approx(99, abs=2.01)
        for one, other in zip(mapped.windows, constant.windows, strict=True):
            np.testing.assert_allclose(one.inputs, other.inputs, atol=1e-4)
