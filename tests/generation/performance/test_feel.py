"""The measured feel: the numbers of the package, the draws from them, and the tool that measures them."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fixtures.tool_module import load_tool
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.window_specs import CLASS_NAMES, NINE_CLASSES, DrumWindows
from gmd_vae.datasets.groove import GROOVE
from gmd_vae.generation.performance import feel as feel_module
from gmd_vae.generation.performance.feel import LEVELS, MAX_OFFSET, MIN_HITS, POSITIONS, load_feel, parse_feel
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.tfrecord import write_record
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent.parent.parent
FILE = ROOT / "pipeline" / "gmd_vae" / "generation" / "performance" / "feel.json"
KICK, SNARE, CLOSED = 0, 1, 2
ALL = 511


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("measure_feel")


def content() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


def test_the_packages_numbers_are_those_of_gmds_training_split(tool: ModuleType, groove_stock_notes: Path) -> None:
    measured = tool.describe(tool.read_hits(groove_stock_notes / "train.tfrecord"))
    assert {**measured, "versions": None} == {**content(), "versions": None}


def test_the_file_names_its_source() -> None:
    source = content()["source"]
    assert source["sha256"] == GROOVE.sha256
    assert source["split"] == "train"
    assert "CC BY 4.0" in source["licence"]
    assert "Gillick" in source["citation"]
    assert content()["versions"]["gmd-vae"]


def test_backbeats_are_accents_and_other_hits_are_not() -> None:
    snare, hat = load_feel().voices[SNARE], load_feel().voices[CLOSED]
    assert min(snare.velocity[4], snare.velocity[12]) > max(snare.velocity[:4] + snare.velocity[5:12]) + 10
    assert min(hat.velocity[::2]) > max(hat.velocity[1::2])


def test_the_kick_is_not_the_softest_drum() -> None:
    voices = load_feel().voices
    loudness = [np.average(voice.velocity, weights=voice.hits) for voice in voices]
    assert loudness[KICK] > max(loudness[SNARE], loudness[CLOSED])
    assert voices[KICK].velocity[0] == pytest.approx(max(voices[SNARE].velocity), abs=5)  # the 1 and the backbeat


@pytest.mark.parametrize("voice", range(len(NINE_CLASSES)), ids=CLASS_NAMES)
def test_many_draws_have_the_measured_means_and_spreads(voice: int) -> None:
    feel = load_feel()
    measured = feel.voices[voice]
    velocities, offsets = defaultdict(list), defaultdict(list)
    for number in range(300):
        for hit in feel.play([1 << voice] * 64, 0, number):
            velocities[hit.step % POSITIONS].append(hit.velocity)
            offsets[hit.step % POSITIONS].append(hit.offset)
    for position in range(POSITIONS):
        # limits and missing tails of the quantiles shift the values a little
        assert np.mean(velocities[position]) == pytest.approx(measured.velocity[position], abs=4)
        assert np.std(velocities[position]) == pytest.approx(measured.velocity_spread[position], rel=0.35)
        assert np.mean(offsets[position]) == pytest.approx(measured.offset[position], abs=0.04)
        assert np.std(offsets[position]) == pytest.approx(measured.offset_spread[position], rel=0.2)


def test_voices_drift_together() -> None:
    feel = load_feel()
    kicks, hats = [], []
    for number in range(300):
        played = {(hit.step, hit.voice): hit.offset for hit in feel.play([1 | 4] * 16, 1, number)}
        kicks.append([played[step, KICK] for step in range(16)])
        hats.append([played[step, CLOSED] for step in range(16)])
    kick, hat = np.array(kicks), np.array(hats)
    kick, hat = kick - kick.mean(axis=0), hat - hat.mean(axis=0)
    same = np.corrcoef(kick.ravel(), hat.ravel())[0, 1]
    later = np.corrcoef(kick[:, :-8].ravel(), hat[:, 8:].ravel())[0, 1]
    assert same == pytest.approx(feel.drift, abs=0.07)
    assert later == pytest.approx(feel.drift * feel.drift_memory**8, abs=0.07)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, ALL), max_size=70), st.integers(-(2**63), 2**64), st.integers(0, 10**6))
def test_every_hit_is_within_limits_and_repeatable(labels: list[int], seed: int, number: int) -> None:
    hits = list(load_feel().play(labels, seed, number))
    assert [(hit.step, hit.voice) for hit in hits] == [
        (step, voice) for step, label in enumerate(labels) for voice in range(9) if label >> voice & 1
    ]
    assert all(type(hit.velocity) is int and 1 <= hit.velocity <= 127 for hit in hits)
    assert all(abs(hit.offset) <= MAX_OFFSET for hit in hits)
    assert hits == list(load_feel().play(labels, seed, number))


def test_another_seed_or_number_is_another_performance() -> None:
    played = {tuple(load_feel().play([ALL] * 16, seed, number)) for seed in (0, 1, 11) for number in (0, 1, 10)}
    assert len(played) == 9


def test_it_fits_nine_drums_on_sixteenths_of_four_quarters() -> None:
    feel = load_feel()
    assert feel.fits(DrumWindows())
    assert feel.fits(DrumWindows(slice_bars=1, roll_input=False))
    assert not feel.fits(DrumWindows(steps_per_quarter=2))
    assert not feel.fits(DrumWindows(quarters_per_bar=3))
    assert not feel.fits(DrumWindows(steps_per_quarter=2, quarters_per_bar=8))
    assert not feel.fits(DrumWindows(pitch_classes=NINE_CLASSES[:8]))
    assert not feel.fits(DrumWindows(pitch_classes=NINE_CLASSES[::-1]))


def test_a_position_with_few_hits_takes_the_voices_mean() -> None:
    changed = content()
    kick = changed["voices"]["kick"]
    kick["hits"] = [MIN_HITS - 1, 0] + [MIN_HITS] * 14
    kick["velocity"] = [127, 1] + [50] * 14
    kick["offset"] = [0.5, 0.5] + [0.1] * 14
    filled = parse_feel(json.dumps(changed)).voices[KICK]
    mean = (127 * (MIN_HITS - 1) + 50 * 14 * MIN_HITS) / (15 * MIN_HITS - 1)
    assert filled.velocity == pytest.approx([mean, mean] + [50] * 14)
    assert filled.offset[:3] == pytest.approx([filled.offset[0], filled.offset[0], 0.1])
    assert 0.1 < filled.offset[0] < 0.2


def damaged(*path: Any, value: Any) -> str:
    changed = content()
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(changed)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "format"),
        (damaged("format", value=2), "format"),
        (damaged("name", value=None), "name"),
        (damaged("levels", value=[0.5]), "levels"),
        (damaged("voices", value={}), "voices"),
        (damaged("drift", value=1.5), "drift"),
        (damaged("drift_memory", value=None), "drift_memory"),
        (damaged("voices", "snare", value=3), "'snare'"),
        (damaged("voices", "snare", "velocity", value=[80] * 15), "velocity of 'snare' is not 16 numbers"),
        (damaged("voices", "snare", "velocity", 3, value=128), "velocity of 'snare' is not within 1 to 127"),
        (damaged("voices", "ride", "offset", 0, value="0"), "offset of 'ride'"),
        (damaged("voices", "ride", "offset_spread", 0, value=-0.1), "offset_spread of 'ride'"),
        (damaged("voices", "ride", "offset", 0, value=float("nan")), "offset of 'ride'"),
        (damaged("voices", "kick", "hits", value=[0] * 16), "'kick' has no hits"),
        (damaged("voices", "kick", "velocity_shape", 0, value=9), "velocity_shape of 'kick' does not rise"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_feel(text)


def test_a_missing_file_is_a_one_line_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feel_module, "_FILE", "gone.json")
    load_feel.cache_clear()
    try:
        with pytest.raises(GmdVaeError, match=r"'gone\.json' of gmd-vae cannot be used"):
            load_feel()
    finally:
        load_feel.cache_clear()


def performance(hits: list[tuple[float, int, int]], qpm: float = 120, numerator: int = 4) -> bytes:
    """A NoteSequence with ``hits``: position in sixteenths, pitch, velocity."""
    sequence = NoteSequence()
    sequence.tempos.add(qpm=qpm)
    sequence.time_signatures.add(numerator=numerator, denominator=4)
    for place, pitch, velocity in hits:
        start = place * 15 / qpm
        sequence.notes.add(start_time=start, end_time=start + 0.05, pitch=pitch, velocity=velocity, is_drum=True)
        sequence.total_time = max(sequence.total_time, start + 0.05)
    data: bytes = sequence.SerializeToString()
    return data


def test_the_tool_finds_positions_and_the_loudest_hit_of_a_flam(tool: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "train.tfrecord"
    flam = [(0, 36, 100), (3.75, 38, 30), (4.25, 40, 90), (17.0, 22, 50), (18, 99, 50)]  # 99 is no drum of ours
    with path.open("wb") as stream:
        write_record(stream, performance(flam, qpm=97))
        write_record(stream, performance(flam, numerator=3))
        write_record(stream, performance([(2.4, 49, 127)]))
    hits, sessions, tempos = tool.read_hits(path)
    assert sessions == ["", ""], "one is not in 4/4"
    assert tempos == pytest.approx([97, 120])
    assert hits == pytest.approx(
        np.array([[0, 0, 0, 100, 0], [0, 1, 4, 90, 0.25], [0, 2, 17, 50, 0], [1, 7, 2, 127, 0.4]]), abs=1e-9
    )


def test_the_tool_puts_pads_of_all_sessions_on_one_scale(tool: ModuleType) -> None:
    """The kick pad of the second session sends half of the velocity for the same stroke; the third has few snares."""
    stroke = np.random.default_rng(0).uniform(20, 60, 400)
    rows = [
        (session, voice, step, stroke[step] * (0.5 if (session, voice) == (1, 0) else 1), 0.0)
        for session, voice, count in ((0, 0, 400), (0, 1, 400), (1, 0, 400), (1, 1, 400), (2, 1, 99))
        for step in range(count)
    ]
    hits = np.array(rows)
    scaled, full_stroke = tool.on_one_scale(tool.Performances(hits, ["a", "b", "c"], [120.0] * 3))
    quiet, loud = (scaled[(hits[:, 0] == session) & (hits[:, 1] == 0), 3] for session in (1, 0))
    assert quiet == pytest.approx(loud)
    assert full_stroke == pytest.approx(np.quantile(stroke, 0.9) * 3.5 / 4)
    few = scaled[hits[:, 0] == 2, 3]
    assert few / hits[hits[:, 0] == 2, 3] == pytest.approx(np.full(99, few[0] / stroke[0]))
    assert np.quantile(loud, 0.9) == pytest.approx(full_stroke)
    assert (scaled[:, [0, 1, 2, 4]] == hits[:, [0, 1, 2, 4]]).all()


def test_the_tool_recovers_known_statistics(tool: ModuleType) -> None:
    """Two drummers with different mean velocities: the spread is that of one drummer, the mean that of both."""
    numbers = np.random.default_rng(0)
    rows = []
    for drummer, level in enumerate((40.0, 90.0)):
        drift = 0.0
        for step in range(16 * 300):
            drift = 0.9 * drift + np.sqrt(1 - 0.9**2) * numbers.normal()
            for voice in range(9):
                timing = np.sqrt(0.6) * drift + np.sqrt(0.4) * numbers.normal()
                rows.append((drummer, voice, step, level + 6 * numbers.normal(), -0.05 + 0.1 * timing))
    measured = tool.measure(np.array(rows))
    for voice in measured["voices"].values():
        assert voice["hits"] == [600] * 16
        assert voice["velocity"] == pytest.approx([65] * 16, abs=1.5)
        assert voice["velocity_spread"] == pytest.approx([6] * 16, rel=0.12)
        assert voice["offset"] == pytest.approx([-0.05] * 16, abs=0.03)
        assert voice["offset_spread"] == pytest.approx([0.1] * 16, rel=0.15)
        assert voice["velocity_shape"][LEVELS.index(0.5)] == pytest.approx(0, abs=0.1)
        assert voice["velocity_shape"][LEVELS.index(0.9)] == pytest.approx(1.28, abs=0.1)
    assert measured["drift"] == pytest.approx(0.6, abs=0.05)
    assert measured["drift_memory"] == pytest.approx(0.9, abs=0.03)


def test_the_tool_refuses_another_archive(tool: ModuleType, tmp_path: Path, small_groove_zip: Path) -> None:
    target = tmp_path / "feel.json"
    with pytest.raises(SystemExit, match="is not the Groove archive"):
        tool.main(["--archive", str(small_groove_zip), "--output", str(target)])
    with pytest.raises(SystemExit, match="is not a file"):
        tool.main(["--archive", str(tmp_path / "none.zip"), "--output", str(target)])
    assert not target.exists()


def test_a_feel_is_a_value() -> None:
    assert parse_feel(FILE.read_text(encoding="utf-8")) == load_feel()
    assert hash(dataclasses.replace(load_feel())) == hash(load_feel())
