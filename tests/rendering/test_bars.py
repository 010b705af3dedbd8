"""Bars, beats and tempo maps of drum parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fixtures.drum_parts import METERS, TEMPOS, changing_part, steady_part
from gmd_vae.midi.midi_io import read_midi
from gmd_vae.rendering.bars import find_bars, to_quarters, to_seconds
from gmd_vae.rendering.drum_part import DrumPart, drum_part, read_drum_part
from hypothesis import given, settings
from hypothesis import strategies as st

MakeMidi = Callable[..., bytes]


def meter(numerator: int, denominator_power: int, delta: bytes = b"\x00") -> bytes:
    """Returns a MIDI time signature event."""
    return delta + bytes([0xFF, 0x58, 4, numerator, denominator_power, 24, 8])


@pytest.mark.parametrize(
    ("signature", "length", "beat"),
    [((4, 2), 4, 1), ((3, 2), 3, 1), ((6, 3), 3, 1.5), ((12, 3), 6, 1.5), ((5, 3), 2.5, 0.5), ((2, 1), 4, 2)],
)
def test_bars_and_beats_of_a_meter(make_midi: MakeMidi, signature: tuple[int, int], length: float, beat: float) -> None:
    hits = [(240 * number, 38) for number in range(24)]  # 12 quarters
    midi = make_midi(hits, before=meter(*signature))
    found = find_bars(drum_part(read_midi(midi, "", "x"), "x"), 100)
    assert found.total == len(found.bars) == -(-11.625 // length)
    assert [bar.start for bar in found.bars] == pytest.approx([length * number for number in range(found.total)])
    assert {(bar.length, bar.beat) for bar in found.bars} == {(length, beat)}
    assert found.hits.tolist() == pytest.approx([number / 2 for number in range(24)])


def test_tempo_and_meter_may_change(make_midi: MakeMidi) -> None:
    # a bar of 4/4 at 120, then 3/4 at 60
    changes = meter(4, 2) + meter(3, 2, b"\x8f\x00") + b"\x00\xff\x51\x03\x0f\x42\x40"
    midi = make_midi([(480 * number, 38) for number in range(7)], before=changes)
    found = find_bars(drum_part(read_midi(midi, "", "x"), "x"), 100)
    assert [(bar.start, bar.length) for bar in found.bars] == [(0, 4), (4, 3), (7, 3), (10, 3)]
    assert found.hits.tolist() == pytest.approx(range(4, 11))


def test_a_meter_that_changes_within_a_bar_cuts_it() -> None:
    music = steady_part(6, meters=((0.0, 4, 4), (2.5, 3, 4)))
    assert [(bar.start, bar.length) for bar in find_bars(music, 100).bars] == [(0, 4), (4, 1), (5, 3), (8, 3), (11, 3)]


def test_hits_of_the_starter_set_lie_near_sixteenths(starter_midi: list[Path]) -> None:
    for path in starter_midi[::8]:
        music = read_drum_part(path)
        found = find_bars(music, 100)
        steps = found.hits * 4
        assert np.abs(steps - np.round(steps)).max() < 0.5
        assert found.bars[-1].start < found.hits[-1] < found.bars[-1].start + found.bars[-1].length


@pytest.mark.parametrize(("last", "seconds", "bars"), [(7.75, 8.05, 4), (8.0, 8.05, 5), (7.75, 8.5, 5)])
def test_a_note_that_ends_after_the_bar_line_makes_no_bar(last: float, seconds: float, bars: int) -> None:
    """Four bars at 120 bpm take 8 seconds; a stroke on the bar line, or half a second more, is another bar."""
    strokes = DrumPart(np.array([0.0, last]), np.array([0, 1]), np.array([90, 90]), seconds)
    assert find_bars(strokes, 64).total == bars


@settings(deadline=None)
@given(METERS, TEMPOS, st.floats(0, 60))
def test_bars_follow_each_other_without_gaps(
    meters: list[tuple[float, int, int]], tempos: list[tuple[float, float]], seconds: float
) -> None:
    found = find_bars(changing_part(meters, tempos, seconds), 50)
    assert 1 <= len(found.bars) == min(found.total, 50)
    for before, after in zip(found.bars, found.bars[1:], strict=False):
        assert before.length > 0
        assert before.start + before.length == pytest.approx(after.start, rel=1e-9, abs=2e-4)
    assert (np.diff(found.hits) > 0).all()


@given(METERS, TEMPOS, st.floats(0, 60))
def test_seconds_and_quarter_notes_convert_back(
    meters: list[tuple[float, int, int]], tempos: list[tuple[float, float]], seconds: float
) -> None:
    music = changing_part(meters, tempos, seconds)
    assert to_seconds(music, to_quarters(music, music.times)) == pytest.approx(music.times, rel=1e-6, abs=1e-6)
