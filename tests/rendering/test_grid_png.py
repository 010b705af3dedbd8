"""Bars of MIDI files, and pictures of them: complete, and the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.rendering import grid_png
from gmd_vae.rendering.bars import find_bars, to_quarters, to_seconds
from gmd_vae.rendering.drum_part import DrumPart, drum_part, read_drum_part
from gmd_vae.rendering.grid_png import MAX_BARS, write_png
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

MakeMidi = Callable[..., bytes]


def part(seconds: float, **facts: Any) -> DrumPart:
    times = np.arange(0, seconds, 0.25)
    return DrumPart(times, np.arange(len(times)) % 9, 1 + np.arange(len(times)) % 127, seconds, **facts)


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.info.get("Software") is None
        image.load()
        return image.size


def meter(numerator: int, denominator_power: int, delta: bytes = b"\x00") -> bytes:
    return delta + bytes([0xFF, 0x58, 4, numerator, denominator_power, 24, 8])


@pytest.mark.parametrize(
    ("signature", "length", "beat"),
    [((4, 2), 4, 1), ((3, 2), 3, 1), ((6, 3), 3, 1.5), ((12, 3), 6, 1.5), ((5, 3), 2.5, 0.5), ((2, 1), 4, 2)],
)
def test_bars_and_beats_of_a_meter(make_midi: MakeMidi, signature: tuple[int, int], length: float, beat: float) -> None:
    hits = [(240 * number, 38) for number in range(24)]  # 12 quarters
    midi = make_midi(hits, before=meter(*signature))
    found = find_bars(drum_part(midi_to_note_sequence(midi, "", "x"), "x"), 100)
    assert found.total == len(found.bars) == -(-11.625 // length)
    assert [bar.start for bar in found.bars] == pytest.approx([length * number for number in range(found.total)])
    assert {(bar.length, bar.beat) for bar in found.bars} == {(length, beat)}
    assert found.hits.tolist() == pytest.approx([number / 2 for number in range(24)])


def test_tempo_and_meter_may_change(make_midi: MakeMidi) -> None:
    # a bar of 4/4 at 120, then 3/4 at 60
    changes = meter(4, 2) + meter(3, 2, b"\x8f\x00") + b"\x00\xff\x51\x03\x0f\x42\x40"
    midi = make_midi([(480 * number, 38) for number in range(7)], before=changes)
    found = find_bars(drum_part(midi_to_note_sequence(midi, "", "x"), "x"), 100)
    assert [(bar.start, bar.length) for bar in found.bars] == [(0, 4), (4, 3), (7, 3), (10, 3)]
    assert found.hits.tolist() == pytest.approx(range(4, 11))


def test_a_meter_that_changes_within_a_bar_cuts_it() -> None:
    music = part(6, meters=((0.0, 4, 4), (2.5, 3, 4)))
    assert [(bar.start, bar.length) for bar in find_bars(music, 100).bars] == [(0, 4), (4, 1), (5, 3), (8, 3), (11, 3)]


def test_real_files_have_the_bars_they_say(starter_midi: list[Path]) -> None:
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
    assert find_bars(strokes, MAX_BARS).total == bars


def test_the_picture_grows_with_the_music(tmp_path: Path) -> None:
    heights = []
    for bars, drawn in ((1, 1), (4, 4), (5, 5)):
        assert write_png(part(2.0 * bars), tmp_path / "x.png", "x") == (drawn, bars)
        heights.append(size(tmp_path / "x.png")[1])
    assert heights[0] == heights[1] < heights[2]


def test_the_same_part_gives_the_same_bytes(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    title = "a $very$ long_name 日本 " * 20
    for name in ("a.png", "b.png"):
        write_png(part(9), tmp_path / name, title)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert [str(warning.message) for warning in recwarn] == []


def test_every_hit_is_drawn_once_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[float, float]] = []
    real = grid_png._draw_hits

    def spy(axes: Any, *rest: Any) -> None:
        real(axes, *rest)
        for path in axes.collections[-1].get_paths():
            drawn.append((path.vertices[0, 0], int(path.vertices[0, 1])))

    monkeypatch.setattr(grid_png, "_draw_hits", spy)
    music = part(20)
    early = DrumPart(music.times - 0.01 * (music.times > 0), music.voices, music.velocities, 20)
    write_png(early, tmp_path / "x.png", "x")
    assert [voice for _, voice in drawn] == early.voices.tolist()
    assert [x for x, _ in drawn] == pytest.approx((2 * early.times).tolist())


METERS = st.lists(st.tuples(st.floats(0, 60), st.integers(1, 255), st.integers(0, 8)), max_size=6)
TEMPOS = st.lists(st.tuples(st.floats(0, 60), st.floats(3.6, 6e7)), max_size=4)


def odd(meters: list[tuple[float, int, int]], tempos: list[tuple[float, float]], seconds: float) -> DrumPart:
    times = {time: (numerator, 1 << power) for time, numerator, power in meters}
    return part(
        seconds,
        meters=((0.0, 4, 4), *((time, *times[time]) for time in sorted(times) if time)),
        tempos=((0.0, 120.0), *((time, qpm) for time, qpm in sorted(dict(tempos).items()) if time)),
    )


@settings(deadline=None)
@given(METERS, TEMPOS, st.floats(0, 60))
def test_bars_follow_each_other_without_gaps(
    meters: list[tuple[float, int, int]], tempos: list[tuple[float, float]], seconds: float
) -> None:
    found = find_bars(odd(meters, tempos, seconds), 50)
    assert 1 <= len(found.bars) == min(found.total, 50)
    for before, after in zip(found.bars, found.bars[1:], strict=False):
        assert before.length > 0
        assert before.start + before.length == pytest.approx(after.start, rel=1e-9, abs=2e-4)
    assert (np.diff(found.hits) > 0).all()


@given(METERS, TEMPOS, st.floats(0, 60))
def test_seconds_and_quarter_notes_convert_back(
    meters: list[tuple[float, int, int]], tempos: list[tuple[float, float]], seconds: float
) -> None:
    music = odd(meters, tempos, seconds)
    assert to_seconds(music, to_quarters(music, music.times)) == pytest.approx(music.times, rel=1e-6, abs=1e-6)


@settings(max_examples=3, deadline=None)
@given(METERS, TEMPOS, st.floats(0, 3))
def test_any_meter_and_tempo_can_be_drawn(
    tmp_path_factory: pytest.TempPathFactory,
    meters: list[tuple[float, int, int]],
    tempos: list[tuple[float, float]],
    seconds: float,
) -> None:
    path = tmp_path_factory.mktemp("odd") / "x.png"
    drawn, total = write_png(odd(meters, tempos, seconds), path, "odd")
    assert 1 <= drawn <= min(total, MAX_BARS)
    assert max(size(path)) < 7_000
